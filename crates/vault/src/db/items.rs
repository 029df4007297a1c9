//! Protected items.

use super::query::query;
use super::vaults::Deleted;
use super::{Connection, Error, value};
use stateward_model::{ItemId, ItemKind, JobState, Label, ServerId, StopKeeps, Timestamp, VaultId};

/// An item with what it comes to.
pub(crate) struct Item {
    /// Whose.
    pub(crate) server: ServerId,
    /// Its id.
    pub(crate) id: ItemId,
    /// What people call it.
    pub(crate) label: Label,
    /// What kind it is.
    pub(crate) kind: ItemKind,
    /// What people call its server.
    pub(crate) server_label: Label,
    /// The name of its policy.
    pub(crate) policy: Option<String>,
    /// What becomes of its points, if its backups were stopped.
    pub(crate) stopped: Option<StopKeeps>,
    /// When it was deleted, and until when it can be had back.
    pub(crate) deleted: Option<Deleted>,
    /// Recovery points that can be restored from.
    pub(crate) points: u64,
    /// When the first and the last of them were made.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
    /// How the last backup ended that did, and when it began.
    pub(crate) last_backup: Option<(JobState, Timestamp)>,
}

type Row = (
    Vec<u8>,
    Vec<u8>,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);

/// Items that were purged are no more. The last backup is looked up twice, since a subquery gives one value.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.server, i.id, i.label, i.kind, s.label, y.name,
                CASE WHEN i.stopped_at IS NULL THEN NULL ELSE coalesce(i.stop_keeps, 'forever') END,
                i.deleted_at, i.purge_at,
                (SELECT count(*) FROM points p
                 WHERE p.server = i.server AND p.item = i.id AND p.expired_at IS NULL AND p.purged_at IS NULL),
                (SELECT min(p.received_at) FROM points p
                 WHERE p.server = i.server AND p.item = i.id AND p.expired_at IS NULL AND p.purged_at IS NULL),
                (SELECT max(p.received_at) FROM points p
                 WHERE p.server = i.server AND p.item = i.id AND p.expired_at IS NULL AND p.purged_at IS NULL),
                (SELECT j.state FROM jobs j WHERE j.server = i.server AND j.item = i.id AND j.kind = 'Backup'
                 AND j.ended = 1 ORDER BY j.started_at DESC LIMIT 1),
                (SELECT j.started_at FROM jobs j WHERE j.server = i.server AND j.item = i.id AND j.kind = 'Backup'
                 AND j.ended = 1 ORDER BY j.started_at DESC LIMIT 1)
             FROM items i JOIN servers s ON s.id = i.server LEFT JOIN policies y ON y.id = i.policy
             WHERE s.vault = $1 AND (i.deleted_at IS NULL OR i.purge_at > $2) ",
            $rest
        )
    };
}

fn read(row: Row) -> Result<Item, Error> {
    let (server, id, label, kind, server_label, policy, stop_keeps, deleted_at, purge_at, ..) = &row;
    let (.., points, oldest, newest, state, began) = &row;
    let stopped = stop_keeps.as_deref().map(|keeps| value::word(keeps, "what a stop keeps"));
    let state = state.as_deref().map(|state| value::word(state, "state of a job"));
    Ok(Item {
        server: ServerId(value::fixed(server.clone(), "server id")?),
        id: ItemId(value::fixed(id.clone(), "item id")?),
        label: value::label(label.clone())?,
        kind: value::kind(kind)?,
        server_label: value::label(server_label.clone())?,
        policy: policy.clone(),
        stopped: stopped.transpose()?,
        deleted: deleted_at
            .zip(*purge_at)
            .map(|(at, purge_at)| Deleted { at: Timestamp(at), purge_at: Timestamp(purge_at) }),
        points: value::unsigned(*points, "count")?,
        span: oldest.zip(*newest).map(|(first, last)| (Timestamp(first), Timestamp(last))),
        last_backup: state.transpose()?.zip(began.map(Timestamp)),
    })
}

/// Adds an item, or changes its label.
pub(crate) async fn upsert(
    connection: &mut Connection,
    (server, id): (ServerId, ItemId),
    label: &Label,
    kind: ItemKind,
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "INSERT INTO items (server, id, label, kind, made_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (server, id) DO UPDATE SET label = excluded.label",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .bind(label.as_str())
    .bind(value::kind_text(kind))
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// An item's kind, if the server has it.
pub(crate) async fn kind(
    connection: &mut Connection,
    server: ServerId,
    id: ItemId,
) -> Result<Option<ItemKind>, Error> {
    let kind: Option<(String,)> = query("SELECT kind FROM items WHERE server = $1 AND id = $2")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    kind.map(|(kind,)| value::kind(&kind)).transpose()
}

/// All items of a vault that are not purged, by the labels of server and item.
pub(crate) async fn list(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
) -> Result<Vec<Item>, Error> {
    let rows: Vec<Row> = query(select!("ORDER BY s.label, i.server, i.label, i.id"))
        .bind(&vault.0[..])
        .bind(now.0)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// An item of a vault that is not purged.
pub(crate) async fn find(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
    (server, id): (ServerId, ItemId),
) -> Result<Option<Item>, Error> {
    let row: Option<Row> = query(select!("AND i.server = $3 AND i.id = $4"))
        .bind(&vault.0[..])
        .bind(now.0)
        .bind(&server.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// Whether an item takes backups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// It does.
    Active,
    /// They were stopped.
    Stopped,
    /// It was deleted.
    Deleted,
}

/// Whether an item takes backups; `None` if the server has no such item.
pub(crate) async fn protection(
    connection: &mut Connection,
    server: ServerId,
    id: ItemId,
) -> Result<Option<Protection>, Error> {
    let row: Option<(bool, bool)> = query(
        "SELECT stopped_at IS NOT NULL, deleted_at IS NOT NULL FROM items WHERE server = $1 AND id = $2",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| match row {
        (_, true) => Protection::Deleted,
        (true, false) => Protection::Stopped,
        (false, false) => Protection::Active,
    }))
}

/// Stops an item's backups, or lets them go on.
pub(crate) async fn set_stopped(
    connection: &mut Connection,
    (server, id): (ServerId, ItemId),
    stopped: Option<(Timestamp, StopKeeps)>,
) -> Result<(), Error> {
    let keeps = stopped.map(|(_, keeps)| value::word_text(keeps));
    let statement = match stopped {
        Some((at, _)) => {
            query("UPDATE items SET stopped_at = $4, stop_keeps = $3 WHERE server = $1 AND id = $2")
                .bind(&server.0[..])
                .bind(&id.0[..])
                .bind(keeps.as_deref())
                .bind(at.0)
        }
        None => query("UPDATE items SET stopped_at = NULL, stop_keeps = NULL WHERE server = $1 AND id = $2")
            .bind(&server.0[..])
            .bind(&id.0[..]),
    };
    statement.execute(connection).await?;
    Ok(())
}

/// Marks an item as deleted.
pub(crate) async fn delete(
    connection: &mut Connection,
    (server, id): (ServerId, ItemId),
    deleted: Deleted,
) -> Result<(), Error> {
    query("UPDATE items SET deleted_at = $3, purge_at = $4 WHERE server = $1 AND id = $2")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .bind(deleted.at.0)
        .bind(deleted.purge_at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a deletion back.
pub(crate) async fn undelete(
    connection: &mut Connection,
    (server, id): (ServerId, ItemId),
) -> Result<(), Error> {
    query("UPDATE items SET deleted_at = NULL, purge_at = NULL WHERE server = $1 AND id = $2")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}
