//! One line for each request: method, route, status, time. Never a header, a body or an id's secret.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

/// Logs a request when its answer begins.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str);
    let (status, milliseconds) = (response.status().as_u16(), began.elapsed().as_millis());
    tracing::debug!(%method, route, status, milliseconds, "answered");
    response
}
