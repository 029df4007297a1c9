//! Files and folders that somebody chose, as a [`Source`] with one component.

use crate::components::Part;
use crate::exclusion::{self, Exclusion};
use crate::linux::moments::Moments;
use crate::linux::snapshots::{self, Top};
use crate::linux::system_state::{SystemState, spellings};
use crate::linux::walk::Walk;
use crate::open_error::OpenError;
use crate::selection::{Claim, Selection};
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotWish};
use stateward_engine::{Source, SourceDescription, SourceError, Visitor};
use stateward_format::NameKind;
use stateward_format::manifest::Precheck;
use stateward_model::{ComponentName, Timestamp};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The component's name.
pub const FILES_COMPONENT: &str = "files";

/// There is one part only.
const FILES: Part = Part(0);

/// Chosen files and folders with all they hold. Other file systems below them are entered, but not those that the
/// kernel makes up.
#[derive(Debug)]
pub struct Files {
    selection: Selection,
    tops: Vec<Top>,
    excluded: Vec<PathBuf>,
    exclusions: Vec<Exclusion>,
    moments: Arc<Moments>,
}

impl Files {
    /// Opens a choice. Each path must be absolute and exist; links on the way to it are resolved, and if it is a link
    /// itself, both the link and what it leads to are protected. Paths within each other are given once. `excluded`
    /// are left out.
    pub fn open(paths: Vec<PathBuf>, excluded: Vec<PathBuf>) -> Result<Self, OpenError> {
        if paths.is_empty() {
            return Err(OpenError::NothingGiven);
        }
        let (mut selection, mut tops, mut left_out) = (Selection::new(), Vec::new(), Vec::new());
        for path in paths {
            for path in places(path)? {
                let claim = Claim::Part { part: FILES, enters_file_systems: true };
                selection.claim(path.as_os_str().as_bytes(), claim);
                tops.push(Top { path, enters_file_systems: true });
            }
        }
        for path in excluded {
            for path in spellings(path)? {
                selection.exclude(path.as_os_str().as_bytes());
                left_out.push(path);
            }
        }
        selection.finish();
        let moments = Arc::new(Moments::live(Path::new("/")));
        Ok(Self { selection, tops, excluded: left_out, exclusions: Vec::new(), moments })
    }

    /// Leaves out what somebody wished.
    pub fn without(mut self, exclusions: Vec<Exclusion>) -> Result<Self, OpenError> {
        let left_out = exclusion::leave_out(&exclusions, &mut self.selection, in_points)?;
        self.excluded.extend(left_out.into_iter().map(|bytes| PathBuf::from(OsString::from_vec(bytes))));
        self.exclusions = exclusions;
        Ok(self)
    }

    /// Whether anything that is chosen lies at, above or below what an exclusion names.
    pub fn reaches(&self, exclusion: &Exclusion) -> Result<bool, OpenError> {
        exclusion.reaches(&self.selection, in_points)
    }

    /// Reads from snapshots from now on, as far as they can be made.
    pub fn freeze<'a>(
        &mut self,
        wish: &SnapshotWish<'_>,
        ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        let (moments, held) = snapshots::freeze(Path::new("/"), &self.tops, &self.excluded, wish, ledger);
        self.moments = Arc::new(moments);
        held
    }
}

/// Where a chosen path lies without links on the way, and where it leads if it is a link.
fn places(path: PathBuf) -> Result<Vec<PathBuf>, OpenError> {
    if !path.is_absolute() {
        return Err(OpenError::NotAbsolute(path));
    }
    let resolve = || -> io::Result<Vec<PathBuf>> {
        let is_link = path.symlink_metadata()?.file_type().is_symlink();
        if !is_link {
            return Ok(vec![path.canonicalize()?]);
        }
        let parent = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
        let link = path.file_name().map(|name| parent.join(name));
        // A link that leads nowhere is protected as it is.
        Ok(link.into_iter().chain(path.canonicalize().ok()).collect())
    };
    resolve().map_err(|cause| OpenError::Unreadable { path: path.clone(), cause })
}

/// A path as it is given and as it really is, as a recovery point has them.
fn in_points(path: &Path) -> Result<Vec<Vec<u8>>, OpenError> {
    let spellings = spellings(path.to_owned())?.into_iter();
    Ok(spellings.map(|path| path.into_os_string().into_vec()).collect())
}

impl Source for Files {
    fn description(&self) -> SourceDescription {
        match SystemState::open(Path::new("/"), Vec::new(), None) {
            Ok(system) => system.description(),
            Err(_) => SourceDescription {
                host_name: String::new(),
                operating_system: "Linux".to_owned(),
                names: NameKind::Bytes,
            },
        }
    }

    fn components(&self) -> Vec<ComponentName> {
        vec![FILES_COMPONENT.parse().expect("`files` keeps the rule of component names")]
    }

    fn estimate(&self) -> Option<(u64, u64)> {
        None
    }

    fn walk(&self, component: &ComponentName, visitor: &mut dyn Visitor) -> Result<bool, SourceError> {
        if component.as_str() != FILES_COMPONENT {
            return Err(SourceError::NoSuchComponent(component.clone()));
        }
        Walk {
            root: Path::new("/"),
            selection: &self.selection,
            part: FILES,
            is_asked_for: true,
            generated: None,
            moments: &self.moments,
        }
        .run(visitor)
    }

    fn moment(&self) -> Option<Timestamp> {
        self.moments.oldest()
    }

    fn remarks(&self) -> Vec<Precheck> {
        self.moments.remarks().into_iter().chain(exclusion::remark(&self.exclusions)).collect()
    }
}

#[cfg(test)]
mod tests;
