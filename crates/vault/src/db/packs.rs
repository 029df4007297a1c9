//! Packs of a server: which there are, how long, in which state.

use super::{Connection, Error, value};
use stateward_format::point::PackReference;
use stateward_model::{PackId, ServerId};

/// How a pack stands. See the migration for what each state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackState {
    /// Announced; its object may be there or not.
    Pending,
    /// Its object is durable; no point refers to it.
    Stored,
    /// Points refer to it.
    Live,
    /// Points or agents counted on it, but its object is not there as it should be.
    Lost,
}

impl PackState {
    const ALL: [Self; 4] = [Self::Pending, Self::Stored, Self::Live, Self::Lost];

    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Stored => "stored",
            Self::Live => "live",
            Self::Lost => "lost",
        }
    }

    /// Whether a point may refer to it.
    pub(crate) fn is_usable(self) -> bool {
        matches!(self, Self::Stored | Self::Live)
    }
}

/// A pack's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pack {
    /// Which, and how long.
    pub(crate) reference: PackReference,
    /// How it stands.
    pub(crate) state: PackState,
}

type Row = (Vec<u8>, i64, String);

fn read((id, length, state): Row) -> Result<Pack, Error> {
    let length = u32::try_from(length).map_err(|_| Error::Damaged("pack's length"))?;
    let reference = PackReference { id: PackId(value::fixed(id, "pack id")?), length };
    let state = PackState::ALL.into_iter().find(|known| known.as_str() == state);
    Ok(Pack { reference, state: state.ok_or(Error::Damaged("pack's state"))? })
}

/// Finds a pack.
pub(crate) async fn find(
    connection: &mut Connection,
    server: ServerId,
    id: PackId,
) -> Result<Option<Pack>, Error> {
    let row: Option<Row> = sqlx::query_as("SELECT id, length, state FROM packs WHERE server = ? AND id = ?")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// All packs of a server, by id.
pub(crate) async fn list(connection: &mut Connection, server: ServerId) -> Result<Vec<Pack>, Error> {
    let rows: Vec<Row> = sqlx::query_as("SELECT id, length, state FROM packs WHERE server = ? ORDER BY id")
        .bind(&server.0[..])
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Announces a pack whose object is about to be made; no change if it is known.
pub(crate) async fn announce(
    connection: &mut Connection,
    server: ServerId,
    pack: PackReference,
) -> Result<(), Error> {
    sqlx::query("INSERT OR IGNORE INTO packs (server, id, length, state) VALUES (?, ?, ?, 'pending')")
        .bind(&server.0[..])
        .bind(&pack.id.0[..])
        .bind(i64::from(pack.length))
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a pack's object is durable. One that was lost is again what it was.
pub(crate) async fn mark_stored(
    connection: &mut Connection,
    server: ServerId,
    id: PackId,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE packs SET state = CASE WHEN EXISTS
             (SELECT 1 FROM pack_references r WHERE r.server = packs.server AND r.pack = packs.id)
             THEN 'live' ELSE 'stored' END
         WHERE server = ? AND id = ? AND state IN ('pending', 'lost')",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that points refer to a pack.
pub(crate) async fn mark_live(
    connection: &mut Connection,
    server: ServerId,
    id: PackId,
) -> Result<(), Error> {
    sqlx::query("UPDATE packs SET state = 'live' WHERE server = ? AND id = ? AND state = 'stored'")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a pack's object is not there as it should be.
pub(crate) async fn mark_lost(
    connection: &mut Connection,
    server: ServerId,
    id: PackId,
) -> Result<(), Error> {
    sqlx::query("UPDATE packs SET state = 'lost' WHERE server = ? AND id = ?")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}
