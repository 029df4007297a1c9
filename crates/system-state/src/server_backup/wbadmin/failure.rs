//! Why Windows Server Backup fails, and what helps: by the codes in what it says, which no language changes, and by sentences
//! of the English one.

use crate::server_backup::console::contains;
use std::fmt;

/// A cause that is known, or not. They are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Another backup or recovery runs.
    Busy,
    /// The staging place is no place for it: removable, a critical volume, not NTFS.
    WrongTarget,
    /// The staging place isn't there, or can't be reached.
    TargetUnreachable,
    /// The staging place is full.
    TargetFull,
    /// There is no room for the shadow copy.
    ShadowSpace,
    /// A writer did not answer in time, or failed in a way that may pass.
    WriterTransient,
    /// A writer failed, and will again.
    WriterFailed,
    /// The shadow copy failed in another way.
    ShadowCopy,
    /// The EFI system partition is locked.
    EfiLocked,
    /// A service that it needs isn't there.
    ServiceDown,
    /// It may not.
    Denied,
    /// A file of the system can't be read.
    FileUnreadable,
    /// An older image at the staging place is in the way.
    StaleImage,
    /// The disk reports damage.
    Damaged,
    /// The feature isn't installed.
    NotInstalled,
    /// Its engine ended.
    EngineGone,
    /// Somebody stopped it.
    Stopped,
    /// Nothing that is known here.
    Unknown,
}

struct Known {
    failure: Failure,
    name: &'static str,
    codes: &'static [u32],
    sentences: &'static [&'static str],
    cause: &'static str,
    remedy: &'static str,
}

