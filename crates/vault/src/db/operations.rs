//! What was asked for over the management API and goes on by itself.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{JobId, OperationId, Timestamp, VaultId};

/// An operation. All there are so far are done once they are asked for: what takes longer is a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its id.
    pub(crate) id: OperationId,
    /// When it was asked for.
    pub(crate) at: Timestamp,
    /// The job that does it.
    pub(crate) job: Option<JobId>,
}

/// Adds one.
pub(crate) async fn insert(
    connection: &mut Connection,
    vault: VaultId,
    operation: &Operation,
) -> Result<(), Error> {
    query(
        "INSERT INTO operations (id, vault, status, started_at, ended_at, job) VALUES ($1, $2, 'Succeeded', $3, $3, $4)",
    )
    .bind(&operation.id.0[..])
    .bind(&vault.0[..])
    .bind(operation.at.0)
    .bind(operation.job.as_ref().map(|job| &job.0[..]))
    .execute(connection)
    .await?;
    Ok(())
}

/// One of a vault.
pub(crate) async fn find(
    connection: &mut Connection,
    vault: VaultId,
    id: OperationId,
) -> Result<Option<Operation>, Error> {
    let row: Option<(i64, Option<Vec<u8>>)> =
        query("SELECT started_at, job FROM operations WHERE vault = $1 AND id = $2")
            .bind(&vault.0[..])
            .bind(&id.0[..])
            .fetch_optional(connection)
            .await?;
    let Some((at, job)) = row else { return Ok(None) };
    let job = job.map(|job| value::fixed(job, "job id").map(JobId)).transpose()?;
    Ok(Some(Operation { id, at: Timestamp(at), job }))
}

/// Forgets those of before a time.
pub(crate) async fn forget(connection: &mut Connection, before: Timestamp) -> Result<(), Error> {
    query("DELETE FROM operations WHERE started_at < $1").bind(before.0).execute(connection).await?;
    Ok(())
}
