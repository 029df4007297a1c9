//! How the vault says no: one envelope, stable codes.
//!
//! The envelope is ARM's: `{"error": {"code": "...", "message": "...", "recommendation": "..."}}`.

use serde::{Deserialize, Serialize};

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetail {
    /// Which kind of failure.
    pub code: ErrorCode,
    /// One sentence: the operation and its object.
    pub message: String,
    /// What it is about: a field, a part of the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Always empty; Azure's clients want it.
    #[serde(default)]
    pub details: Vec<serde_json::Value>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<String>,
    /// For [`ErrorCode::PacksMissing`]: which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<stateward_model::PackId>,
}

impl ErrorDetail {
    /// A failure with nothing but its kind and a sentence.
    pub fn new(code: ErrorCode, message: String) -> Self {
        Self { code, message, target: None, details: Vec::new(), recommendation: None, packs: Vec::new() }
    }
}

/// Kinds of failure. Each has one HTTP status, in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ErrorCode {
    /// The request breaks the contract (400).
    InvalidRequest,
    /// A management call without `api-version` (400).
    MissingApiVersionParameter,
    /// An `api-version` that is no date (400).
    InvalidApiVersionParameter,
    /// A location that is not here (400).
    LocationNotAvailable,
    /// What Azure has and a vault of this product does not; the text says which (400).
    NotSupportedHere,
    /// No token, or one that is unknown or has expired (401).
    #[serde(rename = "AuthenticationFailed")]
    InvalidToken,
    /// Client id, secret or assertion are wrong (401).
    InvalidClient,
    /// An assertion's time is not within five minutes of the vault's (401).
    ClockSkew,
    /// The caller's role does not allow it (403).
    #[serde(rename = "AuthorizationFailed")]
    Forbidden,
    /// Vault credentials: their time is over (403).
    CredentialsExpired,
    /// Vault credentials: used as often as they may be (403).
    CredentialsUsedUp,
    /// Vault credentials: unknown, altered, or for another vault (403).
    CredentialsInvalid,
    /// The server's registration was revoked (403).
    ServerRevoked,
    /// The security PIN is wrong, was used, or its time is over (403).
    SecurityPinWrong,
    /// The vault has a resource guard, and a second person must agree first; the text has the approval's id (403).
    ApprovalRequired,
    /// There is no such thing (404).
    #[serde(rename = "ResourceNotFound")]
    NotFound,
    /// There is no such subscription (404).
    SubscriptionNotFound,
    /// There is no such resource group (404).
    ResourceGroupNotFound,
    /// A thing of that name exists already (409).
    AlreadyExists,
    /// A resource group that has vaults can't be deleted (409).
    GroupNotEmpty,
    /// A vault that has servers or items can't be deleted (409).
    VaultNotEmpty,
    /// Redundancy can't be changed once something is protected (409).
    RedundancyLocked,
    /// The stores can't give the redundancy that the vault is set to (409).
    RedundancyNotMet,
    /// The vault is immutable: nothing that reduces what is kept is done (409).
    VaultImmutable,
    /// A limit of the vault is reached; the text says which (409).
    LimitReached,
    /// A policy that items have can't be deleted (409).
    PolicyInUse,
    /// The thing is in a state in which that can't be done (409).
    InvalidState,
    /// Several servers bear that name; the text has their ids (409).
    AmbiguousName,
    /// The item's backups were stopped, or the item was deleted (409).
    ProtectionStopped,
    /// The server's agent is older than the oldest that may make backups in its vault (409).
    AgentTooOld,
    /// The resource was changed since it was read: its `etag` is another than that of `If-Match` (412).
    PreconditionFailed,
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
    /// The server holds, or has sent today, as much as the vault's quotas allow it (507).
    QuotaExceeded,
    /// The vault cannot do it now; try again (503).
    Unavailable,
    /// The vault failed (500).
    Internal,
}

impl ErrorCode {
    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest
            | Self::MissingApiVersionParameter
            | Self::InvalidApiVersionParameter
            | Self::LocationNotAvailable
            | Self::NotSupportedHere => 400,
            Self::InvalidToken | Self::InvalidClient | Self::ClockSkew => 401,
            Self::Forbidden
            | Self::CredentialsExpired
            | Self::CredentialsUsedUp
            | Self::CredentialsInvalid
            | Self::ServerRevoked
            | Self::SecurityPinWrong
            | Self::ApprovalRequired => 403,
            Self::NotFound | Self::SubscriptionNotFound | Self::ResourceGroupNotFound => 404,
            Self::AlreadyExists
            | Self::GroupNotEmpty
            | Self::VaultNotEmpty
            | Self::RedundancyLocked
            | Self::RedundancyNotMet
            | Self::VaultImmutable
            | Self::LimitReached
            | Self::PolicyInUse
            | Self::InvalidState
            | Self::AmbiguousName
            | Self::ProtectionStopped
            | Self::AgentTooOld
            | Self::SessionBusy
            | Self::SessionLost
            | Self::PacksMissing
            | Self::WrongHead => 409,
            Self::PreconditionFailed => 412,
            Self::WrongContent => 422,
            Self::TooLarge => 413,
            Self::InsufficientStorage | Self::QuotaExceeded => 507,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}
