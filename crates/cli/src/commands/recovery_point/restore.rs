//! `stateward recovery-point restore`

use crate::commands::job::vault::print_asked;
use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_api::arm::recovery_points::RecoveryPoint;
use stateward_model::ComponentName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The recovery point's id, or the beginning of one
    #[arg(value_name = "ID")]
    recovery_point: String,
    #[command(flatten)]
    vault: InVault,
    /// Look for it among this item's only (its name or id)
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Look for it among this server's only (its name or id)
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    /// Only this component; may be given several times [default: all]
    #[arg(long = "component", value_name = "NAME")]
    components: Vec<ComponentName>,
}

/// Asks for a restore. Where it goes is the server's own setting, so that nobody puts files there from afar.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { recovery_point, vault, item, server, components } = arguments;
    let (client, vault) = vault.find(context)?;
    let mut points: Vec<RecoveryPoint> = Vec::new();
    for item in admin::find_items(&client, &vault, item.as_deref(), server.as_deref())? {
        points.extend(client.recovery_points(&item)?);
    }
    let ids = points.iter().map(|point| point.name.as_str());
    let id = admin::one_by_id(&recovery_point, ids, "recovery point")?;
    let point = points.iter().find(|point| point.name == id);
    let point = point.ok_or_else(|| AgentError::UnknownPoint(recovery_point.clone()))?;
    let job = client.request_restore(&vault, point, &components)?;
    print_asked(context.output(), &vault, job, "The server was asked to restore it into a new folder");
    Ok(Exit::Done)
}
