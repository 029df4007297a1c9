//! The token endpoint and the health check: the calls that need no token.

use super::extract::Segments;
use super::short_body::in_time;
use crate::app::{App, Error};
use axum::Json;
use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use stateward_api::ErrorCode;
use stateward_api::Health;
use stateward_api::arm::clouds::AUTHORITY;
use stateward_api::token::{TokenError, TokenRequest};
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
    request: Request,
) -> Result<impl IntoResponse, Refused> {
    if tenant != app.config.tenant && tenant != AUTHORITY {
        return Err(Refused(Error::not_found("such tenant")));
    }
    // The rejection's own text might repeat what was sent, a secret among it.
    let form = in_time(Form::<TokenRequest>::from_request(request, &())).await?;
    let Form(request) =
        form.map_err(|_| Error::invalid("The body is no form as RFC 6749 section 4.4 has it"))?;
    let token = app.issue_token(&request).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(token)))
}

/// A refusal in the words of RFC 6749, section 5.2: those that libraries for signing in understand.
pub(super) struct Refused(Error);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let code = self.0.code();
        let error = match code {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidClient
            | ErrorCode::ClockSkew
            | ErrorCode::ServerRevoked
            | ErrorCode::NotFound => "invalid_client",
            _ => return self.0.into_response(),
        };
        let status = StatusCode::from_u16(code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let body = TokenError {
            error: error.to_owned(),
            error_description: self.0.to_string(),
            error_codes: Vec::new(),
            code,
        };
        (status, Json(body)).into_response()
    }
}
