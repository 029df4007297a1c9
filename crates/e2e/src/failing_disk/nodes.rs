//! What the kernel's numbers stand for: inodes are those of the folder below, each with a path that it has now, and the
//! files that are open.

use fuser::{Errno, FileAttr, FileHandle, FileType, INodeNo};
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a write took the place of, until it is durable.
struct Undo {
    offset: u64,
    bytes: Vec<u8>,
    length: u64,
}

/// An open file.
pub(super) struct Open {
    pub(super) node: INodeNo,
    pub(super) file: File,
}

/// The entries of an open folder.
pub(super) type Listing = Vec<(INodeNo, FileType, std::ffi::OsString)>;

#[derive(Default)]
pub(super) struct Nodes {
    paths: HashMap<u64, PathBuf>,
    opened: u64,
    pub(super) files: HashMap<u64, Open>,
    pub(super) folders: HashMap<u64, Listing>,
    unsynced: HashMap<u64, Vec<Undo>>,
}

impl Nodes {
    pub(super) fn of_root(root: PathBuf) -> Self {
        Self { paths: HashMap::from([(INodeNo::ROOT.0, root)]), ..Self::default() }
    }

    pub(super) fn path(&self, node: INodeNo) -> Result<PathBuf, Errno> {
        self.paths.get(&node.0).cloned().ok_or(Errno::ENOENT)
    }

    /// Looks at a path; from now on its inode has it.
    pub(super) fn look(&mut self, path: &Path) -> Result<FileAttr, Errno> {
        let attributes = attributes(&path.symlink_metadata()?);
        self.paths.insert(attributes.ino.0, path.to_owned());
        Ok(attributes)
    }

    /// An inode's attributes: of an open file, whatever has become of its name.
    pub(super) fn attributes(&self, node: INodeNo) -> Result<FileAttr, Errno> {
        if let Some(open) = self.files.values().find(|open| open.node == node) {
            return Ok(attributes(&open.file.metadata()?));
        }
        let found = attributes(&self.path(node)?.symlink_metadata()?);
        Ok(FileAttr { ino: node, ..found })
    }

    /// A name is gone, or stands for something else from now on.
    pub(super) fn forget(&mut self, path: &Path) {
        self.paths.retain(|_, known| known != path);
    }

    /// Everything at or below a path has another one now.
    pub(super) fn moved(&mut self, from: &Path, to: &Path) {
        for path in self.paths.values_mut() {
            if let Ok(rest) = path.strip_prefix(from) {
                *path = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            }
        }
    }

    pub(super) fn open(&mut self, node: INodeNo, file: File) -> FileHandle {
        self.opened += 1;
        self.files.insert(self.opened, Open { node, file });
        FileHandle(self.opened)
    }

    pub(super) fn open_folder(&mut self, listing: Listing) -> FileHandle {
        self.opened += 1;
        self.folders.insert(self.opened, listing);
        FileHandle(self.opened)
    }

    pub(super) fn file(&self, handle: FileHandle) -> Result<&Open, Errno> {
        self.files.get(&handle.0).ok_or(Errno::EBADF)
    }

    /// Writes, and remembers what was there until it is durable.
    pub(super) fn write(&mut self, handle: FileHandle, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        let open = self.files.get(&handle.0).ok_or(Errno::EBADF)?;
        let length = open.file.metadata()?.len();
        let kept = length.saturating_sub(offset).min(bytes.len() as u64) as usize;
        let mut before = vec![0; kept];
        open.file.read_exact_at(&mut before, offset)?;
        open.file.write_all_at(bytes, offset)?;
        let undo = Undo { offset, bytes: before, length };
        self.unsynced.entry(open.node.0).or_default().push(undo);
        Ok(())
    }

    /// What was written to the file is durable.
    pub(super) fn synced(&mut self, handle: FileHandle) {
        if let Ok(node) = self.file(handle).map(|open| open.node.0) {
            self.unsynced.remove(&node);
        }
    }

    /// What was written to the file since it was last durable is lost.
    pub(super) fn lose(&mut self, handle: FileHandle) -> Result<(), Errno> {
        let open = self.files.get(&handle.0).ok_or(Errno::EBADF)?;
        for undo in self.unsynced.remove(&open.node.0).into_iter().flatten().rev() {
            open.file.write_all_at(&undo.bytes, undo.offset)?;
            open.file.set_len(undo.length)?;
        }
        Ok(())
    }
}

fn attributes(found: &Metadata) -> FileAttr {
    let time = |seconds: i64, nanoseconds: i64| match u64::try_from(seconds) {
        Ok(seconds) => UNIX_EPOCH + Duration::new(seconds, nanoseconds as u32),
        Err(_) => UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs()),
    };
    let modified: SystemTime = time(found.mtime(), found.mtime_nsec());
    FileAttr {
        ino: INodeNo(found.ino()),
        size: found.len(),
        blocks: found.blocks(),
        atime: time(found.atime(), found.atime_nsec()),
        mtime: modified,
        ctime: time(found.ctime(), found.ctime_nsec()),
        crtime: modified,
        kind: FileType::from_std(found.file_type()).unwrap_or(FileType::RegularFile),
        perm: (found.mode() & 0o7777) as u16,
        nlink: found.nlink() as u32,
        uid: found.uid(),
        gid: found.gid(),
        rdev: found.rdev() as u32,
        blksize: 4096,
        flags: 0,
    }
}
