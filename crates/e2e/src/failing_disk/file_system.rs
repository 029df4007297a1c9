//! The calls of FUSE, each handed to the folder below unless it is its turn to fail.

use super::nodes::{Listing, Nodes};
use super::{Change, Faults};
use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};
use rustix::fs::{AtFlags, CWD, Gid, Mode, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nothing is remembered by the kernel: one process may look at what another has just changed.
const NO_TIME: Duration = Duration::ZERO;

const GENERATION: Generation = Generation(0);

/// A folder, through FUSE.
pub(super) struct Through {
    nodes: Mutex<Nodes>,
    faults: Faults,
    root: PathBuf,
}

/// Answers with what came out, or with the error.
macro_rules! answer {
    ($reply:ident, $result:expr, $with:expr) => {
        match $result {
            Ok(value) => $with($reply, value),
            Err(errno) => $reply.error(errno),
        }
    };
}

impl Through {
    pub(super) fn new(root: PathBuf, faults: Faults) -> Self {
        Self { nodes: Mutex::new(Nodes::of_root(root.clone())), faults, root }
    }

    fn nodes(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, parent: INodeNo, name: &OsStr) -> Result<PathBuf, Errno> {
        Ok(self.nodes().path(parent)?.join(name))
    }

    /// Makes something at a name, and looks at it.
    fn make(
        &self,
        parent: INodeNo,
        name: &OsStr,
        make: impl FnOnce(&Path) -> std::io::Result<()>,
    ) -> Result<FileAttr, Errno> {
        let path = self.at(parent, name)?;
        self.faults.next(Change::Make, &path)?;
        make(&path)?;
        self.nodes().look(&path)
    }

    fn remove(
        &self,
        parent: INodeNo,
        name: &OsStr,
        remove: fn(PathBuf) -> std::io::Result<()>,
    ) -> Result<(), Errno> {
        let path = self.at(parent, name)?;
        self.faults.next(Change::Remove, &path)?;
        remove(path.clone())?;
        self.nodes().forget(&path);
        Ok(())
    }

    /// SQLite maps this file, which the kernel allows only where it keeps pages; all others are asked for each time, so
    /// that what a failed sync lost is seen at once.
    fn flags(path: &Path) -> FopenFlags {
        match path.to_string_lossy().ends_with("-shm") {
            true => FopenFlags::empty(),
            false => FopenFlags::FOPEN_DIRECT_IO,
        }
    }

    fn open_below(&self, node: INodeNo) -> Result<(FileHandle, FopenFlags), Errno> {
        let mut nodes = self.nodes();
        let path = nodes.path(node)?;
        let file = File::options().read(true).write(true).open(&path)?;
        Ok((nodes.open(node, file), Self::flags(&path)))
    }

    fn list(&self, node: INodeNo) -> Result<FileHandle, Errno> {
        let mut nodes = self.nodes();
        let path = nodes.path(node)?;
        let dots = [".", ".."].map(|name| (node, FileType::Directory, name.into()));
        let mut listing = Listing::from(dots);
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = FileType::from_std(entry.file_type()?).unwrap_or(FileType::RegularFile);
            listing.push((INodeNo(std::os::unix::fs::DirEntryExt::ino(&entry)), kind, entry.file_name()));
        }
        Ok(nodes.open_folder(listing))
    }

    fn write_through(&self, handle: FileHandle, offset: u64, bytes: &[u8]) -> Result<u32, Errno> {
        let mut nodes = self.nodes();
        let path = nodes.path(nodes.file(handle)?.node).unwrap_or_default();
        self.faults.next(Change::Write, &path)?;
        nodes.write(handle, offset, bytes)?;
        Ok(bytes.len() as u32)
    }

    fn sync(&self, handle: FileHandle) -> Result<(), Errno> {
        let mut nodes = self.nodes();
        let path = nodes.path(nodes.file(handle)?.node).unwrap_or_default();
        if let Err(errno) = self.faults.next(Change::Sync, &path) {
            nodes.lose(handle)?;
            return Err(errno);
        }
        nodes.synced(handle);
        Ok(())
    }

    fn rename_through(&self, from: &Path, to: &Path) -> Result<(), Errno> {
        self.faults.next(Change::Rename, to)?;
        fs::rename(from, to)?;
        let mut nodes = self.nodes();
        nodes.forget(to);
        nodes.moved(from, to);
        Ok(())
    }

    fn set(&self, node: INodeNo, wish: &Wish) -> Result<FileAttr, Errno> {
        let nodes = self.nodes();
        let open = nodes.files.values().find(|open| open.node == node);
        let path = match open {
            // What is open may have no name any more.
            Some(open) => format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open.file)).into(),
            None => nodes.path(node)?,
        };
        let named = nodes.path(node).unwrap_or_default();
        if let Some(size) = wish.size {
            let file = File::options().write(true).open(&path)?;
            let change = if size > file.metadata()?.len() { Change::Write } else { Change::Set };
            self.faults.next(change, &named)?;
            file.set_len(size)?;
        }
        if wish.mode.is_some() || wish.user.is_some() || wish.group.is_some() || wish.modified.is_some() {
            self.faults.next(Change::Set, &named)?;
            wish.apply(&path)?;
        }
        nodes.attributes(node)
    }
}

