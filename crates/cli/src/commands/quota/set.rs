//! `stateward quota set`

use crate::context::Context;
use crate::vault_choice::InVault;
use clap::Args;
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::quotas::QuotasProperties;
use std::num::NonZeroU64;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    vault: InVault,
    /// How much each server may hold, such as `500GiB`; `off` for any amount
    #[arg(long, value_name = "BYTES", value_parser = quota)]
    server_holds: Option<Quota>,
    /// How much each server may send within a day (UTC), such as `50GiB`; `off` for any amount
    #[arg(long, value_name = "BYTES", value_parser = quota)]
    server_sends: Option<Quota>,
}

/// An amount, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota(Option<NonZeroU64>);

fn quota(text: &str) -> Result<Quota, String> {
    match text {
        "off" => Ok(Quota(None)),
        amount => crate::units::parse_bytes(amount).map(|bytes| Quota(Some(bytes))),
    }
}

/// Sets what is given and keeps the rest.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { vault, server_holds, server_sends } = arguments;
    if server_holds.is_none() && server_sends.is_none() {
        return Err(AgentError::NothingAsked("`--server-holds` or `--server-sends`"));
    }
    let (client, vault) = vault.find(context)?;
    let known = client.quotas(&vault)?.properties;
    let chosen = |given: Option<Quota>, known: Option<u64>| match given {
        Some(Quota(quota)) => quota.map(NonZeroU64::get),
        None => known,
    };
    let properties = QuotasProperties {
        server_quota_bytes: chosen(server_holds, known.server_quota_bytes),
        server_daily_bytes: chosen(server_sends, known.server_daily_bytes),
        servers: Vec::new(),
    };
    super::show::print(context.output(), &vault.name, &client.put_quotas(&vault, properties)?);
    Ok(Exit::Done)
}
