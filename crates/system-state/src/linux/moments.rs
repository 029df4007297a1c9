//! Of which moment what is read is: which file systems are read from a snapshot in place of themselves, which live and
//! why, and what a walk really met.
//!
//! A snapshot knows nothing of what is mounted in it, and of subvolumes within its own: there it has an empty folder. What
//! lies there is read live.

use crate::linux::device::{Device, is_btrfs};
use crate::linux::mounts::Mounts;
use crate::linux::stat;
use crate::source_moment::{self, Noted};
use rustix::fs::{Mode, OFlags, Stat as RawStat, fstat, openat};
use stateward_format::manifest::Precheck;
use stateward_model::Timestamp;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The number that btrfs gives to the empty folder in place of a subvolume that a snapshot has not.
const ABSENT_SUBVOLUME: u64 = 2;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder that is read from a snapshot, with all below it that lies on the same file system.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// The folder on this machine: the top of the file system, or of the walk if that is further down.
    pub entry: PathBuf,
    /// The file system's type.
    pub kind: String,
    /// When the snapshot was made: nothing that was written later is in it.
    pub at: Timestamp,
    /// The folder itself, to find what is mounted below it.
    pub live: OwnedFd,
    /// Which folder it is.
    pub identity: (u64, u64),
    /// The same folder in the snapshot.
    pub root: Arc<OwnedFd>,
    /// The snapshot's device, told as the file system's own.
    pub device: Device,
    /// Where something is mounted below it.
    pub mounted: Vec<PathBuf>,
}

/// What a walk reads from where.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    /// The folder that stands for `/` in the walk.
    pub walk_root: PathBuf,
    /// What is mounted.
    pub mounts: Mounts,
    /// What is read from snapshots.
    pub frozen: Vec<Frozen>,
    /// File systems of which a snapshot was wanted and could not be made: where, and why.
    pub refused: Vec<(PathBuf, String)>,
    /// Folders of our own for snapshots: device as it is told, number.
    pub own: Vec<(u64, u64)>,
    /// Whether snapshots were asked for.
    pub is_asked_for: bool,
    noted: Mutex<BTreeMap<Vec<u8>, Noted>>,
}

/// What is read in place of what was opened.
pub(crate) struct Place {
    pub descriptor: Arc<OwnedFd>,
    pub raw: RawStat,
    pub device: Device,
    /// Which of [`Moments::frozen`] it lies in.
    pub frozen: Option<usize>,
    /// Whether opening its name again in the folder above would lead elsewhere.
    pub is_elsewhere: bool,
}

/// A folder above another.
pub(crate) struct Above<'a> {
    pub device: Device,
    pub frozen: Option<usize>,
    /// The name that was opened.
    pub name: &'a [u8],
    /// Its path in the walk.
    pub path: &'a dyn Fn() -> Vec<u8>,
}

impl Moments {
    /// Everything is read live, by a walk from that folder.
    pub fn live(walk_root: &Path) -> Self {
        // Without the table only the words about what was read are poorer.
        let mounts = Mounts::read().unwrap_or_default();
        Self { walk_root: walk_root.to_owned(), mounts, ..Self::default() }
    }

    /// What is read in place of a folder that was opened in the folder `above`, or as the topmost.
    pub fn settle(&self, opened: OwnedFd, above: Option<&Above<'_>>) -> io::Result<Place> {
        let (mut descriptor, mut is_elsewhere) = (Arc::new(opened), false);
        let mut raw = fstat(&descriptor)?;
        if let Some((above, frozen)) = above.and_then(|above| Some((above, self.frozen.get(above.frozen?)?)))
            && let Some(path) = self.other_file_system(frozen, &descriptor, &raw, above)
        {
            descriptor = Arc::new(open_beneath(frozen.live.as_fd(), &path)?);
            raw = fstat(&descriptor)?;
            is_elsewhere = true;
        }
        let found = self.frozen.iter().position(|frozen| frozen.identity == stat::identity(&raw));
        if let Some((number, frozen)) = found.and_then(|number| Some((number, self.frozen.get(number)?))) {
            let (descriptor, device) = (Arc::clone(&frozen.root), frozen.device);
            let raw = fstat(&descriptor)?;
            return Ok(Place { descriptor, raw, device, frozen: Some(number), is_elsewhere: true });
        }
        let inherited = above.filter(|above| above.device.raw == raw.st_dev);
        let device = inherited.map_or_else(|| Device::of(&descriptor, &raw), |above| above.device);
        let frozen = inherited.and_then(|above| above.frozen);
        Ok(Place { descriptor, raw, device, frozen, is_elsewhere })
    }

