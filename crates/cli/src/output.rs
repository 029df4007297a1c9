//! The two streams: data on standard output, talk on standard error.
//!
//! Names come from files, vaults and other people: whatever could steer a terminal in them is written out. A stream
//! that was closed (a pager that was left, a terminal that is gone) ends nothing; a result that could not be written for
//! another reason makes the program fail.

use serde::Serialize;
use stateward_agent::Exit;
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A way to speak. Clones speak to the same streams.
#[derive(Debug, Clone)]
pub struct Output {
    is_json: bool,
    is_lost: Arc<AtomicBool>,
}

impl Output {
    /// Speaks JSON, or to people.
    pub fn new(is_json: bool) -> Self {
        Self { is_json, is_lost: Arc::default() }
    }

    /// Whether it speaks JSON.
    pub fn is_json(&self) -> bool {
        self.is_json
    }

    /// One object as a line of JSON; nothing for people.
    pub fn object(&self, object: &impl Serialize) {
        if self.is_json {
            // Everything that is printed is text, numbers and lists of them.
            if let Ok(mut line) = serde_json::to_vec(object) {
                line.push(b'\n');
                self.data(&line);
            }
        }
    }

    /// One line of data for people; nothing in JSON.
    pub fn line(&self, line: impl Display) {
        if !self.is_json {
            self.data(format!("{}\n", harmless(&line.to_string())).as_bytes());
        }
    }

    /// One line of data as it is, in either form: for what is itself the product, such as a completion script.
    pub fn raw(&self, bytes: &[u8]) {
        self.data(bytes);
    }

    /// One line of talk, in either form.
    pub fn say(&self, line: impl Display) {
        // Nobody listens any more: nothing to be done.
        let _ = writeln!(io::stderr(), "{}", harmless(&line.to_string()));
    }

    /// One line of talk for people only: what to do next.
    pub fn hint(&self, line: impl Display) {
        if !self.is_json {
            self.say(line);
        }
    }

    /// The exit code, after everything was said: a result that could not be written is a failure.
    pub fn finish(&self, exit: Exit) -> Exit {
        match self.is_lost.load(Relaxed) && exit == Exit::Done {
            true => Exit::Failed,
            false => exit,
        }
    }

    fn data(&self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => (),
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => (),
            Err(cause) => {
                if !self.is_lost.swap(true, Relaxed) {
                    self.say(format_args!("Error: The output can't be written: {cause}"));
                }
            }
        }
    }
}

/// The text with every control character written out, so that no name can move the cursor or change colours.
pub fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut written = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_harmful(c) {
            // Writing to a string never fails.
            true => _ = write!(written, "{}", c.escape_unicode()),
            false => written.push(c),
        }
    }
    Cow::Owned(written)
}

/// Control characters but line breaks, and those that change the direction of text.
fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_steer_the_terminal() {
        assert_eq!(harmless("plain name"), "plain name");
        assert_eq!(harmless("a\u{1b}[31mb\u{7}"), "a\\u{1b}[31mb\\u{7}");
        assert_eq!(harmless("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(harmless("\u{9b}31m"), "\\u{9b}31m");
    }
}
