//! Showing a running job: lines of JSON, a bar on a terminal, or a line now and then elsewhere.

use crate::output::{Output, harmless};
use crate::units;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use stateward_agent::jobs::{JobListener, JobRecord, JobWarning, Precheck};
use stateward_model::{JobId, Phase, Timestamp};
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// People are shown this many warnings; `job show` has all of them.
const WARNINGS_SHOWN: u64 = 20;

/// Where there is no terminal, people are told this often how far a job is, in seconds.
const LINE_EVERY: i64 = 30;

/// What the job leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// A record in the home, with all its warnings: a few of them are shown.
    Record,
    /// Nothing: every warning is shown.
    Nothing,
}

/// A job on the screen.
pub struct JobScreen {
    output: Output,
    kept: Kept,
    bar: Option<ProgressBar>,
    is_left: AtomicBool,
    warned: AtomicU64,
    told: Mutex<Option<(Phase, Timestamp)>>,
    job: Mutex<Option<JobId>>,
}

#[derive(Serialize)]
struct ProgressLine<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    job: JobId,
    item: Option<&'a str>,
    phase: Phase,
    files: u64,
    bytes: u64,
    moved_bytes: u64,
    files_expected: Option<u64>,
    bytes_expected: Option<u64>,
    rate: Option<u64>,
    eta_seconds: Option<u64>,
}

#[derive(Serialize)]
struct WarningLine<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobId>,
    #[serde(flatten)]
    warning: &'a JobWarning,
}

/// A warning as a line of JSON.
pub fn print_warning(output: &Output, job: Option<JobId>, warning: &JobWarning) {
    output.object(&WarningLine { kind: "warning", job, warning });
}

/// A warning for people.
pub fn warning_text(warning: &JobWarning) -> String {
    let text = match warning.path.is_empty() {
        true => format!("Warning: {} [{}]", warning.message, warning.code),
        false => format!("Warning: {}: {} [{}]", warning.path, warning.message, warning.code),
    };
    harmless(&text).replace('\n', "\\n")
}

impl JobScreen {
    /// A screen for one job.
    pub fn new(output: &Output, kept: Kept) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let bar = (is_terminal && !output.is_json()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
            bar.set_style(spinner());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Self {
            output: output.clone(),
            kept,
            bar,
            is_left: AtomicBool::new(false),
            warned: AtomicU64::new(0),
            told: Mutex::new(None),
            job: Mutex::new(None),
        }
    }

    /// The job has ended: what moves goes away, and what was not shown is counted. Another may begin.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let hidden = self.warned.swap(0, Relaxed).saturating_sub(self.warnings_shown());
        let job = self.job.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (1.., Some(job), false) = (hidden, job, self.output.is_json()) {
            let more = units::counted(hidden, "more warning");
            self.output.say(format_args!("… and {more}: `stateward job show {job}` lists them"));
        }
    }

    /// The terminal is gone: how far the job is stands in its record, and only what happens goes into its log.
    pub fn leave_terminal(&self) {
        self.is_left.store(true, Relaxed);
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
    }

    fn warnings_shown(&self) -> u64 {
        match self.kept {
            Kept::Record => WARNINGS_SHOWN,
            Kept::Nothing => u64::MAX,
        }
    }

    fn begin_bar(&self) {
        if let Some(bar) = &self.bar {
            bar.reset();
            bar.unset_length();
            bar.set_style(spinner());
        }
    }

    /// One line of talk, beside what moves.
    pub fn talk(&self, text: &str) {
        match &self.bar {
            Some(bar) if !bar.is_hidden() => bar.suspend(|| self.output.say(text)),
            _ => self.output.say(text),
        }
    }

    fn move_bar(&self, bar: &ProgressBar, job: &JobRecord) {
        if let Some(expected) = job.figures.bytes_expected.filter(|expected| *expected > 0) {
            if bar.length().is_none() {
                bar.set_style(measured());
            }
            bar.set_length(expected.max(job.figures.bytes));
            bar.set_position(job.figures.bytes);
        }
        bar.set_message(figures_text(job));
    }

    fn tell_now_and_then(&self, job: &JobRecord, now: Timestamp) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match *told {
            None => true,
            Some((phase, at)) => {
                phase != job.phase || now.seconds().saturating_sub(at.seconds()) >= LINE_EVERY
            }
        };
        if is_due {
            *told = Some((job.phase, now));
            self.output.say(figures_text(job));
        }
    }
}

impl JobListener for JobScreen {
    fn progressed(&self, job: &JobRecord, now: Timestamp) {
        if self.job.lock().unwrap_or_else(PoisonError::into_inner).replace(job.id) != Some(job.id) {
            self.begin_bar();
        }
        if self.is_left.load(Relaxed) {
            return;
        }
        let figures = &job.figures;
        self.output.object(&ProgressLine {
            kind: "progress",
            job: job.id,
            item: job.item.as_ref().map(|item| item.label.as_str()),
            phase: job.phase,
            files: figures.files,
            bytes: figures.bytes,
            moved_bytes: figures.moved_bytes,
            files_expected: figures.files_expected,
            bytes_expected: figures.bytes_expected,
            rate: figures.rate,
            eta_seconds: figures.eta_seconds,
        });
        match &self.bar {
            Some(bar) if !bar.is_hidden() => self.move_bar(bar, job),
            _ if !self.output.is_json() => self.tell_now_and_then(job, now),
            _ => (),
        }
    }

