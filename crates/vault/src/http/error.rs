//! How `app`'s errors become the contract's envelope: here, and nowhere else.

use crate::app::Error;
use crate::causes::chain;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use stateward_api::error::{ErrorBody, ErrorCode, ErrorDetail};

impl Error {
    /// Which kind of failure it is.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::InvalidRequest(_) => ErrorCode::InvalidRequest,
            Self::InvalidToken => ErrorCode::InvalidToken,
            Self::InvalidClient(_) => ErrorCode::InvalidClient,
            Self::ClockSkew { .. } => ErrorCode::ClockSkew,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::CredentialsExpired(_) => ErrorCode::CredentialsExpired,
            Self::CredentialsUsedUp(_) => ErrorCode::CredentialsUsedUp,
            Self::CredentialsInvalid(_) => ErrorCode::CredentialsInvalid,
            Self::ServerRevoked => ErrorCode::ServerRevoked,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::SessionBusy { .. } => ErrorCode::SessionBusy,
            Self::SessionLost => ErrorCode::SessionLost,
            Self::PacksMissing(_) => ErrorCode::PacksMissing,
            Self::WrongHead(_) => ErrorCode::WrongHead,
            Self::Refused { code, .. } => *code,
            Self::WrongContent(_) => ErrorCode::WrongContent,
            Self::TooLarge(_) => ErrorCode::TooLarge,
            Self::NoSpace(_) => ErrorCode::InsufficientStorage,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// What to do about it, where a person can do something.
    fn recommendation(&self) -> Option<&'static str> {
        Some(match self {
            Self::ClockSkew { .. } => "Set the clocks of both machines right, best by a time service",
            Self::CredentialsExpired(_) | Self::CredentialsUsedUp(_) | Self::CredentialsInvalid(_) => {
                "Make new vault credentials and register with them"
            }
            Self::ServerRevoked => "Ask the vault's administrator whether this server may register again",
            Self::SessionBusy { .. } => "Wait until the other job ends, or cancel it",
            Self::Refused { code: ErrorCode::AgentTooOld, .. } => {
                "Upgrade the agent on the server (`stateward agent upgrade`), or install a newer package there"
            }
            Self::NoSpace(_) => "Free space on the vault's disk, or make it larger",
            Self::Unavailable(_) => "Try again later; the vault's log says more",
            Self::Internal(_) => "Look into the vault's log for the cause",
            _ => return None,
        })
    }
}

/// The longest message, in bytes. Names that were sent are in it, and may be as long as a request's head.
const MESSAGE_BYTES_MAX: usize = 2048;

/// A message that is not too long.
fn shortened(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES_MAX {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        message.push('…');
    }
    message
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let code = self.code();
        if let Self::Internal(_) | Self::NoSpace(_) = &self {
            tracing::error!(error = %chain(&self), ?code, "a request failed");
        }
        let (message, recommendation) =
            (shortened(self.to_string()), self.recommendation().map(str::to_owned));
        let packs = match self {
            Self::PacksMissing(packs) => packs,
            _ => Vec::new(),
        };
        let body =
            ErrorBody { error: ErrorDetail { recommendation, packs, ..ErrorDetail::new(code, message) } };
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(shortened("The name".to_owned()), "The name");
        let cut = shortened("ä".repeat(2000));
        assert_eq!(cut.chars().count(), MESSAGE_BYTES_MAX / 2 + 1);
        assert!(cut.ends_with('…'));
    }
}
