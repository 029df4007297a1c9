//! Rules over the lines of the Rust source, each with the places where it does not hold.

use crate::source_text::{has_word, production_part, without_comment};
use crate::tidy::Problem;
use crate::tree::{File, Tree};

/// How long the part of a file before its tests may be, in lines.
const LINES_MAX: usize = 600;

/// From how many lines on a file is named in a note.
const LINES_NOTED: usize = 400;

/// Files that are longer than [`LINES_MAX`] and may not grow further: path, lines. Shorten the list, never lengthen it.
const LONG_FILES: &[(&str, usize)] = &[];

/// A rule over single lines.
struct Rule {
    /// A line breaks the rule when it has one of these words.
    words: &'static [&'static str],
    /// Where the rule holds: paths that begin with one of these.
    within: &'static [&'static str],
    /// Where it does not: paths that contain one of these.
    except: &'static [&'static str],
    /// Whether comments and tests are looked at as well.
    everywhere: bool,
    /// What to do instead.
    advice: &'static str,
}

/// The rooms that do no input or output.
const PURE: &[&str] = &["crates/model/", "crates/format/", "crates/crypto/", "crates/api/"];

/// Where platform code stands.
const PLATFORM: &[&str] =
    &["/linux/", "/linux.rs", "/linux_", "/unix/", "/unix.rs", "/windows/", "/windows.rs", "/platform"];

const RULES: &[Rule] = &[
    Rule {
        // Put together here, so that this file does not break its own rule.
        words: &[
            concat!("FIX", "ME"),
            concat!("TO", "DO"),
            concat!("to", "do!"),
            concat!("unimpl", "emented!"),
        ],
        within: &["crates/", "xtask/", "fuzz/"],
        except: &[],
        everywhere: true,
        advice: "finish it, or open an issue; nothing half done is committed",
    },
    Rule {
        words: &["unsafe"],
        within: &["crates/"],
        except: &["crates/windows/"],
        everywhere: false,
        advice: "only `windows` may hold it",
    },
    Rule {
        words: &["sqlx", "SELECT", "INSERT INTO", "DELETE FROM"],
        within: &["crates/"],
        except: &["crates/vault/src/db/", "crates/vault/src/db.rs"],
        everywhere: false,
        advice: "SQL stands in `crates/vault/src/db` only",
    },
    Rule {
        words: &["db", "crate::db"],
        within: &["crates/vault/src/http/", "crates/vault/src/http.rs"],
        except: &[],
        everywhere: false,
        advice: "`http` calls `app`, never the database",
    },
    Rule {
        words: &["axum", "StatusCode"],
        within: &["crates/vault/src/app/", "crates/vault/src/db/"],
        except: &[],
        everywhere: false,
        advice: "only `http` knows HTTP",
    },
    Rule {
        words: &["axum"],
        within: &["crates/agent/src/"],
        except: &["crates/agent/src/console/", "crates/agent/src/console.rs"],
        everywhere: false,
        advice: "only the local console serves HTTP",
    },
    Rule {
        words: &["std::fs", "std::net", "std::env", "std::process", "tokio", "File::open"],
        within: PURE,
        except: &[],
        everywhere: false,
        advice: "this room does no input or output",
    },
    Rule {
        words: &["std::env", "std::net", "println!", "eprintln!", "print!", "eprint!", "stdout", "stderr"],
        within: &["crates/engine/"],
        except: &[],
        everywhere: false,
        advice: "the engine never prints, reads the environment or opens a connection",
    },
    Rule {
        words: &["impl Random for", "impl Clock for"],
        within: &["crates/"],
        except: &["crates/model/", "crates/testing/", "crates/simulation/"],
        everywhere: false,
        advice: "a program can only have the system's; others live in `testing`",
    },
    Rule {
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "OffsetDateTime::now_utc"],
        within: &["crates/"],
        except: &["crates/model/src/clock.rs"],
        everywhere: false,
        advice: "time comes from the injected `Clock`",
    },
    Rule {
        words: &["rustix", "std::os::unix", "std::os::linux", "std::os::fd"],
        within: &["crates/"],
        except: PLATFORM,
        everywhere: false,
        advice: "platform code stands in platform files (`linux.rs`, `linux/`, `platform/`)",
    },
];

/// Rooms that are not built for Windows.
const ONE_PLATFORM: &[&str] = &["crates/vault/", "crates/store/"];

impl Rule {
    fn holds_for(&self, file: &File) -> bool {
        let platform_rule = std::ptr::eq(self.except, PLATFORM);
        self.within.iter().any(|beginning| file.path.starts_with(beginning))
            && !self.except.iter().any(|part| file.path.contains(part))
            && (self.everywhere || !file.is_test())
            && !(platform_rule && ONE_PLATFORM.iter().any(|room| file.path.starts_with(room)))
    }

    fn check(&self, file: &File) -> Vec<Problem> {
        let text = file.text.as_deref().unwrap_or_default();
        let text = if self.everywhere { text } else { production_part(text) };
        let mut problems = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = if self.everywhere { line } else { without_comment(line) };
            if let Some(word) = self.words.iter().find(|word| has_word(line, word)) {
                problems.push(Problem::in_line(&file.path, index + 1, format!("`{word}`: {}", self.advice)));
            }
        }
        problems
    }
}

