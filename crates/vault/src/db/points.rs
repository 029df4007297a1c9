//! Committed recovery points, and which packs they need.

use super::{Connection, Error, value};
use stateward_api::admin::RecoveryPoint;
use stateward_api::agent::ListedPoint;
use stateward_model::{ItemId, PackId, PointHash, Sequence, ServerId, Timestamp, VaultId};

type Row = (i64, Vec<u8>, Vec<u8>, i64);

fn read((sequence, hash, item, received_at): Row) -> Result<ListedPoint, Error> {
    Ok(ListedPoint {
        sequence: value::unsigned(sequence, "sequence number")?,
        hash: PointHash(value::fixed(hash, "recovery point id")?),
        item: ItemId(value::fixed(item, "item id")?),
        received_at: Timestamp(received_at),
    })
}

/// A sequence number as a column holds it; none above 2⁶³ was ever committed.
fn column(sequence: Sequence) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

/// The point of a server that was committed last.
pub(crate) async fn head(
    connection: &mut Connection,
    server: ServerId,
) -> Result<Option<ListedPoint>, Error> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT sequence, hash, item, received_at FROM points WHERE server = ? ORDER BY number DESC LIMIT 1",
    )
    .bind(&server.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// Finds a point; also tells whether its receipt is known to be durable.
pub(crate) async fn find(
    connection: &mut Connection,
    server: ServerId,
    hash: PointHash,
) -> Result<Option<(ListedPoint, bool)>, Error> {
    type Row = (i64, Vec<u8>, Vec<u8>, i64, bool);
    let row: Option<Row> = sqlx::query_as(
        "SELECT sequence, hash, item, received_at, receipted FROM points WHERE server = ? AND hash = ?",
    )
    .bind(&server.0[..])
    .bind(&hash.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(|(sequence, hash, item, received_at, is_receipted)| {
        Ok((read((sequence, hash, item, received_at))?, is_receipted))
    })
    .transpose()
}

/// All points of a server, in the order in which they were committed.
pub(crate) async fn list(connection: &mut Connection, server: ServerId) -> Result<Vec<ListedPoint>, Error> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT sequence, hash, item, received_at FROM points WHERE server = ? ORDER BY number",
    )
    .bind(&server.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// All points of a vault, newest first.
pub(crate) async fn list_of_vault(
    connection: &mut Connection,
    vault: VaultId,
) -> Result<Vec<RecoveryPoint>, Error> {
    type Row = (Vec<u8>, i64, Vec<u8>, Vec<u8>, i64, i64, String, String);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT p.server, p.sequence, p.hash, p.item, p.received_at, p.pack_bytes, i.label, i.kind
         FROM points p
         JOIN servers s ON s.id = p.server
         JOIN items i ON i.server = p.server AND i.id = p.item
         WHERE s.vault = ? ORDER BY p.received_at DESC, p.server, p.number DESC",
    )
    .bind(&vault.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(server, sequence, hash, item, received_at, pack_bytes, label, kind)| {
            Ok(RecoveryPoint {
                id: PointHash(value::fixed(hash, "recovery point id")?),
                server: ServerId(value::fixed(server, "server id")?),
                item: ItemId(value::fixed(item, "item id")?),
                item_label: value::label(label)?,
                kind: value::kind(&kind)?,
                sequence: value::unsigned(sequence, "sequence number")?,
                received_at: Timestamp(received_at),
                pack_bytes: value::unsigned(pack_bytes, "sum of bytes")?,
            })
        })
        .collect()
}

/// Adds a point.
pub(crate) async fn insert(
    connection: &mut Connection,
    server: ServerId,
    point: &ListedPoint,
    pack_bytes: u64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO points (server, sequence, hash, item, received_at, pack_bytes) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .bind(&server.0[..])
    .bind(column(point.sequence))
    .bind(&point.hash.0[..])
    .bind(&point.item.0[..])
    .bind(point.received_at.0)
    .bind(i64::try_from(pack_bytes).unwrap_or(i64::MAX))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a point's receipt is durable.
pub(crate) async fn mark_receipted(
    connection: &mut Connection,
    server: ServerId,
    hash: PointHash,
) -> Result<(), Error> {
    sqlx::query("UPDATE points SET receipted = 1 WHERE server = ? AND hash = ?")
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// All points whose receipt may be missing, with server and vault.
pub(crate) async fn without_receipt(
    connection: &mut Connection,
) -> Result<Vec<(VaultId, ServerId, ListedPoint)>, Error> {
    type Row = (Vec<u8>, Vec<u8>, i64, Vec<u8>, Vec<u8>, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT s.vault, p.server, p.sequence, p.hash, p.item, p.received_at
         FROM points p JOIN servers s ON s.id = p.server
         WHERE p.receipted = 0 ORDER BY p.server, p.number",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(vault, server, sequence, hash, item, received_at)| {
            let vault = VaultId(value::fixed(vault, "vault id")?);
            let server = ServerId(value::fixed(server, "server id")?);
            Ok((vault, server, read((sequence, hash, item, received_at))?))
        })
        .collect()
}

/// The packs that an item's newest point needs, by id.
pub(crate) async fn open_references(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
) -> Result<Vec<PackId>, Error> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT pack FROM pack_references WHERE server = ? AND item = ? AND last_sequence IS NULL ORDER BY pack",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|id| value::fixed(id, "pack id").map(PackId)).collect()
}

/// Begins a reference: from this point of the item on, the pack is needed. A branch may have one that began there and
/// ended: then it goes on.
pub(crate) async fn open_reference(
    connection: &mut Connection,
    domain: ServerId,
    server: ServerId,
    item: ItemId,
    pack: PackId,
    first: Sequence,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO pack_references (domain, server, item, pack, first_sequence) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (server, item, pack, first_sequence) DO UPDATE SET last_sequence = NULL",
    )
    .bind(&domain.0[..])
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(&pack.0[..])
    .bind(column(first))
    .execute(connection)
    .await?;
    Ok(())
}

