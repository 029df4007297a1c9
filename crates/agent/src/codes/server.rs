//! The rows of what a server reads, restores to, runs and serves.

macro_rules! server {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            SourceUnreadable = "source-unreadable", Failed,
                "What is to be protected can't be read at all",
                "Check that it is there and run as a user who may read it";
            UnknownComponent = "unknown-component", Usage,
                "There is no such component",
                "`stateward system-state list` shows the components";
            NoRestoreRoot = "no-restore-root", Failed,
                "An administrator asked for a restore at the vault, and the server has no folder that such restores may go to",
                "On the server run `stateward settings set --restore-root DIR` and ask again, or restore there: `stateward restore`";
            OtherSystemRefused = "other-system-refused", Failed,
                "The recovery point is of another distribution or another processor architecture than this machine, and was to go back in place: its programs would not run here, and this machine's would be lost",
                "Restore it into a folder (`--target DIR`) and take from there what is needed; or restore it in place all the same with `--despite-other-system`";
            TargetUnusable = "target-unusable", Failed,
                "The target can't be written",
                "Check the path, its file system and your rights, or choose another target";
            TargetNotEmpty = "target-not-empty", Failed,
                "The target folder holds something already",
                "Give a folder that does not exist yet, or an empty one; or say what becomes of what is there with `--conflict copy`, `overwrite` or `skip`";
            TargetInUse = "target-in-use", Busy,
                "Another restore into the same folder is running",
                "Wait for it, or give another folder";
            TargetInTheWay = "target-in-the-way", Failed,
                "Something at the target is in the way of what is put back",
                "See that nobody else writes to the target; restore to a new folder";
            TargetFull = "target-full", Failed,
                "There is no space left at the target",
                "Make space or choose another target; restore again into the same folder to go on";
            ServiceNotRunning = "service-not-running", Failed,
                "No agent runs for this home, so nothing is backed up by itself",
                "Start it: `stateward agent start`";
            ServiceStays = "service-stays", Failed,
                "The running agent does not end, though it was asked to",
                "The agent's log in the home tells what it waits for; if systemd started it: `systemctl stop stateward`";
            NeedsRoot = "needs-root", Failed,
                "Only root may do this",
                "Run the command as root (`sudo`). Without root an agent runs until the machine ends: `stateward agent start`";
            NoServiceManager = "no-service-manager", Failed,
                "This machine does not start its services with systemd",
                "Have what starts them run `stateward agent run` as root, and start it anew when it ends with another code than 0, 11 or 13";
            ServiceNotInstalled = "service-not-installed", Failed,
                "The agent is not installed as a service",
                "Install it: `stateward agent install`";
            ServiceOfAnotherHome = "service-of-another-home", Failed,
                "The agent of another home is this machine's service",
                "Uninstall that one first: `stateward agent uninstall --home HOME` with the home that the unit names";
            ServiceFailed = "service-failed", Failed,
                "What starts services on this machine did not do what it was asked",
                "The message has what it said; `systemctl status stateward` and `journalctl --unit stateward` tell more";
            NoNotifications = "no-notifications", Failed,
                "Nobody is told of this server's jobs, or the webhook is missing that something was to be set for",
                "Set one: `stateward settings set --notify-system-log on`, or `--notify-webhook URL`";
            NotificationFailed = "notification-failed", Failed,
                "Somebody was to be told of a job, and could not be",
                "Mend what the message names and try it: `stateward settings test-notification`; what a webhook was to hear is tried again for a day";
            AuthoritiesUnreadable = "authorities-unreadable", Failed,
                "The list of certificate authorities that this machine trusts is not where it usually lies",
                "Install it (the package `ca-certificates`), or name the webhook's own authority: `stateward settings set --notify-webhook-ca FILE`";
            ConsoleUnusable = "console-unusable", Failed,
                "The local console can't listen on this machine's loopback address",
                "Give another port with `--port`, or none, so that any free one is taken";
            ConsoleForeignRequest = "console-foreign-request", Failed,
                "The request to the local console names another host than its address, or comes from another page",
                "Open the address that `stateward console` printed, as it was printed. If you did not call the console yourself, a page in your browser did: close it";
            ConsoleNotSignedIn = "console-not-signed-in", NotRegistered,
                "Nobody is signed in to the local console, or nobody made a call for so long that the session is over, or the one-time token was used",
                "Run `stateward console` again and open the address that it prints";
            ConsoleTokenMissing = "console-token-missing", NotRegistered,
                "The request to the local console does not bear the session's request token, which its own page sends with every call",
                "Open the address that `stateward console` printed. Programs send what they were given when they signed in as `x-stateward-token`";
            ConsoleRequestInvalid = "console-request-invalid", Usage,
                "The request to the local console is not of the form that it must have; nothing was done",
                "The message says what is wrong; `openapi/console.json` has the form of each call";
            ConsoleCallUnknown = "console-call-unknown", Usage,
                "The local console has no such call",
                "`openapi/console.json` lists all calls; a page of another version than the agent's may know others: load it again";
            TrialNoRoom = "trial-no-room", Failed,
                "There is not enough space for a trial restore; 1 GiB is to stay free beside it",
                "Give a folder on a disk that has it: `stateward settings set --trial-folder DIR`; or have no trial restores: `--trial-restore-every never`";
            TargetFailed = "target-failed", Failed,
                "Something at the target could not be written",
                "Check the target's file system and your rights; restore again into the same folder to go on, or choose another target";
            OutputExists = "output-exists", Failed,
                "The file exists already and is not overwritten",
                "Give another path, or move the file away";
            OutputUnwritable = "output-unwritable", Failed,
                "The file can't be written",
                "Check the path and your rights";
            OutputFull = "output-full", Failed,
                "There is no space left where the file is to be written",
                "Make space there, or give another path; nothing was left of the file";
        }
    };
}
