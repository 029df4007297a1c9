//! Jobs: one run each of backup, restore or verify.
//!
//! A job is a file `jobs/<id>.json` in the home. The process that runs it writes it; every other process only reads
//! it, or leaves a mark beside it: `jobs/<id>.cancel` to stop it, `jobs/<id>.pause` to make it wait. One job runs at a time: its process holds the home's job lock.
//! Warnings stand in `jobs/<id>.warnings`, one JSON object a line; a detached job's output and what hooks say goes to
//! `jobs/<id>.log`.
//!
//! Begin with [`record`] (what a job is), then [`run`] (how it runs); [`detach`] is for jobs of their own process,
//! [`pace`] for what a job may take of the machine.

pub mod detach;
pub mod execute;
pub mod figures;
pub mod folder;
mod gate;
pub mod pace;
mod planned;
pub mod record;
pub mod report;
pub mod run;
pub mod warnings;

pub use execute::{abandon, execute, queue, queue_as};
pub use figures::Figures;
pub use folder::JobFolder;
pub use pace::{Pace, WorkRate, lower_priority};
pub use planned::{PlannedJob, queue_all};
pub use record::{ItemReference, JobFailure, JobOutcome, JobRecord, JobRequest, TrialPoint, VerifyExtent};
pub use run::JobListener;
pub use stateward_format::manifest::Precheck;
pub use warnings::JobWarning;
