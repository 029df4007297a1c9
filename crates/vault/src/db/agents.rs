//! Agents' versions, and the oldest that may make backups.

use super::query::query;
use super::{Connection, Error};
use stateward_model::{AgentVersion, ServerId, VaultId};

/// The oldest agent that may make backups in a vault.
pub(crate) async fn minimum(
    connection: &mut Connection,
    vault: VaultId,
) -> Result<Option<AgentVersion>, Error> {
    let (text,): (Option<String>,) = query("SELECT minimum_agent_version FROM vaults WHERE id = $1")
        .bind(&vault.0[..])
        .fetch_one(connection)
        .await?;
    text.map(|text| text.parse().map_err(|_| Error::Damaged("agent's version"))).transpose()
}

/// Sets it. An empty text stands for none in the statement: there is no such version.
pub(crate) async fn set_minimum(
    connection: &mut Connection,
    vault: VaultId,
    minimum: Option<AgentVersion>,
) -> Result<(), Error> {
    let text = minimum.map(String::from).unwrap_or_default();
    query("UPDATE vaults SET minimum_agent_version = nullif($2, '') WHERE id = $1")
        .bind(&vault.0[..])
        .bind(text.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// What a server's agent last told of its version.
pub(crate) async fn version(connection: &mut Connection, server: ServerId) -> Result<String, Error> {
    let (text,): (String,) = query("SELECT agent_version FROM servers WHERE id = $1")
        .bind(&server.0[..])
        .fetch_one(connection)
        .await?;
    Ok(text)
}

/// Notes what a server's agent tells of its version.
pub(crate) async fn note_version(
    connection: &mut Connection,
    server: ServerId,
    version: &str,
) -> Result<(), Error> {
    query("UPDATE servers SET agent_version = $2 WHERE id = $1 AND agent_version <> $2")
        .bind(&server.0[..])
        .bind(version)
        .execute(connection)
        .await?;
    Ok(())
}
