//! Recovery points as the vault knows them: without their contents, which are the server's.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::items::ProtectedItem;
use stateward_api::arm::recovery_points::{RecoveryPoint, RestoreRequest, RestoreRequestProperties};
use stateward_api::arm::vaults::Vault;
use stateward_model::{ComponentName, JobId};

impl AdminClient {
    /// The recovery points of an item, newest first.
    pub fn recovery_points(&self, item: &ProtectedItem) -> Result<Vec<RecoveryPoint>, CallError> {
        self.list(&address(&item.id, &["recoveryPoints"], &[]))
    }

    /// Asks a recovery point's server to restore it, or some components of it, into a new folder of its own; gives the job
    /// that will do it.
    pub fn request_restore(
        &self,
        vault: &Vault,
        point: &RecoveryPoint,
        components: &[ComponentName],
    ) -> Result<Option<JobId>, CallError> {
        let properties =
            RestoreRequestProperties { recovery_point_id: point.id.clone(), components: components.to_vec() };
        let address = address(&vault.id, &["stateward", "restoreRequests"], &[]);
        let answer = self.connection.call(&Call::post(address).json(&RestoreRequest { properties }))?;
        self.begun(&answer)
    }
}
