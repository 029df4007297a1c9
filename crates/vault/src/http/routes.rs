//! All calls, and who may make them: one table. The router is made of this table alone, so there is no call without a
//! row.

use super::auth::{self, Guard, Who};
use super::extract::TEXT_BODY_MAX;
use super::{admin, agent, log, sign_in};
use crate::app::{App, Error};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use std::sync::Arc;

/// A call.
struct Route {
    /// What it is and who may make it.
    guard: Guard,
    handler: MethodRouter<Arc<App>>,
}

fn route<H: Handler<T, Arc<App>>, T: 'static>(
    method: Method,
    path: &'static str,
    who: Who,
    handler: H,
) -> Route {
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route { guard: Guard { method, path, who }, handler: on(filter, handler) }
}

/// The table.
#[rustfmt::skip]
fn table() -> Vec<Route> {
    const GET: Method = Method::GET;
    const PUT: Method = Method::PUT;
    const POST: Method = Method::POST;
    vec![
        route(GET, "/health", Who::Anyone, sign_in::health),
        route(POST, "/{tenant}/oauth2/v2.0/token", Who::Anyone, sign_in::token),
        route(POST, "/agent/v1/register", Who::Anyone, agent::register),
        route(POST, "/agent/v1/register/slots", Who::Anyone, agent::register_slots),

        route(GET, "/admin/preview/vaults", Who::Reader, admin::list_vaults),
        route(PUT, "/admin/preview/vaults/{name}", Who::Contributor, admin::put_vault),
        route(GET, "/admin/preview/vaults/{name}", Who::Reader, admin::get_vault),
        route(POST, "/admin/preview/vaults/{name}/credentials", Who::Contributor, admin::make_credentials),
        route(GET, "/admin/preview/vaults/{name}/servers", Who::Reader, admin::list_servers),
        route(GET, "/admin/preview/vaults/{name}/recovery-points", Who::Reader, admin::list_points),
        route(GET, "/admin/preview/vaults/{name}/jobs", Who::Reader, admin::list_jobs),

        route(GET, "/agent/v1/server", Who::Server, agent::server),
        route(PUT, "/agent/v1/items/{item}", Who::Server, agent::put_item),
        route(POST, "/agent/v1/sessions", Who::Server, agent::open_session),
        route(POST, "/agent/v1/sessions/{session}/heartbeat", Who::Server, agent::heartbeat),
        route(PUT, "/agent/v1/sessions/{session}/packs/{pack}", Who::Server, agent::put_pack),
        route(PUT, "/agent/v1/sessions/{session}/packs/{pack}/parts", Who::Server, agent::put_part),
        route(POST, "/agent/v1/sessions/{session}/commit", Who::Server, agent::commit),
        route(POST, "/agent/v1/sessions/{session}/close", Who::Server, agent::close_session),
        route(GET, "/agent/v1/packs/{pack}", Who::Server, agent::get_pack),
        route(GET, "/agent/v1/points", Who::Server, agent::list_points),
        route(GET, "/agent/v1/points/{sequence}/{hash}", Who::Server, agent::get_point),
        route(GET, "/agent/v1/receipts/{sequence}/{hash}", Who::Server, agent::get_receipt),
        route(GET, "/agent/v1/slots", Who::Server, agent::list_slots),
        route(PUT, "/agent/v1/slots/{epoch}/{hash}", Who::Server, agent::put_slot),
        route(PUT, "/agent/v1/jobs/{job}", Who::Server, agent::put_job),
    ]
}

/// The router of the table.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in table() {
        let path = route.guard.path;
        let guard = from_fn_with_state((Arc::clone(&app), route.guard), auth::check);
        router = router.route(path, route.handler.route_layer(guard));
    }
    router
        .fallback(|| async { Error::not_found("such call") })
        .method_not_allowed_fallback(|| async { Error::not_found("such call") })
        .layer(DefaultBodyLimit::max(TEXT_BODY_MAX))
        .layer(from_fn(log::log))
        .with_state(app)
}

#[cfg(test)]
mod tests;
