//! The audit log.

use super::AdminClient;
use super::address::address;
use crate::call::CallError;
use stateward_api::arm::audit::{AuditCheck, AuditEntry};
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// The changes of a vault, oldest first.
    pub fn audit_log(&self, vault: &Vault) -> Result<Vec<AuditEntry>, CallError> {
        self.list(&address(&vault.id, &["stateward", "auditLog"], &[]))
    }

    /// Whether the whole log is as it was written, as far as the vault itself can tell.
    pub fn check_audit_log(&self, vault: &Vault) -> Result<AuditCheck, CallError> {
        self.get(&address(&vault.id, &["stateward", "auditLog", "verify"], &[]))
    }
}
