//! The table of error codes: for each its exit code, what it means and what to do. `stateward explain CODE` prints it.
//!
//! A code is stable: once it was shipped it keeps its name and its meaning. Each subject has its rows in a file of its own, of which
//! one table is made here. Warnings' codes stand in [`warnings`].

#[macro_use]
mod damage;
#[macro_use]
mod home;
#[macro_use]
mod items;
#[macro_use]
mod packages;
#[macro_use]
mod reaching;
#[macro_use]
mod registration;
#[macro_use]
mod secrets;
#[macro_use]
mod server;
#[macro_use]
mod system_state;
#[macro_use]
mod vault;
pub mod warnings;

use crate::Exit;
use stateward_system_state::server_backup::wbadmin::failure::Failure;
use std::fmt;

macro_rules! codes {
    ($($name:ident = $text:literal, $exit:ident, $meaning:literal, $remedy:literal;)*) => {
        /// A kind of failure, with a stable name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
            /// Windows Server Backup failed, for a reason that has a code of its own.
            ServerBackup(Failure),
        }

        impl Code {
            /// All codes, as the table has them; those of Windows Server Backup's failures come last.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$name,)*].into_iter().chain(Failure::all().map(Self::ServerBackup))
            }

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* Self::ServerBackup(failure) => failure.code() }
            }

            /// How the program ends with it.
            pub fn exit(self) -> Exit {
                match self { $(Self::$name => Exit::$exit,)* Self::ServerBackup(_) => Exit::Failed }
            }

            /// What it means, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* Self::ServerBackup(failure) => failure.cause() }
            }

            /// What to do about it, as a sentence.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* Self::ServerBackup(failure) => failure.remedy() }
            }
        }
    };
}

/// Lets each subject add its rows to those before it, and makes one table of all.
macro_rules! gather {
    ([] $($rows:tt)*) => { codes! { $($rows)* } };
    ([$subject:ident $($others:ident)*] $($rows:tt)*) => { $subject! { [$($others)*] $($rows)* } };
}

gather! {
    [reaching registration secrets vault items system_state server damage packages home]
    Usage = "usage", Usage,
        "The command was used wrongly; nothing was done",
        "Run the command with `--help` to see what it takes";
    Cancelled = "cancelled", Cancelled,
        "A person stopped the job; what the vault had acknowledged stays",
        "Run the command again when it suits: it goes on with what the vault already holds";
    NoTerminal = "no-terminal", Usage,
        "Something would have to be asked, and there is no terminal to ask at; nothing was done",
        "Say everything by flags: `--help` lists them; or run the command at a terminal (with ssh: `ssh -t`)";
    PrecheckBlocks = "precheck-blocks", Blocked,
        "A check before the backup found something that blocks it, as this server's settings say",
        "Put right what the message names. To back up all the same: `stateward backup now --despite-prechecks`; to be warned only: `stateward settings set --precheck CODE=warn`";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Code {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::all().find(|code| code.as_str() == text).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_has_a_name_of_its_own_and_words_without_a_full_stop() {
        let names: HashSet<&str> = Code::all().map(Code::as_str).collect();
        assert_eq!(names.len(), Code::all().count());
        for code in Code::all() {
            assert!(code.as_str().bytes().all(|c| c.is_ascii_lowercase() || c == b'-'), "{code}");
            for words in [code.meaning(), code.remedy()] {
                assert!(!words.ends_with('.') && !words.is_empty(), "{code}: {words}");
            }
            assert_eq!(code.as_str().parse::<Code>(), Ok(code));
        }
    }

    #[test]
    fn every_failure_of_windows_server_backup_has_a_row() {
        let rows: Vec<Code> = Code::all().collect();
        for failure in Failure::all() {
            assert!(rows.contains(&Code::ServerBackup(failure)), "{failure:?}");
        }
    }
}
