//! `stateward passphrase change`

use crate::context::Context;
use crate::secret_input::{NewPassphrase, NewSecretFile};
use clap::Args;
use stateward_agent::{AgentError, Exit, Registration, register};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A security PIN that an administrator made (`stateward pin create`)
    #[arg(long, value_name = "DIGITS")]
    pin: String,
    #[command(flatten)]
    passphrase: NewPassphrase,
}

/// Changes the passphrase.
pub fn run(context: &Context, Arguments { pin, passphrase }: Arguments) -> Result<Exit, AgentError> {
    let (agent, output) = (context.agent(), context.output());
    Registration::load(agent.home())?;
    let (passphrase, file) = passphrase.get(context)?;
    register::change_passphrase(agent, &passphrase, pin)?;
    let file = file.map(NewSecretFile::keep);
    output.object(&serde_json::json!({ "type": "result", "passphrase_file": file }));
    output.line("The passphrase is changed: the old one opens nothing at the vault any more");
    if let Some(path) = &file {
        output.line(format_args!("The new one is in {}: keep a copy away from this server", path.display()));
    }
    output.hint("Copies of the vault's store that were made before are opened by the old one as ever");
    Ok(Exit::Done)
}
