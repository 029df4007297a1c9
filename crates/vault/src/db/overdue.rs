//! What is known of each item that is to be backed up by itself, for telling whether it was.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{ItemId, Label, Policy, Timestamp, VaultId};

/// An item that has a policy, and neither was it stopped or deleted, nor its server unregistered or its vault deleted.
pub(crate) struct Scheduled {
    /// Its vault.
    pub(crate) vault: VaultId,
    /// Its id.
    pub(crate) item: ItemId,
    /// What people call it.
    pub(crate) label: Label,
    /// What people call its server.
    pub(crate) server_label: Label,
    /// Its policy.
    pub(crate) policy: Policy,
    /// From when on it has that policy as it is.
    pub(crate) since: Timestamp,
    /// When its last recovery point came.
    pub(crate) last_point: Option<Timestamp>,
    /// When its agent last said that a backup of it goes on.
    pub(crate) last_sign: Option<Timestamp>,
}

type Row = (Vec<u8>, Vec<u8>, String, String, String, i64, i64, Option<i64>, Option<i64>, Option<i64>);

fn read(row: Row) -> Result<Scheduled, Error> {
    let (vault, item, label, server_label, policy, made_at, changed_at, given_at, last_point, last_sign) =
        row;
    Ok(Scheduled {
        vault: VaultId(value::fixed(vault, "vault id")?),
        item: ItemId(value::fixed(item, "item id")?),
        label: value::label(label)?,
        server_label: value::label(server_label)?,
        policy: value::json(&policy, "policy")?,
        since: Timestamp(made_at.max(changed_at).max(given_at.unwrap_or(i64::MIN))),
        last_point: last_point.map(Timestamp),
        last_sign: last_sign.map(Timestamp),
    })
}

/// All of them, in all vaults. That an item was given its policy, or resumed, is known from the job that was noted then.
pub(crate) async fn scheduled(connection: &mut Connection) -> Result<Vec<Scheduled>, Error> {
    let rows: Vec<Row> = query(
        "SELECT s.vault, i.id, i.label, s.label, y.body, i.made_at, y.changed_at,
             (SELECT max(j.started_at) FROM jobs j
              WHERE j.server = i.server AND j.item = i.id AND j.kind = 'ConfigureBackup'),
             (SELECT max(p.received_at) FROM points p WHERE p.server = i.server AND p.item = i.id),
             (SELECT max(j.reported_at) FROM jobs j
              WHERE j.server = i.server AND j.item = i.id AND j.kind = 'Backup' AND j.ended = 0)
         FROM items i JOIN servers s ON s.id = i.server JOIN policies y ON y.id = i.policy
             JOIN vaults v ON v.id = s.vault
         WHERE i.stopped_at IS NULL AND i.deleted_at IS NULL AND s.revoked_at IS NULL AND v.deleted_at IS NULL",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}
