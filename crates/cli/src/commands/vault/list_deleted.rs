//! `stateward vault list-deleted`

use super::group_of;
use crate::context::Context;
use crate::display::Table;
use crate::units;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::{AgentError, Exit, admin};
use stateward_api::arm::vaults::DeletedVault;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Shows the vaults that were deleted and can be had back.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let mut table = Table::new(&["Name", "Resource group", "Deleted", "Gone", "Id"]);
    for vault in admin::administrator(context.agent())?.deleted_vaults()? {
        context.output().object(&object("deleted-vault", &vault));
        table.row(vec![
            name_of(&vault).to_owned(),
            group_of(&vault.properties.vault_id).to_owned(),
            units::time(vault.properties.vault_deletion_time),
            units::time(vault.properties.purge_at),
            vault.name.clone(),
        ]);
    }
    table.print(context.output(), "There is no deleted vault that could be had back");
    Ok(Exit::Done)
}

/// A deleted vault as an object; `kind` is what the line is.
pub(super) fn object(kind: &str, vault: &DeletedVault) -> Value {
    json!({
        "type": kind, "name": name_of(vault), "id": vault.name,
        "resource_group": group_of(&vault.properties.vault_id),
        "deleted_at": vault.properties.vault_deletion_time, "purge_at": vault.properties.purge_at,
    })
}

/// The name that it had: the end of the path that it had.
pub(super) fn name_of(vault: &DeletedVault) -> &str {
    vault.properties.vault_id.rsplit('/').next().unwrap_or_default()
}
