//! `stateward doctor`

use crate::context::Context;
use crate::output::Output;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::doctor::{self, Check, Outcome};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Looks at everything that backups of this server need. Changes nothing.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
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
