//! What recovery points there are and what they hold, for lists and for choosing one.
//!
//! What a point holds is sealed, so each is fetched and opened once; `points.json` in the home remembers it, for a point
//! never changes. It may be lost at any time.

pub mod calendar;
mod when;

pub use when::{When, time};

use crate::codes::Code;
use crate::document::Document;
use crate::jobs::JobFailure;
use crate::{Agent, AgentError, Home, RegisteredServer};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use stateward_client::{HttpVault, Manner};
use stateward_crypto::EpochKeys;
use stateward_engine::points::{find_point, open_point};
use stateward_engine::{Cancellation, PointSummary, ServerTrust, TrustedPoint, VaultRead};
use stateward_format::manifest::{ComponentResult, Manifest};
use stateward_model::{ComponentName, ItemId, ItemKind, Label, PointHash, Sequence, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "points.json";

/// What a recovery point holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointDescription {
    /// Its id.
    pub recovery_point: PointHash,
    /// Its place in the server's chain.
    pub sequence: Sequence,
    /// Its item.
    pub item: ItemId,
    /// What people called the item.
    pub item_label: Label,
    /// What kind of item.
    pub kind: ItemKind,
    /// The host name at the time.
    pub host_name: String,
    /// The operating system at the time.
    pub operating_system: String,
    /// The program that made it.
    pub made_by: String,
    /// When the agent began, by its own clock.
    pub started_at: Timestamp,
    /// When the agent ended.
    pub finished_at: Timestamp,
    /// When the vault committed it, from its signed receipt; `None` for a point without one.
    pub received_at: Option<Timestamp>,
    /// Files in it.
    pub files: u64,
    /// Bytes of its files, holes included.
    pub bytes: u64,
    /// Bytes of all packs that it needs, shared ones included.
    pub pack_bytes: u64,
    /// How many things were left out or are not as they should be.
    pub warnings: u64,
    /// Its components.
    pub components: Vec<ComponentDescription>,
    /// Of which moment its files are; `None` for a point that does not tell.
    #[serde(default)]
    pub moment: Option<MomentDescription>,
}

/// Of which moment a recovery point's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MomentDescription {
    /// Whether all of them are of one.
    pub is_one: bool,
    /// That in words.
    pub text: String,
    /// Each file system: from a snapshot and of when, or live and why.
    pub sources: Vec<String>,
}

impl MomentDescription {
    /// From what the source said of itself.
    pub fn of(manifest: &Manifest) -> Option<Self> {
        let of_code = |code: &'static str| manifest.prechecks.iter().filter(move |check| check.code == code);
        let summary = of_code("one-moment").next()?;
        Some(Self {
            is_one: summary.outcome == 0,
            text: summary.message.clone(),
            sources: of_code("source-moment").map(|check| check.message.clone()).collect(),
        })
    }
}

/// A component of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentDescription {
    /// Its name.
    pub name: ComponentName,
    /// `Completed`, `CompletedWithWarnings` or `NotPresent`.
    pub result: String,
    /// Files in it.
    pub files: u64,
    /// Bytes of its files.
    pub bytes: u64,
}

impl PointDescription {
    /// From a point that was checked and opened.
    pub fn of(point: &TrustedPoint) -> Self {
        let (header, manifest) = (&point.header, &point.manifest);
        let component = |part: &stateward_format::manifest::Component| ComponentDescription {
            name: part.name.clone(),
            result: match part.result {
                ComponentResult::Completed => "Completed",
                ComponentResult::CompletedWithWarnings => "CompletedWithWarnings",
                ComponentResult::NotPresent => "NotPresent",
            }
            .to_owned(),
            files: part.files,
            bytes: part.bytes,
        };
        Self {
            recovery_point: point.summary.hash,
            sequence: point.summary.sequence,
            item: header.item,
            item_label: manifest.item_label.clone(),
            kind: manifest.kind,
            host_name: manifest.host_name.clone(),
            operating_system: manifest.operating_system.clone(),
            made_by: manifest.made_by.clone(),
            started_at: manifest.started_at,
            finished_at: manifest.finished_at,
            received_at: point.received_at,
            // A point may say any totals.
            files: manifest.components.iter().map(|part| part.files).fold(0, u64::saturating_add),
            bytes: manifest.components.iter().map(|part| part.bytes).fold(0, u64::saturating_add),
            pack_bytes: header.packs.iter().map(|pack| u64::from(pack.length)).sum(),
            warnings: manifest.warnings.len() as u64,
            components: manifest.components.iter().map(component).collect(),
            moment: MomentDescription::of(manifest),
        }
    }

