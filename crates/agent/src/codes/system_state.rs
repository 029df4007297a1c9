//! The rows of System State, above all Windows' own.

macro_rules! system_state {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            HookBlocked = "hook-blocked", Blocked,
                "A hook before the backup failed, and the settings say that no backup is made then",
                "Mend the hook: the job's log (`stateward job show ID`) has what it said; or let backups go on with `stateward settings set --hook-failure warn`";
            ClientEdition = "client-edition", Failed,
                "This is a client edition of Windows, and System State is backed up of servers",
                "Protect files and folders instead: `stateward protect files`. To try it all the same: `stateward settings set --precheck windows-edition=warn`";
            ServerBackupTimedOut = "server-backup-timed-out", Failed,
                "A program of Windows did not end in the time that it had, and was stopped",
                "See the newest log in `C:\\Windows\\Logs\\WindowsServerBackup` and the event log; if the server only needs longer: `stateward settings set --server-backup-time-out SECONDS`";
            ServerBackupWithoutVersion = "server-backup-without-version", Failed,
                "Windows Server Backup ended without an error and made no backup",
                "See its newest log in `C:\\Windows\\Logs\\WindowsServerBackup`, and run the backup again";
            StagedImageDamaged = "staged-image-damaged", Failed,
                "Windows Server Backup said that it made a backup, and its image is missing or not whole; nothing of it was sent",
                "See that the staging place has room and a disk without errors, and run the backup again";
            StagedDocumentDamaged = "staged-document-damaged", Failed,
                "Windows Server Backup said that it made a backup, and what it wrote beside the image is missing or not whole; nothing of it was sent",
                "See that the staging place has room and a disk without errors, and run the backup again";
            WriterMissing = "writer-missing", Failed,
                "A part of Windows without which it is no System State took no part in the backup; nothing of it was sent",
                "See `vssadmin list writers`; restart the service of the writer that is missing, or the server, and run the backup again";
            StagingUnreadable = "staging-unreadable", Failed,
                "The staging place can't be read or written",
                "See that its disk has no errors and that SYSTEM may write there, or choose another place: `stateward settings set --staging PLACE`";
            StagingDiskFailed = "staging-disk-failed", Failed,
                "The virtual disk for staging can't be made or attached",
                "See that its volume has room, isn't compressed and takes virtual disks, or give a volume of its own: `stateward settings set --staging E:\\`";
            NoSystemState = "no-system-state", Failed,
                "The recovery point holds no System State of Windows, so there is no plan for it",
                "Choose another one: `stateward recovery-point list`; one of Linux is put back by `stateward restore`";
            OlderWindows = "older-windows", Failed,
                "The recovery point is of a newer Windows than runs here",
                "Install the Windows that the message names, or a later one, and put it back there";
            PointTombstoned = "recovery-point-tombstoned", Failed,
                "The recovery point of a domain controller is older than the domain remembers deleted objects",
                "Promote a new domain controller instead, or choose a newer recovery point. If deleted objects are remembered for longer: `--tombstone-days DAYS`";
            PointOfTheFuture = "recovery-point-of-the-future", Failed,
                "The recovery point was made later than this machine's clock says",
                "Set the clock right";
            CriticalVolume = "critical-volume", Failed,
                "Windows lies on the volume that its System State was to be restored to, and Windows Server Backup puts none back from there",
                "Give the root of another volume (`--target E:\\`) or of a share, or a folder to copy `WindowsImageBackup` from";
            LineFailed = "plan-line-failed", Failed,
                "A line of the plan failed; those after it were not run",
                "See what it said; mend that, and go on from that line by hand or run the plan again";
        }
    };
}
