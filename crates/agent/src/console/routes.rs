//! All calls, and who may make them: one table. The router is made of this table alone, so there is no call without a row.

use super::answer::{self, Refusal};
use super::guard::{self, Who};
use super::{Console, events, find, items, jobs, looks, overview, recovery_points, registration, schedule};
use super::{session, settings};
use axum::Router;
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodFilter, MethodRouter, on};
use std::sync::Arc;

/// A call.
pub(super) struct Route {
    /// How it is made.
    #[cfg(test)]
    pub(super) method: Method,
    /// Its path, with its variable parts in braces.
    pub(super) path: &'static str,
    /// Who may make it.
    pub(super) who: Who,
    handler: MethodRouter<Arc<Console>>,
}

fn route<H: Handler<T, Arc<Console>>, T: 'static>(
    method: Method,
    path: &'static str,
    who: Who,
    handler: H,
) -> Route {
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route {
        #[cfg(test)]
        method,
        path,
        who,
        handler: on(filter, handler),
    }
}

const GET: Method = Method::GET;
const PATCH: Method = Method::PATCH;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// The table.
#[rustfmt::skip]
pub(super) fn table() -> Vec<Route> {
    vec![
        route(POST, "/console/v1/session", Who::TokenHolder, session::open),
        route(DELETE, "/console/v1/session", Who::SignedIn, session::close),
        route(GET, "/console/v1/overview", Who::SignedIn, overview::get),
        route(POST, "/console/v1/credentials/check", Who::SignedIn, registration::check),
        route(POST, "/console/v1/connection/test", Who::SignedIn, registration::test),
        route(POST, "/console/v1/registration", Who::SignedIn, registration::register),
        route(POST, "/console/v1/passphrase", Who::SignedIn, registration::change_passphrase),
        route(POST, "/console/v1/recoveryCodes", Who::SignedIn, registration::create_recovery_code),
        route(GET, "/console/v1/items", Who::SignedIn, items::list),
        route(POST, "/console/v1/items/files", Who::SignedIn, items::protect_files),
        route(POST, "/console/v1/items/systemState", Who::SignedIn, items::protect_system_state),
        route(POST, "/console/v1/items/{item}/stop", Who::SignedIn, items::stop),
        route(POST, "/console/v1/items/{item}/delete", Who::SignedIn, items::delete),
        route(POST, "/console/v1/items/{item}/resume", Who::SignedIn, items::resume),
        route(POST, "/console/v1/items/{item}/undelete", Who::SignedIn, items::undelete),
        route(GET, "/console/v1/systemState", Who::SignedIn, looks::system_state),
        route(POST, "/console/v1/policies", Who::SignedIn, schedule::policies),
        route(POST, "/console/v1/schedule/preview", Who::SignedIn, schedule::preview),
        route(POST, "/console/v1/schedule", Who::SignedIn, schedule::set),
        route(POST, "/console/v1/backups", Who::SignedIn, jobs::back_up),
        route(POST, "/console/v1/restores", Who::SignedIn, jobs::restore),
        route(POST, "/console/v1/verifies", Who::SignedIn, jobs::verify),
        route(GET, "/console/v1/jobs", Who::SignedIn, jobs::list),
        route(GET, "/console/v1/jobs/{job}", Who::SignedIn, jobs::show),
        route(GET, "/console/v1/jobs/{job}/events", Who::SignedIn, events::watch),
        route(POST, "/console/v1/jobs/{job}/pause", Who::SignedIn, jobs::pause),
        route(POST, "/console/v1/jobs/{job}/resume", Who::SignedIn, jobs::resume),
        route(POST, "/console/v1/jobs/{job}/cancel", Who::SignedIn, jobs::cancel),
        route(GET, "/console/v1/recoveryPoints", Who::SignedIn, recovery_points::list),
        route(GET, "/console/v1/recoveryPoints/calendar", Who::SignedIn, recovery_points::calendar),
        route(GET, "/console/v1/recoveryPoints/{point}", Who::SignedIn, recovery_points::show),
        route(GET, "/console/v1/recoveryPoints/{point}/entries", Who::SignedIn, recovery_points::browse),
        route(GET, "/console/v1/find", Who::SignedIn, find::find),
        route(GET, "/console/v1/settings", Who::SignedIn, settings::get),
        route(PATCH, "/console/v1/settings", Who::SignedIn, settings::change),
        route(GET, "/console/v1/doctor", Who::SignedIn, looks::examine),
        route(GET, "/console/v1/codes", Who::SignedIn, looks::codes),
        route(GET, "/console/v1/codes/{code}", Who::SignedIn, looks::explain),
        route(POST, "/console/v1/supportBundle", Who::SignedIn, looks::bundle),
    ]
}

/// The router of the table. Whoever is not signed in does not even learn which calls there are.
pub(super) fn router(console: Arc<Console>) -> Router {
    let guard = |who: Who| from_fn_with_state((Arc::clone(&console), who), guard::check);
    let mut router = Router::new();
    for route in table() {
        router = router.route(route.path, route.handler.route_layer(guard(route.who)));
    }
    let unknown = |status: StatusCode| move || async move { Refusal::no_call(status) };
    let signed_in = || guard(Who::SignedIn);
    router
        .fallback(unknown(StatusCode::NOT_FOUND).layer(signed_in()))
        .method_not_allowed_fallback(unknown(StatusCode::METHOD_NOT_ALLOWED).layer(signed_in()))
        .layer(map_response(answer::with_headers))
        .with_state(Arc::clone(&console))
}
