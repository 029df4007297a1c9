//! The block devices, and what lies on each.

use super::Made;
use crate::linux::tree::Tree;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;

/// A device and what `blkid` read on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// Such as `/dev/sda1`.
    pub path: String,
    facts: BTreeMap<String, String>,
}

impl Device {
    /// One of blkid's facts, such as `TYPE`.
    pub fn fact(&self, name: &str) -> Option<&str> {
        self.facts.get(name).map(String::as_str)
    }

    /// Whether it holds this kind of file system or layer.
    pub fn holds(&self, kind: &str) -> bool {
        self.fact("TYPE") == Some(kind)
    }

    /// Its path below `/dev`.
    pub fn kernel_name(&self) -> &str {
        self.path.strip_prefix("/dev/").unwrap_or(&self.path)
    }

    /// Its id as far as it has one, else its name: what a file about it is called by.
    pub fn id(&self) -> String {
        self.fact("UUID").unwrap_or(self.kernel_name()).replace('/', "-")
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        self.facts.iter().try_for_each(|(name, value)| write!(f, "\t{name}={value}"))
    }
}

/// Whether a device may be part of the layout: not what only shows a file or memory as a device.
pub(crate) fn is_storage(kernel_name: &str) -> bool {
    !["loop", "ram", "zram", "fd", "sr"].iter().any(|kind| {
        let number = kernel_name.strip_prefix(kind).map(|rest| rest.split('p').next().unwrap_or(rest));
        number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// What `blkid -o export` says: a paragraph for each device, sorted by path.
pub(super) fn parse(answer: &[u8]) -> Vec<Device> {
    let text = String::from_utf8_lossy(answer);
    let mut devices: Vec<Device> = text
        .split("\n\n")
        .filter_map(|paragraph| {
            let pairs = paragraph.lines().filter_map(|line| line.split_once('='));
            let mut facts: BTreeMap<String, String> =
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            Some(Device { path: facts.remove("DEVNAME")?, facts })
        })
        .collect();
    devices.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    devices
}

/// The whole disks that the kernel knows, by their kernel names.
pub(super) fn disks(tree: &Tree, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let names = tree.names("/sys/block").unwrap_or_default();
    names.into_iter().filter_map(|name| String::from_utf8(name).ok()).filter(|name| wanted(name)).collect()
}

/// A disk that this user may not read can hold anything. One that has no device node, or that a control group refuses
/// even to root (`EPERM`), as in a container, is not this system's.
pub(super) fn warn_of_unreadable(disks: &[String], made: &mut Made) {
    for disk in disks {
        let path = format!("/dev/{disk}");
        if let Err(cause) = File::open(&path)
            && Errno::from_io_error(&cause) == Some(Errno::ACCESS)
        {
            let message = format!("It can't be read, so how it is divided is not kept: {cause}");
            made.warn("unreadable", path.into_bytes(), message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `blkid -c /dev/null -o export` of util-linux 2.38.1 (Debian 12) over loop devices.
    const BLKID: &[u8] = b"\
DEVNAME=/dev/loop1
UUID=Jky7Q0-0J74-LxrQ-bMrJ-0zxp-zkEh-nfR96e
TYPE=LVM2_member

DEVNAME=/dev/loop0
PTUUID=11111111-2222-3333-4444-555555555555
PTTYPE=gpt
";

    #[test]
    fn devices_are_told_with_what_lies_on_them() {
        let devices = parse(BLKID);
        assert_eq!(devices.len(), 2);
        assert_eq!(devices[0].fact("PTTYPE"), Some("gpt"));
        assert_eq!(devices[0].id(), "loop0");
        assert!(devices[1].holds("LVM2_member") && !devices[1].holds("ext4"));
        assert_eq!(
            devices[1].to_string(),
            "/dev/loop1\tTYPE=LVM2_member\tUUID=Jky7Q0-0J74-LxrQ-bMrJ-0zxp-zkEh-nfR96e"
        );
        assert_eq!(parse(b""), []);
    }

    #[test]
    fn what_only_shows_a_file_or_memory_is_no_storage() {
        for name in ["loop0", "loop12", "loop0p1", "ram3", "zram0", "sr0", "fd0"] {
            assert!(!is_storage(name), "{name}");
        }
        for name in ["sda", "vda1", "nvme0n1p2", "dm-0", "md127", "mapper/vg-root", "looper", "xvda"] {
            assert!(is_storage(name), "{name}");
        }
    }
}
