//! The local console: what a browser page on a protected server asks of the agent there, `/console/v1`.
//!
//! It is served on the loopback address only, by `stateward console`, for the one person who started it. The calls stand in
//! [`crate::calls::console`]; nouns and words are those of the command line. Nothing of it travels: names and paths may stand in
//! its answers, for they stay on the server.
//!
//! **Signing in.** `POST /console/v1/session` takes the one-time token that stands in the printed address, once, and answers with a
//! cookie and a *request token*. Every other call must bear both: the cookie, and the request token in the header
//! [`TOKEN_HEADER`]. Cookies of one address go to all its ports, so the cookie alone opens nothing.
//!
//! **Secrets** ([`Secret`]) are received and never sent, but for a passphrase and a recovery code that were just made, once.

mod items;
mod jobs;
mod looks;
mod overview;
mod points;
mod registration;
mod settings;

pub use items::*;
pub use jobs::*;
pub use looks::*;
pub use overview::*;
pub use points::*;
pub use registration::*;
pub use settings::*;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The header that bears the request token.
pub const TOKEN_HEADER: &str = "x-stateward-token";

/// The longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 512 << 10;

/// A secret. Its texts never show it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A path of this machine: as text, or as `{"base64url": …}` if it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum FilePath {
    /// Text.
    Text(String),
    /// Bytes that are no text.
    Bytes {
        /// They, in base64url without padding.
        base64url: String,
    },
}

/// The body of every answer that is not a success: the envelope of the vault's APIs, with the agent's codes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetail {
    /// Which kind of failure: a code that `stateward explain` knows.
    pub code: String,
    /// What happened.
    pub message: String,
    /// What the code means.
    pub meaning: String,
    /// What to do about it.
    pub recommendation: String,
}

/// Signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionRequest {
    /// The one-time token of the printed address.
    pub token: Secret,
}

/// Signed in. The cookie comes in a header.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionOpened {
    /// What every other call must bear in the header `x-stateward-token`.
    pub request_token: String,
    /// After so many seconds without a call the console ends.
    pub idle_seconds: u64,
}
