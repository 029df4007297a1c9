//! Resource guards: where a vault has one, some acts need a second person.

use super::query::query;
use super::{Connection, Error, value};
use serde_json::Value;
use stateward_model::{Timestamp, VaultId};

/// A guard of a vault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guard {
    /// Its name.
    pub(crate) name: String,
    /// What the client put.
    pub(crate) body: Value,
    /// When it was set.
    pub(crate) created_at: Timestamp,
}

/// Sets a guard, or changes what the client put.
pub(crate) async fn upsert(connection: &mut Connection, vault: VaultId, guard: &Guard) -> Result<(), Error> {
    let body = guard.body.to_string();
    query(
        "INSERT INTO guards (vault, name, body, created_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (vault, name) DO UPDATE SET body = excluded.body",
    )
    .bind(&vault.0[..])
    .bind(guard.name.as_str())
    .bind(body.as_str())
    .bind(guard.created_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// The guards of a vault, by name.
pub(crate) async fn list(connection: &mut Connection, vault: VaultId) -> Result<Vec<Guard>, Error> {
    let rows: Vec<(String, String, i64)> =
        query("SELECT name, body, created_at FROM guards WHERE vault = $1 ORDER BY name")
            .bind(&vault.0[..])
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(name, body, created_at)| {
            Ok(Guard { name, body: value::json(&body, "guard")?, created_at: Timestamp(created_at) })
        })
        .collect()
}

/// Removes a guard.
pub(crate) async fn delete(connection: &mut Connection, vault: VaultId, name: &str) -> Result<(), Error> {
    query("DELETE FROM guards WHERE vault = $1 AND name = $2")
        .bind(&vault.0[..])
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}
