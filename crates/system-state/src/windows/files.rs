//! Files and folders that somebody chose, as a [`Source`] with one component.

use super::moments::Moments;
use super::paths::{on_drive, point_path, shown};
use super::{snapshots, walk};
use crate::components::Part;
use crate::exclusion::{self, Exclusion};
use crate::open_error::OpenError;
use crate::selection::{Claim, Names, Selection};
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotWish};
use stateward_engine::{Source, SourceDescription, SourceError, Visitor};
use stateward_format::NameKind;
use stateward_format::manifest::Precheck;
use stateward_model::{ComponentName, Timestamp};
use stateward_windows::volumes;
use std::io;
use std::path::{Path, PathBuf};

/// The component's name.
pub const FILES_COMPONENT: &str = "files";

/// There is one part only.
const FILES: Part = Part(0);

/// Chosen files and folders with all they hold. Volumes that are mounted in folders below them are not entered.
#[derive(Debug)]
pub struct Files {
    selection: Selection,
    exclusions: Vec<Exclusion>,
    /// What stands at the top of it; all drives, if there is none.
    top: Option<PathBuf>,
    moments: Moments,
}

impl Files {
    /// Opens a choice. Each path must be absolute, on a drive, and exist; links on the way to it are resolved, and if it is
    /// a link itself, both the link and what it leads to are protected. `excluded` are left out.
    pub fn open(paths: Vec<PathBuf>, excluded: Vec<PathBuf>) -> Result<Self, OpenError> {
        if paths.is_empty() {
            return Err(OpenError::NothingGiven);
        }
        // Asked for before anything is opened; without them it reads what access lists let it.
        super::privileges();
        let mut selection = Selection::new();
        for path in paths {
            for place in places(&path)? {
                let place = in_point(&path, &place)?;
                selection.claim(&place, Claim::Part { part: FILES, enters_file_systems: false });
            }
        }
        for path in excluded {
            for place in in_points(&path) {
                selection.exclude(&place);
            }
        }
        selection.finish();
        Ok(Self { selection, exclusions: Vec::new(), top: None, moments: Moments::default() })
    }

    /// Leaves out what somebody wished.
    pub fn without(mut self, exclusions: Vec<Exclusion>) -> Result<Self, OpenError> {
        exclusion::leave_out(&exclusions, &mut self.selection, |path| Ok(in_points(path)))?;
        self.exclusions = exclusions;
        Ok(self)
    }

    /// Whether anything that is chosen lies at, above or below what an exclusion names.
    pub fn reaches(&self, exclusion: &Exclusion) -> Result<bool, OpenError> {
        exclusion.reaches(&self.selection, |path| Ok(in_points(path)))
    }

    /// One folder of a volume, with that volume's root at the top of the recovery point, however it is mounted.
    pub fn of_volume(root: &Path, folder: &str) -> Self {
        super::privileges();
        let mut selection = Selection::new();
        let claim = Claim::Part { part: FILES, enters_file_systems: false };
        selection.claim(format!("/{folder}").as_bytes(), claim);
        selection.finish();
        Self { selection, exclusions: Vec::new(), top: Some(root.to_owned()), moments: Moments::default() }
    }

    /// Reads from snapshots from now on, as far as they can be made.
    pub fn freeze<'a>(
        &mut self,
        wish: &SnapshotWish<'_>,
        ledger: &'a dyn SnapshotLedger,
    ) -> HeldSnapshots<'a> {
        let (moments, held) = snapshots::freeze(&self.drives(), wish, ledger);
        self.moments = moments;
        held
    }

    /// The drives that a walk opens, by their letters.
    fn drives(&self) -> Vec<u8> {
        let top = self.selection.top();
        let Names::Only(names) = self.selection.names(top, FILES) else { return Vec::new() };
        let is_read = |name: &&Box<[u8]>| {
            let look = self.selection.look(self.selection.below(top, name), FILES);
            look.is_kept || look.leads_on
        };
        names
            .iter()
            .filter(is_read)
            .filter_map(|name| <[u8; 1]>::try_from(&**name).ok())
            .map(|[drive]| drive)
            .collect()
    }
}

fn in_point(path: &Path, place: &Path) -> Result<Vec<u8>, OpenError> {
    let why = "it is on no drive: paths of the network and volumes without a letter can't be protected yet";
    let refused = || OpenError::Unreadable {
        path: path.to_owned(),
        cause: io::Error::new(io::ErrorKind::Unsupported, why),
    };
    match on_drive(place) {
        Some(_) => point_path(place).ok_or_else(refused),
        None => Err(refused()),
    }
}

/// Where a chosen path lies without links on the way, and where it leads if it is a link.
fn places(path: &Path) -> Result<Vec<PathBuf>, OpenError> {
    if !path.is_absolute() {
        return Err(OpenError::NotAbsolute(path.to_owned()));
    }
    let resolve = || -> io::Result<Vec<PathBuf>> {
        if !path.symlink_metadata()?.file_type().is_symlink() {
            return Ok(vec![path.canonicalize()?]);
        }
        let parent = path.parent().ok_or(io::ErrorKind::NotFound)?.canonicalize()?;
        let link = path.file_name().map(|name| parent.join(name));
        // A link that leads nowhere is protected as it is.
        Ok(link.into_iter().chain(path.canonicalize().ok()).collect())
    };
    resolve().map_err(|cause| OpenError::Unreadable { path: shown(path), cause })
}

/// A path as it is given and as it really is, as a recovery point has them; it need not be there yet.
fn in_points(path: &Path) -> Vec<Vec<u8>> {
    path.canonicalize().iter().map(PathBuf::as_path).chain([path]).filter_map(point_path).collect()
}

impl Source for Files {
    fn description(&self) -> SourceDescription {
        SourceDescription {
            host_name: std::env::var("COMPUTERNAME").unwrap_or_default(),
            operating_system: super::operating_system(),
            names: NameKind::Wtf8,
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
        walk::walk(&self.selection, FILES, self.top.as_deref(), &self.moments, visitor)
    }

    fn moment(&self) -> Option<Timestamp> {
        self.moments.moment()
    }

    fn still_there(&self) -> Result<(), SourceError> {
        self.moments.still_there()
    }

    fn remarks(&self) -> Vec<Precheck> {
        // Without the list only the words about what was read are poorer.
        let volumes = volumes::list().unwrap_or_default();
        self.moments.remarks(&volumes).into_iter().chain(exclusion::remark(&self.exclusions)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drives_that_are_read_are_those_of_what_is_protected_and_not_left_out() {
        let drives = |paths: &[&str], excluded: &[&str]| {
            let all = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
            Files::open(all(paths), all(excluded)).unwrap().drives()
        };
        assert_eq!(drives(&[r"C:\windows", r"c:\Program Files"], &[]), [b'C']);
        assert_eq!(drives(&[r"C:\"], &[r"C:\windows"]), [b'C']);
        assert_eq!(drives(&[r"C:\windows"], &[r"C:\"]), b"", "nothing of it is read");
    }
}
