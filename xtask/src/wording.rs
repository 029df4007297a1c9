//! Words: one word has one meaning, and nothing of the machine it was written on stands in the tree.

use crate::source_text::has_word;
use crate::tidy::Problem;
use crate::tree::{File, Tree};

/// Words that a reader of the documents or the program's own texts should not meet, and the right ones.
const BANNED: &[(&str, &str)] = &[
    ("directory", "folder"),
    ("directories", "folders"),
    ("subdirectory", "folder"),
    ("restore point", "recovery point"),
    ("backup set", "recovery point"),
    ("repository", "vault"),
];

/// Where users read. The glossary names the words that are not ours, and is left out.
const READ_BY_USERS: &[&str] = &["README.md", "docs/guides/", "docs/reference/", "docs/system-state.md"];

/// Phrases in which a banned word is right.
const RIGHT: &[&str] = &[
    "file or directory (os error",
    "directory server",
    "directory service",
    "directory-services",
    "Directory services",
    "Active Directory",
    "389 Directory Server",
    "clone of the repository",
];

/// Beginnings of paths of a developer's machine, put together so that this file does not name one.
const MACHINE_PATHS: &[&str] =
    &[concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/fa", "rm"), concat!("/ho", "me/user/")];

/// Where such a path is subject matter: rules that leave users' data out, and files as Debian has them.
const PATHS_ALLOWED: &[&str] = &["crates/system-state/", "docs/system-state.md", "Cargo.lock"];

/// Checks all text files.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files() {
        if READ_BY_USERS.iter().any(|beginning| file.path.starts_with(beginning)) {
            problems.extend(check_words(file));
        }
        if !PATHS_ALLOWED.iter().any(|beginning| file.path.starts_with(beginning)) {
            problems.extend(check_paths(file));
        }
    }
    problems
}

fn check_words(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in file.lines() {
        let line = RIGHT.iter().fold(line.to_owned(), |line, phrase| line.replace(phrase, ""));
        let found = BANNED.iter().filter(|(word, _)| has_word(&line.to_lowercase(), word));
        problems.extend(found.map(|(word, right)| {
            Problem::in_line(&file.path, number, format!("`{word}`: our word is `{right}`"))
        }));
    }
    problems
}

fn check_paths(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in file.lines() {
        // A path begins where nothing of a longer path stands before it: `target/work/` is none of ours.
        let begins = |at: usize| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|letter| letter.is_alphanumeric() || "._-}*)$~/".contains(letter))
        };
        let found = MACHINE_PATHS.iter().find(|path| line.match_indices(**path).any(|(at, _)| begins(at)));
        problems.extend(found.map(|path| {
            Problem::in_line(&file.path, number, format!("`{path}` is a path of somebody's machine"))
        }));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_text_says_folder() {
        assert_eq!(check(&Tree::of(&[("README.md", "an empty directory\n")])).len(), 1);
        assert_eq!(check(&Tree::of(&[("README.md", "a directory server's dump\n")])), []);
        assert_eq!(check(&Tree::of(&[("crates/agent/src/a.rs", "// an empty directory\n")])), []);
    }

    #[test]
    fn a_machines_path_is_found_and_part_of_another_path_is_not() {
        let path = concat!("see /wo", "rk/main\n");
        assert_eq!(check(&Tree::of(&[("docs/a.md", path)])).len(), 1);
        assert_eq!(check(&Tree::of(&[("docs/a.md", concat!("target/wo", "rk/main\n"))])), []);
    }
}
