//! BENCHMARKS.md, written from what a run of the benchmark harness left behind, so that no figure is typed.

mod goals;
mod page;
mod results;

use crate::tidy::Failure;
use crate::tree::access;
use results::Results;
use std::path::{Path, PathBuf};

/// The page.
pub const PAGE: &str = "BENCHMARKS.md";

/// How our own side was set up, in the harness's form.
const OUR_TOOL: &str = "bench/stateward.toml";

/// Writes the page from `results.json`; more files tell the settings of other tools (`.toml`, in the harness's form) or
/// hold measurements that are taken over as they are (`.txt`).
///
/// # Errors
/// When a file cannot be read or is not what the harness writes, or the page cannot be written.
pub fn run(root: &Path, results: &Path, more: &[PathBuf]) -> Result<(), Failure> {
    let read = |path: &Path| std::fs::read_to_string(path).map_err(access(path));
    let results = Results::read(&read(results)?)
        .map_err(|why| Failure::Results { path: results.display().to_string(), why })?;
    let mut tools = vec![read(&root.join(OUR_TOOL))?];
    let mut measured = Vec::new();
    for path in more {
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        if is_toml { &mut tools } else { &mut measured }.push(read(path)?);
    }
    let path = root.join(PAGE);
    std::fs::write(&path, page::write(&results, &settings(&tools), &measured)).map_err(access(&path))
}

/// The (tool, settings) pairs in files of the harness's form, of which nothing else is needed here.
fn settings(files: &[String]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files {
        let mut tool = "";
        for line in file.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                tool = name;
            } else if let Some(text) =
                line.strip_prefix("settings = \"").and_then(|rest| rest.strip_suffix('"'))
            {
                found.push((tool.to_owned(), text.to_owned()));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three tools over two corpora, recorded; Stateward loses to bupstash on an unchanged image.
    const RECORDED: &str = include_str!("../testdata/results.json");

    #[test]
    fn the_page_of_a_recorded_run_is_as_it_was() {
        let tool = "[stateward]\nbinary = \"stateward\"\nsettings = \"zstd\"\n".to_owned();
        let measured = ["memory: agent 100 MiB\n".to_owned()];
        let results = Results::read(RECORDED).unwrap();
        let page = page::write(&results, &settings(&[tool]), &measured);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/benchmarks.md");
        if std::env::var_os("STATEWARD_RECORD").is_some() {
            std::fs::write(&expected, &page).unwrap();
        }
        let recorded = std::fs::read_to_string(expected).unwrap();
        assert_eq!(page, recorded, "if it is meant, run again with STATEWARD_RECORD=1 and read what changed");
    }

    #[test]
    fn settings_are_read_by_tool() {
        let files =
            ["# [not]\n[a]\nsettings = \"one\"\n[b]\nbinary = \"b\"\nsettings = \"two\"\n".to_owned()];
        let expected = [("a".to_owned(), "one".to_owned()), ("b".to_owned(), "two".to_owned())];
        assert_eq!(settings(&files), expected);
    }

    #[test]
    fn what_the_harness_did_not_write_is_refused() {
        assert!(Results::read("{}").is_err());
    }
}
