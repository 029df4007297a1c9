//! Expiry: recovery points whose retention has ended are soft-deleted, and purged when they can't be had back any more.
//!
//! What may expire is decided by `stateward_model::policy::expiry`; here it is done. Everything is judged twice, first beside
//! whoever writes and then, if there is something to do, once more in the transaction that does it. So several processes may
//! do it at once, and one that stops half-way leaves nothing half done.
//!
//! - Nothing happens while the clock is not believed, and of an item nothing while a person must look first.
//! - Of a deleted item, and of a stopped one that keeps all, nothing expires; when a deleted item can't be had back any more,
//!   none of its points can.
//! - Packs stay: what refers to them is for whoever collects packs.

use super::alerts::{NewAlert, Severity};
use super::audit::{Actor, Change};
use super::{App, Error, tombstones};
use crate::causes::chain;
use crate::db;
use crate::db::recovery_points::{Expired, KeptItem, KeptPoint};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_format::tombstone::{Act, PointState};
use stateward_model::Timestamp;
use stateward_model::policy::expiry::{self, ClockJumped, Expiring, HighWater, ItemPlan, UnusuallyMany};

/// Who it is in the audit log.
const TASK: Actor = Actor::Task("expiry");

/// The kind of alert for an item whose points wait for a person.
pub(super) const HELD: &str = "expiry-held";

/// The kind of alert for a clock that is not believed, and what it is about.
const CLOCK: (&str, &str) = ("clock-jumped", "clock");

/// How far the time that a person says may be from the vault's, in seconds.
const CLOCKS_DIFFER_MAX: i64 = 600;

/// What one run did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// How many points expired.
    pub(crate) expired: usize,
    /// How many points can't be had back any more.
    pub(crate) purged: usize,
    /// Of how many items a person must look at the points first.
    pub(crate) held: usize,
}

/// What is to be done with an item now.
struct Judgement {
    points: Vec<KeptPoint>,
    plan: ItemPlan,
    /// Which of the points can't be had back any more.
    over: Vec<usize>,
    /// Whether the item itself can't.
    is_item_over: bool,
}

impl Judgement {
    fn expiring(&self) -> &[Expiring] {
        match &self.plan {
            ItemPlan::Expire(expiring) => expiring,
            ItemPlan::Hold(_) => &[],
        }
    }

    fn held(&self) -> Option<&UnusuallyMany> {
        match &self.plan {
            ItemPlan::Hold(many) => Some(many),
            ItemPlan::Expire(_) => None,
        }
    }
}

impl App {
    /// Does one run over all items. What goes wrong with one does not stop the others.
    pub(crate) async fn expire(&self) -> Result<Done, Error> {
        let mut done = Done::default();
        let items = match self.see_clock().await? {
            true => db::recovery_points::all_items(&mut *self.database.read().await?).await?,
            false => Vec::new(),
        };
        for item in &items {
            if let Err(error) = self.expire_of(item, &mut done).await {
                tracing::error!(item = %item.id, error = %chain(&error), "the points of an item were not looked at");
            }
        }
        self.store_tombstones().await?;
        Ok(done)
    }

