//! Policies: what they may say is the model's concern (`stateward_model::policy`); here is what may become of them.

use super::alerts::{NewAlert, Severity};
use super::approvals;
use super::audit::{Actor, Change};
use super::principals::Place;
use super::{App, Error, vaults};
use crate::db;
pub(crate) use crate::db::policies::Policy;
use crate::db::vaults::Vault;
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::policy::change::{Lessening, lessenings};
use stateward_model::{Immutability, InvalidName, PolicyId, VaultId, counted};

/// How many policies a vault may have (Azure Backup, "Frequently asked questions", *Is there a limit on the number of
/// policies*).
const POLICIES_MAX: usize = 200;

/// The kind of alert that tells of a policy which keeps less than before.
const SHORTENED: &str = "retention-shortened";

impl App {
    /// Makes a policy, or puts another in the place of one that is there; also tells whether it is new. A change holds for
    /// the points that are there as well, with the next expiry.
    pub(crate) async fn put_policy(
        &self,
        actor: &Actor,
        place: &Place,
        name: &str,
        body: stateward_model::Policy,
        expected: Option<u64>,
    ) -> Result<(Policy, bool), Error> {
        // What it goes through is large; callers hold a pointer to it.
        Box::pin(self.write_policy(actor, place, name, body, expected)).await
    }

    async fn write_policy(
        &self,
        actor: &Actor,
        place: &Place,
        name: &str,
        body: stateward_model::Policy,
        expected: Option<u64>,
    ) -> Result<(Policy, bool), Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let known = db::policies::find(&mut transaction, vault.id, name).await?;
        check_revision(known.as_ref(), expected)?;
        let is_new = known.is_none();
        let policy = match known {
            Some(known) if known.body == body => return Ok((known, false)),
            Some(known) => {
                let less = lessenings(&known.body, &body);
                transaction = self.may_lessen(transaction, actor, &vault, known.name.as_str(), &less).await?;
                self.change_policy(&mut transaction, actor, &vault, known, body).await?
            }
            None => self.add_policy(&mut transaction, actor, &vault, name, body).await?,
        };
        transaction.commit().await?;
        Ok((policy, is_new))
    }

    /// Refuses in an immutable vault what would keep less than before; in one with a guard it takes a second person.
    pub(super) async fn may_lessen(
        &self,
        transaction: db::Write,
        actor: &Actor,
        vault: &Vault,
        subject: &str,
        lessenings: &[Lessening],
    ) -> Result<db::Write, Error> {
        if lessenings.is_empty() {
            return Ok(transaction);
        }
        check_may_lessen(vault, lessenings)?;
        let subject = approvals::subject(&format!("{subject}: {}", in_words(lessenings)));
        self.require_approval(transaction, vault.id, actor, approvals::SHORTEN_POLICY, &subject).await
    }

    async fn add_policy(
        &self,
        transaction: &mut db::Write,
        actor: &Actor,
        vault: &Vault,
        name: &str,
        body: stateward_model::Policy,
    ) -> Result<Policy, Error> {
        if db::policies::list(transaction, vault.id).await?.len() >= POLICIES_MAX {
            let why = format!("The vault has {POLICIES_MAX} policies, which is the most that it may have");
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        let policy = Policy {
            id: PolicyId::new(&*self.random),
            vault: vault.id,
            name: name.parse().map_err(|error: InvalidName| Error::invalid(error.to_string()))?,
            body,
            revision: 1,
            items: 0,
            deleted_items: 0,
        };
        db::policies::insert(transaction, &policy, self.now()).await?;
        let detail = json!({ "policy": policy.body });
        self.record(transaction, of_policy(&policy, actor, "policy.create", detail)).await?;
        Ok(policy)
    }

    async fn change_policy(
        &self,
        transaction: &mut db::Write,
        actor: &Actor,
        vault: &Vault,
        mut policy: Policy,
        body: stateward_model::Policy,
    ) -> Result<Policy, Error> {
        let lessenings = lessenings(&policy.body, &body);
        if !lessenings.is_empty() {
            let message = format!(
                "The policy `{}` keeps less than before: {}. It is that of {}",
                policy.name,
                in_words(&lessenings),
                counted(policy.items, "item")
            );
            let (vault, severity, subject) = (vault.id, Severity::Critical, policy.name.as_str());
            self.raise(transaction, NewAlert { vault, severity, kind: SHORTENED, subject, message }).await?;
        }
        db::policies::update(transaction, policy.id, &body, self.now()).await?;
        let detail = json!({ "before": policy.body, "after": body, "lessenings": lessenings });
        self.record(transaction, of_policy(&policy, actor, "policy.update", detail)).await?;
        (policy.body, policy.revision) = (body, policy.revision + 1);
        Ok(policy)
    }

    /// A policy by its name.
    pub(crate) async fn policy(&self, place: &Place, name: &str) -> Result<Policy, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        find(&mut connection, vault.id, name).await
    }

    /// All policies of a vault, by name.
    pub(crate) async fn policies(&self, place: &Place) -> Result<Vec<Policy>, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        Ok(db::policies::list(&mut connection, vault.id).await?)
    }

    /// Deletes a policy that no item has; tells whether there was one.
    pub(crate) async fn delete_policy(
        &self,
        actor: &Actor,
        place: &Place,
        name: &str,
        expected: Option<u64>,
    ) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let Some(policy) = db::policies::find(&mut transaction, vault.id, name).await? else {
            return Ok(false);
        };
        check_revision(Some(&policy), expected)?;
        let Policy { items, deleted_items, .. } = policy;
        if items + deleted_items > 0 {
            let why = format!(
                "The policy `{}` can't be deleted: it is that of {} and {}. Give them another policy, or delete them for good",
                policy.name,
                counted(items, "item"),
                counted(deleted_items, "deleted item")
            );
            return Err(Error::refused(ErrorCode::PolicyInUse, why));
        }
        db::policies::delete(&mut transaction, policy.id).await?;
        let detail = json!({ "policy": policy.body });
        self.record(&mut transaction, of_policy(&policy, actor, "policy.delete", detail)).await?;
        self.resolve(&mut transaction, vault.id, SHORTENED, policy.name.as_str()).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

