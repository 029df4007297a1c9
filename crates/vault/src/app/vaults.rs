//! Vaults: their settings and the rules by which these change, deleting and having back.
//!
//! A change comes as [`VaultChange`], from whichever of the management API's views of a vault; what it may do is decided by
//! [`VaultSettings::changed`], which knows nothing of databases.

use super::alerts::{NewAlert, Severity};
use super::approvals;
use super::audit::{Actor, Change};
use super::groups::check_tags;
use super::principals::Place;
use super::{App, Error};
use crate::db::vaults::{Deleted, VaultSettings};
pub(crate) use crate::db::vaults::{Usage, Vault};
use crate::db::{self};
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_api::arm::Tags;
use stateward_model::vault::{SOFT_DELETE_DAYS_MAX, SOFT_DELETE_DAYS_MIN};
use stateward_model::{Immutability, InvalidName, Redundancy, VaultId, counted};

/// How many vaults there may be (Azure Backup, "Frequently asked questions", *Are there limits on the number of vaults?*).
const VAULTS_MAX: usize = 500;

/// The longest settings of alerts that are kept, in bytes of JSON.
const MONITORING_BYTES_MAX: usize = 4096;

/// Another setting for each of a vault's that is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VaultChange {
    /// All its tags.
    pub(crate) tags: Option<Tags>,
    /// Its redundancy.
    pub(crate) redundancy: Option<Redundancy>,
    /// Restoring from the second region.
    pub(crate) cross_region_restore: Option<bool>,
    /// Its immutability.
    pub(crate) immutability: Option<Immutability>,
    /// Its days of soft delete.
    pub(crate) soft_delete_days: Option<u32>,
    /// Its settings of alerts.
    pub(crate) monitoring: Option<Value>,
}

impl VaultSettings {
    /// The settings of a new vault. The best redundancy would be over two regions; there is one.
    fn new() -> Self {
        Self {
            tags: Tags::new(),
            redundancy: Redundancy::LocallyRedundant,
            cross_region_restore: false,
            immutability: Immutability::Disabled,
            soft_delete_days: SOFT_DELETE_DAYS_MIN,
            monitoring: json!({}),
        }
    }

    /// The settings after a change, or the rule that forbids it.
    fn changed(&self, change: VaultChange, usage: &Usage) -> Result<Self, Error> {
        let mut settings = self.clone();
        if let Some(tags) = change.tags {
            check_tags(&tags)?;
            settings.tags = tags;
        }
        settings.change_redundancy(change.redundancy, change.cross_region_restore, usage)?;
        if let Some(state) = change.immutability {
            settings.change_immutability(state)?;
        }
        if let Some(days) = change.soft_delete_days {
            settings.change_soft_delete(days)?;
        }
        if let Some(monitoring) = change.monitoring {
            if monitoring.to_string().len() > MONITORING_BYTES_MAX || !monitoring.is_object() {
                let why =
                    format!("`monitoringSettings` is an object of at most {MONITORING_BYTES_MAX} bytes");
                return Err(Error::invalid(why));
            }
            settings.monitoring = monitoring;
        }
        Ok(settings)
    }

    fn change_redundancy(
        &mut self,
        redundancy: Option<Redundancy>,
        cross_region_restore: Option<bool>,
        usage: &Usage,
    ) -> Result<(), Error> {
        let redundancy = redundancy.unwrap_or(self.redundancy);
        let crossing = cross_region_restore.unwrap_or(self.cross_region_restore);
        if redundancy != self.redundancy && usage.holds_items() {
            let why = "The redundancy of a vault can't be changed once an item was protected in it; delete its items for good \
                       first, or use another vault";
            return Err(Error::refused(ErrorCode::RedundancyLocked, why));
        }
        if self.cross_region_restore && !crossing {
            let why = "Restoring from the second region can't be disabled once it was enabled";
            return Err(Error::refused(ErrorCode::RedundancyLocked, why));
        }
        if crossing && redundancy != Redundancy::GeoRedundant {
            return Err(Error::invalid("Restoring from the second region needs `GeoRedundant`"));
        }
        (self.redundancy, self.cross_region_restore) = (redundancy, crossing);
        Ok(())
    }