/// In the order in which they are looked for: what is said of the cause before what follows from it.
const KNOWN: &[Known] = &[
    Known {
        failure: Failure::NotInstalled,
        name: "server-backup-missing",
        codes: &[],
        sentences: &["is not installed on this computer", "Get-WBJob' is not recognized"],
        cause: "Windows Server Backup isn't installed",
        remedy: "install it with `Install-WindowsFeature Windows-Server-Backup`",
    },
    Known {
        failure: Failure::Busy,
        name: "server-backup-busy",
        codes: &[0x8004_2316],
        sentences: &[
            "another backup or recovery operation is in progress",
            "another backup or recovery is in progress",
            "another shadow copy creation is already in progress",
        ],
        cause: "Another backup or recovery runs on this server",
        remedy: "wait until it has ended, or stop it with `wbadmin stop job`",
    },
    Known {
        failure: Failure::EfiLocked,
        name: "efi-partition-locked",
        codes: &[],
        sentences: &["EFI system partition is locked"],
        cause: "The EFI system partition is locked, mostly by a virus scanner or by another backup",
        remedy: "find who holds it open, leave that partition out there, and run the backup again",
    },
    Known {
        failure: Failure::WrongTarget,
        name: "staging-place-refused",
        codes: &[],
        sentences: &[
            "cannot save a system state backup to DVDs or other removable disks",
            "backup storage location is invalid",
            "is included in the list of items to back up",
            "is a critical volume",
        ],
        cause: "Windows Server Backup doesn't write a System State to this place",
        remedy: "choose a fixed NTFS volume that holds neither Windows nor what starts it, or let a virtual disk be made",
    },
    Known {
        failure: Failure::ShadowSpace,
        name: "shadow-storage-full",
        codes: &[0x8004_231f, 0x8078_0119, 0x8004_2317],
        sentences: &[
            "not enough disk space to create the volume shadow copy",
            "shadow copy volume couldn't grow",
            "shadow copy storage could not grow",
            "insufficient storage available to create either the shadow copy",
        ],
        cause: "There is no room for a shadow copy, on the system's volume or on the staging volume",
        remedy: "make room on both, or raise the limit with `vssadmin resize shadowstorage`",
    },
    Known {
        failure: Failure::TargetFull,
        name: "staging-full",
        codes: &[0x8007_0070, 0x8007_0027, 0x8078_004f],
        sentences: &["not enough space on the disk", "insufficient disk space"],
        cause: "The staging place is full",
        remedy: "make room there, or choose a larger one; the prechecks tell how much is needed",
    },
    Known {
        failure: Failure::WriterTransient,
        name: "writer-timed-out",
        codes: &[0x8004_23f2, 0x8004_23f3, 0x8004_23f0, 0x8004_23f1, 0x8004_2313, 0x8004_2314, 0x8004_2319],
        sentences: &["time out expired between the freeze and thaw", "writer experienced a transient error"],
        cause: "A VSS writer did not answer in time",
        remedy: "run the backup when the server has less to do, and see `vssadmin list writers` for which one it was",
    },
    Known {
        failure: Failure::WriterFailed,
        name: "writer-failed",
        codes: &[0x8004_23f4, 0x8004_2318],
        sentences: &["writer experienced a non-transient error"],
        cause: "A VSS writer failed, and will fail again",
        remedy: "see `vssadmin list writers` for which one, and restart its service or the server",
    },
    Known {
        failure: Failure::ServiceDown,
        name: "service-down",
        codes: &[0x8007_06ba, 0x8007_0422, 0x8007_042c, 0x8004_0154],
        sentences: &["the RPC server is unavailable"],
        cause: "A service that shadow copies need doesn't run",
        remedy: "start `RpcSs`, `EventSystem` and `SENS`, and see that `VSS` and `swprv` aren't disabled",
    },
    Known {
        failure: Failure::EngineGone,
        name: "server-backup-engine-ended",
        codes: &[0x8007_06be, 0x8007_06bf, 0x8007_042b],
        sentences: &["remote procedure call failed"],
        cause: "The engine of Windows Server Backup ended in the middle",
        remedy: "see the event log for why `wbengine` ended, and run the backup again",
    },
    Known {
        failure: Failure::TargetUnreachable,
        name: "staging-place-missing",
        codes: &[0x8078_0038, 0x8078_0166, 0x8007_0035, 0x8007_0043, 0x8007_0003],
        sentences: &[
            "specified backup location could not be found",
            "error when accessing the remote shared folder",
        ],
        cause: "The staging place isn't there, or can't be reached",
        remedy: "see that the volume is mounted, or that the share can be opened by this server's account",
    },
    Known {
        failure: Failure::Denied,
        name: "server-backup-denied",
        codes: &[0x8007_0005],
        sentences: &["access is denied", "must be a member of the Backup Operators"],
        cause: "Windows Server Backup may not read or write something",
        remedy: "give SYSTEM full control of `System Volume Information` on each volume, and run the agent as SYSTEM",
    },
    Known {
        failure: Failure::Damaged,
        name: "system-volume-damaged",
        codes: &[0x8007_0570, 0x8007_0017, 0x8007_045d, 0x8007_0571],
        sentences: &["file or directory is corrupted and unreadable"],
        cause: "The file system or the disk is damaged",
        remedy: "run `chkdsk` with `/f` on the volume, and look after its disk",
    },
    Known {
        failure: Failure::FileUnreadable,
        name: "system-file-unreadable",
        codes: &[0x8007_0002, 0x8007_0020, 0x8007_018b, 0x8078_0049],
        sentences: &[
            "enumeration of the files failed",
            "none of the items included in backup were backed up",
        ],
        cause: "A file that belongs to the System State can't be read",
        remedy: "see the log in `C:\\Windows\\Logs\\WindowsServerBackup` for which one; often a service's path is wrong",
    },
    Known {
        failure: Failure::StaleImage,
        name: "staged-image-unusable",
        codes: &[0x8078_00c5],
        sentences: &["failure in preparing the backup image"],
        cause: "An older image at the staging place can't be used again",
        remedy: "remove `WindowsImageBackup` from the staging volume, and run the backup again",
    },
    Known {
        failure: Failure::ShadowCopy,
        name: "shadow-copy-failed",
        codes: &[
            0x8004_2301,
            0x8004_2302,
            0x8004_2304,
            0x8004_2306,
            0x8004_2308,
            0x8004_230c,
            0x8004_230f,
            0x8004_2312,
            0x8078_00a1,
            0x8078_006b,
        ],
        sentences: &[
            "volume shadow copy service operation failed",
            "failed to create the shadow copy",
            "WSB job failed with VSS errors",
        ],
        cause: "The shadow copy failed",
        remedy: "see the event log for `VSS` and `volsnap`, and whether another backup's VSS provider is installed",
    },
    Known {
        failure: Failure::Stopped,
        name: "server-backup-stopped",
        codes: &[0x8007_04c7],
        sentences: &["operation was canceled", "operation was stopped", "stopped by the user"],
        cause: "Somebody stopped the backup",
        remedy: "run it again",
    },
];

const UNKNOWN: Known = Known {
    failure: Failure::Unknown,
    name: "server-backup-failed",
    codes: &[],
    sentences: &[],
    cause: "Windows Server Backup failed",
    remedy: "see the newest log in `C:\\Windows\\Logs\\WindowsServerBackup` and the event log `Microsoft-Windows-Backup`",
};

