//! The audit log.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{Timestamp, VaultId};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its place in the log: 1 for the first.
    pub(crate) number: u64,
    /// Which vault; `None` for what is of the subscription.
    pub(crate) vault: Option<VaultId>,
    /// When.
    pub(crate) at: Timestamp,
    /// Who.
    pub(crate) actor: String,
    /// What was done.
    pub(crate) act: String,
    /// To what.
    pub(crate) subject: String,
    /// More about it, as JSON.
    pub(crate) detail: String,
    /// Over this entry and the hash of the one before.
    pub(crate) hash: [u8; 32],
}

type Row = (i64, Option<Vec<u8>>, i64, String, String, String, String, Vec<u8>);

fn read((number, vault, at, actor, act, subject, detail, hash): Row) -> Result<Entry, Error> {
    Ok(Entry {
        number: value::unsigned(number, "number of an entry")?,
        vault: vault.map(|id| value::fixed(id, "vault id").map(VaultId)).transpose()?,
        at: Timestamp(at),
        actor,
        act,
        subject,
        detail,
        hash: value::fixed(hash, "hash of an entry")?,
    })
}

/// The newest entry's number and hash.
pub(crate) async fn head(connection: &mut Connection) -> Result<Option<(u64, [u8; 32])>, Error> {
    let row: Option<(i64, Vec<u8>)> = query("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    row.map(|(number, hash)| {
        Ok((value::unsigned(number, "number of an entry")?, value::fixed(hash, "hash of an entry")?))
    })
    .transpose()
}

/// Adds an entry.
pub(crate) async fn insert(connection: &mut Connection, entry: &Entry) -> Result<(), Error> {
    query(
        "INSERT INTO audit (number, vault, at, actor, act, subject, detail, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(entry.number.cast_signed())
    .bind(entry.vault.as_ref().map(|id| &id.0[..]))
    .bind(entry.at.0)
    .bind(entry.actor.as_str())
    .bind(entry.act.as_str())
    .bind(entry.subject.as_str())
    .bind(entry.detail.as_str())
    .bind(&entry.hash[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// At most so many entries above a number, in order: of one vault, or all.
pub(crate) async fn list(
    connection: &mut Connection,
    vault: Option<VaultId>,
    after: u64,
    most: u32,
) -> Result<Vec<Entry>, Error> {
    let rows: Vec<Row> = query(
        "SELECT number, vault, at, actor, act, subject, detail, hash FROM audit
         WHERE number > $1 AND ($3 = 0 OR vault = $2) ORDER BY number LIMIT $4",
    )
    .bind(after.cast_signed())
    .bind(vault.as_ref().map(|id| &id.0[..]))
    .bind(i64::from(vault.is_some()))
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Alters an entry, as nobody should: for tests.
#[cfg(test)]
pub(crate) async fn falsify(connection: &mut Connection, number: u64) -> Result<(), Error> {
    query("UPDATE audit SET actor = 'nobody' WHERE number = $1")
        .bind(number.cast_signed())
        .execute(connection)
        .await?;
    Ok(())
}
