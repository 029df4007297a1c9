//! `stateward policy preview`

use super::flags::PolicyFlags;
use crate::context::Context;
use crate::display::Table;
use crate::output::Output;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit, admin};
use stateward_api::arm::previews::{PolicyPreview, PolicyPreviewRequest};
use stateward_model::{PolicyName, Timestamp};

/// What is told by itself: a month, a quarter and a year from now.
const DAYS: [i64; 3] = [30, 90, 365];

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
    /// The policy whose place it would take: what it would do to the recovery points of its items is told
    #[arg(long, value_name = "NAME")]
    in_place_of: Option<PolicyName>,
    /// The item (its name or id) whose recovery points are there already
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// A moment for which is told what is kept then, such as `2027-01-01T00:00:00Z` [default: in 30, 90 and 365 days]
    #[arg(long, value_name = "TIME")]
    at: Vec<Timestamp>,
    #[command(flatten)]
    flags: PolicyFlags,
}

/// Shows what a policy would come to keep.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { vault, in_place_of, item, at, flags } = arguments;
    let now = context.agent().now();
    let properties = flags.policy(now)?;
    let (client, vault) = vault.find(context)?;
    let item = item.map(|asked| admin::find_item(&client, &vault, &asked, None)).transpose()?;
    let item = item.map(|item| item.name.parse()).transpose();
    let item = item.map_err(|error: stateward_model::ParseError| AgentError::Internal(error.to_string()))?;
    let moments = match at.is_empty() {
        true => DAYS.map(|days| now.plus_seconds(days * 86_400)).to_vec(),
        false => at,
    };
    let request = PolicyPreviewRequest {
        properties: Some(properties),
        policy_name: in_place_of.map(String::from),
        item,
        moments,
    };
    print(context.output(), &client.preview_policy(&vault, &request)?);
    Ok(Exit::Done)
}

fn print(output: &Output, preview: &PolicyPreview) {
    output.object(&json!({ "type": "result", "preview": preview }));
    output.line("The next backups");
    preview.next_runs.iter().for_each(|run| output.line(format_args!("  {}", run.planned)));
    for moment in &preview.kept {
        output.line(format_args!("Kept at {}: {}", units::time(moment.at), units::count(moment.count)));
        let mut table = Table::new(&["  Recovery point", "Why"]);
        for point in &moment.points {
            let time = format!("  {}", units::time(point.received_at));
            table.row(vec![time, point.reasons.join("; ")]);
        }
        table.print(output, "  Nothing");
    }
    preview.lessenings.iter().for_each(|less| output.say(format_args!("Warning: {less}")));
    if !preview.effects.is_empty() {
        let mut table = Table::new(&["Recovery point", "Received", "Kept until", "Would be kept until"]);
        let until = |end: Option<Timestamp>| end.map_or_else(|| "for ever".to_owned(), units::time);
        for effect in &preview.effects {
            table.row(vec![
                crate::display::short(effect.recovery_point),
                units::time(effect.received_at),
                until(effect.before),
                until(effect.after),
            ]);
        }
        table.print(output, "");
    }
}
