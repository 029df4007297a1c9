//! What came out of a job: a line of JSON, or a few lines for people.

use crate::display::{facts, short, yes_or_no};
use crate::failure::error_text;
use crate::job_screen::Kept;
use crate::output::Output;
use crate::pace::limit_text;
use crate::units;
use serde::Serialize;
use stateward_agent::jobs::{JobFailure, JobOutcome, JobRecord};
use stateward_agent::restore::Conflicts;
use stateward_model::{JobId, JobKind, JobState, Timestamp};
use std::num::NonZeroU64;

/// A job as a line of JSON.
#[derive(Serialize)]
struct ResultLine<'a> {
    /// `result`; `error` for a job that failed with nothing to show; `job` in a list.
    #[serde(rename = "type")]
    line: &'static str,
    job: JobId,
    kind: JobKind,
    status: JobState,
    item: Option<&'a str>,
    #[serde(flatten)]
    outcome: Option<&'a JobOutcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<f64>,
    warnings: u64,
    /// Told of jobs that were asked to give way, and of no others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    low_priority: bool,
    /// Bytes a second, of jobs that have a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_rate: Option<NonZeroU64>,
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
    #[serde(flatten)]
    failure: Option<&'a JobFailure>,
}

impl<'a> ResultLine<'a> {
    fn of(job: &'a JobRecord, line: &'static str) -> Self {
        Self {
            line,
            job: job.id,
            kind: job.kind(),
            status: job.state,
            item: job.item.as_ref().map(|item| item.label.as_str()),
            outcome: job.outcome.as_ref(),
            coverage: job.outcome.as_ref().and_then(coverage),
            warnings: job.warnings,
            low_priority: job.pace.low_priority,
            limit_rate: job.pace.bytes_per_second,
            started_at: job.started_at,
            ended_at: job.ended_at,
            failure: job.failure.as_ref(),
        }
    }
}

/// The share of bytes that a verify read, in percent.
fn coverage(outcome: &JobOutcome) -> Option<f64> {
    match outcome {
        JobOutcome::Verify { bytes_in_all: 0, .. } => Some(100.0),
        JobOutcome::Verify { bytes, bytes_in_all, .. } => {
            Some((*bytes as f64 / *bytes_in_all as f64 * 10_000.0).round() / 100.0)
        }
        _ => None,
    }
}

/// Prints a job of a list.
pub fn print_job(output: &Output, job: &JobRecord) {
    output.object(&ResultLine::of(job, "job"));
}

/// Prints what came out of a job that this program ran.
pub fn print_result(output: &Output, job: &JobRecord, kept: Kept) {
    let line = if job.state == JobState::Failed && job.outcome.is_none() { "error" } else { "result" };
    output.object(&ResultLine::of(job, line));
    if output.is_json() {
        return;
    }
    print_summary(output, job, kept);
    match &job.failure {
        Some(failure) if job.state == JobState::Cancelled => {
            output.say(format_args!("Hint: {}", failure.remedy));
        }
        Some(failure) => {
            error_text(&failure.code, &failure.message, &failure.remedy)
                .iter()
                .for_each(|line| output.say(line));
        }
        None => (),
    }
}

/// Prints for people what is known of a job.
pub fn print_summary(output: &Output, job: &JobRecord, kept: Kept) {
    output.line(headline(job));
    let mut lines: Vec<(&str, String)> = Vec::new();
    match &job.outcome {
        Some(outcome) => lines.extend(outcome_facts(outcome)),
        None if job.figures.files > 0 => {
            lines.push(("So far", amount(job.figures.files, job.figures.bytes)));
        }
        None => (),
    }
    if job.warnings > 0 {
        lines.push(("Warnings", units::count(job.warnings)));
    }
    if job.pace.low_priority {
        lines.push(("Priority", "low".to_owned()));
    }
    if let Some(rate) = job.pace.bytes_per_second {
        lines.push(("Rate", limit_text(rate)));
    }
    if let Some(work) = &job.pace.work {
        let rate = work.bytes_per_second.map_or_else(|| "no limit".to_owned(), limit_text);
        lines.push(("Rate in work hours", rate));
    }
    if kept == Kept::Record {
        lines.push(("Job", job.id.to_string()));
    }
    facts(output, &lines);
}

/// `Completed with warnings: backup of system-state in 12 s`.
fn headline(job: &JobRecord) -> String {
    let kind = job.kind().to_string().to_lowercase();
    let item = job.item.as_ref().map(|item| format!(" of {}", item.label)).unwrap_or_default();
    let took = match job.ended_at {
        Some(end) => {
            let seconds = units::seconds_between(job.started_at, end);
            match seconds < 10.0 {
                true => format!(" in {seconds:.1} s"),
                false => format!(" in {}", units::duration(seconds.round() as u64)),
            }
        }
        None => String::new(),
    };
    let state = if job.is_paused { "Paused".to_owned() } else { job.state.to_string() };
    format!("{state}: {kind}{item}{took}")
}

fn amount(files: u64, bytes: u64) -> String {
    format!("{}, {}", units::counted(files, "file"), units::bytes(bytes))
}

