//! `stateward recovery-point list`

use super::calendar;
use crate::context::Context;
use crate::display::{Table, short};
use crate::secret_input::KnownSecret;
use crate::units;
use crate::vault_choice::PerhapsInVault;
use clap::Args;
use serde_json::json;
use stateward_agent::jobs::Pace;
use stateward_agent::points::calendar::Month;
use stateward_agent::points::{self, ListedPoint};
use stateward_agent::recover::RecoveredServer;
use stateward_agent::{AgentError, Cancellation, Exit, admin};
use stateward_api::arm::items::ProtectedItem;
use stateward_api::arm::recovery_points::AdditionalInfo;
use stateward_client::AdminClient;
use std::path::{Path, PathBuf};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Only this item's
    #[arg(long, value_name = "NAME")]
    item: Option<String>,
    /// Show a month (`2026-11`) of this server's as a calendar
    #[arg(long, value_name = "MONTH", conflicts_with = "vault")]
    month: Option<Month>,
    #[command(flatten)]
    vault: PerhapsInVault,
    /// Of a vault: only this server's (its name or id)
    #[arg(long, value_name = "SERVER", requires = "vault")]
    server: Option<String>,
    /// What another server backed up: vault credentials for restoring it. Its passphrase is asked for
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vault", "server"])]
    credentials: Option<PathBuf>,
    #[command(flatten)]
    secret: KnownSecret,
}

/// Shows recovery points.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments { item, month, vault, server, credentials, secret } = arguments;
    if let Some((client, vault)) = vault.find(context)? {
        let items = admin::find_items(&client, &vault, item.as_deref(), server.as_deref())?;
        of_vault(context, &client, &items)?;
        return Ok(Exit::Done);
    }
    let mut listed = match &credentials {
        Some(file) => of_other(context, file, &secret)?,
        None if secret.is_given() => return Err(AgentError::SecretNotNeeded),
        None => points::list_own(context.agent())?,
    };
    if let Some(item) = item {
        listed.retain(|point| point.is_of(&item));
    }
    if let Some(month) = month {
        calendar::print(context.output(), &listed, month);
        return Ok(Exit::Done);
    }
    let empty = match credentials {
        Some(_) => "That server has no recovery point in its vault",
        None => "There is no recovery point yet. Next: `stateward backup now --wait`",
    };
    Ok(super::print_list(context.output(), &listed, empty))
}

/// What another server backed up.
fn of_other(context: &Context, file: &Path, secret: &KnownSecret) -> Result<Vec<ListedPoint>, AgentError> {
    let (secret, agent) = (secret.get()?, context.agent());
    // No signal is taken from its usual course here: it ends this command at once, which has nothing to lose.
    let nobody = Cancellation::default();
    RecoveredServer::at_vault(agent, file, secret.borrow(), &Pace::default(), &nobody)?.points()
}

/// What the vault knows of recovery points: how long each is kept, and why. What is in them only their server can tell.
fn of_vault(context: &Context, client: &AdminClient, items: &[ProtectedItem]) -> Result<(), AgentError> {
    let mut table = Table::new(&["Recovery point", "Server", "Item", "Time", "Kept until", "Rule", ">Bytes"]);
    for item in items {
        for point in client.recovery_points(item)? {
            let (properties, lifetime) = (&point.properties, &point.properties.recovery_point_properties);
            // A text in Azure's form, which another vault may fill otherwise.
            let more: Option<AdditionalInfo> =
                serde_json::from_str(&properties.recovery_point_additional_info).ok();
            context.output().object(&json!({
                "type": "recovery-point", "recovery_point": point.name,
                "server": item.properties.computer_name, "item": item.properties.friendly_name,
                "item_id": item.name, "time": properties.recovery_point_time,
                "made": properties.recovery_point_type, "expires_at": lifetime.expiry_time,
                "rule": lifetime.rule_name, "is_expired": lifetime.is_soft_deleted,
                "sequence": more.as_ref().map(|more| more.sequence),
                "pack_bytes": more.as_ref().map(|more| more.pack_bytes),
                "reasons": more.as_ref().map(|more| &more.reasons),
            }));
            table.row(vec![
                short(&point.name),
                item.properties.computer_name.clone(),
                item.properties.friendly_name.clone(),
                units::time(properties.recovery_point_time),
                lifetime.expiry_time.map_or_else(|| "no end".to_owned(), units::time),
                lifetime.rule_name.clone(),
                more.map(|more| units::bytes(more.pack_bytes)).unwrap_or_default(),
            ]);
        }
    }
    table.print(context.output(), "There is no such recovery point in this vault");
    Ok(())
}
