//! The vault's refusals to administrators and at registration, as the agent's codes: one table.

use crate::AgentError;
use crate::codes::Code;
use stateward_api::ErrorCode;
use stateward_client::CallError;

impl From<CallError> for AgentError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::NoAnswer(error) => error.into(),
            CallError::Refused(detail) => {
                Self::Refused { code: code_of(detail.code), message: detail.message.clone() }
            }
        }
    }
}

fn code_of(code: ErrorCode) -> Code {
    match code {
        ErrorCode::InvalidToken | ErrorCode::InvalidClient => Code::SignInRefused,
        ErrorCode::ClockSkew => Code::ClockSkew,
        ErrorCode::Forbidden => Code::Forbidden,
        ErrorCode::CredentialsExpired => Code::CredentialsExpired,
        ErrorCode::CredentialsUsedUp => Code::CredentialsUsedUp,
        ErrorCode::CredentialsInvalid => Code::CredentialsRefused,
        ErrorCode::ServerRevoked => Code::ServerRefused,
        ErrorCode::NotFound => Code::UnknownVault,
        ErrorCode::AlreadyExists => Code::AlreadyExists,
        ErrorCode::SessionBusy => Code::VaultBusy,
        ErrorCode::SessionLost => Code::SessionLost,
        ErrorCode::PacksMissing => Code::PacksMissing,
        ErrorCode::WrongHead => Code::WrongHead,
        ErrorCode::InsufficientStorage => Code::VaultFull,
        ErrorCode::Unavailable => Code::VaultUnavailable,
        ErrorCode::Internal => Code::VaultFailed,
        // A rule of the vault's, which its own words tell best.
        _ => Code::VaultRefused,
    }
}