/// What `setattr` is to set.
struct Wish {
    mode: Option<u32>,
    user: Option<u32>,
    group: Option<u32>,
    size: Option<u64>,
    modified: Option<TimeOrNow>,
}

impl Wish {
    fn apply(&self, path: &Path) -> Result<(), Errno> {
        if self.user.is_some() || self.group.is_some() {
            let (user, group) = (self.user.map(Uid::from_raw), self.group.map(Gid::from_raw));
            rustix::fs::chownat(CWD, path, user, group, AtFlags::empty()).map_err(std::io::Error::from)?;
        }
        if let Some(mode) = self.mode {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777))?;
        }
        if let Some(modified) = self.modified {
            let last_access = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
            let times = Timestamps { last_access, last_modification: timespec(modified) };
            rustix::fs::utimensat(CWD, path, &times, AtFlags::empty()).map_err(std::io::Error::from)?;
        }
        Ok(())
    }
}

fn timespec(time: TimeOrNow) -> Timespec {
    let TimeOrNow::SpecificTime(time) = time else { return Timespec { tv_sec: 0, tv_nsec: UTIME_NOW } };
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => Timespec { tv_sec: since.as_secs() as i64, tv_nsec: since.subsec_nanos().into() },
        Err(before) => Timespec { tv_sec: -(before.duration().as_secs() as i64), tv_nsec: 0 },
    }
}

