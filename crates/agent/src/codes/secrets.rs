//! The rows of passphrases, recovery codes and key slots.

macro_rules! secrets {
    ([$($others:ident)*] $($rows:tt)*) => {
        gather! { [$($others)*] $($rows)*
            WrongPassphrase = "wrong-passphrase", WrongPassphrase,
                "The passphrase opens none of the server's key slots",
                "Check the passphrase (capital letters, spaces, keyboard layout); a recovery code works too";
            WrongDomainPassphrase = "wrong-domain-passphrase", WrongPassphrase,
                "The passphrase does not open the domain file",
                "Give the one that `stateward domain share` was run with; a new file with a new one can be made at any time";
            WrongRecoveryCode = "wrong-recovery-code", WrongPassphrase,
                "The recovery code opens none of the server's key slots",
                "Check the code against the paper and see that it is this server's; the passphrase works too";
            RecoveryCodeMistyped = "recovery-code-mistyped", WrongPassphrase,
                "The recovery code has a typing error: its check group does not fit",
                "Compare it group by group with the paper";
            PassphraseUnfit = "passphrase-unfit", Usage,
                "The passphrase is too short or too long",
                "Use 16 characters or more, or let one be made with `--generate-passphrase`";
            PassphrasesDiffer = "passphrases-differ", Usage,
                "The passphrase was not typed the same twice",
                "Run the command again";
            PassphraseNeeded = "passphrase-needed", Usage,
                "A passphrase is needed, and there is no terminal to ask for it",
                "Give `--passphrase-file FILE`, or `--generate-passphrase --passphrase-out FILE`";
            RecoveryCodeNowhere = "recovery-code-nowhere", Usage,
                "There is no terminal to show the recovery code on",
                "Give `--recovery-code-file FILE`";
            InputUnreadable = "input-unreadable", Failed,
                "A file that was given to the command can't be read",
                "Check the path and run as a user who may read it";
            NoKeySlot = "no-key-slot", Failed,
                "The vault holds no key slot of this server that such a secret could open",
                "Use the other kind of secret (passphrase or recovery code), or another copy of the vault";
            KeySlotUnusable = "key-slot-unusable", Failed,
                "A key slot is damaged, or asks for costs outside of what is safe",
                "Use the other kind of secret, or another copy of the vault; the vault may be damaged or hostile";
        }
    };
}
