//! Of which moment what is read is: which drives are read from a snapshot in place of themselves, which live and why, and which a walk
//! really met.
//!
//! A snapshot is the volume as it was, block by block. So on NTFS the files in it have the numbers that they have on the volume itself,
//! for that is where their records lie, and the volume's serial number is that of the volume, for it stands in its first block: the
//! identity of an entry is the same in both, and the rule of what is unchanged knows it from whatever it was read before. The times in it
//! are those of the moment; nothing in a snapshot is written to, not even when a file in it was last read.

use super::paths;
use crate::source_moment::{self, Noted};
use stateward_engine::SourceError;
use stateward_format::manifest::Precheck;
use stateward_model::Timestamp;
use stateward_windows::handle::{Handle, rights};
use stateward_windows::volumes::Volume;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What a drive is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// From a snapshot that was made then, whose root this is.
    Snapshot { root: PathBuf, at: Timestamp },
    /// From itself, for a snapshot could not be made because of that.
    Live(String),
    /// From itself, for it is of a kind that never has one.
    Always(String),
}

/// What a walk reads from where.
#[derive(Debug, Default)]
pub(super) struct Moments {
    drives: BTreeMap<u8, Reading>,
    /// The drives that were read.
    met: Mutex<BTreeMap<u8, Reading>>,
}

impl Moments {
    /// These drives are read so; all others live, for nobody asked for snapshots.
    pub fn of(drives: BTreeMap<u8, Reading>) -> Self {
        Self { drives, met: Mutex::default() }
    }

    /// The folder that is read as the root of a drive.
    pub fn root_of(&self, drive: u8) -> PathBuf {
        match self.drives.get(&drive) {
            Some(Reading::Snapshot { root, .. }) => root.clone(),
            _ => paths::root_of_drive(drive),
        }
    }

    /// Notes that a drive was read.
    pub fn note(&self, drive: u8) {
        let live = || Reading::Live("snapshots are turned off".to_owned());
        let reading = self.drives.get(&drive).cloned().unwrap_or_else(live);
        self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(drive, reading);
    }

    /// The moment of the snapshots, which is one.
    pub fn moment(&self) -> Option<Timestamp> {
        let moments = self.drives.values().filter_map(|reading| match reading {
            Reading::Snapshot { at, .. } => Some(*at),
            Reading::Live(_) | Reading::Always(_) => None,
        });
        moments.min()
    }

    /// Whether all snapshots that were read are there still. Windows gives one up when the room for it is full; then whatever is opened
    /// in it is not found.
    pub fn still_there(&self) -> Result<(), SourceError> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        for (drive, reading) in &*met {
            if let Reading::Snapshot { root, .. } = reading
                && let Err(cause) = open(root)
            {
                let why = format!(
                    "its snapshot is gone before all of it was read ({cause}): make room on the volume, or raise the limit with `vssadmin \
                     resize shadowstorage`"
                );
                let path = shown(*drive).display().to_string();
                return Err(SourceError::Unreadable { path, cause: io::Error::other(why) });
            }
        }
        Ok(())
    }

    /// What recovery points tell of what was read; `volumes` say of which kind the drives are.
    pub fn remarks(&self, volumes: &[Volume]) -> Vec<Precheck> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = met.iter().map(|(drive, reading)| {
            let kind = volume_of(volumes, *drive).and_then(|volume| volume.file_system.clone());
            let read = match reading {
                Reading::Snapshot { at, .. } => Ok(*at),
                Reading::Live(why) | Reading::Always(why) => Err(why.clone()),
            };
            let path = shown(*drive).to_string_lossy().into_owned().into_bytes();
            (path, Noted { kind: kind.unwrap_or_else(|| "unknown".to_owned()), read })
        });
        source_moment::remarks(&noted.collect(), true)
    }
}

/// Opens the root of a snapshot, to see that it is there.
pub(super) fn open(root: &Path) -> io::Result<()> {
    Handle::open_folder(root, rights::LOOK | rights::READ).map(drop)
}

/// A drive as people write it.
pub(super) fn shown(drive: u8) -> PathBuf {
    paths::shown(&paths::root_of_drive(drive))
}

/// The volume that a drive is.
pub(super) fn volume_of(volumes: &[Volume], drive: u8) -> Option<&Volume> {
    let root = shown(drive);
    let is_it = |mount: &Path| mount.as_os_str().eq_ignore_ascii_case(root.as_os_str());
    volumes.iter().find(|volume| volume.mounts.iter().any(|mount| is_it(mount)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_that_was_read_must_be_there_to_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let frozen = Reading::Snapshot { root: root.clone(), at: Timestamp(7) };
        let moments = Moments::of([(b'C', frozen)].into());
        std::fs::remove_dir(&root).unwrap();
        assert!(moments.still_there().is_ok(), "nobody has read it");
        moments.note(b'D');
        assert!(moments.still_there().is_ok());
        moments.note(b'C');
        let said = moments.still_there().unwrap_err().to_string();
        assert!(said.starts_with(r"`C:\` can't be read: its snapshot is gone"), "{said}");
        std::fs::create_dir(&root).unwrap();
        assert!(moments.still_there().is_ok());
    }

    #[test]
    fn a_drive_is_read_from_its_snapshot_and_every_other_from_itself() {
        let (at, root) = (Timestamp(7), PathBuf::from(r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3\"));
        let refused = Reading::Live("no room".to_owned());
        let drives = [(b'C', Reading::Snapshot { root: root.clone(), at }), (b'D', refused)];
        let moments = Moments::of(drives.into());
        assert_eq!(moments.root_of(b'C'), root);
        assert_eq!(moments.root_of(b'D'), Path::new(r"\\?\D:\"));
        assert_eq!(moments.root_of(b'E'), Path::new(r"\\?\E:\"));
        assert_eq!(moments.moment(), Some(at));
        assert_eq!(moments.remarks(&[]), [], "nothing was read yet");
        let volume = |id: &str, mount: &str| Volume {
            id: id.to_owned(),
            mounts: vec![mount.into()],
            file_system: Some("NTFS".to_owned()),
            is_fixed: true,
            space: None,
        };
        let volumes = [volume("one", r"c:\"), volume("two", r"E:\mounted\")];
        moments.note(b'C');
        let said = moments.remarks(&volumes);
        assert_eq!(said.iter().map(|said| said.outcome).collect::<Vec<_>>(), [0, 0]);
        assert!(said[1].message.starts_with(r"`C:\` (NTFS) is of"), "{said:?}");
        moments.note(b'D');
        let said = moments.remarks(&volumes);
        assert!(said[0].message.starts_with("1 of 2 file systems are of one moment"), "{said:?}");
        assert_eq!(said[2].message, r"`D:\` (unknown) was read live: no room");
        assert_eq!(volume_of(&volumes, b'E'), None, "what is mounted in a folder of it is not the drive");
    }
}
