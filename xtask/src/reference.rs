//! The reference of all commands, written from the help texts of the built programs, so that it cannot drift.

use crate::tidy::Failure;
use crate::tree::access;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The page with all commands.
const COMMANDS: &str = "docs/reference/commands.md";

/// The page with all codes.
const ERRORS: &str = "docs/reference/errors.md";

/// How the page with all codes begins.
const ERRORS_BEGINNING: &str = "\
# Errors, warnings and exit codes

Written by `cargo xtask reference` from `stateward explain`; do not edit. Codes and exit codes are stable: scripts may
rely on them. With `--json`, an error is the last line: `code`, `message`, `remedy`.

| exit code | means |
|--:|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage; nothing was done |
| 3 | done with warnings: something was left out or is not as it should be, and is named |
| 10 | vault not found: unreachable, not trusted, or another one |
| 11 | busy: another job runs |
| 12 | wrong passphrase or recovery code |
| 13 | not registered or not signed in, or credentials not accepted |
| 14 | stopped before it began by a check or a hook |
| 130 | cancelled |

## Errors

| code | exit code | means | what to do |
|---|--:|---|---|
";

/// How its second part begins.
const WARNINGS_BEGINNING: &str = "
## Warnings

| code | means | what to do |
|---|---|---|
";

/// How its third part begins.
const MESSAGES_BEGINNING: &str = "
## As they are said

Each message below was provoked by a test, which checks that the words are still these; what is quoted and what follows a
colon depends on the case.

| code | message |
|---|---|
";

/// What the tests provoked, by code.
const MESSAGES: &str = "testdata/messages.json";

/// Width of the help texts, in characters.
const WIDTH: &str = "100";

/// Writes the pages anew, or only tells which are not as they should be.
///
/// # Errors
/// When a program is missing or fails, or a page cannot be written.
pub fn run(root: &Path, is_check: bool) -> Result<Vec<&'static str>, Failure> {
    let programs = Programs { folder: built_folder(root) };
    let pages = [(COMMANDS, programs.commands_page()?), (ERRORS, programs.errors_page()? + &messages(root)?)];
    let mut stale = Vec::new();
    for (name, text) in pages {
        let path = root.join(name);
        if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        stale.push(name);
        if !is_check {
            std::fs::write(&path, text).map_err(access(&path))?;
        }
    }
    Ok(stale)
}

/// Where a release build leaves its programs.
fn built_folder(root: &Path) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    root.join(target).join("release")
}

/// The two built programs.
struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// What a program prints, on standard output, when it is run like this.
    fn output(&self, words: &[&str]) -> Result<String, Failure> {
        let command = words.join(" ");
        let (program, arguments) = words.split_first().expect("a command begins with a program");
        let output = Command::new(self.folder.join(program))
            .args(arguments)
            .env("COLUMNS", WIDTH)
            .env_remove("STATEWARD_HOME")
            .output()
            .map_err(|source| Failure::Program { command: command.clone(), why: source.to_string() })?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(Failure::Program { command, why: output.status.to_string() }),
        }
    }

    fn commands_page(&self) -> Result<String, Failure> {
        let mut page = String::from(
            "# Commands\n\nWritten by `cargo xtask reference` from the programs' own help; do not edit.\n",
        );
        for program in ["stateward-vault", "stateward"] {
            self.command(&[program], &mut page)?;
        }
        Ok(page)
    }

    /// A command's help, then those of the commands below it.
    fn command(&self, words: &[&str], page: &mut String) -> Result<(), Failure> {
        let help = self.output(&[words, &["--help"]].concat())?;
        let trimmed: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        let _ = write!(page, "\n## `{}`\n\n```text\n{}\n```\n", words.join(" "), trimmed.join("\n"));
        for below in commands_below(&help) {
            self.command(&[words, &[below]].concat(), page)?;
        }
        Ok(())
    }

    fn errors_page(&self) -> Result<String, Failure> {
        let mut page = String::from(ERRORS_BEGINNING);
        let mut warnings = String::from(WARNINGS_BEGINNING);
        for line in self.output(&["stateward", "explain", "--json"])?.lines() {
            let code: Code = serde_json::from_str(line).map_err(|error| Failure::Program {
                command: "stateward explain --json".to_owned(),
                why: error.to_string(),
            })?;
            let Code { code, exit_code, meaning, remedy } = code;
            let _ = match exit_code {
                Some(exit) => writeln!(page, "| `{code}` | {exit} | {meaning} | {remedy} |"),
                None => writeln!(warnings, "| `{code}` | {meaning} | {remedy} |"),
            };
        }
        Ok(page + &warnings)
    }
}

/// What was provoked, as a table.
fn messages(root: &Path) -> Result<String, Failure> {
    let path = root.join(MESSAGES);
    let bytes = std::fs::read(&path).map_err(access(&path))?;
    let messages: BTreeMap<String, Vec<String>> = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::Messages { path: MESSAGES.to_owned(), why: error.to_string() })?;
    let mut table = String::from(MESSAGES_BEGINNING);
    for (code, said) in messages {
        for message in said {
            // A line's end or a bar would break the table.
            let _ = writeln!(table, "| `{code}` | {} |", message.replace('\n', " ").replace('|', "\\|"));
        }
    }
    Ok(table)
}

/// A code as `stateward explain --json` tells it.
#[derive(serde::Deserialize)]
struct Code {
    code: String,
    exit_code: Option<u8>,
    meaning: String,
    remedy: String,
}

/// The names in a help text's list of commands, but for `help` itself.
fn commands_below(help: &str) -> Vec<&str> {
    let list = help.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    let names = list.take_while(|line| !line.trim().is_empty()).filter_map(|line| {
        // Names stand two columns in; their explanations, where they go on, further.
        let rest = line.strip_prefix("  ")?;
        (!rest.starts_with(' ')).then(|| rest.split_whitespace().next())?
    });
    names.filter(|name| *name != "help").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_in_a_help_text() {
        let help =
            "Usage: a\n\nCommands:\n  now   Does it\n          at once\n  help  Helps\n\nOptions:\n  -h\n";
        assert_eq!(commands_below(help), ["now"]);
        assert_eq!(commands_below("Usage: a\n"), Vec::<&str>::new());
    }
}
