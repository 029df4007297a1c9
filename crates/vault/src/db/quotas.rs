//! What each server may hold and send, and what it did: a row for each server and day.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{Label, ServerId, VaultId};

/// What each server of a vault may hold in packs and send within a day, in bytes; `None`: any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Quotas {
    /// What it may hold.
    pub(crate) held_max: Option<u64>,
    /// What it may send within a day.
    pub(crate) daily_max: Option<u64>,
}

/// What a server holds and has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServerUsage {
    /// Which.
    pub(crate) server: ServerId,
    /// Its label.
    pub(crate) label: Label,
    /// Bytes of packs that it put and that are there.
    pub(crate) held: u64,
    /// Bytes of packs that it put on that day.
    pub(crate) sent: u64,
}

fn number(bytes: Option<i64>) -> Result<Option<u64>, Error> {
    bytes.map(|bytes| value::unsigned(bytes, "quota")).transpose()
}

/// The quotas of a vault.
pub(crate) async fn find(connection: &mut Connection, vault: VaultId) -> Result<Quotas, Error> {
    let (held, daily): (Option<i64>, Option<i64>) =
        query("SELECT server_quota_bytes, server_daily_bytes FROM vaults WHERE id = $1")
            .bind(&vault.0[..])
            .fetch_one(connection)
            .await?;
    Ok(Quotas { held_max: number(held)?, daily_max: number(daily)? })
}

/// Sets them. 0 stands for none in the statement: there is no such quota.
pub(crate) async fn set(connection: &mut Connection, vault: VaultId, quotas: Quotas) -> Result<(), Error> {
    query("UPDATE vaults SET server_quota_bytes = nullif($2, 0), server_daily_bytes = nullif($3, 0) WHERE id = $1")
        .bind(&vault.0[..])
        .bind(quotas.held_max.unwrap_or_default().cast_signed())
        .bind(quotas.daily_max.unwrap_or_default().cast_signed())
        .execute(connection)
        .await?;
    Ok(())
}

/// Counts the bytes of a new pack for a day, unless a quota of the server's vault would be passed by them; tells whether they
/// were counted. One statement, for it is run for each pack.
pub(crate) async fn count(
    connection: &mut Connection,
    server: ServerId,
    day: i64,
    bytes: u32,
) -> Result<bool, Error> {
    let counted = query(
        "INSERT INTO ingest (server, day, bytes)
         SELECT s.id, $2, $3 FROM servers s JOIN vaults v ON v.id = s.vault
         WHERE s.id = $1
           AND (v.server_quota_bytes IS NULL OR v.server_quota_bytes >= $3 +
                coalesce((SELECT sum(i.bytes) FROM ingest i WHERE i.server = s.id), 0))
           AND (v.server_daily_bytes IS NULL OR v.server_daily_bytes >= $3 +
                coalesce((SELECT i.bytes FROM ingest i WHERE i.server = s.id AND i.day = $2), 0))
         ON CONFLICT (server, day) DO UPDATE SET bytes = ingest.bytes + excluded.bytes",
    )
    .bind(&server.0[..])
    .bind(day)
    .bind(i64::from(bytes))
    .execute(connection)
    .await?;
    Ok(counted > 0)
}

/// What the servers of a vault hold, and sent on a day; by label.
pub(crate) async fn usage(
    connection: &mut Connection,
    vault: VaultId,
    day: i64,
) -> Result<Vec<ServerUsage>, Error> {
    let rows: Vec<(Vec<u8>, String, i64, i64)> = query(
        "SELECT s.id, s.label,
                CAST(coalesce((SELECT sum(i.bytes) FROM ingest i WHERE i.server = s.id), 0) AS BIGINT),
                coalesce((SELECT i.bytes FROM ingest i WHERE i.server = s.id AND i.day = $2), 0)
         FROM servers s WHERE s.vault = $1 ORDER BY s.label, s.id",
    )
    .bind(&vault.0[..])
    .bind(day)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(server, label, held, sent)| {
            Ok(ServerUsage {
                server: ServerId(value::fixed(server, "server id")?),
                label: value::label(label)?,
                held: value::unsigned(held, "count of bytes")?,
                sent: value::unsigned(sent, "count of bytes")?,
            })
        })
        .collect()
}
