//! What is mounted where, and what is swapped to.

use super::Made;
use crate::linux::tree::Tree;

/// File systems without a device of their own that still hold something.
const WITHOUT_DEVICE: [&str; 8] = ["9p", "ceph", "cifs", "fuse", "glusterfs", "nfs", "nfs4", "zfs"];

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mount {
    /// Where.
    pub at: String,
    /// The device or share.
    pub source: String,
    /// The file system's kind.
    pub kind: String,
    /// Which folder of it is mounted; `/` for all of it.
    root: String,
    options: String,
}

/// What is mounted now and holds something, sorted by where. Of devices, those whose kernel names are `wanted`.
pub(crate) fn mounts(tree: &Tree, wanted: &dyn Fn(&str) -> bool) -> Vec<Mount> {
    let text = tree.text("/proc/self/mountinfo").unwrap_or_default();
    let mut mounts: Vec<Mount> =
        text.lines().filter_map(parse).filter(|mount| holds_something(mount, wanted)).collect();
    mounts.sort_unstable();
    mounts.dedup();
    mounts
}

fn holds_something(mount: &Mount, wanted: &dyn Fn(&str) -> bool) -> bool {
    let kind = mount.kind.split('.').next().unwrap_or_default();
    match mount.source.strip_prefix("/dev/") {
        Some(device) => wanted(device),
        None => WITHOUT_DEVICE.contains(&kind),
    }
}

/// A line of `proc_pid_mountinfo(5)`: `36 35 98:0 /root /at options optional… - kind source super-options`.
fn parse(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3);
    let (root, at, options) = (before.next()?, before.next()?, before.next()?);
    let mut after = after.split(' ');
    let (kind, source, of_file_system) = (after.next()?, after.next()?, after.next().unwrap_or_default());
    Some(Mount {
        at: unescape(at),
        source: unescape(source),
        kind: kind.to_owned(),
        root: unescape(root),
        options: format!("{options};{of_file_system}"),
    })
}

/// The kernel writes blanks, line ends and backslashes as three octal digits.
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, meant)| text.replace(escaped, meant))
}

/// Keeps both lists.
pub(super) fn make(tree: &Tree, wanted: &dyn Fn(&str) -> bool, made: &mut Made) {
    let line = |mount: &Mount| {
        let Mount { at, source, kind, root, options } = mount;
        // A name may hold a tab or a line end; shown as Rust shows them, it stays one field.
        let (at, source, root) = (at.escape_debug(), source.escape_debug(), root.escape_debug());
        format!("{at}\t{source}\t{root}\t{kind}\t{options}\n")
    };
    made.keep("mounts", mounts(tree, wanted).iter().map(line).collect::<String>());
    made.keep("swaps", swaps(&tree.text("/proc/swaps").unwrap_or_default(), wanted));
}

/// What is swapped to, with kinds and sizes in KiB: without how much of it is in use.
fn swaps(text: &str, wanted: &dyn Fn(&str) -> bool) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (path, kind, size) = (words.first()?, words.get(1)?, words.get(2)?);
        let is_kept = path.strip_prefix("/dev/").is_none_or(wanted);
        is_kept.then(|| format!("{}\t{kind}\t{size}\n", unescape(path)))
    };
    let mut lines: Vec<String> = text.lines().skip(1).filter_map(line).collect();
    lines.sort_unstable();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::super::is_storage;
    use super::*;

    /// Lines as `proc_pid_mountinfo(5)` describes them; the second has a blank in its name.
    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
36 22 98:0 /@data /mnt/my\\040data rw,noatime master:1 - btrfs /dev/sdb1 rw,subvol=/@data
40 22 0:20 / /proc rw - proc proc rw
41 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro
42 22 0:44 / /srv rw - nfs4 server:/export rw,vers=4.2
43 22 0:45 / /media/x rw - fuse.sshfs me@host:/ rw
";

    #[test]
    fn what_holds_something_is_listed_and_the_kernels_own_is_not() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("proc/self")).unwrap();
        std::fs::write(home.path().join("proc/self/mountinfo"), MOUNTS).unwrap();
        let mounts = mounts(&Tree::open(home.path()).unwrap(), &is_storage);
        let shown: Vec<_> = mounts.iter().map(|m| (&*m.at, &*m.source, &*m.root)).collect();
        assert_eq!(
            shown,
            [
                ("/", "/dev/vda", "/"),
                ("/media/x", "me@host:/", "/"),
                ("/mnt/my data", "/dev/sdb1", "/@data"),
                ("/srv", "server:/export", "/"),
            ]
        );
    }

    #[test]
    fn swaps_are_listed_without_their_use() {
        let text = "Filename\tType\tSize\tUsed\tPriority\n/dev/zram0 partition 1000 5 100\n/dev/sda2  partition\t2097148\t77\t-2\n/swap\\040file file 512 1 -3\n";
        assert_eq!(swaps(text, &is_storage), "/dev/sda2\tpartition\t2097148\n/swap file\tfile\t512\n");
        assert_eq!(swaps("", &is_storage), "");
    }
}