impl Filesystem for Through {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.at(parent, name).and_then(|path| self.nodes().look(&path));
        answer!(reply, found, |reply: ReplyEntry, found| reply.entry(&NO_TIME, &found, GENERATION));
    }

    fn getattr(&self, _: &Request, node: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let found = self.nodes().attributes(node);
        answer!(reply, found, |reply: ReplyAttr, found| reply.attr(&NO_TIME, &found));
    }

    fn setattr(
        &self,
        _: &Request,
        node: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let set = self.set(node, &Wish { mode, user, group, size, modified });
        answer!(reply, set, |reply: ReplyAttr, found| reply.attr(&NO_TIME, &found));
    }

    fn mknod(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _: u32,
        device: u32,
        reply: ReplyEntry,
    ) {
        let made = self.make(parent, name, |path| {
            let kind = rustix::fs::FileType::from_raw_mode(mode);
            let mode = Mode::from_raw_mode(mode & 0o7777);
            Ok(rustix::fs::mknodat(CWD, path, kind, mode, device.into())?)
        });
        answer!(reply, made, |reply: ReplyEntry, made| reply.entry(&NO_TIME, &made, GENERATION));
    }

    fn mkdir(&self, _: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let made =
            self.make(parent, name, |path| fs::DirBuilder::new().mode(mode & !umask & 0o7777).create(path));
        answer!(reply, made, |reply: ReplyEntry, made| reply.entry(&NO_TIME, &made, GENERATION));
    }

    fn symlink(&self, _: &Request, parent: INodeNo, name: &OsStr, target: &Path, reply: ReplyEntry) {
        let made = self.make(parent, name, |path| std::os::unix::fs::symlink(target, path));
        answer!(reply, made, |reply: ReplyEntry, made| reply.entry(&NO_TIME, &made, GENERATION));
    }

    fn readlink(&self, _: &Request, node: INodeNo, reply: ReplyData) {
        let read = self.nodes().path(node).and_then(|path| Ok(fs::read_link(path)?));
        answer!(reply, read, |reply: ReplyData, target: PathBuf| {
            reply.data(target.as_os_str().as_encoded_bytes());
        });
    }

    fn link(&self, _: &Request, node: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let known = self.nodes().path(node);
        let made = known.and_then(|known| self.make(parent, name, |path| fs::hard_link(known, path)));
        answer!(reply, made, |reply: ReplyEntry, made| reply.entry(&NO_TIME, &made, GENERATION));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.remove(parent, name, fs::remove_file);
        answer!(reply, removed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.remove(parent, name, fs::remove_dir);
        answer!(reply, removed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let paths = self.at(parent, name).and_then(|from| Ok((from, self.at(new_parent, new_name)?)));
        let renamed = paths.and_then(|(from, to)| self.rename_through(&from, &to));
        answer!(reply, renamed, |reply: ReplyEmpty, ()| reply.ok());
    }

    fn open(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let opened = self.open_below(node);
        answer!(reply, opened, |reply: ReplyOpen, (handle, flags)| reply.opened(handle, flags));
    }

    fn create(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let made = self.make(parent, name, |path| {
            let mut options = File::options();
            options.write(true).create(true).mode(mode & !umask & 0o7777);
            options.open(path).map(drop)
        });
        let opened = made.and_then(|made| Ok((made, self.open_below(made.ino)?)));
        answer!(reply, opened, |reply: ReplyCreate, (made, (handle, flags))| {
            reply.created(&NO_TIME, &made, GENERATION, handle, flags);
        });
    }

    fn read(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let nodes = self.nodes();
        let read = nodes.file(handle).and_then(|open| {
            let mut bytes = vec![0; size as usize];
            let mut filled = 0;
            while filled < bytes.len() {
                match open.file.read_at(&mut bytes[filled..], offset + filled as u64)? {
                    0 => break,
                    more => filled += more,
                }
            }
            bytes.truncate(filled);
            Ok(bytes)
        });
        answer!(reply, read, |reply: ReplyData, bytes: Vec<u8>| reply.data(&bytes));
    }

    fn write(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.write_through(handle, offset, bytes);
        answer!(reply, written, |reply: ReplyWrite, length| reply.written(length));
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn release(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.nodes().files.remove(&handle.0);
        reply.ok();
    }

    fn fsync(&self, _: &Request, _: INodeNo, handle: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.sync(handle), |reply: ReplyEmpty, ()| reply.ok());
    }

    fn opendir(&self, _: &Request, node: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        answer!(reply, self.list(node), |reply: ReplyOpen, handle| {
            reply.opened(handle, FopenFlags::empty());
        });
    }

    fn readdir(&self, _: &Request, _: INodeNo, handle: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let nodes = self.nodes();
        let Some(listing) = nodes.folders.get(&handle.0) else { return reply.error(Errno::EBADF) };
        for (number, (node, kind, name)) in listing.iter().enumerate().skip(offset as usize) {
            if reply.add(*node, number as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(&self, _: &Request, _: INodeNo, handle: FileHandle, _: OpenFlags, reply: ReplyEmpty) {
        self.nodes().folders.remove(&handle.0);
        reply.ok();
    }

    fn fsyncdir(&self, _: &Request, node: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let path = self.nodes().path(node).unwrap_or_default();
        answer!(reply, self.faults.next(Change::Sync, &path), |reply: ReplyEmpty, ()| reply.ok());
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let found = rustix::fs::statvfs(&self.root).map_err(|error| Errno::from_i32(error.raw_os_error()));
        let is_full = self.faults.is_full();
        answer!(reply, found, |reply: ReplyStatfs, found: rustix::fs::StatVfs| {
            let free = if is_full { 0 } else { found.f_bavail };
            let (size, files) = (found.f_frsize as u32, found.f_files);
            reply.statfs(found.f_blocks, free, free, files, found.f_ffree, size, 255, size);
        });
    }
}
