//! The root of a recovery point: sealed inside the point object.
//!
//! It names the components with their result, their totals, their metadata streams and everything that was left out.

use crate::content::StreamReference;
use crate::wire::FormatError;
use stateward_model::{ComponentName, ItemKind, Label, Timestamp};

/// Why an item was left out or is not as it should be. The code is stable (`stateward explain CODE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable and short, such as `file-changed-while-read`.
    pub code: String,
    /// Which item: a path's bytes from `/`, or empty.
    pub path: Vec<u8>,
    /// One sentence for a person.
    pub message: String,
}

/// How a component came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentResult {
    /// All of it.
    Completed,
    /// Some of it was left out; the manifest's warnings say what.
    CompletedWithWarnings,
    /// There is no such thing on this server.
    NotPresent,
}

/// One part of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Such as `os-files`.
    pub name: ComponentName,
    /// How it came out.
    pub result: ComponentResult,
    /// Files in it.
    pub files: u64,
    /// Folders and everything else in it.
    pub others: u64,
    /// Bytes of its files, holes included.
    pub bytes: u64,
    /// Its metadata stream: records of [`crate::entry`].
    pub stream: StreamReference,
}

/// A precheck's outcome, kept with the recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precheck {
    /// Stable and short, such as `pending-restart`.
    pub code: String,
    /// 0 pass, 1 warn, 2 block (and the run was let through by policy).
    pub outcome: u8,
    /// One sentence for a person.
    pub message: String,
}

/// What a recovery point holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The item's label.
    pub item_label: Label,
    /// What kind of item.
    pub kind: ItemKind,
    /// The server's host name at the time.
    pub host_name: String,
    /// The operating system as it names itself, such as `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// The program and version that made it.
    pub made_by: String,
    /// When the agent began to read, by its own clock. The unchanged rule of the next run uses it.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// In their order.
    pub components: Vec<Component>,
    /// Everything left out or not as it should be.
    pub warnings: Vec<Warning>,
    /// What was checked before.
    pub prechecks: Vec<Precheck>,
}

impl Manifest {
    /// The encoding, to be sealed.
    pub fn encode(&self) -> Vec<u8> {
        unimplemented!()
    }

    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let _ = bytes;
        unimplemented!()
    }
}
