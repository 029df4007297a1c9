//! Why the vault says no. Knows nothing of HTTP: `http` turns each into the contract's envelope in one place.

use crate::causes::chain;
use crate::db;
use stateward_api::ErrorCode;
use stateward_model::{PackId, Timestamp, counted};
use stateward_store::StoreError;

/// Why the vault says no.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request breaks the contract.
    #[error("{0}")]
    InvalidRequest(String),
    /// No token, or one that is unknown or has ended.
    #[error("The request has no token, or one that the vault does not know or that has ended")]
    InvalidToken,
    /// Client id, secret or assertion are wrong.
    #[error("{0}")]
    InvalidClient(String),
    /// An assertion's time is too far from the vault's.
    #[error("The clocks differ too much: the caller's says {caller}, the vault's says {vault}")]
    ClockSkew {
        /// What the assertion says.
        caller: Timestamp,
        /// What the vault's clock says.
        vault: Timestamp,
    },
    /// The caller may not do it.
    #[error("{0}")]
    Forbidden(&'static str),
    /// Vault credentials whose time is over.
    #[error("The vault credentials ended at {0}")]
    CredentialsExpired(Timestamp),
    /// Vault credentials that were used as often as they may be.
    #[error("The vault credentials were used for {} already, which is all that they allow", counted((*.0).into(), "server"))]
    CredentialsUsedUp(u32),
    /// Vault credentials that are unknown, altered or for something else.
    #[error("{0}")]
    CredentialsInvalid(&'static str),
    /// The server's registration was revoked.
    #[error("The registration of this server was revoked")]
    ServerRevoked,
    /// There is no such thing, or it is not the caller's.
    #[error("There is no {0}")]
    NotFound(String),
    /// A thing of that name exists already.
    #[error("{0}")]
    AlreadyExists(String),
    /// Another session of the server is alive.
    #[error("Another session of this server is open; without a call its lease ends at {lease_until}")]
    SessionBusy {
        /// The end of its lease.
        lease_until: Timestamp,
    },
    /// The session was ended or replaced.
    #[error("The session was ended: it was closed, or another was opened in its place")]
    SessionLost,
    /// A commit names packs that are not there as they should be.
    #[error("The recovery point needs {} that the vault does not hold as it should", counted(.0.len() as u64, "pack"))]
    PacksMissing(Vec<PackId>),
    /// A commit whose predecessor is not the head.
    #[error("{0}")]
    WrongHead(String),
    /// A rule of the management API forbids it; the text names the rule.
    #[error("{message}")]
    Refused {
        /// Which rule.
        code: ErrorCode,
        /// In words.
        message: String,
    },
    /// Bytes that are not what their name says.
    #[error("{0}")]
    WrongContent(String),
    /// A body that is longer than it may be.
    #[error("The body is longer than the {0} bytes that it may have")]
    TooLarge(u64),
    /// No space left: where, and how much there is.
    #[error("{0}")]
    NoSpace(String),
    /// Not now.
    #[error("The vault can't do it now: {0}")]
    Unavailable(&'static str),
    /// The vault failed. Callers are not told more; the log is.
    #[error("The vault failed; its log says why")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The contract was broken, in these words.
    pub(crate) fn invalid(why: impl Into<String>) -> Self {
        Self::InvalidRequest(why.into())
    }

    /// A rule forbids it, in these words.
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused { code, message: message.into() }
    }

    /// There is no such thing.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound(what.into())
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Full => Self::NoSpace("The file system of the vault's database is full".to_owned()),
            db::Error::Nul => {
                Self::invalid("The request has a text with the character NUL, which nothing here has")
            }
            db::Error::Busy => Self::Unavailable("its database does not answer in time"),
            db::Error::Lost(_) => {
                tracing::error!(error = %chain(&error), "the database can't be reached");
                Self::Unavailable("its database can't be reached")
            }
            other => Self::Internal(other.into()),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::NoSpace("The file system of the vault's store is full".to_owned()),
            other => Self::Internal(other.into()),
        }
    }
}

impl From<tokio::task::JoinError> for Error {
    fn from(error: tokio::task::JoinError) -> Self {
        Self::Internal(error.into())
    }
}
