//! The contract of the room `api` over HTTP. Thin: each handler reads its request, calls `app` once or twice, answers.
//! Never touches `db`.
//!
//! Begin with [`routes`]: the one table of all calls and of who may make them.

mod agent;
mod arm;
mod auth;
mod body;
mod error;
mod extract;
mod log;
mod objects;
mod routes;
mod short_body;
mod sign_in;
#[cfg(test)]
mod testing;

pub(crate) use routes::router;
