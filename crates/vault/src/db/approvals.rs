//! Acts that wait for a second person, or have their consent.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{ApprovalId, Timestamp, VaultId};

/// An act that somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Approval {
    /// Its id.
    pub(crate) id: ApprovalId,
    /// Which vault.
    pub(crate) vault: VaultId,
    /// Which act: a word such as `guard.delete`.
    pub(crate) act: String,
    /// To what.
    pub(crate) subject: String,
    /// Who wants it.
    pub(crate) asked_by: String,
    /// When it was asked for.
    pub(crate) asked_at: Timestamp,
    /// Until when it can be agreed to and done.
    pub(crate) expires_at: Timestamp,
    /// Who agreed, and when.
    pub(crate) approved: Option<(String, Timestamp)>,
    /// When it was done.
    pub(crate) used_at: Option<Timestamp>,
}

type Row = (Vec<u8>, Vec<u8>, String, String, String, i64, i64, Option<String>, Option<i64>, Option<i64>);

fn read(row: Row) -> Result<Approval, Error> {
    let (id, vault, act, subject, asked_by, asked_at, expires_at, approved_by, approved_at, used_at) = row;
    Ok(Approval {
        id: ApprovalId(value::fixed(id, "approval id")?),
        vault: VaultId(value::fixed(vault, "vault id")?),
        act,
        subject,
        asked_by,
        asked_at: Timestamp(asked_at),
        expires_at: Timestamp(expires_at),
        approved: approved_by.zip(approved_at.map(Timestamp)),
        used_at: used_at.map(Timestamp),
    })
}

/// Adds one that was just asked for.
pub(crate) async fn insert(connection: &mut Connection, approval: &Approval) -> Result<(), Error> {
    query(
        "INSERT INTO approvals (id, vault, act, subject, asked_by, asked_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&approval.id.0[..])
    .bind(&approval.vault.0[..])
    .bind(approval.act.as_str())
    .bind(approval.subject.as_str())
    .bind(approval.asked_by.as_str())
    .bind(approval.asked_at.0)
    .bind(approval.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest of a vault, newest first.
pub(crate) async fn list(
    connection: &mut Connection,
    vault: VaultId,
    most: u32,
) -> Result<Vec<Approval>, Error> {
    let rows: Vec<Row> = query(
        "SELECT id, vault, act, subject, asked_by, asked_at, expires_at, approved_by, approved_at, used_at FROM approvals
         WHERE vault = $1 ORDER BY asked_at DESC, id LIMIT $2",
    )
    .bind(&vault.0[..])
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Those of a vault that can still be agreed to or done.
pub(crate) async fn open(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
) -> Result<Vec<Approval>, Error> {
    let rows: Vec<Row> = query(
        "SELECT id, vault, act, subject, asked_by, asked_at, expires_at, approved_by, approved_at, used_at FROM approvals
         WHERE vault = $1 AND used_at IS NULL AND expires_at > $2 ORDER BY asked_at, id",
    )
    .bind(&vault.0[..])
    .bind(now.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// Notes who agreed.
pub(crate) async fn approve(
    connection: &mut Connection,
    id: ApprovalId,
    by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE approvals SET approved_by = $2, approved_at = $3 WHERE id = $1")
        .bind(&id.0[..])
        .bind(by)
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that the act was done.
pub(crate) async fn use_up(connection: &mut Connection, id: ApprovalId, now: Timestamp) -> Result<(), Error> {
    query("UPDATE approvals SET used_at = $2 WHERE id = $1")
        .bind(&id.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}
