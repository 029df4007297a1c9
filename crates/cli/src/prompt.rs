//! Asking a person at a terminal, one question at a time. Whatever is asked here can be said by flags as well.
//!
//! Questions need 80 columns, two dozen lines, no colour (`NO_COLOR` is heeded) and no mouse, so they work over any ssh. A
//! wizard changes nothing before its last question, so that a person may leave at any other.

use crate::secret_input::is_person_there;
use inquire::list_option::ListOption;
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, MultiSelect, Password, PasswordDisplayMode, Select, Text};
use stateward_agent::AgentError;
use std::fmt::{self, Display};
use zeroize::Zeroizing;

/// A list shows so many lines at once: with its question and its help it fits a terminal of 24 lines.
const LINES: usize = 12;

/// A line of a list, and what it stands for.
pub struct Line<T>(pub String, pub T);

impl<T> fmt::Display for Line<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person at a terminal, who answers.
pub struct Prompt {
    command: &'static str,
}

impl Prompt {
    /// The person at this terminal; [`AgentError::NoTerminal`] if there is none. `command` is what asks.
    pub fn person(command: &'static str) -> Result<Self, AgentError> {
        match is_person_there() {
            true => Ok(Self { command }),
            false => Err(AgentError::NoTerminal { command }),
        }
    }

    /// One of some things.
    pub fn choose<T: Display>(&self, question: &str, among: Vec<T>) -> Result<T, AgentError> {
        let asked = Select::new(question, among).with_page_size(LINES);
        asked
            .with_help_message("↑ and ↓ to move, Enter to choose, Esc to leave")
            .prompt()
            .map_err(self.left())
    }

    /// Some of some things, at least one; those at the places `first` are chosen to begin with.
    pub fn choose_some<T: Display>(
        &self,
        question: &str,
        among: Vec<T>,
        first: &[usize],
    ) -> Result<Vec<T>, AgentError> {
        let asked = MultiSelect::new(question, among).with_page_size(LINES).with_default(first);
        let asked = asked.with_validator(|chosen: &[ListOption<&T>]| {
            Ok(match chosen.is_empty() {
                true => Validation::Invalid("Choose at least one with the space bar".into()),
                false => Validation::Valid,
            })
        });
        asked
            .with_help_message("↑ and ↓ to move, space to choose, Enter when done, Esc to leave")
            .prompt()
            .map_err(self.left())
    }

    /// Yes or no.
    pub fn yes(&self, question: &str, usual: bool) -> Result<bool, AgentError> {
        Confirm::new(question).with_default(usual).prompt().map_err(self.left())
    }

    /// A line of text that `read` understands; asked again with its reason while it does not. Enter alone takes `usual`, if that
    /// is anything.
    pub fn text<T>(
        &self,
        question: &str,
        usual: &str,
        read: impl Fn(&str) -> Result<T, String> + Clone,
    ) -> Result<T, AgentError> {
        let check = read.clone();
        let mut asked = Text::new(question);
        asked.default = (!usual.is_empty()).then_some(usual);
        let asked = asked.with_validator(move |text: &str| {
            Ok(match check(text.trim()) {
                Ok(_) => Validation::Valid,
                Err(why) => Validation::Invalid(capitalised(&why).into()),
            })
        });
        let text = asked.prompt().map_err(self.left())?;
        read(text.trim()).map_err(AgentError::Internal)
    }

    /// A secret that exists; nothing of it is shown.
    pub fn secret(&self, question: &str) -> Result<Zeroizing<String>, AgentError> {
        let asked = Password::new(question).with_display_mode(PasswordDisplayMode::Hidden);
        asked.without_confirmation().prompt().map(Zeroizing::new).map_err(self.left())
    }

    /// Somebody left, or the terminal went away.
    fn left(&self) -> impl Fn(InquireError) -> AgentError + use<> {
        let command = self.command;
        move |error| match error {
            InquireError::OperationCanceled | InquireError::OperationInterrupted => AgentError::cancelled(),
            _ => AgentError::NoTerminal { command },
        }
    }
}

/// The reasons of flags' values begin small, because clap writes something before them.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_terminal_nothing_is_asked() {
        // Tests have none.
        if !is_person_there() {
            assert!(matches!(Prompt::person("x"), Err(AgentError::NoTerminal { command: "x" })));
        }
        assert_eq!(capitalised("it must be"), "It must be");
    }
}
