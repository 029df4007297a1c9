//! Jobs of a vault's servers, and its own.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::jobs::Job;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// The jobs, newest first; those that `filter` lets through (`status eq 'Failed'`), if there is one.
    pub fn jobs(&self, vault: &Vault, filter: Option<&str>) -> Result<Vec<Job>, CallError> {
        let query: Vec<(&str, &str)> = filter.map(|filter| ("$filter", filter)).into_iter().collect();
        self.list(&address(&vault.id, &["backupJobs"], &query))
    }

    /// A job with all that there is to know of it.
    pub fn job(&self, vault: &Vault, name: &str) -> Result<Job, CallError> {
        self.get(&address(&vault.id, &["backupJobs", name], &[]))
    }

    /// Asks for a job's end; its server learns it with its next report.
    pub fn cancel_job(&self, vault: &Vault, name: &str) -> Result<(), CallError> {
        let call = Call::post(address(&vault.id, &["backupJobs", name, "cancel"], &[]));
        self.connection.call(&call).map(drop)
    }
}
