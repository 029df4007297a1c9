//! Protected items: made by their server, stopped, resumed, deleted and had back by administrators.
//!
//! An item is *protected*, *stopped* (its points stay, no new ones come), or *deleted*: then it can be had back, stopped,
//! for as many days as the vault's soft delete has, and is purged after them.

use super::alerts::{NewAlert, Severity};
use super::approvals;
use super::audit::{Actor, Change};
use super::principals::Place;
use super::tokens::ServerCaller;
use super::vaults::redundancy_not_met;
use super::{App, Error, policies, tombstones, vaults};
pub(crate) use crate::db::items::Item;
use crate::db::items::Protection;
use crate::db::sessions::Ended;
use crate::db::vaults::{Deleted, Vault};
use crate::db::{self, Scope};
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_api::agent::ItemRequest;
use stateward_api::arm::items::ItemChange;
use stateward_format::tombstone::{self, PointState};
use stateward_model::policy::change::lessenings;
use stateward_model::{Immutability, ItemId, JobKind, OperationId, ServerId, StopKeeps, VaultId, counted};

/// Which item: its server and its id.
pub(crate) type ItemPlace = (ServerId, ItemId);

/// The words by which clients ask for protection to go on, or send back what they read.
const GOES_ON: [&str; 4] = ["", "Protected", "IRPending", "ProtectionError"];

const STOPPED: &str = "ProtectionStopped";

/// What becomes of an item by a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Stop(StopKeeps),
    Resume,
    Undelete,
}

impl Act {
    fn job(self) -> JobKind {
        match self {
            Self::Stop(_) => JobKind::DisableBackup,
            Self::Resume => JobKind::ConfigureBackup,
            Self::Undelete => JobKind::Undelete,
        }
    }

    fn audited(self) -> (&'static str, Value) {
        match self {
            Self::Stop(keeps) => ("item.stop", json!({ "keeps": keeps })),
            Self::Resume => ("item.resume", json!({})),
            Self::Undelete => ("item.undelete", json!({})),
        }
    }
}

/// What a change means for an item; `None` if it is so already. Clients send back all that they read, so a state that is
/// the present one changes nothing.
fn decide(item: &Item, change: &ItemChange) -> Result<Option<Act>, Error> {
    let refused = |why: String| Err(Error::refused(ErrorCode::InvalidState, why));
    let state = change.protection_state.as_deref();
    let is = |words: &[&str]| state.is_some_and(|s| words.iter().any(|word| word.eq_ignore_ascii_case(s)));
    if state.is_some() && !is(&GOES_ON) && !is(&[STOPPED]) {
        return Err(Error::invalid(format!("`protectionState` is `Protected` or `{STOPPED}`")));
    }
    match (item.deleted, change.is_rehydrate == Some(true)) {
        (Some(_), true) => return Ok(Some(Act::Undelete)),
        (Some(_), false) => {
            return refused(format!(
                "The protected item `{}` was deleted; have it back first (`isRehydrate`: `true`)",
                item.label
            ));
        }
        (None, true) => return refused(format!("The protected item `{}` was not deleted", item.label)),
        (None, false) => {}
    }
    if is(&[STOPPED]) {
        let keeps = change.stop_keeps.or(item.stopped).unwrap_or(StopKeeps::Forever);
        return Ok((item.stopped != Some(keeps)).then_some(Act::Stop(keeps)));
    }
    let goes_on = is(&GOES_ON[1..]) || change.policy_id.as_deref().is_some_and(|id| !id.is_empty());
    Ok((item.stopped.is_some() && goes_on).then_some(Act::Resume))
}

/// The name of a policy whose path, or name, a client gives.
fn policy_name(given: &str) -> &str {
    given.rsplit('/').next().unwrap_or(given)
}

