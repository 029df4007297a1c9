//! What the benchmark harness writes, and medians over its rounds.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The phases, in the order in which they run.
pub const PHASES: [&str; 5] = ["first", "nochange", "changed", "restore", "verify"];

/// The fields of a comparison after a restore that mean that content is not what it was.
const CONTENT_FIELDS: [&str; 3] = ["missing", "kind", "content"];

/// A whole run.
#[derive(Debug, Deserialize)]
pub struct Results {
    /// The machine and the harness's settings.
    pub about: About,
    /// What each tool says of its version.
    pub versions: BTreeMap<String, String>,
    /// What was backed up.
    pub corpora: BTreeMap<String, Size>,
    /// One for each command that ran.
    pub rows: Vec<Row>,
}

/// The machine and the harness's settings.
#[derive(Debug, Deserialize)]
pub struct About {
    /// Processors.
    pub cpus: u32,
    /// Their kind.
    pub machine: String,
    /// The kernel's release.
    pub kernel: String,
    /// `warm` or `cold`.
    pub cache: String,
    /// How often all was done.
    pub rounds: u32,
}

/// How large a tree is.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Size {
    /// Files.
    pub files: u64,
    /// Bytes, holes included.
    pub bytes: u64,
    /// Bytes on the disk.
    #[serde(default)]
    pub disk_bytes: u64,
}

/// One command's figures.
#[derive(Debug, Deserialize)]
pub struct Row {
    corpus: String,
    phase: String,
    tool: String,
    rc: i32,
    wall_s: f64,
    cpu_s: f64,
    rss_kib: u64,
    #[serde(default)]
    service_rss_kib: u64,
    repo: Size,
    foreign: f64,
    #[serde(default)]
    differences: BTreeMap<String, u64>,
}

/// The medians of one tool in one phase.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// Seconds.
    pub wall_s: f64,
    /// Seconds of all processes of the tool.
    pub cpu_s: f64,
    /// Resident MiB at the peak, file pages included, of the largest process and its service.
    pub resident_mib: f64,
    /// Bytes stored after it.
    pub stored_bytes: f64,
    /// Files stored after it.
    pub stored_files: f64,
    /// Which part of all processors others used meanwhile.
    pub foreign: f64,
    /// Why these figures count for nothing, if so: it failed, or restored other content.
    pub failure: Option<String>,
    /// Paths that came back with other metadata, by field.
    pub differences: BTreeMap<String, u64>,
}

impl Results {
    /// Reads them.
    pub fn read(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    /// The tools that ran, in the order in which they began.
    pub fn tools(&self) -> Vec<&str> {
        let mut tools = Vec::new();
        for row in &self.rows {
            if !tools.contains(&row.tool.as_str()) {
                tools.push(&row.tool);
            }
        }
        tools
    }

    /// The medians of a tool in a phase; `None` if it was not run.
    pub fn figures(&self, corpus: &str, phase: &str, tool: &str) -> Option<Figures> {
        let rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| {
                (row.corpus.as_str(), row.phase.as_str(), row.tool.as_str()) == (corpus, phase, tool)
            })
            .collect();
        let of = |value: fn(&Row) -> f64| median(rows.iter().map(|row| value(row)).collect());
        let mut differences = BTreeMap::new();
        for (field, count) in rows.iter().flat_map(|row| &row.differences) {
            let most: &mut u64 = differences.entry(field.clone()).or_default();
            *most = (*most).max(*count);
        }
        let failed = rows.iter().find(|row| row.rc != 0).map(|row| format!("exit code {}", row.rc));
        let lost = CONTENT_FIELDS.iter().find_map(|field| {
            differences.get(*field).map(|count| format!("content differs: {field} {count}"))
        });
        Some(Figures {
            wall_s: of(|row| row.wall_s)?,
            cpu_s: of(|row| row.cpu_s)?,
            resident_mib: of(|row| (row.rss_kib + row.service_rss_kib) as f64 / 1024.0)?,
            stored_bytes: of(|row| row.repo.bytes as f64)?,
            stored_files: of(|row| row.repo.files as f64)?,
            foreign: of(|row| row.foreign)?,
            failure: failed.or(lost),
            differences,
        })
    }

    /// The bytes that a phase added to what the phase before it left.
    pub fn grown_bytes(&self, corpus: &str, phase: &str, tool: &str) -> Option<f64> {
        let before = match phase {
            "nochange" => "first",
            "changed" => "nochange",
            _ => return None,
        };
        let after = self.figures(corpus, phase, tool)?.stored_bytes;
        Some(after - self.figures(corpus, before, tool)?.stored_bytes)
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_of_odd_and_even_numbers() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn other_content_is_a_failure_and_other_metadata_are_not() {
        let row = |differences: &str| {
            format!(
                r#"{{"about": {{"cpus": 2, "machine": "m", "kernel": "k", "cache": "warm", "rounds": 1}},
                "versions": {{}}, "corpora": {{}}, "rows": [{{"corpus": "c", "phase": "restore", "tool": "t",
                "rc": 0, "wall_s": 1, "cpu_s": 1, "rss_kib": 1, "repo": {{"files": 1, "bytes": 1}},
                "foreign": 0, "differences": {differences}}}]}}"#
            )
        };
        let failure = |text: &str| {
            Results::read(&row(text)).unwrap().figures("c", "restore", "t").unwrap().failure.is_some()
        };
        assert!(failure(r#"{"content": 1}"#));
        assert!(!failure(r#"{"xattrs": 1}"#));
    }
}