    /// As the engine names it.
    pub fn summary(&self) -> PointSummary {
        PointSummary { sequence: self.sequence, hash: self.recovery_point }
    }
}

/// A recovery point in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedPoint {
    /// What it holds.
    Usable(Box<PointDescription>),
    /// It can't be used.
    Unusable {
        /// Which.
        summary: PointSummary,
        /// Why.
        failure: JobFailure,
    },
}

impl ListedPoint {
    fn summary(&self) -> PointSummary {
        match self {
            Self::Usable(description) => description.summary(),
            Self::Unusable { summary, .. } => *summary,
        }
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Remembered {
    points: Vec<PointDescription>,
}

impl Document for Remembered {
    const VERSION: u32 = 1;
}

/// Lists a server's recovery points, newest first. Damaged ones are in the list as what they are; the vault not
/// answering is an error.
pub fn list(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    keys: &[EpochKeys],
    home: Option<&Home>,
) -> Result<Vec<ListedPoint>, AgentError> {
    let remembered = home.and_then(|home| home.read::<Remembered>(FILE).ok().flatten()).unwrap_or_default();
    let known: BTreeMap<PointHash, PointDescription> =
        remembered.points.into_iter().map(|point| (point.recovery_point, point)).collect();
    let mut listed = Vec::new();
    for summary in vault.points()?.into_iter().rev() {
        listed.push(match known.get(&summary.hash).filter(|known| known.received_at.is_some()) {
            Some(known) => ListedPoint::Usable(Box::new(known.clone())),
            None => describe(vault, trust, keys, summary)?,
        });
    }
    order(&mut listed);
    if let Some(home) = home {
        remember(home, &known, &listed);
    }
    Ok(listed)
}

/// Newest first. Numbers tell that as long as the chain has no branches; with branches the vault's time does. What can't
/// be used has none, and counts as the newest, so that no older point is taken for the latest in silence.
fn order(listed: &mut [ListedPoint]) {
    let has_branches = listed.windows(2).any(|two| two[0].summary().sequence == two[1].summary().sequence);
    if has_branches {
        listed.sort_by_key(|point| {
            std::cmp::Reverse(match point {
                ListedPoint::Usable(point) => point.received_at.unwrap_or(point.finished_at),
                ListedPoint::Unusable { .. } => Timestamp(i64::MAX),
            })
        });
    }
}

impl ListedPoint {
    /// Whether it is one of the item of that name or id. What can't be used may be anything's, and is nothing's.
    pub fn is_of(&self, item: &str) -> bool {
        match self {
            Self::Usable(point) => point.item_label.as_str() == item || point.item.to_string() == item,
            Self::Unusable { .. } => false,
        }
    }
}

/// Lists the recovery points of the server that the home is registered as.
pub fn list_own(agent: &Agent) -> Result<Vec<ListedPoint>, AgentError> {
    let (server, vault) = connect(agent)?;
    list(&vault, &server.trust(), &[server.epoch_keys()], Some(agent.home()))
}

/// Finds one of them and opens it, with all that its manifest tells.
pub fn open_own(agent: &Agent, text: &str, item: Option<&str>) -> Result<TrustedPoint, AgentError> {
    let (server, vault) = connect(agent)?;
    let keys = [server.epoch_keys()];
    let listed = list(&vault, &server.trust(), &keys, Some(agent.home()))?;
    let chosen = choose(&listed, text, item)?;
    Ok(open_point(&vault, &server.trust(), &keys, chosen.summary())?)
}

fn connect(agent: &Agent) -> Result<(RegisteredServer, HttpVault), AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    Ok((server, vault))
}

fn describe(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    keys: &[EpochKeys],
    summary: PointSummary,
) -> Result<ListedPoint, AgentError> {
    use stateward_engine::{EngineError, VaultError};
    match open_point(vault, trust, keys, summary) {
        Ok(point) => Ok(ListedPoint::Usable(Box::new(PointDescription::of(&point)))),
        Err(error @ EngineError::Point(_)) => {
            Ok(ListedPoint::Unusable { summary, failure: JobFailure::from(&AgentError::Engine(error)) })
        }
        // Asked for other points the vault may well answer: this one it can't give, or not whole.
        Err(EngineError::Vault(
            error @ (VaultError::NotFound(_) | VaultError::BadAnswer(_) | VaultError::Failed(_)),
        )) => {
            let failure = JobFailure {
                code: Code::PointDamaged.to_string(),
                message: format!("Recovery point {} can't be had: {error}", summary.hash),
                remedy: Code::PointDamaged.remedy().to_owned(),
            };
            Ok(ListedPoint::Unusable { summary, failure })
        }
        Err(error) => Err(error.into()),
    }
}

fn remember(home: &Home, known: &BTreeMap<PointHash, PointDescription>, listed: &[ListedPoint]) {
    let points: Vec<PointDescription> = listed
        .iter()
        .filter_map(|point| match point {
            ListedPoint::Usable(description) => Some((**description).clone()),
            ListedPoint::Unusable { .. } => None,
        })
        .collect();
    let is_new =
        points.len() != known.len() || points.iter().any(|p| known.get(&p.recovery_point) != Some(p));
    if is_new && let Err(error) = home.write(FILE, &Remembered { points }) {
        tracing::warn!(%error, "recovery points can't be remembered");
    }
}

/// Finds the recovery point that a person means: `latest`, an id, or a day or a moment in this machine's time zone ([`When`]);
/// and an item's name if there are several.
pub fn choose<'a>(
    listed: &'a [ListedPoint],
    text: &str,
    item: Option<&str>,
) -> Result<&'a PointDescription, AgentError> {
    choose_in(listed, text, item, &TimeZone::system())
}

