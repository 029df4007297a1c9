//! The rows of the agent's own folders and machine.

macro_rules! home {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            CacheUnusable = "cache-unusable", Failed,
                "The cache folder can't be used",
                "Mend its rights; it may be deleted at any time, the next run makes it again";
            CacheFull = "cache-full", Failed,
                "There is no space left on the cache folder's file system",
                "Make space there, or move the cache folder away; what the vault acknowledged is safe, and the next run goes on";
            HomeUnusable = "home-unusable", Failed,
                "The agent's home folder can't be used",
                "Run as the user who owns it (usually root), or give another one with `--home`";
            HomeFull = "home-full", Failed,
                "There is no space left on the file system of the agent's home",
                "Make space there and run the command again; keys, settings and what the vault acknowledged are safe";
            DiskFailed = "disk-failed", Failed,
                "A disk gave an input/output error, or its file system is damaged or was made read-only",
                "See the kernel's log (`dmesg`), mend or replace the disk that the message names, then run the command again; what the vault acknowledged is safe";
            HomeDamaged = "home-damaged", Failed,
                "A file in the agent's home is damaged",
                "Restore the file from a copy; if there is none, see `docs/guides` for registering again";
            HomeNewer = "home-newer", Failed,
                "A file in the agent's home was written by a newer version",
                "Install that version of stateward again";
            Unsupported = "unsupported", Failed,
                "This is not possible on this operating system",
                "Run it on one where it is";
            Internal = "internal", Failed,
                "A mistake in stateward itself",
                "Please report it with the agent's log";
        }
    };
}
