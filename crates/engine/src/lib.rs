//! Backup, restore and verify, as pipelines between a [`Source`] or a [`Target`] and a [`VaultStore`].
//!
//! The engine never prints, never reads the environment or a configuration, never knows HTTP, and holds no path of
//! its own but the cache folder it is given. What it has to say goes through [`Progress`]; what it must stop for is an
//! error. It is synchronous and makes its own threads.
//!
//! Begin with [`source`] (what is read), [`vault_store`] (where it goes), then [`backup`], [`restore`] and [`verify`].

pub mod progress;
pub mod source;
pub mod target;
pub mod vault_store;

pub use progress::{Advance, Cancellation, Progress};
pub use source::{
    Details, Extent, Found, FoundKind, Node, OpenFile, Source, SourceDescription, SourceError, Stat, Visitor,
};
pub use target::{Target, TargetError, TargetFile};
pub use vault_store::{
    OpenedSession, PacksKnown, PointSummary, SessionRequest, VaultError, VaultRead, VaultSession, VaultStore,
};
