//! How the vault says no: one envelope, stable codes.
//!
//! The envelope is ARM's: `{"error": {"code": "...", "message": "...", "recommendation": "..."}}`.

use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetail {
    /// Which kind of failure.
    pub code: ErrorCode,
    /// One sentence: the operation and its object.
    pub message: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// For [`ErrorCode::PacksMissing`]: which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<stateward_model::PackId>,
}

/// Kinds of failure. Each has one HTTP status, in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ErrorCode {
    /// The request breaks the contract (400).
    InvalidRequest,
    /// No token, or one that is unknown or has expired (401).
    InvalidToken,
    /// Client id, secret or assertion are wrong (401).
    InvalidClient,
    /// An assertion's time is not within five minutes of the vault's (401).
    ClockSkew,
    /// The caller's role does not allow it (403).
    Forbidden,
    /// Vault credentials: their time is over (403).
    CredentialsExpired,
    /// Vault credentials: used as often as they may be (403).
    CredentialsUsedUp,
    /// Vault credentials: unknown, altered, or for another vault (403).
    CredentialsInvalid,
    /// The server's registration was revoked (403).
    ServerRevoked,
    /// There is no such thing (404).
    NotFound,
    /// A thing of that name exists already (409).
    AlreadyExists,
    /// Another session of this server is alive (409).
    SessionBusy,
    /// The session was ended, replaced, or its lease ran out (409).
    SessionLost,
    /// A commit names packs that the vault does not hold as they should be; `packs` lists them (409).
    PacksMissing,
    /// A commit whose predecessor is not the head (409).
    WrongHead,
    /// A body's hash or length is not what its name says (422).
    WrongContent,
    /// A body is longer than it may be (413).
    TooLarge,
    /// No space left at the vault (507).
    InsufficientStorage,
    /// The vault cannot do it now; try again (503).
    Unavailable,
    /// The vault failed (500).
    Internal,
}

impl ErrorCode {
    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::InvalidToken | Self::InvalidClient | Self::ClockSkew => 401,
            Self::Forbidden
            | Self::CredentialsExpired
            | Self::CredentialsUsedUp
            | Self::CredentialsInvalid
            | Self::ServerRevoked => 403,
            Self::NotFound => 404,
            Self::AlreadyExists
            | Self::SessionBusy
            | Self::SessionLost
            | Self::PacksMissing
            | Self::WrongHead => 409,
            Self::WrongContent => 422,
            Self::TooLarge => 413,
            Self::InsufficientStorage => 507,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}
