//! All rules, one line each, and the report that they make.

use crate::tree::Tree;
use crate::{architecture, format_pin, graph, house, licences, lockfile, packages, source_rules, wording};
use std::fmt;
use std::path::Path;

/// Why the rules could not be checked at all.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A file or folder cannot be read or written.
    #[error("Cannot access `{path}`: {source}")]
    Access {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// `cargo metadata` did not answer.
    #[error("Cannot read the workspace's metadata: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    /// A program of ours could not be run, or failed.
    #[error("`{command}` cannot be run: {why}; is it built (`make build`)?")]
    Program {
        /// The whole command.
        command: String,
        /// What happened.
        why: String,
    },
    /// What the tests provoked is not written as they write it.
    #[error("`{path}` can't be understood: {why}")]
    Messages {
        /// Which file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A file is not what the benchmark harness writes.
    #[error("`{path}` holds no results of the benchmark harness: {why}")]
    Results {
        /// Which.
        path: String,
        /// What is wrong.
        why: serde_json::Error,
    },
    /// What an earlier build wrote is not what it was.
    #[error("`{vault}`: {why}")]
    Frozen {
        /// Which golden vault.
        vault: String,
        /// Why that is refused.
        why: &'static str,
    },
    /// The format's description has no place for the pin.
    #[error("`{document}` has no line that begins with `{prefix}`")]
    NoPin {
        /// Which file.
        document: &'static str,
        /// What is looked for.
        prefix: &'static str,
    },
}

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A path with a line, a crate, or an edge between two.
    pub place: String,
    /// What is wrong, and what to do instead.
    pub message: String,
}

impl Problem {
    /// At a place that is named as a whole.
    pub fn at(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into() }
    }

    /// In a line of a file; lines count from 1.
    pub fn in_line(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { place: format!("{path}:{line}"), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// What all rules found.
#[derive(Debug, Default)]
pub struct Report {
    /// What must be mended.
    pub problems: Vec<Problem>,
    /// What is allowed but worth a look.
    pub notes: Vec<Problem>,
    /// How many files were read.
    pub files: usize,
}

/// Checks the working tree below `root`.
///
/// # Errors
/// When a file or the metadata cannot be read; what breaks a rule is in the report.
pub fn check(root: &Path) -> Result<Report, Failure> {
    let tree = Tree::read(root)?;
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .other_options(vec!["--locked".to_owned()])
        .exec()?;
    let mut problems = Vec::new();
    problems.extend(house::check(&metadata));
    problems.extend(packages::check(&metadata));
    problems.extend(graph::check(&metadata));
    problems.extend(lockfile::check(&tree));
    problems.extend(source_rules::check(&tree));
    problems.extend(wording::check(&tree));
    problems.extend(architecture::check(&tree));
    problems.extend(licences::check(&tree));
    problems.extend(format_pin::check(&tree));
    let (too_long, long) = source_rules::check_lengths(&tree);
    problems.extend(too_long);
    Ok(Report { problems, notes: long, files: tree.files().len() })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_working_tree_is_tidy() {
        let report = super::check(&crate::tree::workspace_root()).unwrap();
        let lines: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
