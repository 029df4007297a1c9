//! Signing in: `POST /{tenant}/oauth2/v2.0/token`, a form as in RFC 6749 §4.4 (client credentials).
//!
//! Administrators send `client_id` and `client_secret`. Agents send `client_id` = their server id and
//! `client_assertion` (RFC 7523): a JWT signed with EdDSA by the server's login key, `iss` = `sub` = server id,
//! `aud` = the token URL, `exp` at most ten minutes after `iat`, a fresh `jti`.
//! Principals that have a certificate send an assertion, too, as Azure's libraries make it: RS256 or PS256, the certificate
//! named by `x5t` or `x5t#S256`, `exp` at most an hour after `iat` (or `nbf`), a fresh `jti`.
//! Tokens are opaque, sent as `Authorization: Bearer …`, and last an hour.
//! Refusals are [`TokenError`], in the words of RFC 6749 §5.2; other failures are [`crate::ErrorBody`].

use crate::ErrorCode;
use serde::{Deserialize, Serialize};

/// The value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The form.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TokenRequest {
    /// Always `client_credentials`.
    pub grant_type: String,
    /// A principal's or a server's id.
    pub client_id: String,
    /// An administrator's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// [`ASSERTION_TYPE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion_type: Option<String>,
    /// An agent's signed assertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<String>,
}

/// A JWT's claims in an assertion.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AssertionClaims {
    /// The server id.
    pub iss: String,
    /// The server id again.
    pub sub: String,
    /// The token URL.
    pub aud: String,
    /// Made at, seconds since 1970.
    pub iat: i64,
    /// Good until, seconds since 1970.
    pub exp: i64,
    /// Fresh random text; the vault takes each only once.
    pub jti: String,
}

/// A token.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TokenResponse {
    /// `Bearer`.
    pub token_type: String,
    /// Seconds until it expires.
    pub expires_in: u64,
    /// The token.
    pub access_token: String,
}

/// Why there is no token.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TokenError {
    /// `invalid_request` or `invalid_client`.
    pub error: String,
    /// In words.
    pub error_description: String,
    /// Always empty; Azure's clients look for it.
    #[serde(default)]
    pub error_codes: Vec<u32>,
    /// Which kind of failure, as in [`crate::ErrorBody`].
    pub code: ErrorCode,
}

/// The path of the token endpoint of a tenant.
pub fn path(tenant: &str) -> String {
    format!("/{tenant}/oauth2/v2.0/token")
}