/// Makes references that are open begin no later than this point of the item, which is on a branch beside those that
/// opened them: a reference lasts too long rather than not long enough.
pub(crate) async fn widen_references(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
    first: Sequence,
) -> Result<(), Error> {
    // One that begins just there was another branch's, and is within what the open one becomes.
    sqlx::query(
        "DELETE FROM pack_references WHERE server = ?1 AND item = ?2 AND first_sequence = ?3
         AND last_sequence IS NOT NULL AND EXISTS (
            SELECT 1 FROM pack_references o WHERE o.server = ?1 AND o.item = ?2 AND o.pack = pack_references.pack
            AND o.last_sequence IS NULL AND o.first_sequence > ?3)",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(column(first))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE pack_references SET first_sequence = ?3
         WHERE server = ?1 AND item = ?2 AND last_sequence IS NULL AND first_sequence > ?3",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(column(first))
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends a reference: this point of the item was the last that needs the pack.
pub(crate) async fn close_reference(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
    pack: PackId,
    last: Sequence,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE pack_references SET last_sequence = ?
         WHERE server = ? AND item = ? AND pack = ? AND last_sequence IS NULL",
    )
    .bind(column(last))
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(&pack.0[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// The highest number of an item's points.
pub(crate) async fn newest_of_item(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
) -> Result<Option<Sequence>, Error> {
    let sequence: Option<i64> =
        sqlx::query_scalar("SELECT max(sequence) FROM points WHERE server = ? AND item = ?")
            .bind(&server.0[..])
            .bind(&item.0[..])
            .fetch_one(connection)
            .await?;
    sequence.map(|sequence| value::unsigned(sequence, "sequence number")).transpose()
}

/// All references of a server as (pack, first, last), sorted: for tests.
#[cfg(test)]
pub(crate) async fn lifetimes(
    connection: &mut Connection,
    server: ServerId,
) -> Result<Vec<(PackId, i64, Option<i64>)>, Error> {
    let rows: Vec<(Vec<u8>, i64, Option<i64>)> = sqlx::query_as(
        "SELECT pack, first_sequence, last_sequence FROM pack_references WHERE server = ?
         ORDER BY pack, first_sequence",
    )
    .bind(&server.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(pack, first, last)| Ok((PackId(value::fixed(pack, "pack id")?), first, last)))
        .collect()
}
