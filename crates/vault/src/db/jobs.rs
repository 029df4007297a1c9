//! Jobs, as agents report them and as the vault notes its own.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::agent::JobReport;
use stateward_model::{ItemKind, JobId, Label, ServerId, Timestamp, VaultId};
use std::ops::RangeInclusive;

/// Adds a report or puts it in the place of the one before. A job that ended stays ended: a late report of its running
/// changes nothing.
pub(crate) async fn upsert(
    connection: &mut Connection,
    server: ServerId,
    report: &JobReport,
    now: Timestamp,
) -> Result<(), Error> {
    let text = value::json_text(report);
    let (kind, state) = (value::word_text(report.kind), value::word_text(report.state));
    query(
        "INSERT INTO jobs (server, id, started_at, reported_at, ended, report, item, kind, state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (server, id) DO UPDATE SET started_at = excluded.started_at,
             reported_at = excluded.reported_at, ended = excluded.ended, report = excluded.report,
             item = excluded.item, kind = excluded.kind, state = excluded.state
         WHERE jobs.ended = 0 OR excluded.ended = 1",
    )
    .bind(&server.0[..])
    .bind(&report.job.0[..])
    .bind(report.started_at.0)
    .bind(now.0)
    .bind(i64::from(report.state.is_ended()))
    .bind(text.as_str())
    .bind(report.item.as_ref().map(|item| &item.0[..]))
    .bind(kind.as_str())
    .bind(state.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// A job as it is kept.
pub(crate) struct Job {
    /// Whose.
    pub(crate) server: ServerId,
    /// What people call the server.
    pub(crate) server_label: Label,
    /// The item's label and kind, if it has one.
    pub(crate) item: Option<(Label, ItemKind)>,
    /// When the vault last heard of it.
    pub(crate) reported_at: Timestamp,
    /// When somebody asked for it to be cancelled.
    pub(crate) cancel_requested_at: Option<Timestamp>,
    /// Until when its agent may take it, if it has not yet.
    pub(crate) takeable_until: Option<Timestamp>,
    /// Whether its server holds a session that was open when the job was last reported, and whose lease lives.
    pub(crate) has_session: bool,
    /// The report.
    pub(crate) report: JobReport,
}

type Row = (Vec<u8>, String, Option<String>, Option<String>, i64, Option<i64>, Option<i64>, bool, String);

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT j.server, s.label, i.label, i.kind, j.reported_at, j.cancel_requested_at,
                (SELECT max(c.expires_at) FROM commands c
                 WHERE c.server = j.server AND c.job = j.id AND c.taken_at IS NULL),
                EXISTS (SELECT 1 FROM sessions n WHERE n.server = j.server AND n.ended_at IS NULL
                        AND n.lease_until > $2 AND n.opened_at <= j.reported_at),
                j.report
             FROM jobs j JOIN servers s ON s.id = j.server LEFT JOIN items i ON i.server = j.server AND i.id = j.item
             WHERE s.vault = $1 ",
            $rest
        )
    };
}

fn read(row: Row) -> Result<Job, Error> {
    let (server, server_label, label, kind, reported_at, cancelled, takeable, has_session, report) = row;
    let item = match label.zip(kind) {
        Some((label, kind)) => Some((value::label(label)?, value::kind(&kind)?)),
        None => None,
    };
    Ok(Job {
        server: ServerId(value::fixed(server, "server id")?),
        server_label: value::label(server_label)?,
        item,
        reported_at: Timestamp(reported_at),
        cancel_requested_at: cancelled.map(Timestamp),
        takeable_until: takeable.map(Timestamp),
        has_session,
        report: value::json(&report, "job's report")?,
    })
}

/// The newest jobs of a vault that began within a time, newest first.
pub(crate) async fn list(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
    began: RangeInclusive<Timestamp>,
    most: u32,
) -> Result<Vec<Job>, Error> {
    let rows: Vec<Row> = query(select!(
        "AND j.started_at >= $3 AND j.started_at <= $4 ORDER BY j.started_at DESC, j.server, j.id LIMIT $5"
    ))
    .bind(&vault.0[..])
    .bind(now.0)
    .bind(began.start().0)
    .bind(began.end().0)
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(read).collect()
}

/// A job of a vault.
pub(crate) async fn find(
    connection: &mut Connection,
    vault: VaultId,
    now: Timestamp,
    id: JobId,
) -> Result<Option<Job>, Error> {
    let row: Option<Row> = query(select!("AND j.id = $3"))
        .bind(&vault.0[..])
        .bind(now.0)
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// Notes that somebody asked for a job to be cancelled; the first time counts.
pub(crate) async fn ask_to_cancel(
    connection: &mut Connection,
    (server, id): (ServerId, JobId),
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "UPDATE jobs SET cancel_requested_at = coalesce(cancel_requested_at, $3) WHERE server = $1 AND id = $2",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether somebody asked for a job to be cancelled.
pub(crate) async fn is_asked_to_cancel(
    connection: &mut Connection,
    server: ServerId,
    id: JobId,
) -> Result<bool, Error> {
    let row: Option<(bool,)> =
        query("SELECT cancel_requested_at IS NOT NULL FROM jobs WHERE server = $1 AND id = $2")
            .bind(&server.0[..])
            .bind(&id.0[..])
            .fetch_optional(connection)
            .await?;
    Ok(row.is_some_and(|(is_asked,)| is_asked))
}

/// Notes that a job was heard of, without a report.
pub(crate) async fn see(
    connection: &mut Connection,
    (server, id): (ServerId, JobId),
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE jobs SET reported_at = $3 WHERE server = $1 AND id = $2 AND ended = 0")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}
