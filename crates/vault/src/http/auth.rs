//! Who may make a call: the token is looked up, and the row of the route's table decides.

use super::arm::{self, Manager};
use super::body;
use crate::app::principals::{Place, Role};
use crate::app::tokens::Caller;
use crate::app::{App, Error};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stateward_api::agent::PACK_BYTES_MAX;
use stateward_api::arm::clouds::AUTHORITY;
use std::sync::Arc;

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody; the call checks what it is given by itself.
    Anyone,
    /// A registered server, for its own things.
    Server,
    /// A registered server, or somebody with vault credentials for restoring what it backed up.
    Restorer,
    /// Any administrator; what is answered is bounded by its roles.
    Principal,
    /// An administrator who may read there.
    Reader,
    /// An administrator who may run backups and restores there.
    Operator,
    /// An administrator who may change things there.
    Contributor,
}

impl Who {
    /// Whether this caller is meant, for a call about this place.
    pub(super) fn admits(self, caller: &Caller, place: &Place) -> bool {
        let least = match self {
            Self::Anyone => return true,
            Self::Server => return matches!(caller, Caller::Server(_)),
            Self::Restorer => return matches!(caller, Caller::Server(_) | Caller::Restorer(..)),
            Self::Principal => return matches!(caller, Caller::Principal(_)),
            Self::Reader => Role::Reader,
            Self::Operator => Role::Operator,
            Self::Contributor => Role::Contributor,
        };
        match caller {
            Caller::Principal(principal) => principal.role_at(place).is_some_and(|role| role >= least),
            Caller::Server(_) | Caller::Restorer(..) => false,
        }
    }
}

/// A call, as the table has it.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    /// Its method.
    pub(super) method: Method,
    /// Its path, with its variable parts in braces.
    pub(super) path: &'static str,
    /// Who may make it.
    pub(super) who: Who,
}

/// Lets a request through to its handler, with its caller beside it, or refuses it.
pub(super) async fn check(
    State((app, guard)): State<(Arc<App>, Guard)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&app, guard.who, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(error) => {
            tracing::info!(method = %guard.method, path = guard.path, %error, "refused a call");
            body::drain(request.into_body(), PACK_BYTES_MAX as u64).await;
            error.into_response()
        }
    }
}

async fn admit(app: &App, who: Who, request: &mut Request) -> Result<(), Error> {
    if who == Who::Anyone {
        return Ok(());
    }
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Error::InvalidToken)?;
    let caller = app.authenticate(token).await?;
    let uri = request.uri();
    if !matches!(who, Who::Server | Who::Restorer) && uri.path().starts_with("/subscriptions") {
        arm::check_version(uri)?;
        arm::check_subscription(app, uri.path())?;
    }
    let place = arm::place_of(uri.path());
    if !who.admits(&caller, &place) {
        return Err(Error::Forbidden("Whoever holds this token may not make this call"));
    }
    match caller {
        Caller::Server(server) | Caller::Restorer(server, _) => {
            let _ = request.extensions_mut().insert(server);
        }
        Caller::Principal(principal) => drop(request.extensions_mut().insert(Manager { principal, place })),
    }
    Ok(())
}

/// Tells whoever was refused for want of a token where one is got (RFC 6750, section 3).
pub(super) async fn say_where_to_sign_in(State(app): State<Arc<App>>, mut response: Response) -> Response {
    if response.status() == StatusCode::UNAUTHORIZED {
        let url = &app.config.url;
        let challenge = format!("Bearer authorization_uri=\"{url}/{AUTHORITY}\", error=\"invalid_token\"");
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
    }
    response
}
