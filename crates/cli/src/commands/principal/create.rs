//! `stateward principal create`

use super::set_role::Role;
use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit, secrets};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What people call it
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    vault: InVault,
    /// What it may do in the vault
    #[arg(long, value_enum)]
    role: Role,
    /// The new file for its client secret, which is not shown again
    #[arg(long, value_name = "FILE")]
    secret_out: PathBuf,
}

/// Makes a service principal and writes its secret into a new file for its owner only.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { name, vault, role, secret_out } = arguments;
    if secret_out.exists() {
        return Err(AgentError::OutputExists { path: secret_out });
    }
    let (client, vault) = vault.find(context)?;
    let known = client.principals(&vault)?;
    if known.iter().any(|principal| principal.properties.client_id == name) {
        return Err(AgentError::PrincipalExists(name));
    }
    let mut principal = client.put_principal(&vault, &name, role.name())?;
    let secret = Zeroizing::new(principal.properties.client_secret.take().unwrap_or_default());
    if secret.is_empty() {
        return Err(AgentError::PrincipalExists(name));
    }
    secrets::write_new_secret_file(&secret_out, &secret)?;
    let output = context.output();
    let mut object = super::list::object("result", &principal);
    object["secret_file"] = serde_json::json!(secret_out);
    output.object(&object);
    output.line(format_args!("{name} signs in with the client id {}", principal.properties.client_id));
    output.hint(format_args!("Its client secret is in {}", secret_out.display()));
    Ok(Exit::Done)
}
