//! What a client asks before it signs in.

use super::query::Query;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use stateward_api::arm::clouds::{AUTHORITY, Authentication, Cloud, EarlyCloud, KeySet, OpenIdConfiguration};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first version in which a cloud has its later form.
const LATER: &str = "2019-05-01";

/// `GET /metadata/endpoints`
pub(in crate::http) async fn cloud(State(app): State<Arc<App>>, query: Query) -> Response {
    let url = app.config.url.clone();
    let authentication = Authentication {
        login_endpoint: format!("{url}/{AUTHORITY}"),
        audiences: vec![url.clone()],
        tenant: app.config.tenant.clone(),
        identity_provider: "ADFS".to_owned(),
    };
    if query.version.as_str() < LATER {
        let early = EarlyCloud {
            gallery_endpoint: url.clone(),
            graph_endpoint: url.clone(),
            portal_endpoint: url,
            authentication,
        };
        return Json(early).into_response();
    }
    let name = "Stateward".to_owned();
    Json(Cloud { name, resource_manager: url, authentication, suffixes: BTreeMap::new() }).into_response()
}

/// `GET /{tenant}/.well-known/openid-configuration` and its form for version 2.0. All authorities are one.
pub(in crate::http) async fn openid_configuration(State(app): State<Arc<App>>) -> Json<OpenIdConfiguration> {
    let authority = format!("{}/{AUTHORITY}", app.config.url);
    Json(OpenIdConfiguration {
        authorization_endpoint: format!("{authority}/oauth2/v2.0/authorize"),
        token_endpoint: format!("{authority}/oauth2/v2.0/token"),
        jwks_uri: format!("{authority}/discovery/v2.0/keys"),
        issuer: authority,
        token_endpoint_auth_methods_supported: vec![
            "client_secret_post".to_owned(),
            "private_key_jwt".to_owned(),
        ],
        response_types_supported: vec!["token".to_owned()],
    })
}

/// `GET /{tenant}/discovery/v2.0/keys`
pub(in crate::http) async fn signing_keys() -> Json<KeySet> {
    Json(KeySet::default())
}
