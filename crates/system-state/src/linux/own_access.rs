//! Whose the things are that this process makes, and which rights they get.

use rustix::process::{getegid, geteuid};
use std::fs;

/// What most people have, if the system does not tell.
const USUAL_MASK: u32 = 0o022;

/// User and group of what this process makes, and the bits of a mode that it does not get.
pub(crate) fn own_access() -> ((u32, u32), u32) {
    ((geteuid().as_raw(), getegid().as_raw()), mask().unwrap_or(USUAL_MASK))
}

/// Asking `umask` for it would change it for a moment, for all threads.
fn mask() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(mask.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt as _;

    #[test]
    fn it_is_what_a_new_file_gets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "").unwrap();
        let (made, ((user, _), mask)) = (fs::metadata(path).unwrap(), own_access());
        assert_eq!((made.uid(), made.mode() & 0o777), (user, 0o666 & !mask));
    }
}
