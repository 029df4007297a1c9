//! `stateward vault download-package`

use crate::context::Context;
use crate::vault_choice::NamedVault;
use clap::Args;
use serde_json::json;
use stateward_agent::upgrade::Received;
use stateward_agent::{AgentError, Exit};
use stateward_client::DownloadError;
use stateward_model::{PackageFile, PackageStatement};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
    /// The package, as `stateward vault packages` shows it
    #[arg(value_name = "PACKAGE")]
    package: PackageFile,
    /// Where to write it; the file must not exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Downloads a package. Under its name there is all of it, as the vault has it, or nothing.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { vault, package: file, out } = arguments;
    if out.exists() {
        return Err(AgentError::OutputExists { path: out });
    }
    let (client, vault) = vault.find(context)?;
    let packages = client.agent_packages(&vault)?;
    let name = file.to_string();
    let package = packages.into_iter().find(|package| package.name == name);
    let package = package.ok_or(AgentError::UnknownThing { what: "package", asked: name })?;
    let properties = &package.properties;
    let statement =
        PackageStatement { file, size_bytes: properties.size_bytes, sha256: properties.sha256.clone() };
    let unwritable = |cause| AgentError::OutputUnwritable { path: out.clone(), cause };
    let received = Received::begin(out.clone()).map_err(unwritable)?;
    let target = received.file().map_err(unwritable)?;
    client.download_package(&vault, &package, target).map_err(|error| match error {
        DownloadError::Call(error) => error.into(),
        DownloadError::File(cause) => unwritable(cause),
    })?;
    received.prove(&statement)?;
    let output = context.output();
    output.object(&json!({
        "type": "result", "file": out, "package": package.name, "size_bytes": statement.size_bytes,
        "sha256": statement.sha256, "signed": properties.signature.is_some(),
    }));
    output.line(format_args!("{} is in {}", package.name, out.display()));
    output.line(format_args!("SHA-256 {}", statement.sha256));
    output.hint(
        "The checksum is the vault's. Compare it with what whoever made the package says, by another way",
    );
    Ok(Exit::Done)
}