fn choose_in<'a>(
    listed: &'a [ListedPoint],
    text: &str,
    item: Option<&str>,
    zone: &TimeZone,
) -> Result<&'a PointDescription, AgentError> {
    let is_of_item = |description: &PointDescription| {
        item.is_none_or(|item| {
            description.item_label.as_str() == item || description.item.to_string() == item
        })
    };
    let when = When::parse(text, zone).transpose()?;
    if text != "latest" && when.is_none() {
        let summaries: Vec<PointSummary> = listed.iter().map(ListedPoint::summary).collect();
        let found = find_point(&summaries, text).map_err(|_| AgentError::UnknownPoint(text.to_owned()))?;
        let found = listed.iter().find(|point| point.summary() == found);
        let description = found.map(usable).transpose()?.filter(|description| is_of_item(description));
        return description.ok_or_else(|| AgentError::UnknownPoint(text.to_owned()));
    }
    let labels = item_labels(listed);
    match item {
        None if labels.len() > 1 => {
            return Err(AgentError::ItemNeeded { asked: text.to_owned(), known: labels });
        }
        Some(name) if !listed.is_empty() && !any_usable(listed, is_of_item) => {
            return Err(AgentError::UnknownItem { name: name.to_owned(), known: labels });
        }
        _ => (),
    }
    if let Some(when) = when {
        return when.find(listed, is_of_item)?.ok_or_else(|| AgentError::NoPointThen {
            asked: text.to_owned(),
            item: item.map(str::to_owned),
            nearest: when.nearest(listed, is_of_item).map(|point| nearest_words(point, zone)),
        });
    }
    // What an unusable point belongs to can't be told. If it is the newest of all, an older one must not be taken for
    // the latest in silence.
    for point in listed {
        let description = usable(point)?;
        if is_of_item(description) {
            return Ok(description);
        }
    }
    Err(AgentError::NoPoints { item: item.map(str::to_owned) })
}

