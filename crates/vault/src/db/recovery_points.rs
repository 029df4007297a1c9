//! Recovery points as retention and people see them, and the items that they are of.

use super::query::query;
use super::vaults::recoverable_until;
use super::{Connection, Error, value};
use crate::app::tokens::ServerCaller;
use stateward_model::{
    Immutability, ItemId, Label, PointHash, Policy, PolicyName, Sequence, ServerId, Timestamp, VaultId,
};

/// An item with all that decides about its points.
#[derive(Debug, Clone)]
pub(crate) struct KeptItem {
    /// Whose.
    pub(crate) whose: ServerCaller,
    /// Its id.
    pub(crate) id: ItemId,
    /// What people call it.
    pub(crate) label: Label,
    /// Its policy, with its name.
    pub(crate) policy: Option<(PolicyName, Policy)>,
    /// Whether its backups were stopped.
    pub(crate) is_stopped: bool,
    /// Whether all of its points are kept since it was stopped.
    pub(crate) keeps_all: bool,
    /// Until when it can be had back, if it was deleted.
    pub(crate) purge_at: Option<Timestamp>,
    /// Whether its vault is immutable.
    pub(crate) is_immutable: bool,
    /// For how many days deleted things of its vault can be had back.
    pub(crate) soft_delete_days: u32,
}

impl KeptItem {
    /// The policy by which its points come to their end; `None` if none does.
    pub(crate) fn expires_by(&self) -> Option<&Policy> {
        let policy = self.policy.as_ref().map(|(_, policy)| policy);
        policy.filter(|_| !self.keeps_all && self.purge_at.is_none())
    }

    /// Until when can be had back what is deleted at that moment.
    pub(crate) fn recoverable_until(&self, now: Timestamp) -> Timestamp {
        recoverable_until(now, self.soft_delete_days)
    }
}

type ItemRow = (
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    String,
    Option<String>,
    Option<String>,
    bool,
    Option<String>,
    Option<i64>,
    String,
    i64,
);

fn read_item(row: ItemRow) -> Result<KeptItem, Error> {
    let (vault, domain, server, id, label, name, body, is_stopped, keeps, purge_at, immutability, days) = row;
    let name = name.map(|name| name.parse().map_err(|_| Error::Damaged("policy's name"))).transpose()?;
    let body = body.map(|body| value::json(&body, "policy")).transpose()?;
    let immutability: Immutability = value::word(&immutability, "immutability")?;
    Ok(KeptItem {
        whose: ServerCaller {
            server: ServerId(value::fixed(server, "server id")?),
            vault: VaultId(value::fixed(vault, "vault id")?),
            domain: ServerId(value::fixed(domain, "domain")?),
        },
        id: ItemId(value::fixed(id, "item id")?),
        label: value::label(label)?,
        policy: name.zip(body),
        is_stopped,
        keeps_all: is_stopped && keeps.as_deref() != Some("expire"),
        purge_at: purge_at.map(Timestamp),
        is_immutable: immutability != Immutability::Disabled,
        soft_delete_days: u32::try_from(days).map_err(|_| Error::Damaged("days of soft delete"))?,
    })
}

/// Items that were not purged: those have a moment of deletion and none of purging.
macro_rules! select_items {
    ($rest:literal) => {
        concat!(
            "SELECT s.vault, coalesce(s.domain, s.id), i.server, i.id, i.label, y.name, y.body, i.stopped_at IS NOT NULL,
                 i.stop_keeps, i.purge_at, v.immutability, v.soft_delete_days
             FROM items i JOIN servers s ON s.id = i.server JOIN vaults v ON v.id = s.vault
                 LEFT JOIN policies y ON y.id = i.policy
             WHERE (i.deleted_at IS NULL OR i.purge_at IS NOT NULL) ",
            $rest
        )
    };
}

/// All items of all vaults.
pub(crate) async fn all_items(connection: &mut Connection) -> Result<Vec<KeptItem>, Error> {
    let rows: Vec<ItemRow> = query(select_items!("ORDER BY i.server, i.id")).fetch_all(connection).await?;
    rows.into_iter().map(read_item).collect()
}

/// The items that have a policy of a vault.
pub(crate) async fn items_of_policy(
    connection: &mut Connection,
    vault: VaultId,
    policy: &PolicyName,
) -> Result<Vec<KeptItem>, Error> {
    let key = policy.key();
    let rows: Vec<ItemRow> =
        query(select_items!("AND s.vault = $1 AND lower(y.name) = $2 ORDER BY i.server, i.id"))
            .bind(&vault.0[..])
            .bind(key.as_str())
            .fetch_all(connection)
            .await?;
    rows.into_iter().map(read_item).collect()
}

