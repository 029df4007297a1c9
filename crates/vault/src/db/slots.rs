//! Key slots of a server. None is removed; one whose passphrase was changed is retired, and not listed any more.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{ServerId, SlotHash, Timestamp};

/// Adds a slot; false if it was there.
pub(crate) async fn insert(
    connection: &mut Connection,
    server: ServerId,
    epoch: u32,
    hash: SlotHash,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = query(
        "INSERT INTO slots (server, epoch, hash, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&server.0[..])
    .bind(i64::from(epoch))
    .bind(&hash.0[..])
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(changed == 1)
}

/// All slots of a server that are not retired, oldest epoch first.
pub(crate) async fn list(
    connection: &mut Connection,
    server: ServerId,
) -> Result<Vec<(u32, SlotHash)>, Error> {
    let rows: Vec<(i64, Vec<u8>)> =
        query("SELECT epoch, hash FROM slots WHERE server = $1 AND retired_at IS NULL ORDER BY epoch, created_at, hash")
            .bind(&server.0[..])
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(epoch, hash)| {
            let epoch = u32::try_from(epoch).map_err(|_| Error::Damaged("key epoch"))?;
            Ok((epoch, SlotHash(value::fixed(hash, "key slot id")?)))
        })
        .collect()
}

/// Retires a slot.
pub(crate) async fn retire(
    connection: &mut Connection,
    server: ServerId,
    (epoch, hash): (u32, SlotHash),
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE slots SET retired_at = $4 WHERE server = $1 AND epoch = $2 AND hash = $3 AND retired_at IS NULL")
        .bind(&server.0[..])
        .bind(i64::from(epoch))
        .bind(&hash.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}
