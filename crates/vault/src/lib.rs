//! The vault: where servers put their packs and recovery points, and what an administrator manages.
//!
//! `http` (thin) → `app` (rules, one file a noun) → `db` (SQL only). The vault holds no key that opens what it keeps,
//! and links no code that could: it sees packs, never chunks.
//!
//! Invariants: what was acknowledged is durable · nothing an agent may call deletes · the vault's clock, never an
//! agent's, dates what is kept · no secret and no token is stored or logged.
//!
//! Begin with [`initialise`] and [`Running::start`], which are the program's two commands; then `app::points`.

mod app;
mod causes;
mod config;
mod console;
mod data_folder;
mod db;
mod http;
mod init;
mod keys;
mod log;
mod packages;
mod platform;
mod reserve;
mod serve;
mod tasks;
mod tls;

pub use app::IdentityError;
pub use console::{
    Audited, Console, ConsoleError, MadePrincipal, NewPrincipal, ShownPackage, ShownPrincipal,
};
pub use data_folder::DataFolderError;
pub use init::{InitError, Initialised, initialise};
pub use log::Log;
pub use platform::stop_requested;
pub use serve::{Running, ServeError};
pub use tls::TlsError;
