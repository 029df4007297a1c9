//! The exit codes of `stateward`: stable, each in one place only.

/// How the program ends. The numbers are part of the product: scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command was used wrongly; nothing was done.
    Usage = 2,
    /// Done, but something was left out or is not as it should be.
    Warnings = 3,
    /// The vault was not found: unreachable, not trusted, or another one.
    VaultNotFound = 10,
    /// Another job holds this home or the vault.
    Busy = 11,
    /// The passphrase or the recovery code is wrong.
    WrongPassphrase = 12,
    /// Not registered or not signed in, or the credentials are not accepted.
    NotRegistered = 13,
    /// Something that was to be done or checked before the job went wrong, and is set to stop it.
    Blocked = 14,
    /// Cancelled by a person.
    Cancelled = 130,
}

impl Exit {
    /// What the operating system is told.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The meaning, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Usage => "Wrong usage",
            Self::Warnings => "Done with warnings",
            Self::VaultNotFound => "Vault not found",
            Self::Busy => "Busy",
            Self::WrongPassphrase => "Wrong passphrase or recovery code",
            Self::NotRegistered => "Not registered, or credentials not accepted",
            Self::Blocked => "Stopped before it began, by a check or a hook",
            Self::Cancelled => "Cancelled",
        }
    }

    /// How bad it is, for several results in one run: the worst is told.
    pub fn worse(self, other: Self) -> Self {
        match (self, other) {
            (Self::Done, any) | (any, Self::Done) => any,
            (Self::Warnings, any) | (any, Self::Warnings) => any,
            (Self::Cancelled, _) | (_, Self::Cancelled) => Self::Cancelled,
            (first, _) => first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_several_results_is_told() {
        assert_eq!(Exit::Done.worse(Exit::Warnings), Exit::Warnings);
        assert_eq!(Exit::Failed.worse(Exit::Warnings), Exit::Failed);
        assert_eq!(Exit::Busy.worse(Exit::Failed), Exit::Busy);
        assert_eq!(Exit::Failed.worse(Exit::Cancelled), Exit::Cancelled);
    }
}
