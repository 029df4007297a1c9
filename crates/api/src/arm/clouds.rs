//! What a client asks before it signs in: where the cloud's parts are, and how to sign in there. Needs no token.
//!
//! The authority is published as `…/adfs`: then neither `az` nor `azure-identity` asks anybody else whether it is one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The last part of the authority's address.
pub const AUTHORITY: &str = "adfs";

/// `GET /metadata/endpoints`, since api-version 2022-09-01.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cloud {
    /// The cloud's name.
    pub name: String,
    /// The address of the management API.
    pub resource_manager: String,
    /// How to sign in.
    pub authentication: Authentication,
    /// Suffixes of hosts of other services, of which there are none; without the field `az` fails.
    pub suffixes: BTreeMap<String, String>,
}

/// `GET /metadata/endpoints`, api-version 2015-01-01.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EarlyCloud {
    /// Services that are not here; `az` wants a text.
    pub gallery_endpoint: String,
    /// The same.
    pub graph_endpoint: String,
    /// The same.
    pub portal_endpoint: String,
    /// How to sign in.
    pub authentication: Authentication,
}

/// How to sign in.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Authentication {
    /// The authority: an address to which its well-known paths are added.
    pub login_endpoint: String,
    /// For whom tokens are; the first is what clients ask for.
    pub audiences: Vec<String>,
    /// The tenant's id.
    pub tenant: String,
    /// What kind of authority it is.
    pub identity_provider: String,
}

/// `GET /{authority}/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OpenIdConfiguration {
    /// The authority.
    pub issuer: String,
    /// Where a person would sign in.
    pub authorization_endpoint: String,
    /// Where tokens are got.
    pub token_endpoint: String,
    /// Where the keys are that tokens are signed with. MSAL for JavaScript takes no configuration without it.
    pub jwks_uri: String,
    /// How clients prove who they are.
    pub token_endpoint_auth_methods_supported: Vec<String>,
    /// What can be asked for.
    pub response_types_supported: Vec<String>,
}

/// `GET /{authority}/discovery/v2.0/keys` (RFC 7517, section 5): tokens are looked up, not signed, so there is no key.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeySet {
    /// The keys.
    pub keys: Vec<String>,
}
