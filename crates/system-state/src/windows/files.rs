//! Files and folders that somebody chose, as a [`Source`] with one component.

use super::moments::{self, Moments};
use super::paths::{on_drive, point_path, shown};
use super::{snapshots, walk};
use crate::components::Part;
use crate::exclusion::{self, Exclusion};
use crate::glob::Pattern;
use crate::open_error::OpenError;
use crate::selection::{Claim, Names, Selection};
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotWish};
use stateward_engine::{Source, SourceDescription, SourceError, Visitor};
use stateward_format::NameKind;
use stateward_format::manifest::Precheck;
use stateward_model::{ComponentName, Timestamp};
use stateward_windows::volumes;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The component's name.
pub const FILES_COMPONENT: &str = "files";

/// What Windows keeps at the root of a drive for itself: memory, and shadow copies with what belongs to them. It makes all of it anew, and a
/// file restored in its place would be in its way. In a snapshot it can be read like anything else.
///
/// What the registry lists besides (`FilesNotToBackup`) is read all the same: any program can write there.
const OF_WINDOWS: [&str; 4] = ["pagefile.sys", "swapfile.sys", "hiberfil.sys", "System Volume Information"];

/// There is one part only.
const FILES: Part = Part(0);

/// Chosen files and folders with all they hold. Volumes that are mounted in folders below them are not entered.
#[derive(Debug)]
pub struct Files {
    selection: Selection,
    exclusions: Vec<Exclusion>,
    /// The drives that were chosen as a whole, by their letters.
    whole_drives: BTreeSet<u8>,
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
        let (mut selection, mut whole_drives) = (Selection::new(), BTreeSet::new());
        for path in paths {
            for place in places(&path)? {
                let place = in_point(&path, &place)?;
                selection.claim(&place, Claim::Part { part: FILES, enters_file_systems: false });
                if let [b'/', drive] = *place {
                    whole_drives.insert(drive);
                }
            }
        }
        for drive in &whole_drives {
            for name in OF_WINDOWS {
                selection.leave_names_out_of(&[b'/', *drive], Pattern::new(name).ignoring_case());
            }
        }
        for path in excluded {
            for place in in_points(&path) {
                selection.exclude(&place);
            }
        }
        selection.finish();
        Ok(Self { selection, exclusions: Vec::new(), whole_drives, top: None, moments: Moments::default() })
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
        Self {
            selection,
            exclusions: Vec::new(),
            whole_drives: BTreeSet::new(),
            top: Some(root.to_owned()),
            moments: Moments::default(),
        }
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
        let of_windows = self.whole_drives.iter().map(|drive| of_windows(*drive));
        let wished = exclusion::remark(&self.exclusions);
        self.moments.remarks(&volumes).into_iter().chain(wished).chain(of_windows).collect()
    }
}

/// What a recovery point keeps of what was left out of a drive because it is Windows' own.
fn of_windows(drive: u8) -> Precheck {
    let root = moments::shown(drive);
    let message =
        format!("Left out of `{}`, for Windows makes it anew: {}", root.display(), OF_WINDOWS.join(", "));
    Precheck { code: "exclusions".to_owned(), outcome: 0, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_whole_drive_all_is_read_but_what_windows_keeps_there_for_itself() {
        let open = |path: &str| Files::open(vec![PathBuf::from(path)], Vec::new()).unwrap();
        let whole = open(r"C:\");
        for (path, is_read) in [
            ("/C/PageFile.sys", false),
            ("/C/System Volume Information/tracking.log", false),
            ("/C/users/pagefile.sys", true),
            ("/C/pagefile.sys.txt", true),
        ] {
            assert_eq!(whole.selection.has(path.as_bytes()), is_read, "{path}");
        }
        let said = whole.remarks();
        assert!(said.len() == 1 && said[0].message.contains("hiberfil.sys"), "{said:?}");
        assert_eq!((said[0].code.as_str(), said[0].outcome), ("exclusions", 0));
        assert_eq!(open(r"C:\windows").remarks(), []);
    }

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
