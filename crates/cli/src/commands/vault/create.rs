//! `stateward vault create`

use crate::context::Context;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_model::Label;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The vault's name: letters, digits, `-`, `_` and `.`
    #[arg(value_name = "NAME")]
    name: Label,
}

/// Makes a vault. One of that name that is there is no error.
pub fn run(context: &Context, Arguments { name }: Arguments) -> Result<Exit, AgentError> {
    let vault = admin::administrator(context.agent())?.create_vault(&name)?;
    context.output().object(&super::object("result", &vault));
    context.output().line(format_args!("Vault {name} is there ({})", vault.id));
    context.output().hint(format_args!("Next: `stateward vault credentials {name} --out FILE`"));
    Ok(Exit::Done)
}