    fn change_immutability(&mut self, state: Immutability) -> Result<(), Error> {
        if self.immutability == Immutability::Locked && state != Immutability::Locked {
            let why = "The immutability of this vault is locked, which can't be undone";
            return Err(Error::refused(ErrorCode::VaultImmutable, why));
        }
        if state == Immutability::Locked && self.immutability == Immutability::Disabled {
            let why = "Immutability is enabled (`Unlocked`) first and locked then";
            return Err(Error::refused(ErrorCode::InvalidState, why));
        }
        self.immutability = state;
        Ok(())
    }

    fn change_soft_delete(&mut self, days: u32) -> Result<(), Error> {
        if !(SOFT_DELETE_DAYS_MIN..=SOFT_DELETE_DAYS_MAX).contains(&days) {
            return Err(Error::invalid(format!(
                "What was deleted can be had back for {SOFT_DELETE_DAYS_MIN} to {SOFT_DELETE_DAYS_MAX} days"
            )));
        }
        if days < self.soft_delete_days && self.immutability != Immutability::Disabled {
            let why = "An immutable vault does not shorten for how long what was deleted can be had back";
            return Err(Error::refused(ErrorCode::VaultImmutable, why));
        }
        self.soft_delete_days = days;
        Ok(())
    }

    /// What guards less after a change: the kind of alert, and its words.
    fn weakened_by(&self, new: &Self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if self.immutability != Immutability::Disabled && new.immutability == Immutability::Disabled {
            found.push(("immutability-disabled", "The vault is not immutable any more".to_owned()));
        }
        let (before, after) = (self.soft_delete_days, new.soft_delete_days);
        if after < before {
            let words =
                format!("What is deleted can be had back for {after} days from now on, and not for {before}");
            found.push(("soft-delete-shortened", words));
        }
        found
    }