impl App {
    /// Makes an item known, or changes its label. Its kind never changes: its points would tell two stories.
    pub(crate) async fn put_item(
        &self,
        caller: ServerCaller,
        id: ItemId,
        request: &ItemRequest,
    ) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        match db::items::kind(&mut transaction, caller.server, id).await? {
            Some(kind) if kind != request.kind => {
                return Err(Error::invalid("The kind of a protected item can't change"));
            }
            Some(_) => check_not_deleted(&mut transaction, caller.server, id).await?,
            None => check_redundancy(&mut transaction, caller.vault).await?,
        }
        let (label, kind) = (&request.label, request.kind);
        db::items::upsert(&mut transaction, (caller.server, id), label, kind, self.now()).await?;
        Ok(transaction.commit().await?)
    }

    /// All items of a vault, those that can be had back among them.
    pub(crate) async fn items(&self, vault: VaultId) -> Result<Vec<Item>, Error> {
        Ok(db::items::list(&mut *self.database.read().await?, vault, self.now()).await?)
    }

    /// An item of a vault.
    pub(crate) async fn item(&self, vault: VaultId, place: ItemPlace) -> Result<Item, Error> {
        self.find_item(&mut *self.database.read().await?, vault, place).await
    }

    pub(super) async fn find_item(
        &self,
        connection: &mut db::Connection,
        vault: VaultId,
        place: ItemPlace,
    ) -> Result<Item, Error> {
        let found = db::items::find(connection, vault, self.now(), place).await?;
        let (server, id) = place;
        found.ok_or_else(|| Error::not_found(format!("protected item `{id}` of the server `{server}`")))
    }

    /// Changes an item; gives the operation, if there was anything to change.
    pub(crate) async fn change_item(
        &self,
        actor: &Actor,
        place: &Place,
        of: ItemPlace,
        change: &ItemChange,
    ) -> Result<(Item, Option<OperationId>), Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let item = self.find_item(&mut transaction, vault.id, of).await?;
        let act = decide(&item, change)?;
        let is_protected = matches!(act, None | Some(Act::Resume));
        let policy =
            change.policy_id.as_deref().map(policy_name).filter(|name| is_protected && !name.is_empty());
        let mut is_assigned = false;
        if let Some(name) = policy {
            (transaction, is_assigned) = self.give_policy(transaction, actor, (&vault, &item), name).await?;
        }
        if let Some(act) = act {
            self.act(&mut transaction, actor, (&vault, &item), act).await?;
        } else if !is_assigned {
            return Ok((item, None));
        }
        let kind = act.map_or(JobKind::ConfigureBackup, Act::job);
        let job = self.note_job(&mut transaction, of.0, Some(of.1), kind).await?;
        let operation = self.note_operation(&mut transaction, vault.id, Some(job)).await?;
        let changed = self.find_item(&mut transaction, vault.id, of).await?;
        transaction.commit().await?;
        Ok((changed, Some(operation)))
    }

    /// Does it, and writes it down.
    async fn act(
        &self,
        transaction: &mut db::Write,
        actor: &Actor,
        (vault, item): (&Vault, &Item),
        act: Act,
    ) -> Result<(), Error> {
        let (of, now) = ((item.server, item.id), self.now());
        match act {
            Act::Stop(keeps) => db::items::set_stopped(transaction, of, Some((now, keeps))).await?,
            Act::Resume => db::items::set_stopped(transaction, of, None).await?,
            Act::Undelete => {
                db::items::undelete(transaction, of).await?;
                let act = (tombstone::Act::Undelete, PointState::SoftDeleted);
                tombstones::note_live(transaction, of, act, now).await?;
                let keeps = item.stopped.unwrap_or(StopKeeps::Forever);
                db::items::set_stopped(transaction, of, Some((now, keeps))).await?;
            }
        }
        let (word, detail) = act.audited();
        self.record_item(transaction, (vault, item), actor, word, detail).await
    }

    /// Gives an item a policy; tells whether it had another. An immutable vault gives it none that keeps less.
    async fn give_policy(
        &self,
        mut transaction: db::Write,
        actor: &Actor,
        (vault, item): (&Vault, &Item),
        name: &str,
    ) -> Result<(db::Write, bool), Error> {
        let policy = policies::find(&mut transaction, vault.id, name).await?;
        let before = match &item.policy {
            Some(name) => Some(policies::find(&mut transaction, vault.id, name).await?),
            None => None,
        };
        if before.as_ref().is_some_and(|before| before.id == policy.id) {
            return Ok((transaction, false));
        }
        let lessenings = before.map(|before| lessenings(&before.body, &policy.body)).unwrap_or_default();
        let id = item.id.to_string();
        let mut transaction = self.may_lessen(transaction, actor, vault, &id, &lessenings).await?;
        db::policies::give(&mut transaction, (item.server, item.id), policy.id).await?;
        let detail = json!({ "before": item.policy, "after": policy.name, "lessenings": lessenings });
        self.record_item(&mut transaction, (vault, item), actor, "item.setPolicy", detail).await?;
        Ok((transaction, true))
    }

    /// Deletes an item with its points: they can be had back for as many days as the vault's soft delete has. Gives the
    /// operation, or `None` if it was deleted before.
    pub(crate) async fn delete_item(
        &self,
        actor: &Actor,
        place: &Place,
        of: ItemPlace,
    ) -> Result<Option<OperationId>, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let item = self.find_item(&mut transaction, vault.id, of).await?;
        if item.deleted.is_some() {
            return Ok(None);
        }
        check_may_delete(&vault)?;
        let id = of.1.to_string();
        let transaction =
            self.require_approval(transaction, vault.id, actor, approvals::DELETE_ITEM, &id).await?;
        self.delete_in(transaction, actor, &vault, &item).await.map(Some)
    }

    /// The same, begun on the item's server by somebody who has a security PIN.
    pub(crate) async fn delete_own_item(
        &self,
        caller: ServerCaller,
        item: ItemId,
        pin: &str,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let vault = vault_of(&mut transaction, caller).await?;
        let item = self.find_item(&mut transaction, vault.id, (caller.server, item)).await?;
        if item.deleted.is_some() {
            return Ok(());
        }
        check_may_delete(&vault)?;
        let actor = Actor::Server(caller);
        let transaction = self.consume_pin(transaction, vault.id, pin, &actor, "item.delete").await?;
        self.delete_in(transaction, &actor, &vault, &item).await.map(drop)
    }

    /// Stops an item's backups, begun on its server by somebody who has a security PIN.
    pub(crate) async fn stop_own_item(
        &self,
        caller: ServerCaller,
        item: ItemId,
        keeps: StopKeeps,
        pin: &str,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let vault = vault_of(&mut transaction, caller).await?;
        let of = (caller.server, item);
        let item = self.find_item(&mut transaction, vault.id, of).await?;
        let change = ItemChange {
            protection_state: Some(STOPPED.to_owned()),
            stop_keeps: Some(keeps),
            ..ItemChange::default()
        };
        let Some(act) = decide(&item, &change)? else { return Ok(()) };
        let (actor, (word, detail)) = (Actor::Server(caller), act.audited());
        let mut transaction = self.consume_pin(transaction, vault.id, pin, &actor, word).await?;
        db::items::set_stopped(&mut transaction, of, Some((self.now(), keeps))).await?;
        self.record_item(&mut transaction, (&vault, &item), &actor, word, detail).await?;
        self.note_job(&mut transaction, of.0, Some(of.1), act.job()).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes an item and commits.
    async fn delete_in(
        &self,
        mut transaction: db::Write,
        actor: &Actor,
        vault: &Vault,
        item: &Item,
    ) -> Result<OperationId, Error> {
        let of = (item.server, item.id);
        let now = self.now();
        let purge_at = vault.recoverable_until(now);
        db::items::delete(&mut transaction, of, Deleted { at: now, purge_at }).await?;
        let act = (tombstone::Act::SoftDelete { recoverable_until: purge_at }, PointState::Live);
        tombstones::note_live(&mut transaction, of, act, now).await?;
        let session = db::sessions::find_open_of_item(&mut transaction, of).await?;
        if let Some(session) = session {
            db::sessions::end(&mut transaction, session, Ended::Closed, now).await?;
        }
        let detail = json!({ "purgeAt": purge_at, "recoveryPoints": item.points });
        self.record_item(&mut transaction, (vault, item), actor, "item.delete", detail).await?;
        let subject = item.id.to_string();
        let message = format!(
            "The protected item `{}` was deleted with {}, by {actor}; it can be had back until {purge_at}",
            item.label,
            counted(item.points, "recovery point")
        );
        let (severity, kind) = (Severity::Critical, "item-deleted");
        let alert = NewAlert { vault: vault.id, severity, kind, subject: &subject, message };
        self.raise(&mut transaction, alert).await?;
        let job = self.note_job(&mut transaction, of.0, Some(of.1), JobKind::DeleteBackupData).await?;
        let operation = self.note_operation(&mut transaction, vault.id, Some(job)).await?;
        transaction.commit().await?;
        if let Some(session) = session {
            self.assemblies.end(session);
        }
        Ok(operation)
    }

    async fn record_item(
        &self,
        transaction: &mut db::Write,
        (vault, item): (&Vault, &Item),
        actor: &Actor,
        act: &'static str,
        mut detail: Value,
    ) -> Result<(), Error> {
        detail["server"] = json!(item.server);
        detail["label"] = json!(item.label);
        let subject = item.id.to_string();
        self.record(transaction, Change { vault: Some(vault.id), actor, act, subject: &subject, detail })
            .await
    }
}

