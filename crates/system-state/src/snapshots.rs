//! Snapshots of the source: where one lies, who remembers it, and that it goes away again.
//!
//! A snapshot that outlives a process is written down before it is made, so that one that a dead run left behind is found by the
//! next. Those of Windows go with the process that made them, and need no list. All are removed when their [`HeldSnapshots`] is:
//! whatever became of the run.

use crate::remove_snapshot;
use stateward_engine::Cancellation;
use stateward_format::manifest::Precheck;
use stateward_model::Clock;
#[cfg(windows)]
use stateward_windows::volume_snapshots::VolumeSnapshots;
use std::path::{Path, PathBuf};

/// What makes a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotKind {
    /// The file system itself: a read-only subvolume.
    Btrfs,
    /// The volume that the file system lies on: a logical volume, mounted read-only.
    Lvm,
}

/// A snapshot that was made, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotPlace {
    /// What makes it.
    pub kind: SnapshotKind,
    /// The folder at which it is read.
    pub path: PathBuf,
    /// The logical volume, as `group/name`; for btrfs `None`.
    pub volume: Option<String>,
}

impl SnapshotPlace {
    /// Its own name: the folder's.
    pub fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

/// Remembers snapshots beyond the life of a process.
pub trait SnapshotLedger {
    /// A snapshot is about to be made. It must be durable before this returns; the error's text says why it is not.
    ///
    /// # Errors
    /// When it can't be written down. Then no snapshot is made.
    fn making(&self, place: &SnapshotPlace) -> Result<(), String>;
    /// It is gone.
    fn removed(&self, place: &SnapshotPlace);
}

/// How snapshots are made.
#[derive(Clone, Copy)]
pub struct SnapshotWish<'a> {
    /// A folder of the agent's own, for its owner only. Snapshots are read there where the file system allows it.
    pub folder: &'a Path,
    /// What the names of all of them begin with; no other run's do.
    pub name: &'a str,
    /// Tells when.
    pub clock: &'a dyn Clock,
    /// Whether somebody stops the job: making them can take minutes.
    pub cancellation: &'a Cancellation,
}

/// The snapshots that a source reads; they are removed when this is dropped, which must be after the source was.
pub struct HeldSnapshots<'a> {
    ledger: &'a dyn SnapshotLedger,
    places: Vec<SnapshotPlace>,
    #[cfg(windows)]
    set: Option<VolumeSnapshots>,
    /// Why a snapshot could not be made.
    pub problems: Vec<Precheck>,
}

#[cfg(windows)]
impl<'a> HeldSnapshots<'a> {
    /// Those of one set, if it could be made, and why something is not in it.
    pub(crate) fn of_set(
        ledger: &'a dyn SnapshotLedger,
        set: Option<VolumeSnapshots>,
        problems: Vec<Precheck>,
    ) -> Self {
        Self { ledger, places: Vec::new(), set, problems }
    }

    fn release_set(&mut self) -> Option<String> {
        let failure = self.set.take()?.release().err()?;
        Some(format!("may stay as long as this process does: {failure}"))
    }
}

#[cfg(target_os = "linux")]
impl<'a> HeldSnapshots<'a> {
    pub(crate) fn none(ledger: &'a dyn SnapshotLedger) -> Self {
        Self { ledger, places: Vec::new(), problems: Vec::new() }
    }

    /// Writes a snapshot down and holds it from now on.
    pub(crate) fn hold(&mut self, place: &SnapshotPlace) -> Result<(), String> {
        self.ledger.making(place)?;
        self.places.push(place.clone());
        Ok(())
    }
}

impl HeldSnapshots<'_> {
    /// Removes all of them; tells of each that stays behind why.
    pub fn release(mut self) -> Vec<String> {
        self.remove_all()
    }

    fn remove_all(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        #[cfg(windows)]
        left.extend(self.release_set());
        // The last first: one may lie within another.
        while let Some(place) = self.places.pop() {
            match remove_snapshot(&place) {
                Ok(()) => self.ledger.removed(&place),
                Err(why) => left.push(format!("`{}` can't be removed: {why}", place.path.display())),
            }
        }
        left
    }
}

impl Drop for HeldSnapshots<'_> {
    fn drop(&mut self) {
        for why in self.remove_all() {
            tracing::warn!("The snapshot {why}");
        }
    }
}
