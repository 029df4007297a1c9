//! What people get to read when something is wrong, as the tests provoked it: `testdata/messages.json`, from which the
//! reference of errors shows one message for each code.
//!
//! Every error that a test reads ([`crate::Outcome::error_code`]) must be there, in the same words up to its first colon:
//! after it stands the cause, which differs from machine to machine. What is quoted, and numbers, may differ too.
//! `STATEWARD_WRITE_MESSAGES=1` adds what is missing, for a person to read before it is committed.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::path::PathBuf;

/// By code: the messages, each as it was first said.
type Messages = BTreeMap<String, Vec<String>>;

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/messages.json")
}

/// Panics if nobody has read this message yet.
#[track_caller]
pub(crate) fn check(code: &str, message: &str) {
    if is_known(&read(), code, message) {
        return;
    }
    let is_writing = std::env::var_os("STATEWARD_WRITE_MESSAGES").is_some_and(|value| value == "1");
    assert!(
        is_writing,
        "`{code}` says what `testdata/messages.json` does not have; STATEWARD_WRITE_MESSAGES=1 adds it: {message}"
    );
    add(code, message);
}

fn is_known(messages: &Messages, code: &str, message: &str) -> bool {
    messages.get(code).into_iter().flatten().any(|known| words(known) == words(message))
}

fn read() -> Messages {
    serde_json::from_slice(&fs::read(file()).unwrap()).unwrap()
}

/// Tests run side by side, in several processes.
fn add(code: &str, message: &str) {
    let lock = File::create(std::env::temp_dir().join("stateward-messages.lock")).unwrap();
    lock.lock().unwrap();
    let mut messages = read();
    if is_known(&messages, code, message) {
        return;
    }
    messages.entry(code.to_owned()).or_default().push(plain(message));
    let value: Value = serde_json::to_value(messages).unwrap();
    fs::write(file(), format!("{value:#}\n")).unwrap();
}

/// As it stands in the file: without the folders of a test.
fn plain(message: &str) -> String {
    let folder = std::env::temp_dir().join("stateward-").to_string_lossy().into_owned();
    let mut plain = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(&folder) {
        let end = after.find(['/', '`']).unwrap_or(after.len());
        plain.push_str(before);
        plain.push_str("/srv");
        rest = &after[end..];
    }
    plain + rest
}

/// How sizes are told: which of them depends on the machine.
const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];

/// The words before the first colon, without what is quoted and without sizes, numbers and ids.
fn words(message: &str) -> Vec<String> {
    let outside: String = message.split('`').step_by(2).collect();
    let head = outside.split(':').next().unwrap_or_default();
    // A hash need not have a digit.
    let is_id = |word: &str| word.len() >= 32 || word.contains(|c: char| c.is_ascii_digit() || c == '/');
    let is_fixed = |word: &&str| !is_id(word) && !UNITS.contains(word);
    head.split_whitespace().filter(is_fixed).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_quoted_names_and_causes_may_differ_and_words_may_not() {
        let said = "File `/srv/a` is 12 bytes short: Input/output error";
        assert_eq!(words(said), words("File `/b` is 7 bytes short: No space left"));
        assert_ne!(words(said), words("Folder `/srv/a` is 12 bytes short: Input/output error"));
    }

    #[test]
    fn a_tests_own_folder_is_not_shown() {
        let folder = std::env::temp_dir().join("stateward-server-Ab3dE");
        assert_eq!(plain(&format!("`{}/target` is full", folder.display())), "`/srv/target` is full");
        assert_eq!(plain("Nothing is here"), "Nothing is here");
    }
}