/// An item of a server.
pub(crate) async fn item(
    connection: &mut Connection,
    server: ServerId,
    id: ItemId,
) -> Result<Option<KeptItem>, Error> {
    let row: Option<ItemRow> = query(select_items!("AND i.server = $1 AND i.id = $2"))
        .bind(&server.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(read_item).transpose()
}

/// An item of a vault by its id alone.
pub(crate) async fn item_of_vault(
    connection: &mut Connection,
    vault: VaultId,
    id: ItemId,
) -> Result<Option<KeptItem>, Error> {
    let row: Option<ItemRow> =
        query(select_items!("AND s.vault = $1 AND i.id = $2 ORDER BY i.server LIMIT 1"))
            .bind(&vault.0[..])
            .bind(&id.0[..])
            .fetch_optional(connection)
            .await?;
    row.map(read_item).transpose()
}

/// Writes down that an item can't be had back any more; its policy is free of it.
pub(crate) async fn purge_item(connection: &mut Connection, item: &KeptItem) -> Result<(), Error> {
    query("UPDATE items SET purge_at = NULL, policy = NULL WHERE server = $1 AND id = $2")
        .bind(&item.whose.server.0[..])
        .bind(&item.id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// When a point expired, and until when it can be had back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired {
    /// When.
    pub(crate) at: Timestamp,
    /// Until when.
    pub(crate) purge_at: Timestamp,
}

/// A point with all that decides about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptPoint {
    /// Its place in the chain.
    pub(crate) sequence: Sequence,
    /// Its id.
    pub(crate) hash: PointHash,
    /// When the vault committed it.
    pub(crate) received_at: Timestamp,
    /// Bytes of all packs that it needs.
    pub(crate) pack_bytes: u64,
    /// Whether it was made on demand.
    pub(crate) is_on_demand: bool,
    /// Until when a person wants it kept.
    pub(crate) retain_until: Option<Timestamp>,
    /// Until when an immutable vault promised to keep it.
    pub(crate) promised_until: Option<Timestamp>,
    /// Whether a person agreed that it expires.
    pub(crate) is_expiry_confirmed: bool,
    /// Whether it has expired.
    pub(crate) expired: Option<Expired>,
    /// Whether it can't be had back any more.
    pub(crate) is_purged: bool,
    /// Whether all of it is there, as far as the vault knows.
    pub(crate) is_good: bool,
    /// How many tombstones it has.
    pub(crate) tombstones: u32,
}

impl KeptPoint {
    /// The same as retention sees it.
    pub(crate) fn for_retention(&self) -> stateward_model::policy::Point {
        stateward_model::policy::Point {
            received_at: self.received_at,
            retain_until: self.retain_until,
            promised_until: self.promised_until,
            is_good: self.is_good,
            is_live: self.expired.is_none() && !self.is_purged,
            is_expiry_confirmed: self.is_expiry_confirmed,
        }
    }
}

type PointRow =
    (i64, Vec<u8>, i64, i64, bool, Option<i64>, Option<i64>, bool, Option<i64>, Option<i64>, bool, i64);

fn read_point(row: PointRow, lost: &[(i64, Option<i64>)]) -> Result<KeptPoint, Error> {
    let (
        sequence,
        hash,
        received_at,
        bytes,
        on_demand,
        retain,
        promised,
        confirmed,
        at,
        purge_at,
        purged,
        tombstones,
    ) = row;
    let needs =
        |(first, last): &(i64, Option<i64>)| *first <= sequence && last.is_none_or(|last| sequence <= last);
    let expired = at.zip(purge_at);
    Ok(KeptPoint {
        sequence: value::unsigned(sequence, "sequence number")?,
        hash: PointHash(value::fixed(hash, "recovery point id")?),
        received_at: Timestamp(received_at),
        pack_bytes: value::unsigned(bytes, "sum of bytes")?,
        is_on_demand: on_demand,
        retain_until: retain.map(Timestamp),
        promised_until: promised.map(Timestamp),
        is_expiry_confirmed: confirmed,
        expired: expired.map(|(at, purge_at)| Expired { at: Timestamp(at), purge_at: Timestamp(purge_at) }),
        is_purged: purged,
        is_good: !lost.iter().any(needs),
        tombstones: u32::try_from(tombstones).map_err(|_| Error::Damaged("count of tombstones"))?,
    })
}

/// All points of an item that the vault ever took, in the order in which they were committed.
pub(crate) async fn of_item(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
) -> Result<Vec<KeptPoint>, Error> {
    let lost: Vec<(i64, Option<i64>)> = query(
        "SELECT r.first_sequence, r.last_sequence FROM packs k
         JOIN pack_references r ON r.domain = k.domain AND r.pack = k.id
         WHERE k.state = 'lost' AND r.server = $1 AND r.item = $2",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .fetch_all(&mut *connection)
    .await?;
    let rows: Vec<PointRow> = query(
        "SELECT sequence, hash, received_at, pack_bytes, is_on_demand = 1, retain_until, promised_until,
             expiry_confirmed = 1, expired_at, purge_at, purged_at IS NOT NULL, tombstones
         FROM points WHERE server = $1 AND item = $2 ORDER BY number",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| read_point(row, &lost)).collect()
}

/// Whose a point of a vault is: server and item.
pub(crate) async fn owner(
    connection: &mut Connection,
    vault: VaultId,
    hash: PointHash,
) -> Result<Option<(ServerId, ItemId)>, Error> {
    let row: Option<(Vec<u8>, Vec<u8>)> = query(
        "SELECT p.server, p.item FROM points p JOIN servers s ON s.id = p.server
         WHERE p.hash = $2 AND s.vault = $1 ORDER BY p.number LIMIT 1",
    )
    .bind(&vault.0[..])
    .bind(&hash.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(|(server, item)| {
        Ok((ServerId(value::fixed(server, "server id")?), ItemId(value::fixed(item, "item id")?)))
    })
    .transpose()
}

/// Marks a live point as expired.
pub(crate) async fn expire(
    connection: &mut Connection,
    (server, hash): (ServerId, PointHash),
    expired: Expired,
) -> Result<(), Error> {
    query("UPDATE points SET expired_at = $3, purge_at = $4 WHERE server = $1 AND hash = $2")
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .bind(expired.at.0)
        .bind(expired.purge_at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes the expiry of a point back, and keeps it until then.
pub(crate) async fn undelete(
    connection: &mut Connection,
    (server, hash): (ServerId, PointHash),
    retain_until: Timestamp,
) -> Result<(), Error> {
    query(
        "UPDATE points SET expired_at = NULL, purge_at = NULL, expiry_confirmed = 0, retain_until = $3
         WHERE server = $1 AND hash = $2",
    )
    .bind(&server.0[..])
    .bind(&hash.0[..])
    .bind(retain_until.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks a point as one that can't be had back any more.
pub(crate) async fn purge(
    connection: &mut Connection,
    (server, hash): (ServerId, PointHash),
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE points SET purged_at = $3 WHERE server = $1 AND hash = $2")
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down that a person agreed to a point's expiry.
pub(crate) async fn confirm(
    connection: &mut Connection,
    (server, hash): (ServerId, PointHash),
) -> Result<(), Error> {
    query("UPDATE points SET expiry_confirmed = 1 WHERE server = $1 AND hash = $2")
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes down how long a new point is kept whatever its policy says.
pub(crate) async fn keep(
    connection: &mut Connection,
    (server, hash): (ServerId, PointHash),
    is_on_demand: bool,
    retain_until: Option<Timestamp>,
    promised_until: Option<Timestamp>,
) -> Result<(), Error> {
    query(
        "UPDATE points SET is_on_demand = $3, retain_until = $4, promised_until = $5 WHERE server = $1 AND hash = $2",
    )
    .bind(&server.0[..])
    .bind(&hash.0[..])
    .bind(i64::from(is_on_demand))
    .bind(retain_until.map(|until| until.0))
    .bind(promised_until.map(|until| until.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// What became of an item: for tests.
#[cfg(test)]
pub(crate) struct State {
    /// When its backups were stopped, and what is kept then.
    pub(crate) stopped: Option<(Timestamp, &'static str)>,
    /// When it was deleted, and until when it can be had back.
    pub(crate) deleted: Option<(Timestamp, Timestamp)>,
}

/// Puts an item into a state: for tests.
#[cfg(test)]
pub(crate) async fn set_state(
    connection: &mut Connection,
    (server, item): (ServerId, ItemId),
    State { stopped, deleted }: State,
) -> Result<(), Error> {
    query(
        "UPDATE items SET stopped_at = $3, stop_keeps = $4, deleted_at = $5, purge_at = $6 WHERE server = $1 AND id = $2",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(stopped.map(|(at, _)| at.0))
    .bind(stopped.map(|(_, keeps)| keeps))
    .bind(deleted.map(|(at, _)| at.0))
    .bind(deleted.map(|(_, purge_at)| purge_at.0))
    .execute(connection)
    .await?;
    Ok(())
}
