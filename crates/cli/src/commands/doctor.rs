//! `stateward doctor`

use crate::context::{Context, PROGRAM};
use crate::output::Output;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::doctor::{self, Check, Outcome};
use stateward_agent::{AgentError, Exit};
use std::path::{Path, PathBuf};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Windows: only write down what its programs answer to lists, without your names, for the project
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Run `sfc /verifyonly`, too, which takes many minutes
    #[arg(long, requires = "record")]
    verify_system_files: bool,
}

/// Looks at everything that backups of this server need. Changes nothing.
pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit, AgentError> {
    if let Some(path) = &arguments.record {
        return record(context, path, arguments.verify_system_files);
    }
    let diagnosis = doctor::examine(context.agent());
    let output = context.output();
    for check in &diagnosis.checks {
        output.object(&object(check));
        lines(check).iter().for_each(|line| output.line(line));
    }
    let exit = diagnosis.exit();
    let [passed, warnings, failed, skipped] =
        [Outcome::Passed, Outcome::Warning, Outcome::Failed, Outcome::Skipped]
            .map(|outcome| diagnosis.count(outcome));
    let status = match exit {
        Exit::Done => "passed",
        Exit::Warnings => "warnings",
        _ => "failed",
    };
    output.object(&json!({
        "type": "result", "status": status, "passed": passed, "warnings": warnings, "failed": failed,
        "skipped": skipped,
    }));
    output
        .line(format_args!("{passed} passed, {warnings} with warnings, {failed} failed, {skipped} skipped"));
    Ok(exit)
}

/// Records what this machine's programs say.
fn record(context: &Context, path: &Path, verifies_system_files: bool) -> Result<Exit, AgentError> {
    let output = context.output();
    let mut begins = |name: &str| output.hint(format_args!("Asking {name}"));
    let recording = doctor::record_machine(path, PROGRAM, verifies_system_files, &mut begins)?;
    let (transcripts, missing) = (recording.transcripts.len(), &recording.not_recorded);
    let exit = if missing.is_empty() { Exit::Done } else { Exit::Warnings };
    output.object(&json!({
        "type": "result", "status": if missing.is_empty() { "recorded" } else { "warnings" }, "path": path,
        "transcripts": transcripts, "not_recorded": missing,
    }));
    output.line(format_args!("Recorded {transcripts} answers into {}", path.display()));
    for one in missing {
        output.line(format_args!("Not recorded: {}: {}", one.name, one.why));
    }
    output.hint("Look into it before you send it away: it is text");
    Ok(exit)
}

/// One check, as talk beside another command's result.
pub fn tell(output: &Output, check: &Check) {
    output.object(&object(check));
    lines(check).iter().for_each(|line| output.hint(line));
}

/// A check as a line of JSON.
pub fn object(check: &Check) -> Value {
    json!({
        "type": "check", "name": check.name, "outcome": check.outcome.as_str(), "message": check.message,
        "code": check.code, "remedy": check.remedy,
        "milliseconds": check.took.map(|took| took.as_secs_f64() * 1000.0),
    })
}

/// A check for people: one line, and one more that says what to do.
fn lines(check: &Check) -> Vec<String> {
    let mark = match check.outcome {
        Outcome::Passed => "ok",
        Outcome::Warning => "warning",
        Outcome::Failed => "FAILED",
        Outcome::Skipped => "skipped",
    };
    let code = check.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
    let took = check.took.map(|took| format!(" ({} ms)", took.as_millis())).unwrap_or_default();
    let mut lines = vec![format!("{mark:<8} {:<22} {}{code}{took}", check.name, check.message)];
    lines.extend(check.remedy.as_ref().map(|remedy| format!("{:<31} Hint: {remedy}", "")));
    lines
}
