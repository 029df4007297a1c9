//! What agents are asked to do.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::agent::Command;
use stateward_model::{CommandId, JobId, ServerId, Timestamp};

/// A command as it is kept.
pub(crate) struct KeptCommand {
    /// The command.
    pub(crate) command: Command,
    /// Whether the agent took it.
    pub(crate) is_taken: bool,
}

type Row = (Vec<u8>, Vec<u8>, String, i64, i64, bool);

fn read((id, job, body, made_at, expires_at, is_taken): Row) -> Result<KeptCommand, Error> {
    let command = Command {
        id: CommandId(value::fixed(id, "command id")?),
        job: JobId(value::fixed(job, "job id")?),
        made_at: Timestamp(made_at),
        expires_at: Timestamp(expires_at),
        request: value::json(&body, "command")?,
    };
    Ok(KeptCommand { command, is_taken })
}

/// Adds one.
pub(crate) async fn insert(
    connection: &mut Connection,
    server: ServerId,
    command: &Command,
) -> Result<(), Error> {
    let body = value::json_text(&command.request);
    query(
        "INSERT INTO commands (id, server, job, body, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&command.id.0[..])
    .bind(&server.0[..])
    .bind(&command.job.0[..])
    .bind(body.as_str())
    .bind(command.made_at.0)
    .bind(command.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Those that a server has not taken and may take, the first one first.
pub(crate) async fn waiting(
    connection: &mut Connection,
    server: ServerId,
    now: Timestamp,
) -> Result<Vec<Command>, Error> {
    let rows: Vec<Row> = query(
        "SELECT id, job, body, made_at, expires_at, taken_at IS NOT NULL FROM commands
         WHERE server = $1 AND taken_at IS NULL AND expires_at > $2 ORDER BY made_at, id",
    )
    .bind(&server.0[..])
    .bind(now.0)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(|row| Ok(read(row)?.command)).collect()
}

/// One of a server.
pub(crate) async fn find(
    connection: &mut Connection,
    server: ServerId,
    id: CommandId,
) -> Result<Option<KeptCommand>, Error> {
    let row: Option<Row> = query(
        "SELECT id, job, body, made_at, expires_at, taken_at IS NOT NULL FROM commands WHERE server = $1 AND id = $2",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read).transpose()
}

/// Notes that a server took one.
pub(crate) async fn take(connection: &mut Connection, id: CommandId, now: Timestamp) -> Result<(), Error> {
    query("UPDATE commands SET taken_at = $2 WHERE id = $1 AND taken_at IS NULL")
        .bind(&id.0[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes back what was not taken yet of a job; false if there is no such command.
pub(crate) async fn withdraw(
    connection: &mut Connection,
    server: ServerId,
    job: JobId,
) -> Result<bool, Error> {
    let gone = query("DELETE FROM commands WHERE server = $1 AND job = $2 AND taken_at IS NULL")
        .bind(&server.0[..])
        .bind(&job.0[..])
        .execute(connection)
        .await?;
    Ok(gone > 0)
}
