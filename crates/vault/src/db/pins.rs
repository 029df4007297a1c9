//! Security PINs.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{Timestamp, VaultId};

/// Adds a PIN by its hash; forgets those whose time is over.
pub(crate) async fn insert(
    connection: &mut Connection,
    vault: VaultId,
    hash: [u8; 32],
    principal: &str,
    (now, expires_at): (Timestamp, Timestamp),
) -> Result<(), Error> {
    query("DELETE FROM pins WHERE expires_at <= $1").bind(now.0).execute(&mut *connection).await?;
    query("INSERT INTO pins (vault, hash, principal, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(&vault.0[..])
        .bind(&hash[..])
        .bind(principal)
        .bind(expires_at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// How many PINs of a vault can be used.
pub(crate) async fn count(
    connection: &mut Connection,
    vault: VaultId,
    wrong_max: u32,
    now: Timestamp,
) -> Result<u64, Error> {
    let (count,): (i64,) = query(
        "SELECT count(*) FROM pins WHERE vault = $1 AND used_at IS NULL AND expires_at > $2 AND wrong < $3",
    )
    .bind(&vault.0[..])
    .bind(now.0)
    .bind(i64::from(wrong_max))
    .fetch_one(connection)
    .await?;
    value::unsigned(count, "count of PINs")
}

/// Uses a PIN up; false if it can't be used.
pub(crate) async fn take(
    connection: &mut Connection,
    vault: VaultId,
    hash: [u8; 32],
    wrong_max: u32,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = query(
        "UPDATE pins SET used_at = $3
         WHERE vault = $1 AND hash = $2 AND used_at IS NULL AND expires_at > $3 AND wrong < $4",
    )
    .bind(&vault.0[..])
    .bind(&hash[..])
    .bind(now.0)
    .bind(i64::from(wrong_max))
    .execute(connection)
    .await?;
    Ok(changed == 1)
}

/// Counts a wrong PIN against every PIN that somebody could have meant.
pub(crate) async fn count_wrong(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE pins SET wrong = wrong + 1 WHERE vault = $1 AND used_at IS NULL AND expires_at > $2")
        .bind(&vault.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}
