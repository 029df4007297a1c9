//! The contract between vault, agents and administrators: paths, bodies, error codes. No behaviour.
//!
//! JSON with camel-case names on the management side (as the ARM API that will replace [`admin`] has them) and on the
//! agent side alike. Objects (packs, points, slots, receipts) travel as `application/octet-stream`, as they are stored.
//!
//! Begin with [`agent`], whose module text lists the calls of the agent plane.

pub mod admin;
pub mod agent;
pub mod arm;
pub mod credentials;
pub mod error;
pub mod token;

pub use credentials::{CredentialPurpose, VaultCredentials};
pub use error::{ErrorBody, ErrorCode};
