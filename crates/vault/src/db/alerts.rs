//! Alerts: what people should know.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::alerts::Severity;
use stateward_model::{AlertId, Timestamp, VaultId};
use std::collections::BTreeSet;

/// An alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    /// Its id.
    pub(crate) id: AlertId,
    /// Which vault.
    pub(crate) vault: VaultId,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What kind of thing happened: a word such as `expiry-held`.
    pub(crate) kind: String,
    /// What it is about: the id of an item, a server or a job.
    pub(crate) subject: String,
    /// In words.
    pub(crate) message: String,
    /// When it was first so.
    pub(crate) raised_at: Timestamp,
    /// When it was so no longer.
    pub(crate) resolved_at: Option<Timestamp>,
}

type Row = (Vec<u8>, Vec<u8>, String, String, String, String, i64, Option<i64>);

fn read((id, vault, severity, kind, subject, message, raised_at, resolved_at): Row) -> Result<Alert, Error> {
    Ok(Alert {
        id: AlertId(value::fixed(id, "alert id")?),
        vault: VaultId(value::fixed(vault, "vault id")?),
        severity: value::word(&severity, "severity")?,
        kind,
        subject,
        message,
        raised_at: Timestamp(raised_at),
        resolved_at: resolved_at.map(Timestamp),
    })
}

/// Adds an alert; false if one of its kind about the same is open already, whose words are then these.
pub(crate) async fn raise(connection: &mut Connection, alert: &Alert) -> Result<bool, Error> {
    let renewed = query(
        "UPDATE alerts SET message = $4 WHERE vault = $1 AND kind = $2 AND subject = $3 AND resolved_at IS NULL",
    )
    .bind(&alert.vault.0[..])
    .bind(alert.kind.as_str())
    .bind(alert.subject.as_str())
    .bind(alert.message.as_str())
    .execute(&mut *connection)
    .await?;
    if renewed > 0 {
        return Ok(false);
    }
    let severity = value::word_text(alert.severity);
    query(
        "INSERT INTO alerts (id, vault, severity, kind, subject, message, raised_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&alert.id.0[..])
    .bind(&alert.vault.0[..])
    .bind(severity.as_str())
    .bind(alert.kind.as_str())
    .bind(alert.subject.as_str())
    .bind(alert.message.as_str())
    .bind(alert.raised_at.0)
    .execute(connection)
    .await?;
    Ok(true)
}

/// Closes the open alert of a kind about something, if there is one.
pub(crate) async fn resolve(
    connection: &mut Connection,
    vault: VaultId,
    (kind, subject): (&str, &str),
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "UPDATE alerts SET resolved_at = $4 WHERE vault = $1 AND kind = $2 AND subject = $3 AND resolved_at IS NULL",
    )
    .bind(&vault.0[..])
    .bind(kind)
    .bind(subject)
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// An alert of a vault.
pub(crate) async fn find(
    connection: &mut Connection,
    vault: VaultId,
    id: AlertId,
) -> Result<Option<Alert>, Error> {
    let row: Option<Row> = query(
        "SELECT id, vault, severity, kind, subject, message, raised_at, resolved_at FROM alerts
         WHERE vault = $1 AND id = $2",
    )
    .bind(&vault.0[..])
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// The newest alerts of a vault, newest first.
pub(crate) async fn list(
    connection: &mut Connection,
    vault: VaultId,
    most: u32,
) -> Result<Vec<Alert>, Error> {
    let rows: Vec<Row> = query(
        "SELECT id, vault, severity, kind, subject, message, raised_at, resolved_at FROM alerts
         WHERE vault = $1 ORDER BY raised_at DESC, id LIMIT $2",
    )
    .bind(&vault.0[..])
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// What the open alerts of a kind are about, in all vaults.
pub(crate) async fn open_subjects(
    connection: &mut Connection,
    kind: &str,
) -> Result<BTreeSet<(VaultId, String)>, Error> {
    let rows: Vec<(Vec<u8>, String)> =
        query("SELECT vault, subject FROM alerts WHERE kind = $1 AND resolved_at IS NULL")
            .bind(kind)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(vault, subject)| Ok((VaultId(value::fixed(vault, "vault id")?), subject)))
        .collect()
}

/// Whether the alert of a kind about something is open.
pub(crate) async fn is_open(
    connection: &mut Connection,
    vault: VaultId,
    (kind, subject): (&str, &str),
) -> Result<bool, Error> {
    let (count,): (i64,) = query(
        "SELECT count(*) FROM alerts WHERE vault = $1 AND kind = $2 AND subject = $3 AND resolved_at IS NULL",
    )
    .bind(&vault.0[..])
    .bind(kind)
    .bind(subject)
    .fetch_one(connection)
    .await?;
    Ok(count > 0)
}