/// `3f2a9c01d4e5 of 2026-11-19 02:00:14 CET`.
fn nearest_words(point: &PointDescription, zone: &TimeZone) -> String {
    let id: String = point.recovery_point.to_string().chars().take(12).collect();
    format!("{id} of {}", when::words(time(point), zone))
}

fn usable(point: &ListedPoint) -> Result<&PointDescription, AgentError> {
    match point {
        ListedPoint::Usable(description) => Ok(description),
        ListedPoint::Unusable { failure, .. } => Err(AgentError::PointUnusable {
            code: failure.code.parse().unwrap_or(Code::PointDamaged),
            message: failure.message.clone(),
        }),
    }
}

fn any_usable(listed: &[ListedPoint], is_meant: impl Fn(&PointDescription) -> bool) -> bool {
    listed.iter().any(|point| matches!(point, ListedPoint::Usable(description) if is_meant(description)))
}

/// The newest label of each item.
fn item_labels(listed: &[ListedPoint]) -> Vec<String> {
    let mut labels = BTreeMap::new();
    for point in listed {
        if let ListedPoint::Usable(description) = point {
            labels.entry(description.item).or_insert_with(|| description.item_label.to_string());
        }
    }
    labels.into_values().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point that the vault received then.
    pub(super) fn point_at(received_at: Timestamp) -> ListedPoint {
        match point(1, 1) {
            ListedPoint::Usable(point) => {
                ListedPoint::Usable(Box::new(PointDescription { received_at: Some(received_at), ..*point }))
            }
            other @ ListedPoint::Unusable { .. } => other,
        }
    }

    fn point(sequence: Sequence, item: u8) -> ListedPoint {
        ListedPoint::Usable(Box::new(PointDescription {
            recovery_point: PointHash([sequence as u8; 32]),
            sequence,
            item: ItemId([item; 16]),
            item_label: format!("item-{item}").parse().unwrap(),
            kind: ItemKind::Files,
            host_name: String::new(),
            operating_system: String::new(),
            made_by: String::new(),
            started_at: Timestamp(0),
            finished_at: Timestamp(0),
            received_at: None,
            files: 0,
            bytes: 0,
            pack_bytes: 0,
            warnings: 0,
            components: Vec::new(),
            moment: None,
        }))
    }

    fn damaged(sequence: Sequence) -> ListedPoint {
        let code = Code::PointDamaged;
        ListedPoint::Unusable {
            summary: PointSummary { sequence, hash: PointHash([sequence as u8; 32]) },
            failure: JobFailure {
                code: code.to_string(),
                message: "Damaged".to_owned(),
                remedy: String::new(),
            },
        }
    }

    fn chosen(listed: &[ListedPoint], text: &str, item: Option<&str>) -> Result<Sequence, Code> {
        choose(listed, text, item).map(|found| found.sequence).map_err(|error| error.code())
    }

    #[test]
    fn the_latest_is_the_newest_of_its_item() {
        let listed = [point(3, 1), point(2, 2), point(1, 1)];
        assert_eq!(chosen(&listed, "latest", Some("item-1")), Ok(3));
        assert_eq!(chosen(&listed, "latest", Some("item-2")), Ok(2));
        assert_eq!(chosen(&listed, "latest", None), Err(Code::ItemNeeded));
        assert_eq!(chosen(&listed, "latest", Some("other")), Err(Code::UnknownItem));
        assert_eq!(chosen(&listed[2..], "latest", None), Ok(1));
        assert_eq!(chosen(&[], "latest", None), Err(Code::UnknownRecoveryPoint));
    }

    #[test]
    fn an_id_or_its_beginning_names_one() {
        let listed = [point(2, 2), point(1, 1)];
        let id = PointHash([2; 32]).to_string();
        assert_eq!(chosen(&listed, &id, None), Ok(2));
        assert_eq!(chosen(&listed, &id[..6], None), Ok(2));
        assert_eq!(chosen(&listed, &id, Some("item-1")), Err(Code::UnknownRecoveryPoint));
        assert_eq!(chosen(&listed, "ffffff", None), Err(Code::UnknownRecoveryPoint));
    }

    #[test]
    fn of_two_branches_the_latest_is_what_the_vault_took_last() {
        let at = |sequence, seconds| {
            let ListedPoint::Usable(mut point) = point(sequence, 1) else { unreachable!("it is usable") };
            point.received_at = Some(Timestamp(seconds));
            ListedPoint::Usable(point)
        };
        let mut listed = [at(4, 30), at(3, 20), at(3, 40), at(2, 10)];
        order(&mut listed);
        assert_eq!(chosen(&listed, "latest", None), Ok(3));
        let mut listed = [at(4, 30), at(3, 20), at(2, 40)];
        order(&mut listed);
        assert_eq!(chosen(&listed, "latest", None), Ok(4), "without branches numbers tell");
    }

    #[test]
    fn a_day_or_a_moment_names_the_newest_point_until_then() {
        let at = |sequence, item, text: &str| {
            let ListedPoint::Usable(mut point) = point(sequence, item) else { unreachable!("it is usable") };
            let moment: jiff::Timestamp = text.parse().unwrap();
            point.received_at = Timestamp::from_seconds(moment.as_second(), 500_000_000);
            ListedPoint::Usable(point)
        };
        let mut listed = vec![
            at(5, 1, "2026-11-21T02:00:00Z"),
            at(4, 2, "2026-11-20T23:00:00Z"),
            at(3, 1, "2026-11-20T02:00:00Z"),
            at(2, 1, "2026-11-20T01:00:00Z"),
            at(1, 1, "2026-11-18T01:00:00Z"),
        ];
        let chosen = |listed: &[ListedPoint], text: &str, item| {
            choose_in(listed, text, item, &TimeZone::UTC).map(|found| found.sequence).map_err(|e| e.code())
        };
        let one = Some("item-1");
        assert_eq!(chosen(&listed, "2026-11-20", one), Ok(3));
        assert_eq!(chosen(&listed, "2026-11-20T01:59", one), Ok(2));
        assert_eq!(chosen(&listed, "2026-11-20T02:00:00", one), Ok(3), "as the list shows it");
        assert_eq!(chosen(&listed, "2026-11-20T03:00+01:00", one), Ok(3));
        assert_eq!(chosen(&listed, "2026-11-19T12:00", one), Ok(1));
        assert_eq!(chosen(&listed, "2026-11-20", None), Err(Code::ItemNeeded));
        assert_eq!(chosen(&listed, "2026-11-19", one), Err(Code::UnknownRecoveryPoint));
        let message = choose_in(&listed, "2026-11-19", one, &TimeZone::UTC).unwrap_err().to_string();
        assert!(
            message.contains("the nearest is 0202020202") && message.contains("2026-11-20 01:00:00"),
            "{message}"
        );
        listed.insert(2, damaged(9));
        assert_eq!(chosen(&listed, "2026-11-20", one), Err(Code::PointDamaged), "it may be the one");
        assert_eq!(chosen(&listed, "2026-11-20T01:30", one), Ok(2), "it can't be the one");
    }

    #[test]
    fn an_older_point_is_never_taken_for_the_latest_in_silence() {
        let listed = [damaged(3), point(2, 1)];
        assert_eq!(chosen(&listed, "latest", None), Err(Code::PointDamaged));
        assert_eq!(chosen(&listed, &PointHash([2; 32]).to_string(), None), Ok(2));
        let listed = [point(3, 1), damaged(2)];
        assert_eq!(chosen(&listed, "latest", None), Ok(3));
    }
}
