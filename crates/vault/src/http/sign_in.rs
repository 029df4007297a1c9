//! The token endpoint and the health check: the calls that need no token.

use super::extract::Segments;
use crate::app::{App, Error};
use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use stateward_api::admin::Health;
use stateward_api::token::TokenRequest;
use std::sync::Arc;

/// `GET /health`
pub(super) async fn health(State(app): State<Arc<App>>) -> Json<Health> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Json(Health { version, time: app.now(), tenant: app.config.tenant.clone() })
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) async fn token(
    State(app): State<Arc<App>>,
    Segments(tenant): Segments<String>,
    form: Result<Form<TokenRequest>, FormRejection>,
) -> Result<impl IntoResponse, Error> {
    if tenant != app.config.tenant {
        return Err(Error::not_found("such tenant"));
    }
    // The rejection's own text might repeat what was sent, a secret among it.
    let Form(request) =
        form.map_err(|_| Error::invalid("The body is no form as RFC 6749 section 4.4 has it"))?;
    let token = app.issue_token(&request).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(token)))
}
