//! An administrator's calls: the management API (`api::arm`), one file a noun, and the health of a vault.
//!
//! What all of it has in common stands here: the one subscription, lists that come in pages, and the wait for what the vault
//! does after it answered. Addresses that the vault gives (of the next page, of an operation) are followed at the address
//! that this client was given: their host is not believed.

mod address;
mod agents;
mod alerts;
mod approvals;
mod audit;
mod credentials;
mod groups;
mod items;
mod jobs;
mod operations;
mod pins;
mod policies;
mod principals;
mod quotas;
mod recovery_points;
mod servers;
mod vaults;

use crate::call::{Answer, Call, CallError};
use crate::connection::Connection;
use address::{address, followed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stateward_api::Health;
use stateward_api::arm::List;
use stateward_api::arm::groups::Subscription;
use stateward_engine::VaultError;
use std::sync::OnceLock;

/// The longest page that is taken, in bytes.
const LIST_BYTES_MAX: usize = 256 << 20;

/// The filter for what is of servers: the one kind of backup that there is.
const OF_SERVERS: (&str, &str) = ("$filter", "backupManagementType eq 'MAB'");

/// A list with more pages than this is none: the vault leads in a circle.
const PAGES_MAX: usize = 100_000;

/// An administrator at a vault. Every call's errors: [`CallError::Refused`] with the vault's code and words, or
/// [`CallError::NoAnswer`].
pub struct AdminClient {
    connection: Connection,
    /// The path of the one subscription, once it was asked for.
    subscription: OnceLock<String>,
}

impl AdminClient {
    /// Over a connection with an administrator's identity (or none, for [`Self::health`] alone).
    pub fn new(connection: Connection) -> Self {
        Self { connection, subscription: OnceLock::new() }
    }

    /// Whether the vault is ready, its version and its time. Needs no identity.
    pub fn health(&self) -> Result<Health, CallError> {
        Ok(self.connection.call(&Call::get("/health").without_token())?.json()?)
    }

    /// The path of the subscription. What runs the vaults has one.
    pub fn subscription(&self) -> Result<&str, CallError> {
        if let Some(known) = self.subscription.get() {
            return Ok(known);
        }
        let listed: Vec<Subscription> = self.list(&address("/subscriptions", &[], &[]))?;
        let first = listed.into_iter().next();
        let first = first.ok_or_else(|| VaultError::BadAnswer("it names no subscription".to_owned()))?;
        Ok(self.subscription.get_or_init(|| first.id))
    }

    fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T, CallError> {
        Ok(self.connection.call(&Call::get(address).at_most(LIST_BYTES_MAX))?.json()?)
    }

    /// The same for what may not be there.
    fn find<T: DeserializeOwned>(&self, address: &str) -> Result<Option<T>, CallError> {
        use stateward_api::ErrorCode::{NotFound, ResourceGroupNotFound};
        match self.get(address) {
            Ok(found) => Ok(Some(found)),
            Err(CallError::Refused(detail)) if matches!(detail.code, NotFound | ResourceGroupNotFound) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A whole list, page by page.
    fn list<T: DeserializeOwned>(&self, address: &str) -> Result<Vec<T>, CallError> {
        let (mut all, mut next) = (Vec::new(), address.to_owned());
        for _ in 0..PAGES_MAX {
            let page: List<T> = self.get(&next)?;
            all.extend(page.value);
            match page.next_link {
                Some(link) => next = followed(&link)?,
                None => return Ok(all),
            }
        }
        Err(VaultError::BadAnswer("its list does not end".to_owned()).into())
    }

    fn put<T: DeserializeOwned>(&self, address: &str, body: &impl Serialize) -> Result<T, CallError> {
        Ok(self.connection.call(&Call::put(address).json(body))?.json()?)
    }

    fn patch<T: DeserializeOwned>(&self, address: &str, body: &impl Serialize) -> Result<T, CallError> {
        Ok(self.connection.call(&Call::patch(address).json(body))?.json()?)
    }

    fn post<T: DeserializeOwned>(&self, address: &str, body: &impl Serialize) -> Result<T, CallError> {
        Ok(self.connection.call(&Call::post(address).json(body))?.json()?)
    }

    fn delete(&self, address: &str) -> Result<Answer, CallError> {
        self.connection.call(&Call::delete(address))
    }
}

#[cfg(test)]
mod tests;
