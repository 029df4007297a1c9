//! `stateward system-state plan`

use crate::context::Context;
use crate::output::Output;
use crate::prompt::Prompt;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::recovery_plan::{self, MadePlan, PlanWish, Step, Wish};
use stateward_agent::{AgentError, Exit};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The recovery point: its id, the beginning of one, `latest`; or the newest of a day (`2026-11-20`) or until a moment
    /// (`2026-11-20T02:00`)
    #[arg(long, value_name = "ID")]
    recovery_point: String,
    /// The item, where `latest` or a time alone does not say which is meant
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Where `WindowsImageBackup` lies as the server will see it: a drive (`E:`), a volume (`\\?\Volume{…}\`) or a share
    /// (`\\SERVER\SHARE`)
    #[arg(long, value_name = "PLACE")]
    place: String,
    /// Of a domain controller: let what comes back win over what all others have. Only if none is left
    #[arg(long)]
    authoritative: bool,
    /// Let the server restart by itself where the plan has a restart
    #[arg(long)]
    restart: bool,
    /// How many days the domain remembers deleted objects [default: 180]
    #[arg(long, value_name = "DAYS")]
    tombstone_days: Option<u32>,
    /// Write the runbook and the script into this folder, too
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Do it now, up to the first restart: puts the System State back on this server, which can't be undone
    #[arg(long)]
    run: bool,
    /// With `--run`: don't ask
    #[arg(long, requires = "run")]
    yes: bool,
}

/// Shows a plan; writes and runs it, if that is wanted.
pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit, AgentError> {
    let (agent, output) = (context.agent(), context.output());
    let wish = PlanWish {
        recovery_point: &arguments.recovery_point,
        item: arguments.item.as_deref(),
        place: &arguments.place,
        wish: Wish { is_authoritative: arguments.authoritative, restarts_by_itself: arguments.restart },
        tombstone_days: arguments.tombstone_days,
    };
    let made = recovery_plan::make(agent, &wish)?;
    let written = arguments.out.as_ref().map(|folder| made.write(folder)).transpose()?.unwrap_or_default();
    print(output, &made);
    let mut done = None;
    if arguments.run {
        if !arguments.yes {
            let question = format!("Put the System State of {} back on this server now?", made.point.machine);
            if !Prompt::person("stateward system-state plan")?.yes(&question, false)? {
                return Err(AgentError::cancelled());
            }
        }
        let mut begun = |step: &Step| output.say(format_args!("{}:", step.what));
        let mut heard = |bytes: &[u8]| output.say(String::from_utf8_lossy(bytes).trim_end());
        done = Some(made.run(agent, arguments.restart, &mut begun, &mut heard)?);
    }
    let mut object = object(&made);
    object["written"] = written.iter().map(|path| path.display().to_string()).collect();
    object["steps_done"] = json!(done);
    output.object(&object);
    written.iter().for_each(|path| output.line(format_args!("Written: {}", path.display())));
    if let Some(done) = done {
        let left = made.plan.steps.len() - done;
        output.line(format_args!("Done: {done} of {} steps", made.plan.steps.len()));
        if left > 0 {
            output.hint("Next: restart the server, and do the steps that are left");
        }
    }
    Ok(Exit::Done)
}

fn print(output: &Output, made: &MadePlan) {
    let point = &made.point;
    let is_controller = if point.is_domain_controller { ", a domain controller" } else { "" };
    output.line(format_args!(
        "Version {} of {}{is_controller}, Windows {}, in {}",
        point.version, point.machine, point.windows, made.place
    ));
    made.plan.warnings.iter().for_each(|warning| output.line(format_args!("Note: {warning}")));
    for (number, step) in made.plan.steps.iter().enumerate() {
        output.line(format_args!("{}. {}", number + 1, step.what));
        step.line.iter().for_each(|line| output.line(format_args!("   {line}")));
    }
}

fn object(made: &MadePlan) -> Value {
    let step = |step: &Step| json!({ "what": step.what, "line": step.line.as_ref().map(ToString::to_string), "restarts": step.restarts });
    json!({
        "type": "result",
        "machine": made.point.machine,
        "version": made.point.version.to_string(),
        "windows": made.point.windows.to_string(),
        "is_domain_controller": made.point.is_domain_controller,
        "place": made.place.to_string(),
        "line": made.line.to_string(),
        "warnings": made.plan.warnings,
        "steps": made.plan.steps.iter().map(step).collect::<Vec<_>>(),
    })
}
