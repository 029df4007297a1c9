//! The one table of flags: help, man page and completion come from it.

use crate::commands::Command;
use clap::{Args, Parser};
use std::path::PathBuf;

/// Protects this server's System State in a vault that you run, and brings it back
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done with warnings, 10 vault not found, 11 busy, 12 wrong passphrase,
/// 13 not registered or credentials not accepted, 14 stopped before it began by a check or a hook, 130 cancelled.
#[derive(Debug, Parser)]
#[command(name = "stateward", version, max_term_width = 110, propagate_version = false)]
pub struct Arguments {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The agent's home [default: /var/lib/stateward for root, ~/.local/state/stateward for others]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub home: Option<PathBuf>,
    /// Print one JSON object a line, the result last
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_table_of_flags_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_and_flag_is_explained_without_a_full_stop() {
        fn check(command: &clap::Command) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && !about.ends_with('.'), "{}", command.get_name());
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    !help.is_empty() && !help.ends_with('.'),
                    "{} {}",
                    command.get_name(),
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }
}
