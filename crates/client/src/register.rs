//! Registration: the calls of an agent that need no token.

use crate::call::{Call, CallError};
use crate::connection::Connection;
use crate::http_vault::SLOT_LIST_BYTES_MAX;
use stateward_api::agent::{RegisterRequest, RegisterSlotsRequest, Registered, SlotList};
use stateward_api::credentials::decode_bytes;
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

/// The key slot objects of the known server that may register again with these credentials. Not believed: whoever opens
/// one sees whose it is.
///
/// # Errors
/// As [`register`], with `CredentialsInvalid` for credentials that are for new servers.
pub fn slots_for_registration(
    connection: &Connection,
    request: &RegisterSlotsRequest,
) -> Result<Vec<Vec<u8>>, CallError> {
    let call =
        Call::post("/agent/v1/register/slots").without_token().json(request).at_most(SLOT_LIST_BYTES_MAX);
    let list: SlotList = connection.call(&call)?.json()?;
    // What is no base64url is no slot.
    Ok(list.slots.iter().filter_map(|slot| decode_bytes(slot)).collect())
}
