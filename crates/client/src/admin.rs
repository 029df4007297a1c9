//! An administrator's calls (`api::admin`), and the health of a vault.

use crate::call::{Call, CallError};
use crate::connection::Connection;
use serde::de::DeserializeOwned;
use stateward_api::VaultCredentials;
use stateward_api::admin::{
    CredentialsRequest, Health, Job, JobList, RecoveryPoint, RecoveryPointList, Server, ServerList, Vault,
    VaultList,
};
use stateward_model::Label;

/// The longest list that is taken, in bytes: some hundred thousand recovery points.
const LIST_BYTES_MAX: usize = 256 << 20;

/// An administrator at a vault. Every call's errors: [`CallError::Refused`] with the vault's code and words, or
/// [`CallError::NoAnswer`].
pub struct AdminClient {
    connection: Connection,
}

impl AdminClient {
    /// Over a connection with an administrator's identity (or none, for [`Self::health`] alone).
    pub fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// Whether the vault is ready, its version and its time. Needs no identity.
    pub fn health(&self) -> Result<Health, CallError> {
        Ok(self.connection.call(&Call::get("/health").without_token())?.json()?)
    }

    /// All vaults, by name.
    pub fn vaults(&self) -> Result<Vec<Vault>, CallError> {
        self.get::<VaultList>("/admin/preview/vaults").map(|list| list.value)
    }

    /// Makes a vault, or finds the one that was there.
    pub fn create_vault(&self, name: &Label) -> Result<Vault, CallError> {
        Ok(self.connection.call(&Call::put(path(name, "")))?.json()?)
    }

    /// One vault.
    pub fn vault(&self, name: &Label) -> Result<Vault, CallError> {
        self.get(&path(name, ""))
    }

    /// Makes vault credentials. A repeated call makes others: the vault keeps no secret that it could show again.
    pub fn credentials(
        &self,
        name: &Label,
        request: &CredentialsRequest,
    ) -> Result<VaultCredentials, CallError> {
        Ok(self.connection.call(&Call::post(path(name, "/credentials")).json(request))?.json()?)
    }

    /// The registered servers, by label.
    pub fn servers(&self, name: &Label) -> Result<Vec<Server>, CallError> {
        self.get::<ServerList>(&path(name, "/servers")).map(|list| list.value)
    }

    /// The recovery points, newest first.
    pub fn recovery_points(&self, name: &Label) -> Result<Vec<RecoveryPoint>, CallError> {
        self.get::<RecoveryPointList>(&path(name, "/recovery-points")).map(|list| list.value)
    }

    /// The jobs as the agents reported them, newest first.
    pub fn jobs(&self, name: &Label) -> Result<Vec<Job>, CallError> {
        self.get::<JobList>(&path(name, "/jobs")).map(|list| list.value)
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, CallError> {
        Ok(self.connection.call(&Call::get(path).at_most(LIST_BYTES_MAX))?.json()?)
    }
}

/// A label holds only letters, digits, `-`, `_` and `.`, so it stands in a path as it is.
fn path(name: &Label, rest: &str) -> String {
    format!("/admin/preview/vaults/{name}{rest}")
}
