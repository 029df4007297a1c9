//! The local console: the agent's wizard as HTTP and JSON, for a browser page on the protected server itself. The contract is
//! [`stateward_api::console`].
//!
//! Handlers are thin: each reads its request, calls the same function of the agent that the command line calls, and answers. What
//! they call blocks, so it runs on a thread of its own ([`answer::blocking`]); a page that goes away meanwhile stops nothing. Jobs
//! run in processes of their own ([`crate::jobs::detach`]) and outlive the console.
//!
//! Invariants: it listens on the loopback address only · a request names that address exactly, and comes from no other page than
//! its own ([`guard`]) · but for signing in with the one-time token, nothing is done and nothing told without the session's cookie
//! and its request token ([`gate`]) · a secret is received and never answered or logged, but one that was just made, once · what
//! lets programs run (hooks, packages) can't be set from here.
//!
//! Begin with [`serve`], then the table in [`routes`].

mod answer;
mod body;
mod events;
mod find;
mod gate;
mod guard;
mod items;
mod jobs;
mod looks;
mod overview;
mod recovery_points;
mod registration;
mod routes;
mod schedule;
mod server;
mod session;
mod settings;
mod shapes;
#[cfg(test)]
mod tests;

pub use server::{Ended, Listening, Options, serve};

use crate::Agent;
use gate::Gate;
use stateward_engine::Cancellation;

/// What every handler is handed.
pub(crate) struct Console {
    agent: Agent,
    gate: Gate,
    /// `127.0.0.1:PORT`: what a request must call it.
    authority: String,
    port: u16,
    /// That it ends: whatever goes on and on must end, too.
    ending: Cancellation,
}
