//! `stateward domain share`

use crate::context::Context;
use crate::secret_input::{NewPassphrase, NewSecretFile};
use clap::Args;
use stateward_agent::{AgentError, Exit, RegisteredServer, domain};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The new domain file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: NewPassphrase,
}

/// Writes the domain's data key, sealed by a passphrase of its own, into a new file for its owner only.
pub fn run(context: &Context, Arguments { out, passphrase }: Arguments) -> Result<Exit, AgentError> {
    let (agent, output) = (context.agent(), context.output());
    RegisteredServer::load(agent.home())?;
    if out.exists() {
        return Err(AgentError::OutputExists { path: out });
    }
    let (passphrase, written) = passphrase.get(context)?;
    let shared = domain::share(agent, &passphrase, &out)?;
    let passphrase_file = written.map(NewSecretFile::keep);
    output.object(&serde_json::json!({
        "type": "result", "file": out, "domain": shared.domain, "vault": shared.vault_name,
        "passphrase_file": passphrase_file,
    }));
    output.line(format_args!("The domain file is {}, for the domain {}", out.display(), shared.domain));
    output.hint("With the file and its passphrase, what all servers of the domain back up can be read.");
    output
        .hint("Bring them to the new server on different ways, and delete both afterwards. Its credentials:");
    output.hint(format_args!(
        "  stateward vault credentials {} --out FILE --domain {}",
        shared.vault_name, shared.domain
    ));
    output.hint("Then run there:");
    output.hint("  stateward register --credentials FILE --domain FILE");
    Ok(Exit::Done)
}
