//! `stateward principal list`

use crate::context::Context;
use crate::display::Table;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::principals::Principal;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Shows who has a role in a vault.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let mut table = Table::new(&["Name", "Role", "Given at", "Client id"]);
    for principal in client.principals(&vault)? {
        context.output().object(&object("principal", &principal));
        let properties = principal.properties;
        table.row(vec![properties.display_name, properties.role, properties.scope, properties.client_id]);
    }
    table.print(context.output(), "Nobody has a role in this vault");
    Ok(Exit::Done)
}

/// A principal as an object, without its secret; `kind` is what the line is.
pub(super) fn object(kind: &str, principal: &Principal) -> Value {
    let properties = &principal.properties;
    json!({
        "type": kind, "name": properties.display_name, "client_id": properties.client_id,
        "role": properties.role, "scope": properties.scope, "thumbprints": properties.thumbprints,
    })
}