    /// What changed, for the audit log.
    fn differences(&self, new: &Self) -> Value {
        let shown = |settings: &Self| {
            let Self { tags, redundancy, cross_region_restore, immutability, soft_delete_days, monitoring } =
                settings;
            json!({
                "tags": tags, "redundancy": redundancy, "crossRegionRestore": cross_region_restore,
                "immutability": immutability, "softDeleteDays": soft_delete_days, "monitoring": monitoring,
            })
        };
        let (before, after) = (shown(self), shown(new));
        let changed = |key: &&String| before[*key] != after[*key];
        let keys = before.as_object().into_iter().flat_map(|all| all.keys()).filter(changed);
        keys.map(|key| (key.clone(), json!({ "before": before[key], "after": after[key] })))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

impl Usage {
    /// Whether anything is, or can again be, protected: then redundancy is frozen.
    pub(crate) fn holds_items(&self) -> bool {
        self.items + self.deleted_items > 0
    }
}

/// Why the stores can't give a redundancy; `None` if they can. There is one store.
pub(crate) fn redundancy_not_met(redundancy: Redundancy) -> Option<&'static str> {
    match redundancy {
        Redundancy::LocallyRedundant => None,
        Redundancy::ZoneRedundant => Some("The vault has one store, and stores in three zones are needed"),
        Redundancy::GeoRedundant => Some("The vault has one store, and one in a second region is needed"),
    }
}

impl App {
    /// Makes a vault, or changes one that is there; also tells whether it is new.
    pub(crate) async fn put_vault(
        &self,
        actor: &Actor,
        place: &Place,
        change: VaultChange,
        expected: Option<u64>,
    ) -> Result<(Vault, bool), Error> {
        let Place { group: Some(group), vault: Some(name) } = place else { return Err(no_vault(place)) };
        let mut transaction = self.write().await?;
        let group = db::groups::find(&mut transaction, group).await?.ok_or_else(|| {
            Error::refused(ErrorCode::ResourceGroupNotFound, format!("There is no resource group `{group}`"))
        })?;
        let found = db::vaults::find(&mut transaction, name).await?;
        if let Some(vault) = found {
            if vault.group != group.name {
                let why = format!("There is a vault `{name}` in the resource group `{}`", vault.group);
                return Err(Error::AlreadyExists(why));
            }
            check_revision(&vault, expected)?;
            return Ok((self.change_vault(transaction, actor, vault, change).await?, false));
        }
        if expected.is_some() {
            return Err(Error::refused(
                ErrorCode::PreconditionFailed,
                "There is no such vault that could be changed",
            ));
        }
        if db::vaults::list(&mut transaction).await?.len() >= VAULTS_MAX {
            let why = format!("There are {VAULTS_MAX} vaults, which is the most that there may be");
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        let vault = Vault {
            id: VaultId::new(&*self.random),
            group: group.name,
            name: name.parse().map_err(|error: InvalidName| Error::invalid(error.to_string()))?,
            location: self.config.location.clone(),
            settings: VaultSettings::new().changed(change, &Usage::default())?,
            revision: 1,
            created_at: self.now(),
            deleted: None,
            is_guarded: false,
        };
        db::vaults::insert(&mut transaction, &vault).await?;
        let detail = VaultSettings::new().differences(&vault.settings);
        self.record(&mut transaction, of_vault(&vault, actor, "vault.create", detail)).await?;
        transaction.commit().await?;
        Ok((vault, true))
    }

    /// Changes a vault.
    pub(crate) async fn update_vault(
        &self,
        actor: &Actor,
        place: &Place,
        change: VaultChange,
        expected: Option<u64>,
    ) -> Result<Vault, Error> {
        let mut transaction = self.write().await?;
        let vault = find(&mut transaction, place).await?;
        check_revision(&vault, expected)?;
        self.change_vault(transaction, actor, vault, change).await
    }

    /// Changes a vault and commits.
    async fn change_vault(
        &self,
        mut transaction: db::Write,
        actor: &Actor,
        mut vault: Vault,
        change: VaultChange,
    ) -> Result<Vault, Error> {
        let usage = db::vaults::usage(&mut transaction, vault.id).await?;
        let settings = vault.settings.changed(change, &usage)?;
        if settings == vault.settings {
            return Ok(vault);
        }
        let weakened = vault.settings.weakened_by(&settings);
        if !weakened.is_empty() {
            let kinds = weakened.iter().map(|(kind, _)| *kind).collect::<Vec<_>>().join(", ");
            let subject = approvals::subject(&format!("{}: {kinds}", vault.name));
            let act = approvals::WEAKEN_VAULT;
            transaction = self.require_approval(transaction, vault.id, actor, act, &subject).await?;
        }
        db::vaults::update(&mut transaction, vault.id, &settings, self.now()).await?;
        let detail = vault.settings.differences(&settings);
        self.record(&mut transaction, of_vault(&vault, actor, "vault.update", detail)).await?;
        for (kind, message) in weakened {
            let (severity, subject) = (Severity::Warning, vault.name.as_str());
            self.raise(&mut transaction, NewAlert { vault: vault.id, severity, kind, subject, message })
                .await?;
        }
        transaction.commit().await?;
        (vault.settings, vault.revision) = (settings, vault.revision + 1);
        Ok(vault)
    }

    /// A vault at its place.
    pub(crate) async fn vault_at(&self, place: &Place) -> Result<Vault, Error> {
        find(&mut *self.database.read().await?, place).await
    }

    /// All vaults by name: of a resource group, or all.
    pub(crate) async fn vaults_in(&self, group: Option<&str>) -> Result<Vec<Vault>, Error> {
        if let Some(name) = group {
            self.group(name).await?;
        }
        let vaults = db::vaults::list(&mut *self.database.read().await?).await?;
        let within =
            |vault: &Vault| group.is_none_or(|group| vault.group.as_str().eq_ignore_ascii_case(group));
        Ok(vaults.into_iter().filter(within).collect())
    }

    /// What of a vault is used.
    pub(crate) async fn vault_usage(&self, id: VaultId) -> Result<Usage, Error> {
        Ok(db::vaults::usage(&mut *self.database.read().await?, id).await?)
    }

    /// Deletes a vault; tells whether there was one. Its recovery points can be had back with it for as long as its soft
    /// delete says.
    pub(crate) async fn delete_vault(&self, actor: &Actor, place: &Place) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let vault = match find(&mut transaction, place).await {
            Ok(vault) => vault,
            Err(Error::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let usage = db::vaults::usage(&mut transaction, vault.id).await?;
        if let Some(blockers) = blockers(&usage) {
            // `az backup vault delete --force` looks for `existing resources within the vault`.
            let why = format!(
                "The vault `{}` can't be deleted, for there are existing resources within the vault: {blockers}",
                vault.name
            );
            return Err(Error::refused(ErrorCode::VaultNotEmpty, why));
        }
        let now = self.now();
        let purge_at = vault.recoverable_until(now);
        db::vaults::delete(&mut transaction, vault.id, Deleted { at: now, purge_at }).await?;
        let id = vault.id.to_string();
        let names = (vault.name.as_str(), id.as_str());
        db::principals::rename_vault(&mut transaction, vault.group.as_str(), names).await?;
        let detail = json!({ "purgeAt": purge_at });
        self.record(&mut transaction, of_vault(&vault, actor, "vault.delete", detail)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// All vaults that were deleted and can be had back, the last one first.
    pub(crate) async fn deleted_vaults(&self) -> Result<Vec<Vault>, Error> {
        Ok(db::vaults::list_deleted(&mut *self.database.read().await?, self.now()).await?)
    }

    /// Has a deleted vault back.
    pub(crate) async fn undelete_vault(&self, actor: &Actor, id: VaultId) -> Result<Vault, Error> {
        let mut transaction = self.write().await?;
        let now = self.now();
        let found = db::vaults::find_by_id(&mut transaction, id).await?;
        let deleted = found.filter(|vault| vault.deleted.is_some_and(|deleted| deleted.purge_at > now));
        let vault = deleted.ok_or_else(|| Error::not_found(format!("deleted vault `{id}`")))?;
        if db::groups::find(&mut transaction, vault.group.as_str()).await?.is_none() {
            let why = format!(
                "The vault was in the resource group `{}`, which is gone; make it anew first",
                vault.group
            );
            return Err(Error::refused(ErrorCode::ResourceGroupNotFound, why));
        }
        if db::vaults::find(&mut transaction, vault.name.as_str()).await?.is_some() {
            let why = format!("There is another vault `{}` now; delete it first", vault.name);
            return Err(Error::AlreadyExists(why));
        }
        db::vaults::undelete(&mut transaction, id, now).await?;
        let before = id.to_string();
        let names = (before.as_str(), vault.name.as_str());
        db::principals::rename_vault(&mut transaction, vault.group.as_str(), names).await?;
        self.record(&mut transaction, of_vault(&vault, actor, "vault.undelete", json!({}))).await?;
        transaction.commit().await?;
        Ok(Vault { deleted: None, revision: vault.revision + 1, ..vault })
    }
}

/// A vault at its place, within a transaction.
pub(super) async fn find(connection: &mut db::Connection, place: &Place) -> Result<Vault, Error> {
    let Place { group: Some(group), vault: Some(name) } = place else { return Err(no_vault(place)) };
    if db::groups::find(connection, group).await?.is_none() {
        return Err(Error::refused(
            ErrorCode::ResourceGroupNotFound,
            format!("There is no resource group `{group}`"),
        ));
    }
    let found = db::vaults::find(connection, name).await?;
    found.filter(|vault| vault.group.as_str().eq_ignore_ascii_case(group)).ok_or_else(|| no_vault(place))
}

fn no_vault(place: &Place) -> Error {
    let Place { group, vault } = place;
    let [group, vault] = [group, vault].map(|name| name.as_deref().unwrap_or_default());
    Error::not_found(format!("vault `{vault}` in the resource group `{group}`"))
}

fn check_revision(vault: &Vault, expected: Option<u64>) -> Result<(), Error> {
    match expected {
        Some(expected) if expected != vault.revision => {
            let why = "The vault was changed since it was read; read it again";
            Err(Error::refused(ErrorCode::PreconditionFailed, why))
        }
        _ => Ok(()),
    }
}

/// What keeps a vault from being deleted.
fn blockers(usage: &Usage) -> Option<String> {
    let mut found = Vec::new();
    if usage.items > 0 {
        let items = counted(usage.items, "protected item");
        found.push(format!("{items} (stop their protection and delete their data)"));
    }
    if usage.servers > 0 {
        found.push(format!("{} (unregister them)", counted(usage.servers, "registered server")));
    }
    (!found.is_empty()).then(|| found.join(", "))
}

fn of_vault<'a>(vault: &'a Vault, actor: &'a Actor, act: &'static str, detail: Value) -> Change<'a> {
    Change { vault: Some(vault.id), actor, act, subject: vault.name.as_str(), detail }
}

#[cfg(test)]
mod tests;
