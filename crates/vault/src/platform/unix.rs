//! Unix: modes, `uname`, signals.

use super::Space;
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

/// Makes a folder that only its owner may enter; one that is there already is narrowed to that.
pub(crate) fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Makes a new file that only its owner may read.
pub(crate) fn create_private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a folder's entries durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// What the file system of a folder can take.
pub(crate) fn space(folder: &Path) -> io::Result<Space> {
    let found = statvfs(folder)?;
    Ok(Space {
        total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
        bytes: found.f_bavail.saturating_mul(found.f_frsize),
        // Some file systems have no limit and tell a total of none.
        files: (found.f_files > 0).then_some(found.f_favail),
    })
}

/// Takes so many bytes of the disk for a file.
pub(crate) fn set_space_aside(mut file: &File, bytes: u64) -> io::Result<()> {
    match fallocate(file, FallocateFlags::empty(), 0, bytes) {
        // A file system that can't: what is written has its place.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => {
            file.write_all(&vec![b' '; usize::try_from(bytes).unwrap_or(usize::MAX)])?;
            file.sync_all()
        }
        done => Ok(done?),
    }
}

/// What the machine calls itself, if that can be a host name.
pub(crate) fn machine_name() -> Option<String> {
    rustix::system::uname().nodename().to_str().ok().map(str::to_owned)
}

/// Listens for SIGTERM and SIGINT.
pub(crate) fn stop_requested() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_may_look() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        create_private_folder(&inner).unwrap();
        create_private_file(&inner.join("key")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join("key"))), (0o700, 0o600));
        assert!(create_private_file(&inner.join("key")).is_err());
    }
}