    /// The path from a frozen folder to one that was opened in it, if another file system lies there.
    fn other_file_system(
        &self,
        frozen: &Frozen,
        opened: &OwnedFd,
        raw: &RawStat,
        above: &Above<'_>,
    ) -> Option<PathBuf> {
        let is_absent = raw.st_ino == ABSENT_SUBVOLUME && is_btrfs(opened);
        let named = |point: &&PathBuf| point.file_name().is_some_and(|name| name.as_bytes() == above.name);
        let mut mounted = frozen.mounted.iter().filter(named).peekable();
        if !is_absent && mounted.peek().is_none() {
            return None;
        }
        let path = self.of_machine(&(above.path)());
        let is_other = is_absent || mounted.any(|point| *point == path);
        is_other.then(|| path.strip_prefix(&frozen.entry).map(Path::to_owned).ok()).flatten()
    }

    /// A path of the walk as one of this machine.
    fn of_machine(&self, path: &[u8]) -> PathBuf {
        let path = Path::new(OsStr::from_bytes(path));
        self.walk_root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether it is a folder that holds our own snapshots.
    pub fn is_own(&self, device: Device, raw: &RawStat) -> bool {
        self.own.contains(&(device.tell(raw), raw.st_ino))
    }

    /// Notes that something is read of a file system. `top` is where the walk entered it; `frozen` says from which
    /// snapshot, if it is from one.
    pub fn note(&self, top: &[u8], frozen: Option<usize>) {
        let top = self.of_machine(top);
        let noted = match frozen.and_then(|number| self.frozen.get(number)) {
            Some(frozen) => Noted { kind: frozen.kind.clone(), read: Ok(frozen.at) },
            None => self.read_live(&top),
        };
        let mut all = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(top.as_os_str().as_bytes().to_vec(), noted);
    }

    /// Why the file system that was entered at `top` is read live.
    fn read_live(&self, top: &Path) -> Noted {
        let mount = self.mounts.of(top);
        let kind = mount.map_or("unknown", |mount| mount.kind.as_str()).to_owned();
        let refused = self.refused.iter().find(|(entry, _)| entry == top);
        let is_mounted_there = top == self.walk_root || mount.is_some_and(|mount| mount.point == top);
        let why = match refused {
            _ if !self.is_asked_for => "snapshots are turned off".to_owned(),
            Some((_, why)) => why.clone(),
            None if is_mounted_there => format!("no snapshot can be made of {kind}"),
            None => "a snapshot does not hold the subvolumes in it".to_owned(),
        };
        Noted { kind, read: Err(why) }
    }

    /// The moment of the oldest snapshot.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.frozen.iter().map(|frozen| frozen.at).min()
    }

    /// What recovery points tell of all that was noted: whether it is of one moment, then each file system.
    pub fn remarks(&self) -> Vec<Precheck> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        source_moment::remarks(&noted, false)
    }
}

/// Opens the folder at a relative path without following a link. The path has no `..`.
pub(crate) fn open_beneath(folder: impl AsFd, path: &Path) -> io::Result<OwnedFd> {
    let mut at = openat(folder, ".", FOLDER, Mode::empty())?;
    for part in path.components() {
        match part {
            Component::Normal(name) => at = openat(&at, name, FOLDER, Mode::empty())?,
            Component::CurDir => {}
            _ => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(at)
}
