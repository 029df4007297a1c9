//! The protected server's side: its home, its registration, what is protected, and its jobs.
//!
//! Everything here blocks and knows no terminal: what a person sees and types is `cli`'s part. What it does not do:
//! read or write contents (`engine`), know what System State is (`system-state`), or speak HTTP to a vault (`client`). Only the
//! local console ([`console`]) is asked by HTTP, and only it waits without blocking.
//!
//! Invariants: the home is for its owner only · a file of it is replaced as a whole or not at all · one job runs at a
//! time, under a lock that its process's death lets go · no passphrase is ever kept · names and paths stay here: the
//! vault is told codes, counts and labels.
//!
//! Begin with [`Home`] (what lies where), then [`Agent`], [`mod@register`] and [`jobs`].

pub mod admin;
mod agent;
pub mod backup;
pub mod browse;
pub mod cache;
pub mod codes;
mod commands;
pub mod console;
pub mod credentials;
mod disk;
pub mod doctor;
pub mod document;
pub mod domain;
mod error;
mod exit;
pub mod head;
mod history;
mod home;
pub mod hooks;
pub mod items;
pub mod jobs;
pub mod keys;
mod lock;
pub mod logs;
pub mod notifications;
mod offered;
pub mod overview;
pub mod platform;
pub mod points;
pub mod prechecks;
pub mod proofs;
pub mod protect;
pub mod proxy;
pub mod recover;
pub mod recovery_plan;
mod refusals;
pub mod register;
mod registration;
pub mod restore;
pub mod schedule;
pub mod secrets;
pub mod server_backup;
pub mod service;
mod session;
pub mod settings;
mod slots;
mod snapshots;
mod source;
pub mod support_bundle;
pub mod system_state;
pub mod timetable;
pub mod upgrade;
pub mod verify;

pub use agent::{Agent, RegisteredServer};
pub use codes::Code;
pub use error::AgentError;
pub use exit::Exit;
pub use home::Home;
pub use lock::HeldLock;
pub use registration::Registration;
pub use stateward_client::{Proxy, Surroundings};
pub use stateward_engine::Cancellation;
pub use verify::USUAL_PERCENT;