fn outcome_facts(outcome: &JobOutcome) -> Vec<(&'static str, String)> {
    match outcome {
        JobOutcome::Backup {
            recovery_point,
            received_at,
            files,
            bytes,
            bytes_uploaded,
            files_unchanged,
            ..
        } => vec![
            ("Recovery point", recovery_point.to_string()),
            ("Time", format!("{} (the vault's)", units::time(*received_at))),
            ("Content", amount(*files, *bytes)),
            ("Unchanged", units::counted(*files_unchanged, "file")),
            ("Uploaded", units::bytes(*bytes_uploaded)),
        ],
        JobOutcome::Restore {
            recovery_point,
            files,
            bytes,
            bytes_downloaded,
            files_lost,
            one_moment,
            conflicts,
        } => {
            let mut lines = vec![
                ("Recovery point", short(recovery_point)),
                ("Restored", amount(*files, *bytes)),
                ("Read", format!("{} from the vault", units::bytes(*bytes_downloaded))),
                ("One moment", yes_or_no(*one_moment)),
            ];
            if let Some(conflicts) = conflicts {
                lines.push(("There already", conflicts_text(conflicts)));
            }
            if *files_lost > 0 {
                lines.push(("Lost", units::counted(*files_lost, "file")));
            }
            lines
        }
        JobOutcome::Verify { recovery_points, packs, packs_in_all, bytes, bytes_in_all, problems } => vec![
            ("Recovery points", units::count(*recovery_points)),
            ("Packs", format!("{} of {}", units::count(*packs), units::count(*packs_in_all))),
            ("Bytes", format!("{} of {}", units::bytes(*bytes), units::bytes(*bytes_in_all))),
            ("Coverage", format!("{} %", coverage(outcome).unwrap_or(100.0))),
            ("Problems", units::count(*problems)),
        ],
    }
}

/// `3 identical, 1 laid beside, 0 overwritten, 2 left out`.
fn conflicts_text(conflicts: &Conflicts) -> String {
    let Conflicts { identical, copied, overwritten, skipped } = *conflicts;
    let [identical, copied, overwritten, skipped] =
        [identical, copied, overwritten, skipped].map(units::count);
    format!("{identical} identical, {copied} laid beside, {overwritten} overwritten, {skipped} left out")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use stateward_agent::jobs::{JobRequest, Pace};
    use stateward_model::{PointHash, SystemRandom};

    fn job(state: JobState, outcome: Option<JobOutcome>, failure: Option<JobFailure>) -> JobRecord {
        let queued =
            JobRecord::queued(JobId::new(&SystemRandom), JobRequest::backup(None), None, Timestamp(0));
        JobRecord { state, outcome, failure, ended_at: Some(Timestamp(1_500_000_000)), ..queued }
    }

    fn failure() -> JobFailure {
        let text = |text: &str| text.to_owned();
        JobFailure { code: text("vault-full"), message: text("M"), remedy: text("R") }
    }

    fn line(job: &JobRecord, kind: &'static str) -> Value {
        serde_json::to_value(ResultLine::of(job, kind)).unwrap()
    }

    #[test]
    fn a_backups_line_has_what_scripts_rely_on() {
        let outcome = JobOutcome::Backup {
            recovery_point: PointHash([0xab; 32]),
            sequence: 7,
            received_at: Timestamp(0),
            files: 1,
            bytes: 2,
            bytes_uploaded: 3,
            files_unchanged: 0,
        };
        let line = line(&job(JobState::Completed, Some(outcome), None), "result");
        let expected = serde_json::json!({
            "status": "Completed", "files": 1, "bytes": 2, "bytes_uploaded": 3, "warnings": 0,
            "recovery_point": "ab".repeat(32), "kind": "Backup", "item": null,
        });
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(line.get(name), Some(value), "{name}");
        }
        assert_eq!(line["job"].as_str().unwrap().len(), 36);
        assert!(line.get("code").is_none());
    }

    #[test]
    fn a_limit_is_told_where_there_is_one() {
        let plain = job(JobState::Completed, None, None);
        let told = line(&plain, "job");
        assert!(told.get("low_priority").is_none() && told.get("limit_rate").is_none(), "{told}");
        let rate = NonZeroU64::new(10_000_000);
        let pace = Pace { low_priority: true, bytes_per_second: rate, work: None };
        let told = line(&plain.at(pace), "job");
        assert_eq!((&told["low_priority"], &told["limit_rate"]), (&true.into(), &10_000_000.into()));
    }

    #[test]
    fn a_failed_jobs_line_says_why_and_what_it_did_all_the_same() {
        let outcome = JobOutcome::Restore {
            recovery_point: PointHash([1; 32]),
            files: 5,
            bytes: 6,
            bytes_downloaded: 7,
            files_lost: 2,
            one_moment: Some(true),
            conflicts: None,
        };
        let line = line(&job(JobState::Failed, Some(outcome), Some(failure())), "result");
        assert_eq!((&line["status"], &line["files_lost"]), (&Value::from("Failed"), &Value::from(2)));
        assert_eq!(
            (&line["code"], &line["message"], &line["remedy"]),
            (&"vault-full".into(), &"M".into(), &"R".into())
        );
    }

    #[test]
    fn the_headline_says_state_kind_and_time() {
        assert_eq!(
            headline(&job(JobState::CompletedWithWarnings, None, None)),
            "Completed with warnings: backup in 1.5 s"
        );
    }

    #[test]
    fn coverage_is_a_share_of_bytes() {
        let verified = |bytes, bytes_in_all| {
            coverage(&JobOutcome::Verify {
                recovery_points: 1,
                packs: 1,
                packs_in_all: 1,
                bytes,
                bytes_in_all,
                problems: 0,
            })
        };
        assert_eq!(verified(1, 3), Some(33.33));
        assert_eq!(verified(0, 0), Some(100.0));
    }
}
