//! Packs of a deduplication domain: which there are, how long, in which state, and who put them.

use super::query::query;
use super::{Connection, Error, value};
use stateward_format::point::PackReference;
use stateward_model::{PackId, ServerId};

/// How a pack stands. See the migration for what each state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PackState {
    /// Announced; its object may be there or not.
    Pending,
    /// Its object is durable; no point refers to it. It is of use only to the server that put it.
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
}

/// A pack's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pack {
    /// Which, and how long.
    pub(crate) reference: PackReference,
    /// How it stands.
    pub(crate) state: PackState,
    /// The server that put it.
    pub(crate) server: ServerId,
}

impl Pack {
    /// Whether that server of the domain may have it: a point refers to it (or did, and it was lost), or it is the
    /// server's own. What another server's session has put is nobody else's before its point is committed.
    pub(crate) fn is_visible_to(&self, server: ServerId) -> bool {
        match self.state {
            PackState::Pending => false,
            PackState::Stored => self.server == server,
            PackState::Live | PackState::Lost => true,
        }
    }

    /// Whether a point of that server of the domain may refer to it.
    pub(crate) fn is_usable_by(&self, server: ServerId) -> bool {
        self.state != PackState::Lost && self.is_visible_to(server)
    }
}

type Row = (Vec<u8>, i64, String, Vec<u8>);

fn read((id, length, state, server): Row) -> Result<Pack, Error> {
    let length = u32::try_from(length).map_err(|_| Error::Damaged("pack's length"))?;
    let reference = PackReference { id: PackId(value::fixed(id, "pack id")?), length };
    let state = PackState::ALL.into_iter().find(|known| known.as_str() == state);
    let server = ServerId(value::fixed(server, "server id")?);
    Ok(Pack { reference, state: state.ok_or(Error::Damaged("pack's state"))?, server })
}

/// Finds a pack.
pub(crate) async fn find(
    connection: &mut Connection,
    domain: ServerId,
    id: PackId,
) -> Result<Option<Pack>, Error> {
    let row: Option<Row> = query("SELECT id, length, state, server FROM packs WHERE domain = $1 AND id = $2")
        .bind(&domain.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// All packs of a domain, by id.
pub(crate) async fn list(connection: &mut Connection, domain: ServerId) -> Result<Vec<Pack>, Error> {
    let rows: Vec<Row> = query("SELECT id, length, state, server FROM packs WHERE domain = $1 ORDER BY id")
        .bind(&domain.0[..])
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// Announces a pack whose object a server is about to make. One that is known stays as it
/// is: salts are random, so two servers never make the same pack. Tells whether it is new.
pub(crate) async fn announce(
    connection: &mut Connection,
    domain: ServerId,
    server: ServerId,
    pack: PackReference,
) -> Result<bool, Error> {
    let added = query(
        "INSERT INTO packs (domain, id, length, state, server) VALUES ($1, $2, $3, 'pending', $4) ON CONFLICT DO NOTHING",
    )
    .bind(&domain.0[..])
    .bind(&pack.id.0[..])
    .bind(i64::from(pack.length))
    .bind(&server.0[..])
    .execute(connection)
    .await?;
    Ok(added > 0)
}

/// Notes that a pack's object is durable. One that was lost is again what it was.
pub(crate) async fn mark_stored(
    connection: &mut Connection,
    domain: ServerId,
    id: PackId,
) -> Result<(), Error> {
    query(
        "UPDATE packs SET state = CASE WHEN EXISTS
             (SELECT 1 FROM pack_references r WHERE r.domain = packs.domain AND r.pack = packs.id)
             THEN 'live' ELSE 'stored' END
         WHERE domain = $1 AND id = $2 AND state IN ('pending', 'lost')",
    )
    .bind(&domain.0[..])
    .bind(&id.0[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that points refer to packs of a domain that were stored only before.
pub(crate) async fn mark_live(connection: &mut Connection, domain: ServerId) -> Result<(), Error> {
    query(
        "UPDATE packs SET state = 'live' WHERE domain = $1 AND state = 'stored' AND EXISTS
             (SELECT 1 FROM pack_references r WHERE r.domain = packs.domain AND r.pack = packs.id)",
    )
    .bind(&domain.0[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a pack's object is not there as it should be.
pub(crate) async fn mark_lost(
    connection: &mut Connection,
    domain: ServerId,
    id: PackId,
) -> Result<(), Error> {
    query("UPDATE packs SET state = 'lost' WHERE domain = $1 AND id = $2")
        .bind(&domain.0[..])
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}
