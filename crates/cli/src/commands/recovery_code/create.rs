//! `stateward recovery-code create`

use crate::commands::register::show_code;
use crate::context::Context;
use crate::secret_input::{NewSecretFile, is_person_there};
use clap::Args;
use stateward_agent::secrets::{RecoveryCode, SecretError};
use stateward_agent::{AgentError, Exit, RegisteredServer, register};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Write the code into this new file instead of showing it
    #[arg(long, value_name = "FILE")]
    recovery_code_file: Option<PathBuf>,
}

/// Makes a recovery code and stores its key slot at the vault.
pub fn run(context: &Context, Arguments { recovery_code_file }: Arguments) -> Result<Exit, AgentError> {
    let (agent, output) = (context.agent(), context.output());
    RegisteredServer::load(agent.home())?;
    if recovery_code_file.is_none() && !is_person_there() {
        return Err(SecretError::NoPlaceForCode.into());
    }
    let code = RecoveryCode::generate(&*agent.surroundings().random);
    let written = recovery_code_file.as_deref().map(|path| NewSecretFile::write(path, &code.printable()));
    let written = written.transpose()?;
    register::add_recovery_code(agent, &code)?;
    let recovery_code_file = written.map(NewSecretFile::keep);
    output.object(&serde_json::json!({ "type": "result", "recovery_code_file": recovery_code_file }));
    match &recovery_code_file {
        Some(path) => {
            output.line(format_args!("The recovery code is in {}", path.display()));
            output.hint("Print it or copy it to a safe place, away from this server");
        }
        None => show_code(output, &code),
    }
    Ok(Exit::Done)
}
