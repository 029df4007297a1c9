//! Resolves paths beneath a folder, following no link and leaving it nowhere.

use rustix::fs::{Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use stateward_format::FileName;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// How a folder is opened.
pub(super) const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The kernel takes 4,096 bytes of path at once; a deep tree's path is given in pieces.
const PIECE_BYTES_MAX: usize = 4000;

/// A name in a folder of ours.
pub(super) struct Place<'a> {
    pub folder: Arc<OwnedFd>,
    pub name: &'a [u8],
    /// Whether the folder is the target itself.
    pub is_at_top: bool,
}

/// A path's folder (empty for the target itself) and name, if every name of it is one that stays within a folder.
pub(super) fn split(path: &[u8]) -> Result<(&[u8], &[u8]), Errno> {
    if path.split(|byte| *byte == b'/').any(|name| FileName::new(name).is_err()) {
        return Err(Errno::INVAL);
    }
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => Ok((&path[..slash], &path[slash + 1..])),
        None => Ok((b"", path)),
    }
}

/// Opens the folder `path` beneath `root`. `path` has been [`split`], so every name of it is a good one.
pub(super) fn open_folder(root: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut at: Option<OwnedFd> = None;
    for piece in pieces(path) {
        let from = at.as_ref().unwrap_or(root);
        at = Some(match openat2(from, piece, FOLDER, Mode::empty(), resolve) {
            // A kernel before 5.6, or a container that does not let it through.
            Err(Errno::NOSYS | Errno::PERM) => open_by_names(from, piece)?,
            opened => opened?,
        });
    }
    at.ok_or(Errno::INVAL)
}

/// The same, name by name.
pub(super) fn open_by_names(root: &OwnedFd, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut at: Option<OwnedFd> = None;
    for name in path.split(|byte| *byte == b'/') {
        let from = at.as_ref().unwrap_or(root);
        at = Some(openat(from, name, FOLDER, Mode::empty())?);
    }
    at.ok_or(Errno::INVAL)
}

/// A path in pieces that the kernel takes, cut between names.
fn pieces(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = path;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if rest.len() <= PIECE_BYTES_MAX {
            return Some(std::mem::take(&mut rest));
        }
        // A name has 1,024 bytes at most, so there is a slash.
        let cut = rest[..PIECE_BYTES_MAX].iter().rposition(|byte| *byte == b'/')?;
        let piece = &rest[..cut];
        rest = &rest[cut + 1..];
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::CWD;

    #[test]
    fn only_names_that_stay_within_are_split() {
        assert_eq!(split(b"a/b/c"), Ok((b"a/b".as_slice(), b"c".as_slice())));
        assert_eq!(split(b"a"), Ok((b"".as_slice(), b"a".as_slice())));
        for wrong in ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\0b"] {
            assert_eq!(split(wrong.as_bytes()), Err(Errno::INVAL), "{wrong:?}");
        }
    }

    #[test]
    fn long_paths_are_cut_between_names() {
        let path = vec!["name"; 3000].join("/");
        let cut: Vec<&[u8]> = pieces(path.as_bytes()).collect();
        assert!(cut.len() > 1 && cut.iter().all(|piece| piece.len() <= PIECE_BYTES_MAX));
        assert_eq!(cut.join(&b'/'), path.as_bytes());
    }

    #[test]
    fn links_on_the_way_are_refused_both_ways() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("a/b")).unwrap();
        std::os::unix::fs::symlink("a", home.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/", home.path().join("a/out")).unwrap();
        let root = openat(CWD, home.path(), FOLDER, Mode::empty()).unwrap();
        for open in [open_folder, open_by_names] {
            assert!(open(&root, b"a/b").is_ok());
            for path in ["link", "link/b", "a/out", "a/out/etc"] {
                let error = open(&root, path.as_bytes()).unwrap_err();
                assert!(matches!(error, Errno::LOOP | Errno::NOTDIR | Errno::XDEV), "{path}: {error}");
            }
        }
    }
}
