//! `stateward principal set-role`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::{Args, ValueEnum};
use stateward_agent::{AgentError, Exit};

/// What somebody may do in a vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Read
    Reader,
    /// Read, back up, restore, make vault credentials
    Operator,
    /// All of it
    Contributor,
}

impl Role {
    /// The role's name in the API.
    pub fn name(self) -> String {
        format!("Backup{self:?}")
    }
}

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The principal's client id (`stateward principal list`)
    #[arg(value_name = "CLIENT-ID")]
    client_id: String,
    #[command(flatten)]
    vault: InVault,
    /// What it may do in the vault
    #[arg(long, value_enum)]
    role: Role,
}

/// Gives a principal a role in a vault. One that was given further up stays.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { client_id, vault, role } = arguments;
    let (client, vault) = vault.find(context)?;
    let principal = client.put_principal(&vault, &client_id, role.name())?;
    context.output().object(&super::list::object("result", &principal));
    let name = &principal.properties.display_name;
    context.output().line(format_args!("{name} has the role {} in vault {}", role.name(), vault.name));
    Ok(Exit::Done)
}
