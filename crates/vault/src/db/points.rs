//! Committed recovery points, and which packs they need.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::tokens::ServerCaller;
use stateward_api::agent::ListedPoint;
use stateward_model::{ItemId, PackId, PointHash, Sequence, ServerId, Timestamp, VaultId};

type Row = (i64, Vec<u8>, Vec<u8>, i64, Option<i64>);

fn read((sequence, hash, item, received_at, gone_at): Row) -> Result<ListedPoint, Error> {
    Ok(ListedPoint {
        sequence: value::unsigned(sequence, "sequence number")?,
        hash: PointHash(value::fixed(hash, "recovery point id")?),
        item: ItemId(value::fixed(item, "item id")?),
        received_at: Timestamp(received_at),
        gone_at: gone_at.map(Timestamp),
    })
}

/// Points with their items, and since when they can't be restored from.
macro_rules! select {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT p.sequence, p.hash, p.item, p.received_at, coalesce(p.expired_at, p.purged_at, i.deleted_at)",
            $more,
            " FROM points p JOIN items i ON i.server = p.server AND i.id = p.item ",
            $rest
        )
    };
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
    let row: Option<Row> = query(select!("", "WHERE p.server = $1 ORDER BY p.number DESC LIMIT 1"))
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
    type Row = (i64, Vec<u8>, Vec<u8>, i64, Option<i64>, bool);
    let row: Option<Row> = query(select!(", p.receipted = 1", "WHERE p.server = $1 AND p.hash = $2"))
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(|(sequence, hash, item, received_at, gone_at, is_receipted)| {
        Ok((read((sequence, hash, item, received_at, gone_at))?, is_receipted))
    })
    .transpose()
}

