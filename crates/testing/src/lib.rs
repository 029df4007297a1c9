//! What tests inject and what they hold up against each other. No shipped program may depend on this room.
//!
//! [`FakeClock`] and [`SeededRandom`] stand for time and chance; [`MemoryVault`] for a vault, with a [`FaultPlan`] of
//! what goes wrong, and [`RegisteredServer`] for a server of it; [`MemoryTree`] for what is backed up, [`MemoryTarget`] for where it is laid. A tree and a target each
//! give a [`Listing`], and [`Listing::differences`] says in words what did not come back. [`history`] makes up what can
//! happen between two looks.
//!
//! [`stand_in`] plays programs of Windows that aren't here, and [`virtual_disk`] writes what they would; [`synthetic_volume`] is
//! what such a disk holds, and what of it is another the next time.
//!
//! [`ConnectProxy`] stands between a client and a vault.
//!
//! [`forge`] makes what a holder of the keys could write and no agent would.
//!
//! Everything here keeps its contract strictly: a caller that breaks it (reads a pack at borders that would show
//! frames, writes to a finished file) gets a panic and thereby a failed test. For the same reason `expect` and panics
//! are no fault here.
//!
//! A test inside a crate that this one depends on (`engine`, `crypto`, `format`) must be an integration test (`tests/`
//! of that crate): inside the crate's own unit tests its traits are other types than the ones implemented here.

mod clock;
mod connect_proxy;
mod fault_plan;
pub mod forge;
pub mod history;
mod listing;
mod made_up_server;
mod memory_target;
mod memory_tree;
mod memory_vault;
mod offered;
mod random;
pub mod stand_in;
pub mod synthetic_volume;
pub mod virtual_disk;

pub use clock::FakeClock;
pub use connect_proxy::{ConnectProxy, ProxyManner};
pub use fault_plan::{Call, Fault, FaultPlan, RecordedCall};
pub use forge::{ForgedEntry, ForgedPack, ForgedPoint, Forger};
pub use listing::{Listed, Listing, Segments, Thing};
pub use made_up_server::MadeUpServer;
pub use memory_target::{MemoryTarget, TargetFault};
pub use memory_tree::{MemoryTree, Part};
pub use memory_vault::{MemoryVault, RegisteredServer};
pub use offered::Offered;
pub use random::SeededRandom;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the long form of the tests was asked for, by `STATEWARD_LONG=1`.
pub fn is_long() -> bool {
    std::env::var_os("STATEWARD_LONG").is_some_and(|value| value == "1")
}

/// Locks, whatever happened to another thread: the test that made it panic fails by itself.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
