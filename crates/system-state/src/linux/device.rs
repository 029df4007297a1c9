//! Which file system something lies on, by a number that stays the same from one run to the next.
//!
//! The kernel gives each subvolume of btrfs a device number when it is first used, so after a restart, and in a snapshot,
//! the same file has another one. What btrfs says of itself in `statvfs` (its own id and the subvolume's) stays.

use rustix::fs::{Stat as RawStat, fstatfs, fstatvfs};
use std::os::fd::AsFd;

/// btrfs in `statfs`.
const BTRFS: u64 = 0x9123_683e;

/// A file system as `stat` names it here and now, and as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Device {
    /// What `stat` says now.
    pub raw: u64,
    /// What recovery points say.
    pub told: u64,
}

impl Device {
    /// The device of an open file or folder.
    pub fn of(file: impl AsFd, raw: &RawStat) -> Self {
        let told = is_btrfs(&file).then(|| fstatvfs(&file).map_or(0, |found| found.f_fsid));
        Self { raw: raw.st_dev, told: told.filter(|id| *id != 0).unwrap_or(raw.st_dev) }
    }

    /// What is told of something that was found in a folder of this device.
    pub fn tell(self, raw: &RawStat) -> u64 {
        if raw.st_dev == self.raw { self.told } else { raw.st_dev }
    }
}

/// Whether an open file or folder lies on btrfs.
pub(crate) fn is_btrfs(file: impl AsFd) -> bool {
    // Signedness and width differ from one processor to the next; the number has 32 bits.
    fstatfs(file).is_ok_and(|found| (found.f_type as u64) & 0xffff_ffff == BTRFS)
}
