//! Who may make a call: the token is looked up, and the row of the route's table decides.

use super::body;
use crate::app::principals::Role;
use crate::app::tokens::Caller;
use crate::app::{App, Error};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use stateward_api::agent::PACK_BYTES_MAX;
use std::sync::Arc;

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Everybody; the call checks what it is given by itself.
    Anyone,
    /// A registered server, for its own things.
    Server,
    /// An administrator who may read.
    Reader,
    /// An administrator who may change things.
    Contributor,
}

impl Who {
    /// Whether this caller is meant.
    pub(super) fn admits(self, caller: &Caller) -> bool {
        match (self, caller) {
            (Self::Anyone, _) | (Self::Server, Caller::Server(_)) => true,
            (Self::Reader, Caller::Principal { .. }) => true,
            (Self::Contributor, Caller::Principal { role, .. }) => *role == Role::BackupContributor,
            (Self::Server, Caller::Principal { .. }) => false,
            (Self::Reader | Self::Contributor, Caller::Server(_)) => false,
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
    if !who.admits(&caller) {
        return Err(Error::Forbidden("Whoever holds this token may not make this call"));
    }
    if let Caller::Server(server) = caller {
        request.extensions_mut().insert(server);
    }
    Ok(())
}
