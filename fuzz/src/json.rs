//! JSON of the contract: what the vault reads from anybody, and what an agent reads from a vault.

use serde::Serialize;
use serde::de::DeserializeOwned;
use stateward_api::{VaultCredentials, admin, agent, credentials, error, token};

/// Reads a body and spells it again, which must read as the same.
fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(body) = serde_json::from_slice::<T>(bytes) {
        let spelled = serde_json::to_vec(&body).unwrap();
        let again: T = serde_json::from_slice(&spelled).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), spelled);
    }
}

/// A type, and what reads it.
type Body = (&'static str, fn(&[u8]));

macro_rules! bodies {
    ($($module:ident::$name:ident,)*) => {
        &[$((stringify!($name), read::<$module::$name>)),*]
    };
}

/// Every type of the contract that is read.
pub const BODIES: &[Body] = bodies![
    admin::Vault,
    admin::VaultList,
    admin::CredentialsRequest,
    admin::Server,
    admin::ServerList,
    admin::RecoveryPoint,
    admin::RecoveryPointList,
    admin::Job,
    admin::JobList,
    admin::Health,
    agent::RegisterRequest,
    agent::RegisterSlotsRequest,
    agent::Registered,
    agent::ServerInfo,
    agent::ItemRequest,
    agent::OpenSessionRequest,
    agent::Replaces,
    agent::KnownPack,
    agent::ListedPoint,
    agent::SessionOpened,
    agent::Lease,
    agent::PartTaken,
    agent::PointList,
    agent::SlotList,
    agent::JobReport,
    credentials::CredentialPurpose,
    credentials::VaultCredentials,
    error::ErrorBody,
    error::ErrorDetail,
    error::ErrorCode,
    token::TokenRequest,
    token::TokenResponse,
    token::AssertionClaims,
];

/// All of them, since a body does not say which it is.
pub fn any_body(bytes: &[u8]) {
    BODIES.iter().for_each(|(_, read)| read(bytes));
    if let Ok(credentials) = serde_json::from_slice::<VaultCredentials>(bytes) {
        let _ = credentials.signed_bytes();
    }
}
