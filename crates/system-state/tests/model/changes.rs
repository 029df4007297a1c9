//! Changes of a real folder, by the kernel's calls. What a change needs and does not find, or what only root may, makes it
//! none.

use crate::look::look;
use crate::world::World;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, UTIME_OMIT, XattrFlags, lremovexattr, lsetxattr,
    makedev, mknodat, utimensat,
};
use stateward_testing::history::{Bytes, Change, Which};
use stateward_testing::{SeededRandom, Thing};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

/// Names that can come to be: few, so that things meet.
const NAMES: [&str; 5] = ["a", "b", "c", "d", "e\u{301}"];

const ATTRIBUTES: [&str; 3] = ["user.a", "user.b", "user.c"];

impl World {
    fn path(&self, which: Which, is_wanted: impl Fn(&Thing) -> bool) -> Option<PathBuf> {
        let all = look(&self.source()).0;
        let fitting: Vec<_> =
            all.iter().filter(|(_, listed)| is_wanted(&listed.thing)).map(|(path, _)| path).collect();
        let path = fitting.get(usize::from(which) % fitting.len().max(1))?;
        Some(self.source().join(OsStr::from_bytes(path)))
    }

    fn any(&self, which: Which) -> Option<PathBuf> {
        self.path(which, |_| true)
    }

    fn file(&self, which: Which) -> Option<(PathBuf, u64)> {
        let path = self.path(which, |thing| matches!(thing, Thing::File { .. }))?;
        let size = fs::metadata(&path).ok()?.len();
        Some((path, size))
    }

    /// A path at which there is nothing, in a folder that is there.
    fn free(&self, which: Which) -> Option<PathBuf> {
        let mut folders = vec![self.source()];
        let all = look(&self.source()).0.into_iter();
        folders.extend(
            all.filter(|(_, listed)| listed.thing == Thing::Folder)
                .map(|(path, _)| self.source().join(OsStr::from_bytes(&path))),
        );
        let folder = &folders[usize::from(which / NAMES.len() as Which) % folders.len()];
        let path = folder.join(NAMES[usize::from(which) % NAMES.len()]);
        path.symlink_metadata().is_err().then_some(path)
    }

    pub fn change(&self, change: &Change) {
        // `None`: there was nothing to change. An error: the kernel does not allow it here, and did nothing.
        let _ = self.try_change(change);
    }

    fn try_change(&self, change: &Change) -> Option<io::Result<()>> {
        Some(match change {
            Change::Create(at, bytes) => fs::write(self.free(*at)?, bytes.get()),
            Change::CreateSparse(at, bytes) => create_sparse(&self.free(*at)?, *bytes),
            Change::Write(at, bytes) => fs::write(self.file(*at)?.0, bytes.get()),
            Change::WriteUnderOldTime(at, seed) => {
                let (path, size) = self.file(*at)?;
                write_under_old_time(&path, &SeededRandom::new(*seed).bytes(size.min(1 << 20) as usize))
            }
            Change::Append(at, bytes) => append(&self.file(*at)?.0, *bytes),
            Change::WriteInside(at, offset, bytes) => {
                let (path, size) = self.file(*at)?;
                let offset = size * u64::from(*offset) / u64::from(Which::MAX);
                OpenOptions::new()
                    .write(true)
                    .open(path)
                    .and_then(|file| file.write_all_at(&bytes.get(), offset))
            }
            Change::Truncate(at, length) => {
                let (path, size) = self.file(*at)?;
                let length = size * 5 / 4 * u64::from(*length) / u64::from(Which::MAX);
                OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(length))
            }
            Change::Rename(from, to) => fs::rename(self.any(*from)?, self.free(*to)?),
            Change::RenameOver(from, to) => fs::rename(self.file(*from)?.0, self.file(*to)?.0),
            Change::Remove(at) => remove(&self.any(*at)?),
            Change::Chmod(at, mode) => {
                let path = self.path(*at, |thing| !matches!(thing, Thing::SymbolicLink(_)))?;
                // Their own folders stay open to who runs the test without being root.
                fs::set_permissions(path, Permissions::from_mode(mode | 0o700))
            }
            Change::Chown(at, user, group) => lchown(self.any(*at)?, Some(*user), Some(*group)),
            Change::SetAttribute(at, name, value) => {
                let name = ATTRIBUTES[usize::from(*name)];
                lsetxattr(self.any(*at)?, name, value, XattrFlags::empty()).map_err(Into::into)
            }
            Change::RemoveAttribute(at, name) => {
                lremovexattr(self.any(*at)?, ATTRIBUTES[usize::from(*name)]).map_err(Into::into)
            }
            Change::HardLink(from, to) => fs::hard_link(self.file(*from)?.0, self.free(*to)?),
            Change::SymbolicLink(at, target) => symlink(OsStr::from_bytes(target), self.free(*at)?),
            Change::Special(at, kind) => special(&self.free(*at)?, *kind),
            Change::Folder(at) => fs::create_dir(self.free(*at)?),
            Change::FileBecomesFolder(at, bytes) => {
                let (path, _) = self.file(*at)?;
                fs::remove_file(&path)
                    .and_then(|()| fs::create_dir(&path))
                    .and_then(|()| fs::write(path.join("a"), bytes.get()))
            }
            Change::FolderBecomesFile(at, bytes) => {
                let path = self.path(*at, |thing| *thing == Thing::Folder)?;
                fs::remove_dir_all(&path).and_then(|()| fs::write(path, bytes.get()))
            }
            Change::SameNumber(at, seed) => {
                // The file system often gives the number that has just become free.
                let (path, size) = self.file(*at)?;
                let content = SeededRandom::new(*seed).bytes(size.min(1 << 20) as usize);
                let time = time_of(&path);
                fs::remove_file(&path)
                    .and_then(|()| fs::write(&path, content))
                    .and_then(|()| set_time(&path, time))
            }
            Change::SetTime(at, time) => {
                let seconds = time.rem_euclid(4_000_000_000);
                set_time(&self.any(*at)?, (seconds, time.rem_euclid(1_000_000_000)))
            }
        })
    }
}

fn create_sparse(path: &Path, bytes: Bytes) -> io::Result<()> {
    fs::write(path, "")?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(2 * bytes.length as u64 + 100_000)?;
    file.write_all_at(&bytes.get(), bytes.seed * 1000)
}

fn append(path: &Path, bytes: Bytes) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(&bytes.get())
}

fn write_under_old_time(path: &Path, content: &[u8]) -> io::Result<()> {
    let time = time_of(path);
    OpenOptions::new().write(true).open(path)?.write_all_at(content, 0)?;
    set_time(path, time)
}

fn time_of(path: &Path) -> (i64, i64) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.mtime(), metadata.mtime_nsec())
}

fn set_time(path: &Path, (seconds, nanoseconds): (i64, i64)) -> io::Result<()> {
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds },
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(Into::into)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    }
}

fn special(path: &Path, kind: u8) -> io::Result<()> {
    let (kind, device) = match kind % 4 {
        0 => (FileType::Fifo, 0),
        1 => (FileType::Socket, 0),
        2 => (FileType::BlockDevice, makedev(8, u32::from(kind))),
        _ => (FileType::CharacterDevice, makedev(1, u32::from(kind))),
    };
    mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device).map_err(Into::into)
}
