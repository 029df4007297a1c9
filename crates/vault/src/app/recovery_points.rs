//! Recovery points as people see them: until when each is kept and why, having expired ones back, agreeing to an expiry that
//! waits for it. What is written down of a new one about that is here as well; its commit is in [`super::points`].

use super::audit::{Actor, Change};
use super::principals::Place;
use super::tokens::ServerCaller;
use super::{App, Error, tombstones, vaults};
use crate::db;
use crate::db::recovery_points::{KeptItem, KeptPoint};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_format::tombstone::{Act, PointState};
use stateward_model::policy::limits::{KEEP_DAYS_MIN, KEEP_YEARS_MAX};
use stateward_model::policy::{Point, Until, Verdict, select};
use stateward_model::{ItemId, OnDemand, PointHash, ServerId, Timestamp};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// A recovery point with what keeps it.
pub(crate) struct Seen {
    /// The point.
    pub(crate) point: KeptPoint,
    /// What keeps it.
    pub(crate) kept: Kept,
    /// Whether its retention has ended and it has not expired: a person must agree first, or the next run of the expiry is
    /// still to come.
    pub(crate) has_ended: bool,
}

/// What keeps a recovery point.
pub(crate) struct Kept {
    /// Until when; `None`: there is no end.
    pub(crate) until: Option<Timestamp>,
    /// The name of the rule that keeps it longest.
    pub(crate) rule: &'static str,
    /// Every reason, in words.
    pub(crate) reasons: Vec<String>,
}

/// An item's recovery points, but for those that can't be had back any more.
pub(crate) struct SeenItem {
    /// The item.
    pub(crate) item: KeptItem,
    /// Its points, in the order in which they were committed.
    pub(crate) points: Vec<Seen>,
}

