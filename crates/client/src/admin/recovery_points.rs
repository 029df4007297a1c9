//! Recovery points as the vault knows them: without their contents, which are the server's.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::arm::items::ProtectedItem;
use stateward_api::arm::recovery_points::RecoveryPoint;

impl AdminClient {
    /// The recovery points of an item, newest first.
    pub fn recovery_points(&self, item: &ProtectedItem) -> Result<Vec<RecoveryPoint>, CallError> {
        self.list(&address(&item.id, &["recoveryPoints"], &[]))
    }
}
