//! Policies.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{PolicyId, PolicyName, Timestamp, VaultId};

/// A policy of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Its id.
    pub(crate) id: PolicyId,
    /// Whose.
    pub(crate) vault: VaultId,
    /// Its name.
    pub(crate) name: PolicyName,
    /// What it says.
    pub(crate) body: stateward_model::Policy,
    /// Counts its changes.
    pub(crate) revision: u64,
    /// How many items have it.
    pub(crate) items: u64,
    /// How many deleted items have it that can be had back.
    pub(crate) deleted_items: u64,
}

type Row = (Vec<u8>, Vec<u8>, String, String, i64, i64, i64);

fn read((id, vault, name, body, revision, items, deleted_items): Row) -> Result<Policy, Error> {
    Ok(Policy {
        id: PolicyId(value::fixed(id, "policy id")?),
        vault: VaultId(value::fixed(vault, "vault id")?),
        name: name.parse().map_err(|_| Error::Damaged("policy's name"))?,
        body: value::json(&body, "policy")?,
        revision: value::unsigned(revision, "revision")?,
        items: value::unsigned(items, "count")?,
        deleted_items: value::unsigned(deleted_items, "count")?,
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.vault, p.name, p.body, p.revision,
                 (SELECT count(*) FROM items i WHERE i.policy = p.id AND i.deleted_at IS NULL),
                 (SELECT count(*) FROM items i WHERE i.policy = p.id AND i.deleted_at IS NOT NULL)
             FROM policies p ",
            $rest
        )
    };
}

/// Finds a policy of a vault by its name, which is told from others without regard to case.
pub(crate) async fn find(
    connection: &mut Connection,
    vault: VaultId,
    name: &str,
) -> Result<Option<Policy>, Error> {
    let key = name.to_ascii_lowercase();
    let row: Option<Row> = query(select!("WHERE p.vault = $1 AND lower(p.name) = $2"))
        .bind(&vault.0[..])
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// All policies of a vault, by name.
pub(crate) async fn list(connection: &mut Connection, vault: VaultId) -> Result<Vec<Policy>, Error> {
    let rows: Vec<Row> = query(select!("WHERE p.vault = $1 ORDER BY lower(p.name)"))
        .bind(&vault.0[..])
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Adds a policy.
pub(crate) async fn insert(
    connection: &mut Connection,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Error> {
    let body = value::json_text(&policy.body);
    query(
        "INSERT INTO policies (id, vault, name, body, revision, created_at, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
    )
    .bind(&policy.id.0[..])
    .bind(&policy.vault.0[..])
    .bind(policy.name.as_str())
    .bind(body.as_str())
    .bind(policy.revision.cast_signed())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts another body in the place of a policy's, with the next revision.
pub(crate) async fn update(
    connection: &mut Connection,
    id: PolicyId,
    body: &stateward_model::Policy,
    now: Timestamp,
) -> Result<(), Error> {
    let body = value::json_text(body);
    query("UPDATE policies SET body = $2, changed_at = $3, revision = revision + 1 WHERE id = $1")
        .bind(&id.0[..])
        .bind(body.as_str())
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a policy that no item has.
pub(crate) async fn delete(connection: &mut Connection, id: PolicyId) -> Result<(), Error> {
    query("DELETE FROM policies WHERE id = $1").bind(&id.0[..]).execute(connection).await?;
    Ok(())
}

/// Gives an item a policy.
pub(crate) async fn give(
    connection: &mut Connection,
    (server, item): (stateward_model::ServerId, stateward_model::ItemId),
    policy: PolicyId,
) -> Result<(), Error> {
    query("UPDATE items SET policy = $3 WHERE server = $1 AND id = $2")
        .bind(&server.0[..])
        .bind(&item.0[..])
        .bind(&policy.0[..])
        .execute(connection)
        .await?;
    Ok(())
}