/// All points of a server, in the order in which they were committed.
pub(crate) async fn list(connection: &mut Connection, server: ServerId) -> Result<Vec<ListedPoint>, Error> {
    let rows: Vec<Row> = query(select!("", "WHERE p.server = $1 ORDER BY p.number"))
        .bind(&server.0[..])
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Bytes of all packs that each point of a server needs, in the order of their commits.
#[cfg(test)]
pub(crate) async fn bytes_held(connection: &mut Connection, server: ServerId) -> Result<Vec<u64>, Error> {
    let rows: Vec<(i64,)> = query("SELECT pack_bytes FROM points WHERE server = $1 ORDER BY number")
        .bind(&server.0[..])
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(|(bytes,)| value::unsigned(bytes, "sum of bytes")).collect()
}

/// Adds a point.
pub(crate) async fn insert(
    connection: &mut Connection,
    server: ServerId,
    point: &ListedPoint,
    pack_bytes: u64,
) -> Result<(), Error> {
    query(
        "INSERT INTO points (server, sequence, hash, item, received_at, pack_bytes) VALUES ($1, $2, $3, $4, $5, $6)",
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
    query("UPDATE points SET receipted = 1 WHERE server = $1 AND hash = $2")
        .bind(&server.0[..])
        .bind(&hash.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// All points whose receipt may be missing, with whose they are.
pub(crate) async fn without_receipt(
    connection: &mut Connection,
) -> Result<Vec<(ServerCaller, ListedPoint)>, Error> {
    type Row = (Vec<u8>, Vec<u8>, Vec<u8>, i64, Vec<u8>, Vec<u8>, i64);
    let rows: Vec<Row> = query(
        "SELECT s.vault, coalesce(s.domain, s.id), p.server, p.sequence, p.hash, p.item, p.received_at
         FROM points p JOIN servers s ON s.id = p.server
         WHERE p.receipted = 0 ORDER BY p.server, p.number",
    )
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(vault, domain, server, sequence, hash, item, received_at)| {
            let vault = VaultId(value::fixed(vault, "vault id")?);
            let domain = ServerId(value::fixed(domain, "domain")?);
            let server = ServerId(value::fixed(server, "server id")?);
            Ok((ServerCaller { server, vault, domain }, read((sequence, hash, item, received_at, None))?))
        })
        .collect()
}

/// The packs that an item's newest point needs, by id.
pub(crate) async fn open_references(
    connection: &mut Connection,
    server: ServerId,
    item: ItemId,
) -> Result<Vec<PackId>, Error> {
    let rows: Vec<(Vec<u8>,)> = query(
        "SELECT pack FROM pack_references WHERE server = $1 AND item = $2 AND last_sequence IS NULL ORDER BY pack",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|(id,)| value::fixed(id, "pack id").map(PackId)).collect()
}

/// How many packs one statement is given.
const PACKS_AT_ONCE: usize = 10_000;

/// A statement about packs, whose ids are given one after another in `$4`; `$5` is their number. So a point of many packs
/// costs a few round trips.
macro_rules! for_packs {
    ($rest:literal) => {
        concat!(
            "WITH RECURSIVE places (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM places WHERE i + 1 < $5),
                  given (pack) AS (SELECT substr($4, i * 32 + 1, 32) FROM places) ",
            $rest
        )
    };
}

async fn run_for_packs(
    connection: &mut Connection,
    text: &'static str,
    (server, item, sequence): (ServerId, ItemId, Sequence),
    packs: &[PackId],
    more: Option<ServerId>,
) -> Result<(), Error> {
    for packs in packs.chunks(PACKS_AT_ONCE) {
        let ids: Vec<u8> = packs.iter().flat_map(|pack| pack.0).collect();
        let statement = query(text)
            .bind(&server.0[..])
            .bind(&item.0[..])
            .bind(column(sequence))
            .bind(&ids[..])
            .bind(packs.len().cast_signed() as i64);
        let statement = match &more {
            Some(more) => statement.bind(&more.0[..]),
            None => statement,
        };
        statement.execute(connection).await?;
    }
    Ok(())
}

/// Begins references: from this point of the item on, the packs are needed. A branch may have one that began there and
/// ended: then it goes on.
pub(crate) async fn begin_references(
    connection: &mut Connection,
    domain: ServerId,
    of: (ServerId, ItemId, Sequence),
    packs: &[PackId],
) -> Result<(), Error> {
    let text = for_packs!(
        "INSERT INTO pack_references (domain, server, item, pack, first_sequence)
         SELECT $6, $1, $2, pack, $3 FROM given WHERE true
         ON CONFLICT (server, item, pack, first_sequence) DO UPDATE SET last_sequence = NULL"
    );
    run_for_packs(connection, text, of, packs, Some(domain)).await
}

/// Ends references: this point of the item was the last that needs the packs.
pub(crate) async fn end_references(
    connection: &mut Connection,
    of: (ServerId, ItemId, Sequence),
    packs: &[PackId],
) -> Result<(), Error> {
    let text = for_packs!(
        "UPDATE pack_references SET last_sequence = $3
         WHERE server = $1 AND item = $2 AND last_sequence IS NULL AND pack IN (SELECT pack FROM given)"
    );
    run_for_packs(connection, text, of, packs, None).await
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
    query(
        "DELETE FROM pack_references WHERE server = $1 AND item = $2 AND first_sequence = $3
         AND last_sequence IS NOT NULL AND EXISTS (
            SELECT 1 FROM pack_references o WHERE o.server = $1 AND o.item = $2 AND o.pack = pack_references.pack
            AND o.last_sequence IS NULL AND o.first_sequence > $3)",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(column(first))
    .execute(&mut *connection)
    .await?;
    query(
        "UPDATE pack_references SET first_sequence = $3
         WHERE server = $1 AND item = $2 AND last_sequence IS NULL AND first_sequence > $3",
    )
    .bind(&server.0[..])
    .bind(&item.0[..])
    .bind(column(first))
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
    let (sequence,): (Option<i64>,) =
        query("SELECT max(sequence) FROM points WHERE server = $1 AND item = $2")
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
    let rows: Vec<(Vec<u8>, i64, Option<i64>)> = query(
        "SELECT pack, first_sequence, last_sequence FROM pack_references WHERE server = $1
         ORDER BY pack, first_sequence",
    )
    .bind(&server.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(pack, first, last)| Ok((PackId(value::fixed(pack, "pack id")?), first, last)))
        .collect()
}
