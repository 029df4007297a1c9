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
        ErrorCode::NotFound | ErrorCode::SubscriptionNotFound => Code::NotFound,
        ErrorCode::ResourceGroupNotFound => Code::UnknownGroup,
        ErrorCode::AlreadyExists => Code::AlreadyExists,
        ErrorCode::GroupNotEmpty => Code::GroupNotEmpty,
        ErrorCode::VaultNotEmpty => Code::VaultNotEmpty,
        ErrorCode::RedundancyLocked => Code::RedundancyLocked,
        ErrorCode::RedundancyNotMet => Code::RedundancyNotMet,
        ErrorCode::VaultImmutable => Code::VaultImmutable,
        ErrorCode::LimitReached => Code::LimitReached,
        ErrorCode::PolicyInUse => Code::PolicyInUse,
        ErrorCode::InvalidState => Code::InvalidState,
        ErrorCode::AmbiguousName => Code::UnknownServer,
        ErrorCode::ProtectionStopped => Code::ProtectionStopped,
        ErrorCode::AgentTooOld => Code::AgentTooOld,
        ErrorCode::PreconditionFailed => Code::ChangedMeanwhile,
        ErrorCode::LocationNotAvailable => Code::UnknownLocation,
        ErrorCode::NotSupportedHere => Code::NotSupportedHere,
        ErrorCode::SessionBusy => Code::VaultBusy,
        ErrorCode::SessionLost => Code::SessionLost,
        ErrorCode::PacksMissing => Code::PacksMissing,
        ErrorCode::WrongHead => Code::WrongHead,
        ErrorCode::InsufficientStorage => Code::VaultFull,
        ErrorCode::QuotaExceeded => Code::QuotaExceeded,
        ErrorCode::SecurityPinWrong => Code::SecurityPinWrong,
        ErrorCode::ApprovalRequired => Code::ApprovalRequired,
        ErrorCode::Unavailable => Code::VaultUnavailable,
        ErrorCode::Internal => Code::VaultFailed,
        // What breaks the contract, which the vault's own words tell best.
        _ => Code::VaultRefused,
    }
}
