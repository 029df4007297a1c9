//! The table of warnings' codes: what was left out or is not as it should be, while the job went on.
//!
//! The codes are made where things are read and written (`system-state`, `engine`); here they are explained.

/// A warning's code explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WarningCode {
    /// The stable name.
    pub code: &'static str,
    /// What it means, as a sentence.
    pub meaning: &'static str,
    /// What to do about it, as a sentence.
    pub remedy: &'static str,
}

/// All that are known, by name.
pub const ALL: &[WarningCode] = &[
    warning(
        "attribute-not-restored",
        "An extended attribute, access list, mode, time or attribute of another operating system could not be set on something that was restored",
        "Restore as root, and to an operating system and a file system that know such attributes",
    ),
    warning(
        "backup-rights",
        "The user who runs the backup may not read what access lists keep from him",
        "Run the backup as an administrator, or as the service",
    ),
    warning(
        "chain-broken",
        "The chain of recovery points has a gap or a fork: the vault lost, hid or changed one",
        "Ask the vault's administrator whether the vault was restored from an older copy",
    ),
    warning(
        "chain-forked",
        "Another agent makes recovery points as this server: its home was copied, as with a cloned machine, or put back from an older copy. Both go on, each on a branch of its own, and both keep their data",
        "Let only one of them be this server: on the other remove the home and register it anew with vault credentials of its own. If this home was only put back from an older copy, nothing is to be done",
    ),
    warning(
        "clock",
        "This machine's clock and the vault's differ by more than a minute: what is planned runs at the wrong time, and from five minutes on no sign-in is accepted",
        "Set the clock right on the machine that is wrong (for example with `timedatectl set-ntp true`)",
    ),
    warning(
        "command-failed",
        "A program that tells a part of System State failed, so its output is not in the recovery point",
        "Run the program that the message names by hand and mend what it complains about",
    ),
    warning(
        "conflict-skipped",
        "Something was not restored, because something else lies at its place, and the restore was asked to leave such things",
        "Restore it to another folder, or beside what is there with `--conflict copy`, or over it with `--conflict overwrite`",
    ),
    warning("device-not-restored", "A device node could not be made", "Restore as root"),
    warning(
        "encrypted-read-plain",
        "A file is encrypted by EFS, which did not give its raw content: that takes NTFS on this machine and the rights of a backup. It was read as the user of the backup sees it, if he may; a restore makes a file of it that is not encrypted",
        "Run the backup as an administrator or as the service, on the server that the file lies on; or encrypt the file again after a restore (`cipher /e FILE`)",
    ),
    warning(
        "entries-lost",
        "Files and folders after the named one are lost, because the part of the recovery point that lists them is damaged",
        "Restore them from another recovery point, or another copy of the vault",
    ),
    warning(
        "entry-refused",
        "An entry has a part that this version of Stateward does not know and cannot do without, so it was not restored as it was; a folder was made without what it had",
        "Restore it with the version that the recovery point was made with, or a newer one",
    ),
    warning(
        "entry-too-large",
        "An entry's attributes are larger than a recovery point can hold, so it was left out",
        "Make its extended attributes smaller",
    ),
    warning(
        "file-changed-while-read",
        "A file changed each time while it was read, so what was kept of it may be a mixture",
        "Back it up while nothing writes to it, or protect a dump of it instead",
    ),
    warning(
        "file-lost",
        "A file could not be restored whole; nothing of it was left at the target",
        "Restore it from another recovery point, or another copy of the vault",
    ),
    warning(
        "free-space",
        "The cache folder's file system is nearly full",
        "Make space there, or register with another `--cache`",
    ),
    warning(
        "hard-link-not-restored",
        "A name of a file with several names came back as a file of its own: the recovery point holds more such names than can be held in memory, or another of its names was left as it lay at the target",
        "Restore fewer folders at once with `--path`, or into a new folder, if the files must share their content",
    ),
    warning(
        "head-not-kept",
        "The vault holds the recovery point, but the home could not note that it is the newest one",
        "Make space in the home, or mend its disk; the next backup notes its own",
    ),
    warning(
        "history-not-kept",
        "A verify was done, but the home could not note which packs it has read, so the next one may read them again",
        "Make space in the home, or mend its disk",
    ),
    warning(
        "hook-failed",
        "A hook before or after the backup failed, or took too long",
        "See what it said in the job's log (`stateward job show ID` names it), and mend it",
    ),
    warning(
        "hook-refused",
        "A hook was not run, because it is no executable file or another user could change it",
        "Give it, its folder and the folders above to root (on Windows to the administrators), forbid others to write there, and make it executable (on Windows a `.exe` or `.cmd`)",
    ),
    warning(
        "leads-elsewhere",
        "A path leads to a place that another rule holds or leaves out, so it was not followed",
        "Protect the place itself with `stateward protect files PATH…` if you need it",
    ),
    warning(
        "link-not-restored",
        "A link or another reparse point could not be made, or is of another operating system",
        "Restore as an administrator, to NTFS or ReFS and to the operating system that it is of",
    ),
    warning(
        "machine",
        "Which distribution, release and processor architecture the recovery point is of; kept with it as something that is known, not as something wrong",
        "Nothing is to be done",
    ),
    warning(
        "more-prechecks",
        "There were more prechecks than a recovery point keeps",
        "Mend what the others name, then back up again",
    ),
    warning(
        "more-warnings",
        "There were more warnings than a recovery point or a job's record keeps",
        "Mend what the others name; `stateward job show ID` has more of them than a recovery point",
    ),
    warning("name-refused", "A name can't be kept, so the entry was left out", "Rename it"),
    warning(
        "not-dumped",
        "A directory server is set up in the tree that was backed up, and it can be dumped only from within that tree",
        "Protect the System State of that machine or container from within it",
    ),
    warning(
        "not-found",
        "A path that is protected is no longer there",
        "Choose anew what is protected with `stateward protect files`",
    ),
    warning(
        "not-mounted",
        "An EFI system partition is not mounted where System State looks for it, so what it holds is not in the recovery point",
        "Mount it at or below `/boot` or `/efi`, best by `/etc/fstab`",
    ),
    warning(
        "one-moment",
        "The files of a recovery point were not all read at one moment, so files that belong together may not fit",
        "`stateward recovery-point show ID` says what was read when; on btrfs, LVM and Windows a snapshot makes it one moment, see `stateward settings set --source-snapshot=on`",
    ),
    warning(
        "other-backup",
        "Another backup program runs at the same time",
        "Give them different times: `stateward policy update`, or the other's own schedule",
    ),
    warning(
        "other-system",
        "What was put back in place is of another release of the system, or of another system, than this machine has: programs and settings may not fit together",
        "Compare before restarting; restore into a folder (`--target DIR`) and take from there what is needed, where that is safer",
    ),
    warning(
        "owner-not-restored",
        "The owner or group could not be set on something that was restored",
        "Restore as root",
    ),
    warning(
        "pack-damaged",
        "A pack in the vault is damaged; the files that need it are listed, too",
        "Restore the vault's objects from a copy; the next backup stores again what it still has",
    ),
    warning(
        "pack-missing",
        "A pack is missing in the vault; the files that need it are listed, too",
        "Restore the vault's objects from a copy; the next backup stores again what it still has",
    ),
    warning(
        "package-integrity",
        "Installed files differ from what their packages brought",
        "See `dpkg --verify` or `rpm --verify --all`",
    ),
    warning(
        "packages-changing",
        "Packages are installed, changed or removed while the backup runs",
        "Back up again when that is done; keep such times apart, or let it block: `stateward settings set --precheck packages-changing=block`",
    ),
    warning(
        "path-not-found",
        "The recovery point holds nothing at a path that was asked for",
        "Give the path whole, from `/`, as it was on the server",
    ),
    warning(
        "pending-restart",
        "A restart is pending: what runs is not what is installed",
        "Restart the server, then back up again",
    ),
    warning(
        "plan-not-written",
        "The image of a System State of Windows was restored, but the runbook and the script that belong to it could not be written, or there is no plan for this machine",
        "The message says why; `stateward system-state plan` shows the plan and writes both: `--out DIR`",
    ),
    warning(
        "point-damaged",
        "A recovery point's object in the vault is damaged",
        "Use another recovery point, or another copy of the vault",
    ),
    warning(
        "point-missing",
        "A recovery point that the chain names is missing in the vault",
        "Use another recovery point, or another copy of the vault",
    ),
    warning(
        "receipt-missing",
        "A recovery point has no receipt signed by the vault, so its time is not confirmed",
        "Tell the vault's administrator; the recovery point itself can be restored",
    ),
    warning(
        "server-backup",
        "Windows Server Backup isn't installed, or can't run, so no System State can be made",
        "Install it with `Install-WindowsFeature Windows-Server-Backup` in PowerShell, or with `dism /Online /Enable-Feature /FeatureName:WindowsServerBackup /NoRestart`; the message says what is wrong",
    ),
    warning(
        "services",
        "Services that shadow copies need don't run or are disabled",
        "Start them as the message says, then run the backup again",
    ),
    warning(
        "shadow-storage",
        "There is too little room on the system's volume for a shadow copy of it",
        "Make room there, or give shadow copies another volume with `vssadmin add shadowstorage`",
    ),
    warning(
        "slot-damaged",
        "A key slot in the vault is damaged or missing: the passphrase or recovery code that it was made for may open nothing",
        "Make a recovery code while this server still has its keys: `stateward recovery-code create`",
    ),
    warning(
        "snapshot-left",
        "A snapshot of the source could not be removed after a backup, so it keeps room occupied",
        "Mend what the message names; the next backup tries again. One of another home must be removed by hand (`btrfs subvolume delete PATH`, `lvremove GROUP/NAME`)",
    ),
    warning(
        "source-moment",
        "A file system was read live, so its files are of the moments at which each was read",
        "The message says why; on btrfs, LVM and Windows a snapshot makes it one moment",
    ),
    warning(
        "source-snapshot",
        "No snapshot of a file system could be made, so it is read live",
        "Mend what the message names, or turn snapshots off with `stateward settings set --source-snapshot=off`",
    ),
    warning(
        "staging-not-cleared",
        "What Windows Server Backup staged could not be removed, so it takes space; the recovery point is not concerned",
        "Mend what the message names; the next backup tries again",
    ),
    warning(
        "staging-space",
        "There is too little room to stage a System State of Windows",
        "Make room at the staging place, or choose another one: `stateward settings set --staging PLACE`",
    ),
    warning(
        "system-files",
        "Files of Windows are damaged, or it can't be told whether they are; they are backed up as they are",
        "Run `DISM /Online /Cleanup-Image /RestoreHealth` and `sfc /scannow`; not to look any more: `stateward settings set --verify-packages off`",
    ),
    warning(
        "system-partition",
        "The partition that a server of Windows starts from (EFI) can't be read, or that can't be told, and a backup of System State must read it",
        "Close what works on partitions (disk managers, encryption, other backups, antivirus programs), or restart the server",
    ),
    warning(
        "system-volume-information",
        "The system may not do everything with `System Volume Information`, in which Windows keeps shadow copies, or that can't be told",
        "Give it full control there, as an administrator, with `icacls`; the message has the line",
    ),
    warning(
        "too-deep",
        "Folders are nested too deep, so what lies in the named one was left out",
        "Protect the deeper folder by itself with `stateward protect files PATH…`",
    ),
    warning(
        "tool-missing",
        "The program that tells of something on this server is not installed, so that is not in the recovery point",
        "Install the package that the message names",
    ),
    warning(
        "trial-not-removed",
        "What was restored on trial, to see that it can be, could not be removed",
        "Remove the folder that the message names; it holds a copy of what is protected",
    ),
    warning(
        "unreadable",
        "Something could not be read, so it was left out",
        "Run as a user who may read it (usually root), and check the disk if that does not help",
    ),
    warning(
        "vault-reachable",
        "The vault was not reached when a backup began. Unless the policy says that this blocks, the backup goes on trying for a minute and a half",
        "See what `stateward doctor` says of the way to the vault; the running agent tries a planned backup again by itself",
    ),
    warning(
        "vault-rolled-back",
        "The vault no longer shows a recovery point that it had acknowledged",
        "Don't ignore it: ask the vault's administrator whether the vault was restored from an older copy",
    ),
    warning(
        "vault-store-left-out",
        "A vault's own data folder was left out: a backup of it into itself would grow without end",
        "Copy the vault's folder by other means",
    ),
    warning(
        "warnings-not-kept",
        "Some of a job's warnings could not be written into the home",
        "Make space in the home, or mend its disk, and run the job again",
    ),
    warning(
        "windows-edition",
        "This is no edition of Windows Server, and System State is backed up of servers",
        "Protect files and folders instead; to try it all the same: `stateward settings set --precheck windows-edition=warn`",
    ),
    warning(
        "writers",
        "Parts of Windows that take part in a shadow copy have failed, so the backup may fail, too",
        "Restart the services that the message names, or the server; `vssadmin list writers` shows how they stand",
    ),
];

const fn warning(code: &'static str, meaning: &'static str, remedy: &'static str) -> WarningCode {
    WarningCode { code, meaning, remedy }
}

/// The explanation of a code.
pub fn find(code: &str) -> Option<&'static WarningCode> {
    ALL.iter().find(|known| known.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn warnings_stand_in_order_and_none_is_an_error_too() {
        assert!(ALL.is_sorted_by(|a, b| a.code < b.code));
        for warning in ALL {
            assert!(warning.code.parse::<Code>().is_err(), "{}", warning.code);
            assert!(!warning.meaning.ends_with('.') && !warning.remedy.ends_with('.'), "{}", warning.code);
        }
    }
}
