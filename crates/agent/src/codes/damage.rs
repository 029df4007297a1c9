//! The rows of what is damaged, lost or not genuine.

macro_rules! damage {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            FilesLost = "files-lost", Failed,
                "Some files could not be restored whole; each is listed, and nothing of them was left at the target",
                "Restore them from another recovery point; run `stateward verify --full` to see what else is affected";
            DamageFound = "damage-found", Failed,
                "Verify found objects in the vault that are damaged or missing; what is affected is listed",
                "Restore the vault's objects from a copy, or make a new backup of what is affected; keep the other recovery points";
            PointDamaged = "recovery-point-damaged", Failed,
                "The recovery point's object is damaged",
                "Use another recovery point, or another copy of the vault";
            PointNotGenuine = "recovery-point-not-genuine", Failed,
                "The recovery point was not signed by this server, or belongs to another one",
                "Don't use it; ask the vault's administrator where it comes from";
            PointOtherKey = "recovery-point-other-key", Failed,
                "The recovery point was sealed with a key that this home does not have",
                "Use `stateward recover` with the passphrase or recovery code of that time";
            PointIncomplete = "recovery-point-incomplete", Failed,
                "The recovery point lacks something that it needs",
                "Use another recovery point, or another copy of the vault";
            SelfCheckFailed = "self-check-failed", Failed,
                "What was encoded could not be decoded to the same bytes; nothing of it was sent",
                "Test this machine's memory and processor before trusting anything that it makes";
        }
    };
}
