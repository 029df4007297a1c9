//! What a policy would come to keep, and what it would do to the points that are there: for people who are about to choose it.

use super::principals::Place;
use super::{App, Error, policies, vaults};
use crate::db;
use crate::db::recovery_points::{KeptItem, KeptPoint};
use stateward_model::policy::change::{Effect, Lessening, effects, lessenings};
use stateward_model::policy::preview::{Kept, kept_at, next_runs};
use stateward_model::policy::{Point, Policy, Run};
use stateward_model::{ItemId, PointHash, Timestamp, VaultId};

/// How many runs to come are told.
const RUNS: usize = 10;

/// How many moments may be asked for.
const MOMENTS_MAX: usize = 12;

/// How many runs may lie before the last of them: as many points have to be judged for each.
const RUNS_MAX: usize = 20_000;

/// What is asked for.
pub(crate) struct Asked {
    /// The policy; the present one, if it is left out.
    pub(crate) policy: Option<Policy>,
    /// The name of the policy that it would take the place of.
    pub(crate) name: Option<String>,
    /// The item whose points are there already.
    pub(crate) item: Option<ItemId>,
    /// The moments for which is told what is kept then.
    pub(crate) moments: Vec<Timestamp>,
}

/// What a policy would come to.
pub(crate) struct Preview {
    /// The policy.
    pub(crate) policy: Policy,
    /// Its next runs.
    pub(crate) runs: Vec<Run>,
    /// What is kept at the moments that were asked for.
    pub(crate) kept: Vec<Kept>,
    /// In which ways it keeps less than the one whose place it would take.
    pub(crate) lessenings: Vec<Lessening>,
    /// The points whose end it would move.
    pub(crate) effects: Vec<Moved>,
}

/// A point whose end would move.
pub(crate) struct Moved {
    /// Whose.
    pub(crate) item: ItemId,
    /// Which.
    pub(crate) point: PointHash,
    /// When the vault received it.
    pub(crate) received_at: Timestamp,
    /// From when to when.
    pub(crate) effect: Effect,
    /// Whether the next expiry would end it.
    pub(crate) ends_at_once: bool,
}

/// An item with its points.
type Held = (KeptItem, Vec<KeptPoint>);

impl App {
    /// Foresees.
    pub(crate) async fn preview(&self, place: &Place, asked: Asked) -> Result<Preview, Error> {
        let now = self.now();
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        let (present, held) = Box::pin(subject(&mut connection, vault.id, &asked)).await?;
        drop(connection);
        let policy = asked.policy.or_else(|| present.clone()).ok_or_else(|| {
            Error::invalid(
                "Say which policy: `properties`, or the `policyName` or `item` whose present one is meant",
            )
        })?;
        check_moments(&policy, &asked.moments, now)?;
        // Of several items the points can't be told together.
        let existing = asked.item.and(held.first()).map(points_of).unwrap_or_default();
        let work = move || foresee(policy, present.as_ref(), &held, (&existing, &asked.moments), now);
        Ok(tokio::task::spawn_blocking(work).await?)
    }
}

/// The policy that holds now, and the items whose points are asked about.
async fn subject(
    connection: &mut db::Connection,
    vault: VaultId,
    asked: &Asked,
) -> Result<(Option<Policy>, Vec<Held>), Error> {
    let named = match &asked.name {
        Some(name) => Some(policies::find(connection, vault, name).await?),
        None => None,
    };
    let items = match (asked.item, &named) {
        (Some(id), _) => {
            let found = db::recovery_points::item_of_vault(connection, vault, id).await?;
            vec![found.ok_or_else(|| Error::not_found(format!("protected item `{id}`")))?]
        }
        (None, Some(named)) => db::recovery_points::items_of_policy(connection, vault, &named.name).await?,
        (None, None) => Vec::new(),
    };
    let of_item = || items.first().and_then(|item| item.policy.as_ref()).map(|(_, policy)| policy.clone());
    let present = named.map_or_else(of_item, |named| Some(named.body));
    let mut held = Vec::new();
    for item in items {
        let points = db::recovery_points::of_item(connection, item.whose.server, item.id).await?;
        held.push((item, points));
    }
    Ok((present, held))
}

fn points_of((_, points): &Held) -> Vec<Point> {
    points.iter().map(KeptPoint::for_retention).collect()
}

fn check_moments(policy: &Policy, moments: &[Timestamp], now: Timestamp) -> Result<(), Error> {
    if moments.len() > MOMENTS_MAX {
        return Err(Error::invalid(format!("At most {MOMENTS_MAX} `moments` can be asked for at once")));
    }
    let Some(last) = moments.iter().max() else { return Ok(()) };
    if moments.iter().any(|moment| *moment < now) {
        return Err(Error::invalid(format!("None of the `moments` can have passed; it is {now}")));
    }
    let runs = policy.schedule().runs_after(now).take_while(|run| run.at <= *last).take(RUNS_MAX + 1).count();
    match runs <= RUNS_MAX {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "More than {RUNS_MAX} runs lie before {last}; ask for an earlier moment"
        ))),
    }
}

fn foresee(
    policy: Policy,
    present: Option<&Policy>,
    held: &[Held],
    (existing, moments): (&[Point], &[Timestamp]),
    now: Timestamp,
) -> Preview {
    let moved = |held: &Held| {
        let (item, points) = held;
        let Some(old) = item.expires_by() else { return Vec::new() };
        let moved = effects(old, &policy, &points_of(held), now).into_iter().map(|effect| {
            let KeptPoint { hash, received_at, .. } = points[effect.index];
            let ends_at_once = effect.ends_at_once(now);
            Moved { item: item.id, point: hash, received_at, effect, ends_at_once }
        });
        moved.collect()
    };
    Preview {
        runs: next_runs(&policy, now, RUNS),
        kept: moments.iter().map(|moment| kept_at(&policy, existing, now, *moment)).collect(),
        lessenings: present.map(|present| lessenings(present, &policy)).unwrap_or_default(),
        effects: held.iter().flat_map(moved).collect(),
        policy,
    }
}

#[cfg(test)]
mod tests;
