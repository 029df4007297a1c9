//! Sessions: at most one of a server is open, which an index of the database sees to as well.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{ItemId, JobKind, OnDemand, ServerId, SessionId, Timestamp};

/// A session as it is kept.
pub(crate) struct Session {
    /// Its id.
    pub(crate) id: SessionId,
    /// Whose.
    pub(crate) server: ServerId,
    /// The hash of its secret.
    pub(crate) secret_hash: [u8; 32],
    /// Until when nobody may replace it, but its holder.
    pub(crate) lease_until: Timestamp,
    /// Whether it was ended.
    pub(crate) is_ended: bool,
    /// Whether its recovery point is made on demand.
    pub(crate) on_demand: Option<OnDemand>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its holder closed it, or an administrator ended what it was for.
    Closed,
    /// Its holder opened the next one in its place.
    Replaced,
    /// Its lease had run out when the next one was opened.
    Expired,
}

impl Ended {
    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Replaced => "replaced",
            Self::Expired => "expired",
        }
    }
}

type Row = (Vec<u8>, Vec<u8>, Vec<u8>, i64, bool, bool, Option<i64>);

fn read(
    (id, server, secret_hash, lease_until, is_ended, is_on_demand, retain_until): Row,
) -> Result<Session, Error> {
    Ok(Session {
        id: SessionId(value::fixed(id, "session id")?),
        server: ServerId(value::fixed(server, "server id")?),
        secret_hash: value::fixed(secret_hash, "secret's hash")?,
        lease_until: Timestamp(lease_until),
        is_ended,
        on_demand: is_on_demand.then_some(OnDemand { retain_until: retain_until.map(Timestamp) }),
    })
}

/// Adds an open session.
pub(crate) async fn insert(
    connection: &mut Connection,
    session: &Session,
    kind: JobKind,
    item: Option<ItemId>,
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "INSERT INTO sessions (id, server, secret_hash, kind, item, opened_at, lease_until, is_on_demand, retain_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&session.id.0[..])
    .bind(&session.server.0[..])
    .bind(&session.secret_hash[..])
    .bind(kind.to_string().as_str())
    .bind(item.as_ref().map(|item| &item.0[..]))
    .bind(now.0)
    .bind(session.lease_until.0)
    .bind(i64::from(session.on_demand.is_some()))
    .bind(session.on_demand.and_then(|on_demand| on_demand.retain_until).map(|until| until.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a session.
pub(crate) async fn find(connection: &mut Connection, id: SessionId) -> Result<Option<Session>, Error> {
    let row: Option<Row> = query(
        "SELECT id, server, secret_hash, lease_until, ended_at IS NOT NULL, is_on_demand = 1, retain_until FROM sessions WHERE id = $1",
    )
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// The open session of a server.
pub(crate) async fn find_open(
    connection: &mut Connection,
    server: ServerId,
) -> Result<Option<Session>, Error> {
    let row: Option<Row> = query(
        "SELECT id, server, secret_hash, lease_until, ended_at IS NOT NULL, is_on_demand = 1, retain_until FROM sessions
         WHERE server = $1 AND ended_at IS NULL",
    )
    .bind(&server.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// The open session of a backup of an item.
pub(crate) async fn find_open_of_item(
    connection: &mut Connection,
    (server, item): (ServerId, ItemId),
) -> Result<Option<SessionId>, Error> {
    let row: Option<(Vec<u8>,)> =
        query("SELECT id FROM sessions WHERE server = $1 AND item = $2 AND ended_at IS NULL")
            .bind(&server.0[..])
            .bind(&item.0[..])
            .fetch_optional(connection)
            .await?;
    row.map(|(id,)| value::fixed(id, "session id").map(SessionId)).transpose()
}

/// Moves the end of an open session's lease; false if the server has no such open session.
pub(crate) async fn renew(
    connection: &mut Connection,
    server: ServerId,
    id: SessionId,
    lease_until: Timestamp,
) -> Result<bool, Error> {
    let changed =
        query("UPDATE sessions SET lease_until = $1 WHERE id = $2 AND server = $3 AND ended_at IS NULL")
            .bind(lease_until.0)
            .bind(&id.0[..])
            .bind(&server.0[..])
            .execute(connection)
            .await?;
    Ok(changed == 1)
}

/// Ends an open session.
pub(crate) async fn end(
    connection: &mut Connection,
    id: SessionId,
    because: Ended,
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE sessions SET ended_at = $1, ended_because = $2 WHERE id = $3 AND ended_at IS NULL")
        .bind(now.0)
        .bind(because.as_str())
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}
