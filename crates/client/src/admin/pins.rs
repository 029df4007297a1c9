//! Security PINs.

use super::AdminClient;
use super::address::address;
use crate::call::{Call, CallError};
use stateward_api::arm::pins::SecurityPin;
use stateward_api::arm::vaults::Vault;

impl AdminClient {
    /// Makes a security PIN: good for five minutes, and for one act that is begun on a server.
    pub fn security_pin(&self, vault: &Vault) -> Result<SecurityPin, CallError> {
        let call = Call::post(address(&vault.id, &["backupSecurityPIN"], &[]));
        Ok(self.connection.call(&call)?.json()?)
    }
}
