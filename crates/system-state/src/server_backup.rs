//! Windows' System State by Windows Server Backup: what is looked at before, how `wbadmin` is driven and judged, where its
//! image is staged, what of it is a component, and how it is put back.
//!
//! Nothing here calls Windows: programs are run through [`Commands`], and what no program tells is asked of [`Registry`],
//! [`Services`] and [`Volumes`]. So all of it is built and tested on every system. What a program says is never trusted for
//! success: it may be in any language, and may be wrong. What counts is what can be looked at afterwards.
//!
//! Begin with [`backup`] (one backup into a staging volume), then [`prechecks`], [`staging`], [`source`] (what of it goes to a
//! vault) and [`plan`] (how it is put back). [`record`] writes down what the programs of a real server say, as [`transcript`]s.

pub mod backup;
pub mod console;
pub mod image;
pub mod machine;
pub mod plan;
pub mod prechecks;
pub mod record;
pub mod roles;
mod server;
pub mod source;
pub mod staging;
pub mod transcript;
pub mod wbadmin;
pub mod xml;

pub use machine::{
    CommandError, Commands, DeviceError, Ended, Invocation, Registry, RegistryValue, ServiceState, Services,
    SystemCommands, Volume, Volumes,
};
pub use server::Server;
