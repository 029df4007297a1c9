//! `stateward vault credentials`

use crate::context::Context;
use crate::units;
use crate::vault_choice::NamedVault;
use clap::{Args, ValueEnum};
use stateward_agent::{AgentError, Exit, admin, secrets};
use stateward_api::CredentialPurpose;
use stateward_api::arm::credentials::CredentialsRequest;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What the file allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Registering servers
    Register,
    /// Reading one server's recovery points
    Restore,
}

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: NamedVault,
    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How long the file is good for [default: 10 days; a day for restoring]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "valid_seconds")]
    valid_hours: Option<u64>,
    /// The same in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..), hide = true)]
    valid_seconds: Option<u64>,
    /// How many servers may register with it
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    uses: u32,
    /// What it allows
    #[arg(long, value_enum, default_value_t = Purpose::Register)]
    purpose: Purpose,
    /// For restoring: whose recovery points. For registering: the known server (its name or id) that lost its home and
    /// registers again, with its passphrase
    #[arg(long, value_name = "SERVER", required_if_eq("purpose", "restore"))]
    server: Option<String>,
    /// For registering: let the servers into the deduplication domain of this server (its name or id) instead of one of
    /// their own; they also need its domain file (`stateward domain share`)
    #[arg(long, value_name = "SERVER")]
    domain: Option<String>,
}

/// Makes vault credentials and writes them into a new file for its owner only.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    if arguments.out.exists() {
        return Err(AgentError::OutputExists { path: arguments.out });
    }
    let (administrator, vault) = arguments.vault.find(context)?;
    let find = |asked: Option<&str>| {
        asked
            .map(|asked| admin::find_server(&administrator, &vault, asked))
            .transpose()
            .map(|server| server.map(|server| server.properties.extended_info.server_id))
    };
    let request = CredentialsRequest {
        purpose: match arguments.purpose {
            Purpose::Register => CredentialPurpose::Register,
            Purpose::Restore => CredentialPurpose::Restore,
        },
        server: find(arguments.server.as_deref())?,
        domain: find(arguments.domain.as_deref())?,
        valid_seconds: arguments
            .valid_seconds
            .or(arguments.valid_hours.map(|hours| hours.saturating_mul(3600))),
        uses: Some(arguments.uses),
    };
    let credentials = administrator.credentials(&vault, &request)?;
    let text = serde_json::to_string_pretty(&credentials)
        .map(Zeroizing::new)
        .map_err(|error| AgentError::Internal(error.to_string()))?;
    secrets::write_new_secret_file(&arguments.out, &text)?;
    let output = context.output();
    output.object(&serde_json::json!({
        "type": "result", "file": arguments.out, "vault": credentials.vault_name, "vault_id": credentials.vault,
        "purpose": credentials.purpose, "server": credentials.server, "domain": credentials.domain, "expires_at": credentials.expires_at, "uses": arguments.uses,
    }));
    output.line(format_args!(
        "Vault credentials are in {}, good until {}",
        arguments.out.display(),
        units::time(credentials.expires_at)
    ));
    output.hint("The file is a secret. Bring it to the server, then run there:");
    if arguments.purpose == Purpose::Restore {
        output.hint("  stateward restore --credentials FILE --recovery-point latest --target DIR");
        return Ok(Exit::Done);
    }
    let domain = if credentials.domain.is_some() { " --domain FILE" } else { "" };
    output.hint(format_args!("  stateward register --credentials FILE{domain}"));
    Ok(Exit::Done)
}
