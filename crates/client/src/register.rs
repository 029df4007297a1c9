//! Registration: the one call of an agent that needs no token.

use crate::call::{Call, CallError};
use crate::connection::Connection;
use stateward_api::agent::{RegisterRequest, Registered};
use stateward_engine::VaultError;
use stateward_model::VaultId;

/// Registers a server with the vault `expected` of the credentials file. Repeating it with the same login key gives the
/// same server.
///
/// # Errors
/// [`CallError::Refused`] with `CredentialsExpired`, `CredentialsUsedUp` or `CredentialsInvalid` and the vault's words;
/// [`VaultError::WrongVault`] when another vault answered.
pub fn register(
    connection: &Connection,
    expected: VaultId,
    request: &RegisterRequest,
) -> Result<Registered, CallError> {
    let call = Call::post("/agent/v1/register").without_token().json(request);
    let registered: Registered = connection.call(&call)?.json()?;
    match registered.vault == expected {
        true => Ok(registered),
        false => Err(VaultError::WrongVault(format!(
            "the credentials are for vault {expected}, and {} answered",
            registered.vault
        ))
        .into()),
    }
}