/// A policy by its name, within a transaction.
pub(super) async fn find(
    connection: &mut db::Connection,
    vault: VaultId,
    name: &str,
) -> Result<Policy, Error> {
    let found = db::policies::find(connection, vault, name).await?;
    found.ok_or_else(|| Error::not_found(format!("policy `{name}`")))
}

/// Refuses in an immutable vault what would keep less than before.
fn check_may_lessen(vault: &Vault, lessenings: &[Lessening]) -> Result<(), Error> {
    if vault.settings.immutability == Immutability::Disabled || lessenings.is_empty() {
        return Ok(());
    }
    let why = format!("The vault is immutable and keeps nothing for less time: {}", in_words(lessenings));
    Err(Error::refused(ErrorCode::VaultImmutable, why))
}

/// `daily retention shortened from 30 to 7 days, weekly retention removed`
pub(super) fn in_words(lessenings: &[Lessening]) -> String {
    lessenings.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn check_revision(known: Option<&Policy>, expected: Option<u64>) -> Result<(), Error> {
    let why = match (known, expected) {
        (None, Some(_)) => "There is no such policy that could be changed",
        (Some(policy), Some(expected)) if policy.revision != expected => {
            "The policy was changed since it was read; read it again"
        }
        _ => return Ok(()),
    };
    Err(Error::refused(ErrorCode::PreconditionFailed, why))
}

fn of_policy<'a>(
    policy: &'a Policy,
    actor: &'a Actor,
    act: &'static str,
    detail: serde_json::Value,
) -> Change<'a> {
    Change { vault: Some(policy.vault), actor, act, subject: policy.name.as_str(), detail }
}

#[cfg(test)]
mod tests;
