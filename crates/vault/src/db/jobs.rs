//! Jobs as agents report them.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::admin::Job;
use stateward_api::agent::JobReport;
use stateward_model::{ServerId, Timestamp, VaultId};

/// Adds a report or puts it in the place of the one before. A job that ended stays ended: a late report of its running
/// changes nothing.
pub(crate) async fn upsert(
    connection: &mut Connection,
    server: ServerId,
    report: &JobReport,
    now: Timestamp,
) -> Result<(), Error> {
    let text = serde_json::to_string(report).expect("codes, counts and times always have a JSON form");
    query(
        "INSERT INTO jobs (server, id, started_at, reported_at, ended, report) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (server, id) DO UPDATE SET started_at = excluded.started_at,
             reported_at = excluded.reported_at, ended = excluded.ended, report = excluded.report
         WHERE jobs.ended = 0 OR excluded.ended = 1",
    )
    .bind(&server.0[..])
    .bind(&report.job.0[..])
    .bind(report.started_at.0)
    .bind(now.0)
    .bind(i64::from(report.state.is_ended()))
    .bind(text.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest jobs of a vault, newest first.
pub(crate) async fn list(connection: &mut Connection, vault: VaultId, most: u32) -> Result<Vec<Job>, Error> {
    let rows: Vec<(Vec<u8>, i64, String)> = query(
        "SELECT j.server, j.reported_at, j.report FROM jobs j JOIN servers s ON s.id = j.server
         WHERE s.vault = $1 ORDER BY j.started_at DESC, j.server, j.id LIMIT $2",
    )
    .bind(&vault.0[..])
    .bind(i64::from(most))
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(server, reported_at, report)| {
            Ok(Job {
                server: ServerId(value::fixed(server, "server id")?),
                reported_at: Timestamp(reported_at),
                report: serde_json::from_str(&report).map_err(|_| Error::Damaged("job's report"))?,
            })
        })
        .collect()
}
