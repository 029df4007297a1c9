//! The rows of what the vault refuses or can't do, and what is managed there.

macro_rules! vault {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            SessionLost = "session-lost", Failed,
                "The vault ended the session: its lease ran out, or another session replaced it",
                "Run the command again: it goes on with what the vault already holds";
            ProtectionStopped = "protection-stopped", Failed,
                "An administrator stopped the backups of this item in the vault, or deleted it there",
                "Ask the vault's administrator: a stopped item can be resumed (`stateward item resume`), a deleted one had back; a deleted one can also be protected anew under another name (`--name`)";
            AgentTooOld = "agent-too-old", Failed,
                "This server's agent is older than the oldest that may make backups in its vault; restores and verify go on",
                "Upgrade it: `stateward agent upgrade`, or install a newer package; or ask a Backup Contributor to lower the minimum (`stateward vault update NAME --minimum-agent-version none`)";
            CommandExpired = "command-expired", Failed,
                "What an administrator asked of this server was not taken by its agent within a day",
                "See that `stateward agent run` runs on the server and reaches the vault, then ask for it again";
            VaultFull = "vault-full", Failed,
                "The vault has no space left",
                "Make space at the vault; what was acknowledged is safe, and the next run goes on";
            QuotaExceeded = "quota-exceeded", Failed,
                "This server holds in the vault, or has sent to it today, as much as an administrator allows each server",
                "The message says which limit it is and how much is used: wait until tomorrow (UTC) if it is the daily one, back up less, or ask a Backup Contributor of the vault to raise it. What was acknowledged is safe and can be restored";
            PacksMissing = "packs-missing", Failed,
                "The vault lacks packs that the recovery point needs",
                "Run the backup again: it sends them again; if it happens twice, tell the vault's administrator";
            WrongHead = "wrong-head", Failed,
                "The vault's newest recovery point is not the one that this server knows: the vault was rolled back, or a copy of this home made backups",
                "Don't ignore it: ask the vault's administrator whether the vault was restored from an older copy, and see that no cloned machine uses this home";
            VaultAnswer = "vault-answer", Failed,
                "The vault's answer breaks the contract",
                "See that vault and agent have fitting versions; the vault's log tells more";
            VaultFailed = "vault-failed", Failed,
                "The vault had a failure of its own",
                "The vault's log tells the reason; try again after it is mended";
            VaultRefused = "vault-refused", Failed,
                "The vault refused the request",
                "The message says why";
            AlreadyExists = "already-exists", Failed,
                "There is such a thing already",
                "Choose another name";

            NotFound = "no-such-thing", Failed,
                "The vault has no such thing, or not any more",
                "The message names it; the noun's own `list` shows what there is";
            UnknownGroup = "unknown-resource-group", Failed,
                "There is no resource group of that name",
                "`stateward group list` shows them; `stateward group create NAME` makes one";
            UnknownLocation = "unknown-location", Failed,
                "Vaults can't be made in that location",
                "Leave `--location` out: what runs the vaults has one location";
            NotSupportedHere = "not-supported-here", Failed,
                "Azure's vaults have this and the vaults of this product do not",
                "The message names it; leave it out";
            GroupNotEmpty = "group-not-empty", Failed,
                "The resource group holds vaults, so it can't be deleted",
                "Delete its vaults first: `stateward vault list --resource-group NAME` shows them";
            VaultNotEmpty = "vault-not-empty", Failed,
                "The vault holds servers or protected items, so it can't be deleted",
                "Delete what the message names: `stateward item delete` for items, then `stateward server unregister` for servers";
            RedundancyLocked = "redundancy-locked", Failed,
                "The vault's redundancy can't be changed any more, for something was protected in it",
                "Make another vault with the redundancy that is wanted, and register the servers with it";
            RedundancyNotMet = "redundancy-not-met", Failed,
                "The vault's stores can't give the redundancy that it is set to, so nothing can be protected in it",
                "Set a redundancy that they can give (`stateward vault update NAME --redundancy LocallyRedundant`), or give the vault the stores that it needs";
            VaultImmutable = "vault-immutable", Failed,
                "The vault is immutable: nothing that reduces what is kept is done",
                "If its immutability is not locked, a Backup Contributor can disable it: `stateward vault update NAME --immutability Disabled`";
            LimitReached = "limit-reached", Failed,
                "There are as many of these as there may be",
                "The message names the limit; delete what is not needed any more";
            PolicyInUse = "policy-in-use", Failed,
                "Protected items have this policy, so it can't be deleted",
                "Give the items another one first: `stateward item set-policy`";
            UnknownPolicy = "unknown-policy", Failed,
                "The vault has no policy of that name",
                "`stateward policy list` shows them; `stateward policy create NAME` makes one";
            WrongPolicy = "wrong-policy", Usage,
                "What was given is no policy, or breaks a limit of policies",
                "The message names the rule; `stateward policy create --help` shows what can be given";
            SecurityPinWrong = "security-pin-wrong", Failed,
                "The security PIN is wrong, was used already, or ended: it is good for five minutes, one act and five tries",
                "Ask a Backup Contributor of the vault for a new one";
            ApprovalRequired = "approval-required", Failed,
                "The vault has a resource guard, so this needs the consent of a second administrator; it was asked for, and nothing was done",
                "Have another Backup Contributor agree to the approval that the message names, then do the same again within a day";
            InvalidState = "invalid-state", Failed,
                "The thing is in a state in which that can't be done",
                "The message says which state that is and what leads out of it";
            AuditAltered = "audit-altered", Failed,
                "The vault's log of changes was altered after it was written",
                "Trust none of it from the named entry on; find out who had access to the vault's database, and compare with hashes or copies that were kept elsewhere";
            ChangedMeanwhile = "changed-meanwhile", Failed,
                "Somebody else changed it since it was read; nothing was done",
                "Look at how it is now, then run the command again";
        }
    };
}
