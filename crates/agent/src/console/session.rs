//! Signing in and out.

use super::Console;
use super::answer::Refusal;
use super::body::Body;
use super::guard::cookie_name;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stateward_api::console::{SessionOpened, SessionRequest};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Takes the one-time token for a session.
pub(super) async fn open(
    State(console): State<Arc<Console>>,
    Body(request): Body<SessionRequest>,
) -> Result<Response, Refusal> {
    let token = Zeroizing::new(request.token.0);
    let Some(opened) = console.gate.open(&token) else {
        tracing::warn!("somebody tried to sign in to the console with a token that opens nothing");
        return Err(Refusal::sign_in("The token is wrong, was used already, or its time is over"));
    };
    tracing::info!("somebody signed in to the console");
    let name = cookie_name(console.port);
    let cookie = format!("{name}={}; Path=/; HttpOnly; SameSite=Strict", *opened.cookie);
    let mut value = HeaderValue::from_str(&cookie)
        .map_err(|_| crate::AgentError::Internal("a cookie is no header".to_owned()))?;
    value.set_sensitive(true);
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, value);
    let body = SessionOpened {
        request_token: opened.request_token.to_string(),
        idle_seconds: console.gate.idle_seconds(),
    };
    Ok((headers, Json(body)).into_response())
}

/// Signs out: the console ends.
pub(super) async fn close(State(console): State<Arc<Console>>) -> Response {
    console.gate.close();
    let gone = format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0", cookie_name(console.port));
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response()
}