impl App {
    /// The recovery points of an item.
    pub(crate) async fn recovery_points(
        &self,
        place: &Place,
        server: ServerId,
        id: ItemId,
    ) -> Result<SeenItem, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        let item = db::recovery_points::item(&mut connection, server, id).await?;
        let now = self.now();
        let is_there = |item: &KeptItem| {
            item.whose.vault == vault.id && item.purge_at.is_none_or(|purge_at| purge_at > now)
        };
        let item = item.filter(is_there);
        let item =
            item.ok_or_else(|| Error::not_found(format!("protected item `{id}` of the server `{server}`")))?;
        let points = db::recovery_points::of_item(&mut connection, server, id).await?;
        Ok(SeenItem { points: see(&item, points, now), item })
    }

    /// Has a recovery point back that has expired. It is kept until the moment that is asked for, or for as long as deleted
    /// things can be had back; the policy goes on to hold for it.
    pub(crate) async fn undelete_point(
        &self,
        actor: &Actor,
        place: &Place,
        hash: PointHash,
        asked: Option<Timestamp>,
    ) -> Result<(), Error> {
        check_retain_until(asked, self.now())?;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let owner = db::recovery_points::owner(&mut transaction, vault.id, hash).await?;
        let owner = owner.ok_or_else(|| no_point(hash))?;
        let (item, points) = load(&mut transaction, owner).await?.ok_or_else(|| no_point(hash))?;
        let now = self.now();
        let point = points.iter().find(|point| point.hash == hash && !point.is_purged);
        let point = point.ok_or_else(|| no_point(hash))?;
        let Some(expired) = point.expired else {
            let why = format!("The recovery point `{hash}` has not expired: there is nothing to have back");
            return Err(Error::refused(ErrorCode::InvalidState, why));
        };
        if item.purge_at.is_some() {
            let why = format!("The item `{}` was deleted; have that back first", item.label);
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        if expired.purge_at <= now {
            let why = format!("The recovery point `{hash}` could be had back until {}", expired.purge_at);
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        let until = asked.unwrap_or_else(|| item.recoverable_until(now)).max(least(now));
        let until = point.retain_until.map_or(until, |before| before.max(until));
        db::recovery_points::undelete(&mut transaction, (item.whose.server, hash), until).await?;
        let act = (Act::Undelete, PointState::Expired);
        tombstones::note(&mut transaction, &item, point, act, now).await?;
        let detail = json!({ "item": item.id, "retainUntil": until });
        self.record(
            &mut transaction,
            of_point(&item, actor, "recovery-point.undelete", &hash.to_string(), detail),
        )
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Agrees that recovery points expire whose retention has ended.
    pub(crate) async fn confirm_expiry(
        &self,
        actor: &Actor,
        place: &Place,
        hashes: &[PointHash],
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let (vault, now) = (vaults::find(&mut transaction, place).await?, self.now());
        let mut items = BTreeMap::new();
        for hash in hashes {
            let owner = db::recovery_points::owner(&mut transaction, vault.id, *hash).await?;
            let owner = owner.ok_or_else(|| no_point(*hash))?;
            if let Entry::Vacant(place) = items.entry(owner) {
                let (item, points) = load(&mut transaction, owner).await?.ok_or_else(|| no_point(*hash))?;
                place.insert((see(&item, points, now), item));
            }
            let (seen, item) = &items[&owner];
            let seen = seen.iter().find(|seen| seen.point.hash == *hash).ok_or_else(|| no_point(*hash))?;
            if !seen.has_ended {
                let why =
                    format!("The retention of the recovery point `{hash}` has not ended, or it has expired");
                return Err(Error::refused(ErrorCode::InvalidState, why));
            }
            if !seen.point.is_expiry_confirmed {
                db::recovery_points::confirm(&mut transaction, (item.whose.server, *hash)).await?;
                let (subject, detail) =
                    (hash.to_string(), json!({ "item": item.id, "rule": seen.kept.rule }));
                let change = of_point(item, actor, "recovery-point.confirm-expiry", &subject, detail);
                self.record(&mut transaction, change).await?;
            }
        }
        Ok(transaction.commit().await?)
    }
}

/// Refuses a wish to keep a recovery point for longer than any policy can.
pub(super) fn check_retain_until(until: Option<Timestamp>, now: Timestamp) -> Result<(), Error> {
    let last = now.plus_seconds(i64::from(KEEP_YEARS_MAX) * 366 * 86_400);
    match until.is_some_and(|until| until > last) {
        false => Ok(()),
        true => Err(Error::invalid(format!(
            "A recovery point can be kept for {KEEP_YEARS_MAX} years at most, so until {last} now"
        ))),
    }
}

/// Writes down, in the transaction that commits a point, how long it is kept whatever becomes of its item's policy: what who
/// made it on demand wants, and what an immutable vault promises.
pub(super) async fn keep(
    transaction: &mut db::Write,
    caller: ServerCaller,
    (item, hash): (ItemId, PointHash),
    on_demand: Option<OnDemand>,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(item) = db::recovery_points::item(transaction, caller.server, item).await? else {
        return Ok(());
    };
    let policy = item.policy.as_ref().map(|(_, policy)| policy);
    let retain_until = on_demand.and_then(|on_demand| match policy {
        Some(policy) => Some(policy.on_demand_until(on_demand.retain_until, now)),
        None => on_demand.retain_until.map(|wished| wished.max(least(now))),
    });
    let mut promised_until = None;
    if let Some(policy) = policy.filter(|_| item.is_immutable) {
        let points = db::recovery_points::of_item(transaction, caller.server, item.id).await?;
        let for_retention = |point: &KeptPoint| match point.hash == hash {
            true => Point { retain_until, ..point.for_retention() },
            false => point.for_retention(),
        };
        let all: Vec<Point> = points.iter().map(for_retention).collect();
        let verdicts = select(policy, &all, now);
        let verdict = points.iter().zip(verdicts).find(|(point, _)| point.hash == hash);
        promised_until = verdict
            .and_then(|(_, Verdict(claims))| claims.iter().filter_map(|claim| moment(claim.until)).max());
    }
    if on_demand.is_none() && promised_until.is_none() {
        return Ok(());
    }
    let point = (caller.server, hash);
    Ok(db::recovery_points::keep(transaction, point, on_demand.is_some(), retain_until, promised_until)
        .await?)
}

/// An item with all its points.
async fn load(
    connection: &mut db::Connection,
    (server, item): (ServerId, ItemId),
) -> Result<Option<(KeptItem, Vec<KeptPoint>)>, Error> {
    let Some(item) = db::recovery_points::item(connection, server, item).await? else { return Ok(None) };
    let points = db::recovery_points::of_item(connection, server, item.id).await?;
    Ok(Some((item, points)))
}

fn no_point(hash: PointHash) -> Error {
    Error::not_found(format!("recovery point `{hash}`"))
}

/// Until when a point is kept at least that is kept from now on.
fn least(now: Timestamp) -> Timestamp {
    now.plus_seconds(i64::from(KEEP_DAYS_MIN) * 86_400)
}

fn moment(until: Until) -> Option<Timestamp> {
    match until {
        Until::Moment(moment) => Some(moment),
        Until::NoEnd => None,
    }
}

/// Judges an item's points for people.
fn see(item: &KeptItem, points: Vec<KeptPoint>, now: Timestamp) -> Vec<Seen> {
    let for_retention: Vec<Point> = points.iter().map(KeptPoint::for_retention).collect();
    let verdicts = match item.expires_by() {
        Some(policy) => select(policy, &for_retention, now).into_iter().map(Some).collect(),
        None => vec![None; points.len()],
    };
    let all = points.into_iter().zip(verdicts).filter(|(point, _)| !point.is_purged);
    let see_one = |(point, verdict): (KeptPoint, Option<Verdict>)| {
        let is_live = point.expired.is_none();
        let has_ended = is_live && verdict.as_ref().is_some_and(|verdict| !verdict.keeps(now));
        Seen { kept: kept(item, &point, verdict.as_ref(), now), point, has_ended }
    };
    all.map(see_one).collect()
}

fn kept(item: &KeptItem, point: &KeptPoint, verdict: Option<&Verdict>, now: Timestamp) -> Kept {
    if let Some(expired) = point.expired {
        return Kept { until: Some(expired.at), rule: "Expired", reasons: Vec::new() };
    }
    if let (Some((_, policy)), Some(verdict)) = (&item.policy, verdict) {
        let zone = &policy.schedule().zone;
        let longest = verdict.longest();
        return Kept {
            until: longest.and_then(|claim| moment(claim.until)),
            rule: longest.map_or("Expired", |claim| claim.reason.rule_name()),
            reasons: verdict.holding(now).map(|claim| claim.explain(zone)).collect(),
        };
    }
    let (rule, reason) = match (item.purge_at, item.is_stopped) {
        (Some(purge_at), _) => {
            ("Deleted", format!("its item was deleted and can be had back until {purge_at}"))
        }
        (None, true) => {
            ("Stopped", "backups of its item were stopped, and all of its points stay".to_owned())
        }
        (None, false) => ("NoPolicy", "its item has no policy, so none of its points expires".to_owned()),
    };
    Kept { until: item.purge_at, rule, reasons: vec![reason] }
}

fn of_point<'a>(
    item: &KeptItem,
    actor: &'a Actor,
    act: &'static str,
    subject: &'a str,
    detail: serde_json::Value,
) -> Change<'a> {
    Change { vault: Some(item.whose.vault), actor, act, subject, detail }
}
