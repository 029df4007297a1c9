//! Tombstones: which are not known to be durable yet.

use super::query::query;
use super::{Connection, Error, value};
use stateward_format::tombstone::{Act, PointState, Tombstone};
use stateward_model::{PointHash, ServerId, Timestamp, VaultId};

/// Adds one, and counts it with its point.
pub(crate) async fn insert(connection: &mut Connection, tombstone: &Tombstone) -> Result<(), Error> {
    let recoverable_until = match tombstone.act {
        Act::Expire { recoverable_until } | Act::SoftDelete { recoverable_until } => {
            Some(recoverable_until.0)
        }
        Act::Undelete | Act::Collect => None,
    };
    query(
        "INSERT INTO tombstones (server, point, number, sequence, act, before, at, recoverable_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&tombstone.server.0[..])
    .bind(&tombstone.point.0[..])
    .bind(i64::from(tombstone.number))
    .bind(tombstone.sequence.cast_signed())
    .bind(act_text(tombstone.act))
    .bind(state_text(tombstone.before))
    .bind(tombstone.at.0)
    .bind(recoverable_until)
    .execute(&mut *connection)
    .await?;
    query("UPDATE points SET tombstones = $3 WHERE server = $1 AND hash = $2")
        .bind(&tombstone.server.0[..])
        .bind(&tombstone.point.0[..])
        .bind(i64::from(tombstone.number))
        .execute(connection)
        .await?;
    Ok(())
}

type Row = (Vec<u8>, Vec<u8>, Vec<u8>, i64, i64, String, String, i64, Option<i64>);

fn read(row: Row) -> Result<Tombstone, Error> {
    let (vault, server, point, number, sequence, act, before, at, recoverable_until) = row;
    Ok(Tombstone {
        vault: VaultId(value::fixed(vault, "vault id")?),
        server: ServerId(value::fixed(server, "server id")?),
        sequence: value::unsigned(sequence, "sequence number")?,
        point: PointHash(value::fixed(point, "recovery point id")?),
        number: u32::try_from(number).map_err(|_| Error::Damaged("number of a tombstone"))?,
        act: read_act(&act, recoverable_until.map(Timestamp)).ok_or(Error::Damaged("act of a tombstone"))?,
        before: read_state(&before).ok_or(Error::Damaged("state of a tombstone"))?,
        at: Timestamp(at),
    })
}

/// So many of those that are not known to be durable, the earliest of each point first.
pub(crate) async fn list(connection: &mut Connection, most: u32) -> Result<Vec<Tombstone>, Error> {
    let rows: Vec<Row> = query(
        "SELECT s.vault, t.server, t.point, t.number, t.sequence, t.act, t.before, t.at, t.recoverable_until
         FROM tombstones t JOIN servers s ON s.id = t.server ORDER BY t.server, t.point, t.number LIMIT $1",
    )
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Forgets one that is durable.
pub(crate) async fn remove(connection: &mut Connection, tombstone: &Tombstone) -> Result<(), Error> {
    query("DELETE FROM tombstones WHERE server = $1 AND point = $2 AND number = $3")
        .bind(&tombstone.server.0[..])
        .bind(&tombstone.point.0[..])
        .bind(i64::from(tombstone.number))
        .execute(connection)
        .await?;
    Ok(())
}

fn act_text(act: Act) -> &'static str {
    match act {
        Act::Expire { .. } => "expire",
        Act::SoftDelete { .. } => "soft-delete",
        Act::Undelete => "undelete",
        Act::Collect => "collect",
    }
}

fn read_act(text: &str, recoverable_until: Option<Timestamp>) -> Option<Act> {
    match (text, recoverable_until) {
        ("expire", Some(recoverable_until)) => Some(Act::Expire { recoverable_until }),
        ("soft-delete", Some(recoverable_until)) => Some(Act::SoftDelete { recoverable_until }),
        ("undelete", None) => Some(Act::Undelete),
        ("collect", None) => Some(Act::Collect),
        _ => None,
    }
}

fn state_text(state: PointState) -> &'static str {
    match state {
        PointState::Live => "live",
        PointState::Expired => "expired",
        PointState::SoftDeleted => "soft-deleted",
        PointState::Collected => "collected",
    }
}

fn read_state(text: &str) -> Option<PointState> {
    [PointState::Live, PointState::Expired, PointState::SoftDeleted, PointState::Collected]
        .into_iter()
        .find(|state| state_text(*state) == text)
}
