//! `stateward vault packages`

use crate::context::Context;
use crate::display::Table;
use crate::units;
use crate::vault_choice::NamedVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
}

/// Shows the packages that are offered, the newest first.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let (packages, output) = (client.agent_packages(&vault)?, context.output());
    let mut table = Table::new(&["Package", "Version", ">Size", "Signed", "SHA-256"]);
    for package in &packages {
        let properties = &package.properties;
        output.object(&json!({
            "type": "package", "vault": vault.name, "name": package.name, "kind": properties.kind,
            "version": properties.version, "architecture": properties.architecture,
            "size_bytes": properties.size_bytes, "sha256": properties.sha256,
            "signed": properties.signature.is_some(), "download_url": properties.download_url,
            "added_at": properties.added_at,
        }));
        table.row(vec![
            package.name.clone(),
            properties.version.to_string(),
            units::bytes(properties.size_bytes),
            if properties.signature.is_some() { "yes" } else { "no" }.to_owned(),
            properties.sha256.clone(),
        ]);
    }
    table.print(
        output,
        "No package is offered; `stateward-vault packages add FILE` at the vault's machine does it",
    );
    Ok(Exit::Done)
}
