//! `stateward alert resolve`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The alert's id, or its beginning
    #[arg(value_name = "ALERT")]
    alert: String,
    #[command(flatten)]
    vault: InVault,
}

/// Says that an alert was dealt with. If what it tells is so still, it is raised again.
pub fn run(context: &Context, Arguments { alert, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let alerts = client.alerts(&vault, None)?;
    let meant = admin::one_by_id(&alert, alerts.iter().map(|alert| alert.name.as_str()), "alert")?;
    let alert = client.resolve_alert(&vault, meant)?;
    context.output().object(&super::list::object("result", &alert));
    context.output().line(format_args!("Alert {} is resolved", alert.name));
    Ok(Exit::Done)
}
