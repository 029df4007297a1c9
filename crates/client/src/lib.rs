//! Typed client of the vault: `api`'s calls as functions, and the engine's vault store over HTTP and over a folder.
//!
//! The API offered here blocks and may be called from several threads; the small asynchronous runtime inside is this
//! room's own business. What it does not do: believe what it reads (the engine checks hashes, signatures and seals),
//! keep anything on disk, or print.
//!
//! Invariants: only the given certificate authority is trusted, never the system's store (but for a webhook, which is no vault)
//! · only the given proxy is used,
//! never the environment's · every body that is received
//! is bounded · no secret stands in an error, a log line or a `Debug` text · every repeated call is one that `api` says
//! may be repeated.
//!
//! Begin with [`Connection`], then [`HttpVault`] (an agent's), [`AdminClient`] (an administrator's), [`register()`]
//! (before either) and [`FolderStore`] (no vault running at all). [`Webhook`] is for telling another server of a job.

mod admin;
mod assertion;
mod body;
mod call;
mod connection;
mod connection_test;
mod download;
mod failure;
mod folder;
mod http_vault;
mod lane_count;
mod lanes;
mod parts;
mod probe;
mod proxy;
mod register;
mod retry;
mod session;
mod sign_in;
#[cfg(test)]
mod test_server;
mod throttle;
mod tls;
mod transfer;
mod webhook;

/// The agent and its version, as vaults are told it.
pub const AGENT: &str = concat!("stateward ", env!("CARGO_PKG_VERSION"));

pub use admin::AdminClient;
pub use call::CallError;
pub use connection::{Connection, Endpoint, Surroundings};
pub use connection_test::{ConnectionTest, SKEW_SECONDS_MAX, Step, StepKind, StepOutcome, test_connection};
pub use download::DownloadError;
pub use folder::{FolderError, FolderServer, FolderStore, FolderVault};
pub use http_vault::HttpVault;
pub use proxy::{Proxy, ProxyAddressError};
pub use register::{register, slots_for_registration};
pub use retry::Manner;
pub use session::{HttpSession, SessionKeeper};
pub use sign_in::Identity;
pub use throttle::Throttle;
pub use tls::authority_ends;
pub use webhook::{Trusted, Webhook, WebhookAddressError, WebhookAnswer, WebhookError};
