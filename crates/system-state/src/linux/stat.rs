//! What Linux' `stat` tells, in the engine's words.

use crate::linux::device::Device;
use rustix::fs::{FileType, Stat as RawStat, major, minor};
use stateward_engine::{FoundKind, Stat};
use stateward_format::Identity;
use stateward_model::Timestamp;

/// The type in the mode's upper bits.
pub(crate) fn file_type(raw: &RawStat) -> FileType {
    FileType::from_raw_mode(raw.st_mode)
}

/// Which file it is: file system and number within it.
pub(crate) fn identity(raw: &RawStat) -> (u64, u64) {
    (raw.st_dev, raw.st_ino)
}

/// The engine's description of what was found in, or is, a folder of `device`; `None` for a type that Linux does not
/// have today.
pub(crate) fn describe(raw: &RawStat, device: Device) -> Option<Stat> {
    let numbers = || (major(raw.st_rdev), minor(raw.st_rdev));
    let kind = match file_type(raw) {
        FileType::RegularFile => FoundKind::File { size: u64::try_from(raw.st_size).unwrap_or(0) },
        FileType::Directory => FoundKind::Folder,
        FileType::Symlink => FoundKind::SymbolicLink,
        FileType::Fifo => FoundKind::Fifo,
        FileType::Socket => FoundKind::Socket,
        FileType::BlockDevice => {
            let (major, minor) = numbers();
            FoundKind::BlockDevice { major, minor }
        }
        FileType::CharacterDevice => {
            let (major, minor) = numbers();
            FoundKind::CharacterDevice { major, minor }
        }
        FileType::Unknown => return None,
    };
    Some(Stat {
        kind,
        mode: raw.st_mode & 0o7777,
        user: raw.st_uid,
        group: raw.st_gid,
        modified_at: moment(raw.st_mtime, raw.st_mtime_nsec),
        identity: Some(Identity {
            file_system: device.tell(raw),
            file_id: raw.st_ino.into(),
            changed_at: moment(raw.st_ctime, raw.st_ctime_nsec),
        }),
        is_hard_linked: raw.st_nlink > 1 && kind != FoundKind::Folder,
    })
}

/// A moment; file systems that know years beyond 2262 are held at the end of what a timestamp says.
fn moment(seconds: impl TryInto<i64>, nanoseconds: impl TryInto<u32>) -> Timestamp {
    let seconds = seconds.try_into().unwrap_or(i64::MAX);
    let end = if seconds < 0 { i64::MIN } else { i64::MAX };
    let within = nanoseconds.try_into().unwrap_or(0);
    Timestamp::from_seconds(seconds, within).unwrap_or(Timestamp(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_and_far_away_are_told_or_held_at_the_end() {
        assert_eq!(moment(-1i64, 5u64), Timestamp(-999_999_995));
        assert_eq!(moment(15_032_385_535i64, 0u64), Timestamp(i64::MAX));
        assert_eq!(moment(-15_032_385_535i64, 0u64), Timestamp(i64::MIN));
    }
}
