//! Windows: nothing is read or put back yet, and whoever asks for it is told so.
//!
//! What would do it has no values here, so nothing can pretend to have done anything.

use crate::components::ComponentDescription;
use crate::conflicts::{ConflictCounts, Laying};
use crate::open_error::{OpenError, TargetOpenError};
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotPlace, SnapshotWish};
use stateward_engine::{Source, SourceDescription, SourceError, Target, TargetError, TargetFile, Visitor};
use stateward_format::manifest::{Precheck, Warning};
use stateward_format::{Entry, Metadata};
use stateward_model::{ComponentName, PointHash};
use std::path::{Path, PathBuf};

/// System State. There is none yet.
#[derive(Debug)]
pub enum SystemState {}

/// Files and folders that somebody chose. There are none yet.
#[derive(Debug)]
pub enum Files {}

/// A folder that a recovery point is laid into. There is none yet.
#[derive(Debug)]
pub enum FolderTarget {}

/// A folder that a recovery point is laid into beside what is there. There is none yet.
#[derive(Debug)]
pub enum MergeTarget {}

impl MergeTarget {
    /// # Errors
    /// Always [`TargetOpenError::NotBuilt`].
    pub fn open(_path: &Path, _laying: &Laying) -> Result<Self, TargetOpenError> {
        Err(TargetOpenError::NotBuilt)
    }

    /// Ends a restore.
    pub fn finish(self) -> Result<ConflictCounts, TargetError> {
        match self {}
    }
}

impl SystemState {
    /// # Errors
    /// Always [`OpenError::NotBuilt`].
    pub fn open(
        _root: &Path,
        _excluded: Vec<PathBuf>,
        _components: Option<Vec<ComponentName>>,
    ) -> Result<Self, OpenError> {
        Err(OpenError::NotBuilt("Reading System State"))
    }

    /// Reads from snapshots from now on.
    pub fn freeze<'a>(
        &mut self,
        _wish: &SnapshotWish<'_>,
        _ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        match *self {}
    }

    /// Each component with its size.
    pub fn describe(&self) -> Result<Vec<ComponentDescription>, SourceError> {
        match *self {}
    }
}

impl Files {
    /// # Errors
    /// Always [`OpenError::NotBuilt`].
    pub fn open(_paths: Vec<PathBuf>, _excluded: Vec<PathBuf>) -> Result<Self, OpenError> {
        Err(OpenError::NotBuilt("Reading files and folders"))
    }

    /// Reads from snapshots from now on.
    pub fn freeze<'a>(
        &mut self,
        _wish: &SnapshotWish<'_>,
        _ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        match *self {}
    }
}

impl FolderTarget {
    /// # Errors
    /// Always [`TargetOpenError::NotBuilt`].
    pub fn open(_path: &Path, _point: &PointHash) -> Result<Self, TargetOpenError> {
        Err(TargetOpenError::NotBuilt)
    }

    /// Ends a restore.
    pub fn finish(self) -> Result<(), TargetError> {
        match self {}
    }
}

/// Nothing is looked at before a backup, since none is made.
pub fn prechecks(_folder: &Path, _needed_bytes: u64) -> Vec<Precheck> {
    Vec::new()
}

/// Not built, which is told as a warning.
pub fn verify_packages() -> Precheck {
    Precheck {
        code: "package-integrity".to_owned(),
        outcome: 1,
        message:
            "Installed files weren't compared with what they should be: that isn't built for Windows yet"
                .to_owned(),
    }
}

/// Nobody's in particular, with all rights: nothing is made yet.
pub(crate) fn own_access() -> ((u32, u32), u32) {
    ((0, 0), 0)
}

/// Not built.
///
/// # Errors
/// Always: none was ever made here.
pub fn remove_snapshot(_place: &SnapshotPlace) -> Result<(), String> {
    Err("snapshots aren't built for Windows yet".to_owned())
}

/// A source without values.
macro_rules! no_source {
    ($name:ident) => {
        impl Source for $name {
            fn description(&self) -> SourceDescription {
                match *self {}
            }

            fn components(&self) -> Vec<ComponentName> {
                match *self {}
            }

            fn estimate(&self) -> Option<(u64, u64)> {
                match *self {}
            }

            fn walk(&self, _: &ComponentName, _: &mut dyn Visitor) -> Result<bool, SourceError> {
                match *self {}
            }
        }
    };
}

no_source!(SystemState);
no_source!(Files);

/// A target without values.
macro_rules! no_target {
    ($($name:ty),*) => {
        $(impl Target for $name {
            fn make_folder(&self, _: &[u8]) -> Result<(), TargetError> {
                match *self {}
            }

            fn make_file(&self, _: &[u8]) -> Result<Box<dyn TargetFile>, TargetError> {
                match *self {}
            }

            fn make_hard_link(&self, _: &[u8], _: &[u8]) -> Result<(), TargetError> {
                match *self {}
            }

            fn remove_file(&self, _: &[u8]) -> Result<(), TargetError> {
                match *self {}
            }

            fn make_special(&self, _: &[u8], _: &Entry) -> Result<Vec<Warning>, TargetError> {
                match *self {}
            }

            fn finish_folder(&self, _: &[u8], _: &Metadata) -> Result<Vec<Warning>, TargetError> {
                match *self {}
            }

            fn sync(&self) -> Result<(), TargetError> {
                match *self {}
            }
        })*
    };
}

no_target!(FolderTarget, MergeTarget);
