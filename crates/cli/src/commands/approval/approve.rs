//! `stateward approval approve`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The approval's id, or its beginning
    #[arg(value_name = "APPROVAL")]
    approval: String,
    #[command(flatten)]
    vault: InVault,
}

/// Consents to what another administrator asked for: that one can do it then, once.
pub fn run(context: &Context, Arguments { approval, vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let approvals = client.approvals(&vault)?;
    let names = approvals.iter().map(|approval| approval.name.as_str());
    let approval = client.approve(&vault, admin::one_by_id(&approval, names, "approval")?)?;
    let properties = &approval.properties;
    context.output().object(&super::list::object("result", &approval));
    context.output().line(format_args!(
        "{} can do `{}` to {} now",
        properties.asked_by, properties.act, properties.subject
    ));
    Ok(Exit::Done)
}
