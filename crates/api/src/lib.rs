//! The contract between vault, agents and administrators: paths, bodies, error codes. No behaviour.
//!
//! JSON with camel-case names on both sides. Objects (packs, points, slots, receipts) travel as `application/octet-stream`, as they are stored.
//!
//! Begin with [`arm`], the management API, or with [`agent`], whose module text lists the calls of the agent plane; [`console`] is what a
//! browser asks of the agent on its own machine.

pub mod agent;
pub mod arm;
pub mod calls;
pub mod console;
pub mod credentials;
pub mod error;
mod health;
pub mod openapi;
pub mod token;

pub use credentials::{CredentialPurpose, VaultCredentials};
pub use error::{ErrorBody, ErrorCode};
pub use health::{AUTHORITY_NAME, Health};