    fn warned(&self, warning: &JobWarning) {
        let job = *self.job.lock().unwrap_or_else(PoisonError::into_inner);
        print_warning(&self.output, job, warning);
        if self.warned.fetch_add(1, Relaxed) < self.warnings_shown() && !self.output.is_json() {
            self.talk(&warning_text(warning));
        }
    }

    fn prechecked(&self, precheck: &Precheck) {
        let Precheck { code, message, .. } = precheck;
        self.output.object(&serde_json::json!({ "type": "precheck", "code": code, "message": message }));
        if !self.output.is_json() {
            self.talk(&format!("Precheck: {message} [{code}]"));
        }
    }
}

/// `Backup of system-state: Transferring, 12,345 files, 1.2 GiB of 5.2 GiB, 85.0 MiB/s, 45 s left`.
fn figures_text(job: &JobRecord) -> String {
    let figures = &job.figures;
    let mut parts = vec![match &job.item {
        Some(item) => format!("{} of {}: {}", job.kind(), item.label, job.phase),
        None => format!("{}: {}", job.kind(), job.phase),
    }];
    if job.is_paused {
        parts.push("paused".to_owned());
    }
    parts.extend(job.staged_percent.map(|percent| format!("Windows Server Backup: {percent} %")));
    if figures.files > 0 {
        parts.push(units::counted(figures.files, "file"));
    }
    match figures.bytes_expected.filter(|expected| *expected > 0) {
        Some(expected) => {
            parts.push(format!("{} of {}", units::bytes(figures.bytes), units::bytes(expected)));
        }
        None if figures.bytes > 0 => parts.push(units::bytes(figures.bytes)),
        None => (),
    }
    parts.extend(figures.rate.filter(|rate| *rate > 0).map(|rate| format!("{}/s", units::bytes(rate))));
    parts.extend(figures.eta_seconds.map(|seconds| format!("{} left", units::duration(seconds))));
    parts.join(", ")
}

fn spinner() -> ProgressStyle {
    style("{spinner} {wide_msg}")
}

fn measured() -> ProgressStyle {
    style("[{bar:16}] {percent:>3}% {wide_msg}").progress_chars("=> ")
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates in this file are sound")
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_agent::jobs::{Figures, ItemReference, JobRequest};
    use stateward_model::{ItemId, SystemRandom};

    fn job(figures: Figures) -> JobRecord {
        let item = ItemReference { id: ItemId([1; 16]), label: "files".parse().unwrap() };
        let mut job =
            JobRecord::queued(JobId::new(&SystemRandom), JobRequest::backup(None), Some(item), Timestamp(0));
        job.figures = figures;
        job
    }

    #[test]
    fn the_line_says_phase_files_bytes_rate_and_time_left() {
        assert_eq!(figures_text(&job(Figures::default())), "Backup of files: Preparing");
        let figures = Figures {
            files: 12_345,
            bytes: 1 << 30,
            moved_bytes: 5,
            files_expected: Some(20_000),
            bytes_expected: Some(2 << 30),
            rate: Some(100 << 20),
            eta_seconds: Some(11),
        };
        let text = figures_text(&job(figures));
        assert_eq!(
            text,
            "Backup of files: Preparing, 12,345 files, 1.0 GiB of 2.0 GiB, 100 MiB/s, 11 s left"
        );
    }

    #[test]
    fn a_progress_line_has_the_names_that_scripts_rely_on() {
        let job = job(Figures::default());
        let line = ProgressLine {
            kind: "progress",
            job: job.id,
            item: Some("files"),
            phase: job.phase,
            files: 1,
            bytes: 2,
            moved_bytes: 3,
            files_expected: None,
            bytes_expected: Some(4),
            rate: None,
            eta_seconds: None,
        };
        let text = serde_json::to_string(&line).unwrap();
        let expected = format!(
            r#"{{"type":"progress","job":"{}","item":"files","phase":"Preparing","files":1,"bytes":2,"moved_bytes":3,"files_expected":null,"bytes_expected":4,"rate":null,"eta_seconds":null}}"#,
            job.id
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_warnings_path_can_not_break_its_line() {
        let warning = JobWarning {
            code: "unreadable".to_owned(),
            path: "/a\nb\u{1b}[2J".to_owned(),
            path_base64: None,
            message: "It can't be read".to_owned(),
        };
        assert_eq!(warning_text(&warning), "Warning: /a\\nb\\u{1b}[2J: It can't be read [unreadable]");
    }
}
