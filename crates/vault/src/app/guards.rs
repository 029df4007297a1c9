//! Resource guards. In Azure a guard is a resource of somebody else, and a vault has a proxy of it; here it is the proxy
//! alone, and the somebody else is any other principal that may change the vault ([`super::approvals`]).

use super::approvals;
use super::audit::{Actor, Change};
use super::principals::Place;
use super::{App, Error, vaults};
use crate::db;
pub(crate) use crate::db::guards::Guard;
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_model::{Timestamp, VaultName};

/// The longest body of a guard, in bytes of JSON.
const GUARD_BYTES_MAX: usize = 4096;

/// How many guards a vault may have. Azure's has one.
const GUARDS_MAX: usize = 4;

/// The guard's name, as it is called in the vault: names are told apart without regard to case.
fn is_called(name: &str) -> impl Fn(&&Guard) -> bool {
    move |guard| guard.name.eq_ignore_ascii_case(name)
}

impl App {
    /// The guards of a vault, by name.
    pub(crate) async fn guards(&self, place: &Place) -> Result<Vec<Guard>, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        Ok(db::guards::list(&mut connection, vault.id).await?)
    }

    /// One of them.
    pub(crate) async fn guard(&self, place: &Place, name: &str) -> Result<Guard, Error> {
        let found = self.guards(place).await?;
        found
            .iter()
            .find(is_called(name))
            .cloned()
            .ok_or_else(|| Error::not_found(format!("resource guard `{name}`")))
    }

    /// Sets a guard.
    pub(crate) async fn put_guard(
        &self,
        actor: &Actor,
        place: &Place,
        name: &str,
        body: Value,
    ) -> Result<Guard, Error> {
        if !body.is_object() || body.to_string().len() > GUARD_BYTES_MAX {
            let why = format!("A resource guard has `properties` of at most {GUARD_BYTES_MAX} bytes");
            return Err(Error::invalid(why));
        }
        let name: VaultName =
            name.parse().map_err(|_| Error::invalid(format!("`{name}` can't be a guard's name")))?;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let known = db::guards::list(&mut transaction, vault.id).await?;
        let guard = match known.iter().find(is_called(name.as_str())) {
            Some(known) => Guard { body, ..known.clone() },
            None if known.len() >= GUARDS_MAX => {
                let why = format!("A vault has at most {GUARDS_MAX} resource guards");
                return Err(Error::refused(ErrorCode::LimitReached, why));
            }
            None => Guard { name: name.to_string(), body, created_at: self.now() },
        };
        db::guards::upsert(&mut transaction, vault.id, &guard).await?;
        let change = Change {
            vault: Some(vault.id),
            actor,
            act: "guard.put",
            subject: &guard.name,
            detail: json!({}),
        };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(guard)
    }

    /// Removes a guard, with a second person's consent; tells whether there was one.
    pub(crate) async fn delete_guard(&self, actor: &Actor, place: &Place, name: &str) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let known = db::guards::list(&mut transaction, vault.id).await?;
        let Some(guard) = known.iter().find(is_called(name)) else { return Ok(false) };
        let mut transaction =
            self.require_approval(transaction, vault.id, actor, approvals::UNGUARD, &guard.name).await?;
        db::guards::delete(&mut transaction, vault.id, &guard.name).await?;
        let change = Change {
            vault: Some(vault.id),
            actor,
            act: "guard.delete",
            subject: &guard.name,
            detail: json!({}),
        };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Whether the deletion of what a path names has a second person's consent: until when. Asks for it if it has none.
    pub(crate) async fn unlock_delete(
        &self,
        actor: &Actor,
        place: &Place,
        resource: &str,
    ) -> Result<Timestamp, Error> {
        let (act, subject) = deletion_of(resource)?;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let (asked, transaction) = self.find_or_ask(transaction, vault.id, actor, act, subject).await?;
        transaction.commit().await?;
        match asked.approved {
            Some(_) => Ok(asked.expires_at),
            None => Err(approvals::required(asked.id, act, subject)),
        }
    }
}

/// Which act the deletion of a resource is, and of what.
fn deletion_of(resource: &str) -> Result<(&'static str, &str), Error> {
    let mut parts = resource.trim_end_matches('/').rsplit('/');
    let (name, kind) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let acts =
        [("backupResourceGuardProxies", approvals::UNGUARD), ("protectedItems", approvals::DELETE_ITEM)];
    let found = acts.into_iter().find(|(known, _)| kind.eq_ignore_ascii_case(known));
    match found {
        Some((_, act)) if !name.is_empty() => Ok((act, name)),
        _ => Err(Error::invalid(
            "`resourceToBeDeleted` must be the path of a protected item or of a resource guard",
        )),
    }
}
