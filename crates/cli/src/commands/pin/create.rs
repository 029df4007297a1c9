//! `stateward pin create`

use crate::context::Context;
use crate::units;
use crate::vault_choice::InVault;
use clap::Args;
use serde_json::json;
use stateward_agent::{AgentError, Exit};
use stateward_model::Timestamp;

/// Ticks of 100 nanoseconds from the beginning of year 1 to that of 1970.
const TICKS_BEFORE_1970: i64 = 621_355_968_000_000_000;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
}

/// Makes a security PIN and prints it, once.
pub fn run(context: &Context, Arguments { vault }: Arguments) -> Result<Exit, AgentError> {
    let (client, vault) = vault.find(context)?;
    let pin = client.security_pin(&vault)?;
    let since_1970 = pin.expiry_time_in_utc_ticks.saturating_sub(TICKS_BEFORE_1970);
    let expires_at = Timestamp(since_1970.saturating_mul(100));
    let output = context.output();
    output.object(&json!({
        "type": "result", "pin": pin.security_pin, "expires_at": expires_at, "token": pin.token,
    }));
    output.line(&pin.security_pin);
    output.hint(format_args!("Good for one act, until {}", units::time(expires_at)));
    Ok(Exit::Done)
}
