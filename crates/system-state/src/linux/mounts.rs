//! What is mounted where (proc(5), `mountinfo`).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Which file system it is, as `major:minor`. All mounts of one have the same.
    pub device: String,
    /// Where it is mounted.
    pub point: PathBuf,
    /// The file system's type.
    pub kind: String,
    /// What is mounted: a device's path, or a word.
    pub source: PathBuf,
}

/// All mounts that this process sees, in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mounts(Vec<Mount>);

impl Mounts {
    /// Asks the kernel.
    pub fn read() -> io::Result<Self> {
        Ok(Self::parse(&fs::read("/proc/self/mountinfo")?))
    }

    /// Lines that are not as they should be are passed over.
    fn parse(table: &[u8]) -> Self {
        Self(table.split(|byte| *byte == b'\n').filter_map(parse_line).collect())
    }

    /// The mount that an absolute path without links lies on. Of several at one place the last one hides the others.
    pub fn of(&self, path: &Path) -> Option<&Mount> {
        let holds = self.0.iter().filter(|mount| path.starts_with(&mount.point));
        holds.max_by_key(|mount| mount.point.components().count())
    }

    /// Those below a folder, not at it.
    pub fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a Mount> {
        self.0.iter().filter(move |mount| mount.point != folder && mount.point.starts_with(folder))
    }
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/sda1 rw`, the fields before `-` varying in number.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let dash = fields.iter().position(|field| *field == b"-")?;
    let text = |field: &[u8]| String::from_utf8(field.to_vec()).ok();
    Some(Mount {
        device: text(fields.get(2)?)?,
        point: unescape(fields.get(4)?),
        kind: text(fields.get(dash + 1)?)?,
        source: unescape(fields.get(dash + 2)?),
    })
}

/// Space, tab, line feed and backslash stand as `\` and three octal digits.
fn unescape(field: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| *first == b'\\');
        let byte = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &behind[3..] } else { behind };
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = br"22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 /@ /srv rw - btrfs /dev/loop0 rw,subvolid=256
31 22 0:41 / /a\040b rw master:1 shared:2 - xfs /dev/mapper/vg-data rw
32 22 0:42 / /srv/in rw - tmpfs none rw
33 22 0:43 / /srv rw - vfat /dev/vdb rw
nonsense
";

    #[test]
    fn a_path_lies_on_the_nearest_mount_and_of_two_at_a_place_on_the_last() {
        let mounts = Mounts::parse(TABLE);
        let kind = |path: &str| mounts.of(Path::new(path)).map(|mount| mount.kind.as_str());
        for (path, expected) in
            [("/", "ext4"), ("/srvx", "ext4"), ("/srv/y", "vfat"), ("/srv/in/z", "tmpfs"), ("/a b", "xfs")]
        {
            assert_eq!(kind(path), Some(expected), "{path}");
        }
        assert_eq!(mounts.of(Path::new("/a b/c")).unwrap().source, Path::new("/dev/mapper/vg-data"));
        let below = mounts.below(Path::new("/srv")).map(|mount| mount.point.clone());
        assert_eq!(below.collect::<Vec<_>>(), [PathBuf::from("/srv/in")]);
    }

    #[test]
    fn this_machines_own_table_has_a_root() {
        assert!(Mounts::read().unwrap().of(Path::new("/")).is_some());
    }
}