/// A vault whose stores can't give what it is set to protects nothing new.
async fn check_redundancy(connection: &mut db::Connection, vault: VaultId) -> Result<(), Error> {
    let vault =
        db::vaults::find_by_id(connection, vault).await?.ok_or_else(|| Error::not_found("such vault"))?;
    match redundancy_not_met(vault.settings.redundancy) {
        None => Ok(()),
        Some(reason) => Err(Error::refused(
            ErrorCode::RedundancyNotMet,
            format!(
                "The vault `{}` is set to a redundancy that it can't give, and protects nothing new until that is changed: {reason}",
                vault.name
            ),
        )),
    }
}

/// An immutable vault deletes nothing.
fn check_may_delete(vault: &Vault) -> Result<(), Error> {
    if vault.settings.immutability == Immutability::Disabled {
        return Ok(());
    }
    let why =
        "An immutable vault deletes no data: stop the item's backups and keep its recovery points instead";
    Err(Error::refused(ErrorCode::VaultImmutable, why))
}

async fn vault_of(connection: &mut db::Connection, caller: ServerCaller) -> Result<Vault, Error> {
    let found = db::vaults::find_by_id(connection, caller.vault).await?;
    found.ok_or_else(|| Error::not_found("such vault"))
}

fn refused_as_stopped(why: &str) -> Error {
    Error::refused(ErrorCode::ProtectionStopped, why)
}

fn refused_as_deleted() -> Error {
    refused_as_stopped(
        "The protected item was deleted in the vault; an administrator can have it back, or protect it here under another \
         name",
    )
}

/// Refuses an item that was deleted.
pub(super) async fn check_not_deleted(
    connection: &mut db::Connection,
    server: ServerId,
    id: ItemId,
) -> Result<(), Error> {
    match db::items::protection(connection, server, id).await? {
        Some(Protection::Deleted) => Err(refused_as_deleted()),
        _ => Ok(()),
    }
}

/// Refuses an item that takes no backups. One that is not known yet is none of these.
pub(super) async fn check_takes_backups(
    connection: &mut db::Connection,
    server: ServerId,
    id: ItemId,
) -> Result<(), Error> {
    match db::items::protection(connection, server, id).await? {
        Some(Protection::Deleted) => Err(refused_as_deleted()),
        Some(Protection::Stopped) => Err(refused_as_stopped(
            "The backups of the protected item were stopped in the vault; an administrator can resume them",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