    /// Writes down how late it is; false if the clock is not believed.
    async fn see_clock(&self) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let now = self.now();
        let seen = db::high_water::find(&mut transaction).await?;
        let vaults = db::vaults::list(&mut transaction).await?;
        let advanced = seen.unwrap_or(HighWater(now)).advance(now);
        let (kind, subject) = CLOCK;
        match &advanced {
            Ok(high_water) => {
                db::high_water::put(&mut transaction, *high_water).await?;
                for vault in &vaults {
                    self.resolve(&mut transaction, vault.id, kind, subject).await?;
                }
            }
            Err(jump) => {
                for vault in &vaults {
                    let (vault, severity, message) = (vault.id, Severity::Critical, jump.to_string());
                    self.raise(&mut transaction, NewAlert { vault, severity, kind, subject, message })
                        .await?;
                }
            }
        }
        transaction.commit().await?;
        Ok(advanced.is_ok())
    }

    /// Takes a person's word that the vault's clock is right; gives the vault's time. `time` is what other clocks show.
    pub(crate) async fn confirm_clock(&self, actor: &Actor, time: Timestamp) -> Result<Timestamp, Error> {
        let mut transaction = self.write().await?;
        let now = self.now();
        if now.seconds().abs_diff(time.seconds()) > CLOCKS_DIFFER_MAX.unsigned_abs() {
            let why =
                format!("The vault's clock shows {now}, so it is not right if it is {time}; set it first");
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        let before = db::high_water::find(&mut transaction).await?;
        db::high_water::put(&mut transaction, HighWater(now)).await?;
        let (kind, subject) = CLOCK;
        for vault in db::vaults::list(&mut transaction).await? {
            self.resolve(&mut transaction, vault.id, kind, subject).await?;
        }
        let detail = json!({ "before": before.map(|seen| seen.0), "after": now });
        let change = Change { vault: None, actor, act: "clock.confirm", subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(now)
    }

    async fn expire_of(&self, item: &KeptItem, done: &mut Done) -> Result<(), Error> {
        let mut connection = self.database.read().await?;
        let Some(judgement) = judge(&mut connection, item, self.now()).await? else { return Ok(()) };
        let is_told =
            db::alerts::is_open(&mut connection, item.whose.vault, (HELD, &item.id.to_string())).await?;
        drop(connection);
        let has_work =
            !judgement.expiring().is_empty() || !judgement.over.is_empty() || judgement.is_item_over;
        if !has_work && judgement.held().is_some() == is_told {
            done.held += usize::from(is_told);
            return Ok(());
        }
        let mut transaction = self.write().await?;
        let now = self.now();
        let Some(item) = db::recovery_points::item(&mut transaction, item.whose.server, item.id).await?
        else {
            return Ok(());
        };
        let Some(judgement) = judge(&mut transaction, &item, now).await? else { return Ok(()) };
        self.tell_held(&mut transaction, &item, judgement.held()).await?;
        self.expire_points(&mut transaction, &item, &judgement, now).await?;
        self.purge_points(&mut transaction, &item, &judgement, now).await?;
        transaction.commit().await?;
        done.expired += judgement.expiring().len();
        done.purged += judgement.over.len();
        done.held += usize::from(judgement.held().is_some());
        Ok(())
    }

    async fn tell_held(
        &self,
        transaction: &mut db::Write,
        item: &KeptItem,
        held: Option<&UnusuallyMany>,
    ) -> Result<(), Error> {
        let (vault, subject) = (item.whose.vault, item.id.to_string());
        let Some(held) = held else { return self.resolve(transaction, vault, HELD, &subject).await };
        let message = format!("{held} (item `{}`)", item.label);
        let alert = NewAlert { vault, severity: Severity::Critical, kind: HELD, subject: &subject, message };
        self.raise(transaction, alert).await
    }

    async fn expire_points(
        &self,
        transaction: &mut db::Write,
        item: &KeptItem,
        judgement: &Judgement,
        now: Timestamp,
    ) -> Result<(), Error> {
        let expired = Expired { at: now, purge_at: item.recoverable_until(now) };
        let mut told = Vec::new();
        for Expiring { index, ended } in judgement.expiring() {
            let point = &judgement.points[*index];
            db::recovery_points::expire(transaction, (item.whose.server, point.hash), expired).await?;
            let act = Act::Expire { recoverable_until: expired.purge_at };
            tombstones::note(transaction, item, point, (act, PointState::Live), now).await?;
            told.push(json!({ "recoveryPoint": point.hash, "rule": ended.reason.rule_name() }));
        }
        if told.is_empty() {
            return Ok(());
        }
        tracing::info!(item = %item.id, points = told.len(), "recovery points have expired");
        let detail = json!({ "points": told, "purgeAt": expired.purge_at });
        self.record(transaction, of_item(item, &item.id.to_string(), "recovery-points.expire", detail)).await
    }

    async fn purge_points(
        &self,
        transaction: &mut db::Write,
        item: &KeptItem,
        judgement: &Judgement,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut told = Vec::new();
        for index in &judgement.over {
            let point = &judgement.points[*index];
            db::recovery_points::purge(transaction, (item.whose.server, point.hash), now).await?;
            // Points that are live to the last are those of a deleted item.
            let before = if point.expired.is_some() { PointState::Expired } else { PointState::SoftDeleted };
            tombstones::note(transaction, item, point, (Act::Collect, before), now).await?;
            told.push(point.hash);
        }
        if judgement.is_item_over {
            db::recovery_points::purge_item(transaction, item).await?;
            let detail = json!({ "label": item.label, "server": item.whose.server });
            self.record(transaction, of_item(item, &item.id.to_string(), "item.purge", detail)).await?;
        }
        if told.is_empty() {
            return Ok(());
        }
        tracing::info!(item = %item.id, points = told.len(), "recovery points can't be had back any more");
        let detail = json!({ "points": told });
        self.record(transaction, of_item(item, &item.id.to_string(), "recovery-points.purge", detail)).await
    }
}

/// What is to be done with an item; nothing if the clock is not believed.
async fn judge(
    connection: &mut db::Connection,
    item: &KeptItem,
    now: Timestamp,
) -> Result<Option<Judgement>, Error> {
    let high_water = db::high_water::find(connection).await?.unwrap_or(HighWater(now));
    let points = db::recovery_points::of_item(connection, item.whose.server, item.id).await?;
    let for_retention: Vec<_> = points.iter().map(KeptPoint::for_retention).collect();
    let of_item = expiry::Item { policy: item.expires_by(), points: &for_retention };
    let plan = match expiry::plan(high_water, &[of_item], now) {
        Ok(mut plan) => plan.items.pop().unwrap_or(ItemPlan::Expire(Vec::new())),
        Err(ClockJumped::Forward { .. } | ClockJumped::Back { .. }) => return Ok(None),
    };
    let is_item_over = item.purge_at.is_some_and(|purge_at| purge_at <= now);
    // What had expired when its item was deleted can be had back for as long as the item can.
    let is_over = |point: &KeptPoint| {
        let is_over = point.expired.is_some_and(|expired| expired.purge_at <= now) && item.purge_at.is_none();
        !point.is_purged && (is_over || is_item_over)
    };
    let over = (0..points.len()).filter(|index| is_over(&points[*index])).collect();
    Ok(Some(Judgement { points, plan, over, is_item_over }))
}

fn of_item<'a>(
    item: &KeptItem,
    subject: &'a str,
    act: &'static str,
    detail: serde_json::Value,
) -> Change<'a> {
    Change { vault: Some(item.whose.vault), actor: &TASK, act, subject, detail }
}

#[cfg(test)]
mod tests;