/// Checks the lines of all Rust files.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.files().iter().filter(|file| file.is_rust()) {
        problems.extend(RULES.iter().filter(|rule| rule.holds_for(file)).flat_map(|rule| rule.check(file)));
        problems.extend(check_header(file));
        problems.extend(check_name(file));
    }
    problems
}

/// Every file begins by saying what it is.
fn check_header(file: &File) -> Option<Problem> {
    let has_header = file.text.as_deref().unwrap_or_default().trim_start().starts_with("//!");
    let needs_one = file.path.starts_with("crates/") || file.path.starts_with("xtask/");
    (needs_one && !has_header && !file.path.ends_with("/tests.rs"))
        .then(|| Problem::at(&file.path, "it must begin with a module text (`//!`)"))
}

/// A module is named by what it holds.
fn check_name(file: &File) -> Option<Problem> {
    let names = ["util", "utils", "common", "helper", "helpers", "misc"];
    let nameless = file.path.split(['/', '.']).any(|part| names.contains(&part));
    nameless.then(|| Problem::at(&file.path, "name it by what it holds"))
}

/// Checks how long the files are: problems, then notes.
pub fn check_lengths(tree: &Tree) -> (Vec<Problem>, Vec<Problem>) {
    let (mut problems, mut notes) = (Vec::new(), Vec::new());
    for file in tree.files().iter().filter(|file| file.is_rust()) {
        let lines = production_part(file.text.as_deref().unwrap_or_default()).lines().count();
        let most =
            LONG_FILES.iter().find(|(path, _)| *path == file.path).map_or(LINES_MAX, |(_, lines)| *lines);
        let message = format!("{lines} lines before its tests: split it");
        if lines > most {
            problems.push(Problem::at(&file.path, message));
        } else if lines > LINES_NOTED {
            notes.push(Problem::at(&file.path, message));
        }
    }
    (problems, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(path: &str, line: &str) -> usize {
        check(&Tree::of(&[(path, &format!("//! Text.\n{line}\n"))])).len()
    }

    #[test]
    fn each_rule_finds_its_breach_and_spares_the_place_that_may() {
        for (bad, good, line) in [
            ("crates/agent/src/a.rs", "crates/windows/src/a.rs", "unsafe { f() }"),
            ("crates/vault/src/app/a.rs", "crates/vault/src/db/a.rs", "sqlx::query(TEXT);"),
            ("crates/vault/src/app/a.rs", "crates/vault/src/db/a.rs", "let text = \"SELECT id FROM packs\";"),
            ("crates/vault/src/http/a.rs", "crates/vault/src/app/a.rs", "use crate::db::packs;"),
            ("crates/vault/src/app/a.rs", "crates/vault/src/http/a.rs", "use axum::Router;"),
            ("crates/format/src/a.rs", "crates/agent/src/a.rs", "std::fs::read(path)"),
            ("crates/engine/src/a.rs", "crates/cli/src/a.rs", "println!()"),
            ("crates/agent/src/a.rs", "crates/testing/src/a.rs", "impl Random for Seeded {"),
            ("crates/agent/src/a.rs", "crates/model/src/clock.rs", "SystemTime::now()"),
            ("crates/agent/src/a.rs", "crates/agent/src/platform/linux.rs", "use rustix::fs;"),
        ] {
            assert_eq!(broken(bad, line), 1, "{bad}: {line}");
            assert_eq!(broken(good, line), 0, "{good}: {line}");
        }
    }

    #[test]
    fn comments_and_tests_may_speak_of_what_code_may_not_do() {
        assert_eq!(broken("crates/agent/src/a.rs", "// unsafe is forbidden"), 0);
        assert_eq!(broken("crates/engine/src/a.rs", "\n#[cfg(test)]\nmod tests {\nprintln!()\n}"), 0);
        assert_eq!(broken("crates/engine/src/a.rs", concat!("// TO", "DO later")), 1);
    }

    #[test]
    fn a_file_without_a_header_or_with_an_empty_name_is_found() {
        assert_eq!(check(&Tree::of(&[("crates/agent/src/a.rs", "fn a() {}\n")])).len(), 1);
        assert_eq!(broken("crates/agent/src/util.rs", ""), 1);
        assert_eq!(broken("crates/agent/src/common/a.rs", ""), 1);
    }

    #[test]
    fn a_file_may_be_long_only_in_its_tests() {
        let long = "//! Text.\n".repeat(LINES_MAX + 1);
        assert_eq!(check_lengths(&Tree::of(&[("crates/a/src/a.rs", &long)])).0.len(), 1);
        let tests = format!("//! Text.\n\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        assert_eq!(check_lengths(&Tree::of(&[("crates/a/src/a.rs", &tests)])).0, []);
        let noted = "//! Text.\n".repeat(LINES_NOTED + 1);
        assert_eq!(check_lengths(&Tree::of(&[("crates/a/src/a.rs", &noted)])).1.len(), 1);
    }
}