impl Failure {
    /// All of them, in their order.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut all: Vec<Self> = KNOWN.iter().map(|known| known.failure).chain([Self::Unknown]).collect();
        all.sort_unstable();
        all.into_iter()
    }

    /// What is said in a text that tells of a failure, and the code by which it was known.
    pub fn in_text(text: &str) -> (Self, Option<u32>) {
        let codes = codes(text);
        let by_code = KNOWN.iter().find_map(|known| {
            let code = codes.iter().find(|code| known.codes.contains(code))?;
            Some((known.failure, Some(*code)))
        });
        let by_sentence = || {
            let known =
                KNOWN.iter().find(|known| known.sentences.iter().any(|words| contains(text, words)))?;
            Some((known.failure, codes.first().copied()))
        };
        by_code.or_else(by_sentence).unwrap_or((Self::Unknown, codes.first().copied()))
    }

    /// What a code says, from whatever it came.
    pub fn of_code(code: u32) -> Self {
        let known = KNOWN.iter().find(|known| known.codes.contains(&code));
        known.map_or(Self::Unknown, |known| known.failure)
    }

    fn known(self) -> &'static Known {
        KNOWN.iter().find(|known| known.failure == self).unwrap_or(&UNKNOWN)
    }

    /// Its stable code.
    pub fn code(self) -> &'static str {
        self.known().name
    }

    /// Why, as one sentence.
    pub fn cause(self) -> &'static str {
        self.known().cause
    }

    /// What helps.
    pub fn remedy(self) -> &'static str {
        self.known().remedy
    }

    /// Whether the same backup may succeed a little later, without anybody doing anything.
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Busy | Self::WriterTransient | Self::EngineGone | Self::EfiLocked)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause(), self.remedy())
    }
}

/// All numbers that are written as `0x8…` with eight digits, in their order.
fn codes(text: &str) -> Vec<u32> {
    let code = |(at, _): (usize, &str)| {
        let digits = text.get(at + 2..at + 10)?;
        let is_longer = text[at + 10..].starts_with(|next: char| next.is_ascii_hexdigit());
        let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit()) && !is_longer;
        u32::from_str_radix(digits, 16).ok().filter(|code| is_number && *code >= 0x8000_0000)
    };
    let found = text.match_indices("0x").chain(text.match_indices("0X"));
    let mut found: Vec<(usize, u32)> = found.filter_map(|hit| Some((hit.0, code(hit)?))).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, code)| code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_tells_in_any_language_and_a_sentence_in_english() {
        for (text, failure, code) in [
            (
                "Detaillierter Fehler: 0x800423f2, Zeitüberschreitung",
                Failure::WriterTransient,
                Some(0x8004_23f2),
            ),
            ("ERROR 0x80070070.", Failure::TargetFull, Some(0x8007_0070)),
            ("0X8004231F", Failure::ShadowSpace, Some(0x8004_231f)),
            (
                "You cannot save a system state backup to DVDs or other\r\nremovable disks.",
                Failure::WrongTarget,
                None,
            ),
            (
                "System state backup operation failed as the EFI system partition is locked",
                Failure::EfiLocked,
                None,
            ),
            (
                "Backup failed as the shadow copy volume couldn't grow due to insufficient disk space on volumes \
                 containing system files.",
                Failure::ShadowSpace,
                None,
            ),
            ("The term 'Get-WBJob' is not recognized as the name of a cmdlet", Failure::NotInstalled, None),
            ("There is not enough space on the disk.", Failure::TargetFull, None),
            ("Something new (0x87654321)", Failure::Unknown, Some(0x8765_4321)),
            ("0x800423f2a and 0x8004 and 0x00000001", Failure::Unknown, None),
            ("The backup operation successfully completed.", Failure::Unknown, None),
        ] {
            assert_eq!(Failure::in_text(text), (failure, code), "{text}");
        }
    }

    #[test]
    fn of_two_codes_the_one_that_says_more_counts() {
        let text = "The operation failed due to VSS (0x807800A1). Detailed error: 0x8004231f";
        assert_eq!(Failure::in_text(text), (Failure::ShadowSpace, Some(0x8004_231f)));
    }

    #[test]
    fn every_failure_has_its_own_name_and_no_code_means_two_things() {
        let names: BTreeSet<_> = Failure::all().map(Failure::code).collect();
        assert_eq!(names.len(), KNOWN.len() + 1);
        assert_eq!(names.len(), Failure::Unknown as usize + 1, "the last of them; none is left out");
        let codes: Vec<u32> = KNOWN.iter().flat_map(|known| known.codes).copied().collect();
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len());
        assert!(
            Failure::all().all(|failure| !failure.cause().ends_with('.') && !failure.remedy().ends_with('.'))
        );
    }
}
