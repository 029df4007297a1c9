//! The rows of items, recovery points and jobs.

macro_rules! items {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            NoItems = "no-items", Failed,
                "Nothing is protected yet",
                "Run `stateward protect system-state` or `stateward protect files PATH…`";
            UnknownItem = "unknown-item", Failed,
                "There is no protected item of that name",
                "`stateward item list` shows them; with `--vault NAME` those of a vault";
            ItemNeeded = "item-needed", Usage,
                "Several items have recovery points, so `latest` or a time alone does not say which is meant",
                "Give `--item NAME` too";
            AmbiguousItem = "ambiguous-item", Usage,
                "Several protected items of the vault are meant by what was given",
                "Say which server's is meant with `--server NAME`, or give one of the ids that the message lists";
            ItemExists = "item-exists", Failed,
                "Another kind of item has that name",
                "Choose another one with `--name`";
            ExclusionRefused = "exclusion-refused", Usage,
                "What was to be left out of protected files can't be meant, or lies in none of them",
                "Give a path below one of the protected ones, or a name such as `*.mp3`; a wildcard may stand in the last name only";
            UnknownServer = "unknown-server", Failed,
                "There is no such server, or several are meant by what was given",
                "Give one of the names or ids that the message lists";
            UnknownRecoveryPoint = "unknown-recovery-point", Failed,
                "There is no such recovery point",
                "`stateward recovery-point list` shows them";
            WrongMoment = "wrong-moment", Usage,
                "What was given as a time is none, or not one that can be told for sure",
                "Give a day as `2026-11-20`, or a moment as `2026-11-20T02:00`, which is read in this machine's time zone, or with its offset as `2026-11-20T02:00:00+01:00`";
            NothingAtPaths = "nothing-at-paths", Failed,
                "The recovery point holds nothing at the paths that were asked for, so nothing was restored",
                "Give each path whole, from `/`, as it was on the server; `stateward recovery-point browse ID` shows what the point holds, `stateward find NAME` in which points something is";
            UnknownCode = "unknown-code", Usage,
                "There is no such code",
                "`stateward explain` without a code shows all of them";
            UnknownJob = "unknown-job", Failed,
                "There is no such job",
                "`stateward job list` shows them";
            JobEnded = "job-ended", Failed,
                "The job has ended already",
                "`stateward job show ID` tells how";
            JobLost = "job-lost", Failed,
                "The job's process ended without a word: it was killed, or the machine stopped",
                "Run it again: it goes on with what the vault already holds";
            JobNotStarted = "job-not-started", Failed,
                "The job's own process could not be started",
                "Run the command with `--wait`, so that the job runs inside it";
        }
    };
}
