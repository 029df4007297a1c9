//! Wrong client secrets lately, for each client id that there is.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::Timestamp;

/// How often somebody guessed wrong, and what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Guesses {
    /// So often in a row.
    pub(crate) wrong: u32,
    /// Until then nothing is tried.
    pub(crate) blocked_until: Timestamp,
}

/// Those for a client id, if its last secret was wrong.
pub(crate) async fn find(connection: &mut Connection, client_id: &str) -> Result<Option<Guesses>, Error> {
    let row: Option<(i64, i64)> = query("SELECT wrong, blocked_until FROM guesses WHERE principal = $1")
        .bind(client_id)
        .fetch_optional(connection)
        .await?;
    row.map(|(wrong, blocked_until)| {
        let wrong = value::unsigned(wrong, "count of guesses")?;
        let wrong = u32::try_from(wrong).unwrap_or(u32::MAX);
        Ok(Guesses { wrong, blocked_until: Timestamp(blocked_until) })
    })
    .transpose()
}

/// Notes one more.
pub(crate) async fn put(connection: &mut Connection, client_id: &str, guesses: Guesses) -> Result<(), Error> {
    query(
        "INSERT INTO guesses (principal, wrong, blocked_until) VALUES ($1, $2, $3)
         ON CONFLICT (principal) DO UPDATE SET wrong = excluded.wrong, blocked_until = excluded.blocked_until",
    )
    .bind(client_id)
    .bind(i64::from(guesses.wrong))
    .bind(guesses.blocked_until.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets them: the secret was right.
pub(crate) async fn forget(connection: &mut Connection, client_id: &str) -> Result<(), Error> {
    query("DELETE FROM guesses WHERE principal = $1").bind(client_id).execute(connection).await?;
    Ok(())
}
