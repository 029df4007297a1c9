//! SQLite: a file in the data folder, in WAL mode with `synchronous=FULL`, so that what a transaction committed survives a
//! power cut. One connection writes, several read.

use super::{Error, migrations};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read.
const READERS: u32 = 4;

/// The connections to the file.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
}

/// Opens the file, makes it if it is not there, and brings it to this build's form.
pub(super) async fn open(file: &Path) -> Result<Pools, Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        // Else on the disk of the machine's temporary folder, which may be full on its own.
        .pragma("temp_store", "memory");
    let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    // A damaged file is found before anything is built upon it.
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&writer).await?;
    if found != "ok" {
        return Err(Error::Damaged("page"));
    }
    migrations::run(&mut *writer.acquire().await?, |step| step.sqlite).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .connect_with(options.create_if_missing(false).read_only(true))
        .await?;
    Ok(Pools { writer, readers })
}

/// Takes the write lock now, so that what reads first and writes then never fails half-way.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Ends the transaction.
pub(super) const COMMIT: &str = "COMMIT";

/// Lets this connection grow the database by so many pages and no more, as if its disk were full then.
#[cfg(test)]
pub(crate) async fn limit_pages(connection: &mut super::Connection, more: i64) {
    let connection = connection.sqlite();
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *connection).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + more));
    sqlx::query(limit).execute(connection).await.unwrap();
}

#[cfg(test)]
mod tests {
    use crate::db::{Database, DatabaseUrl};

    async fn open(folder: &tempfile::TempDir) -> Database {
        Database::open(&DatabaseUrl::file(folder.path().join("vault.db"))).await.unwrap()
    }

    #[tokio::test]
    async fn it_is_durable_checks_references_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let database = open(&folder).await;
            let mut write = database.write().await.unwrap();
            let connection = write.sqlite();
            for (pragma, expected) in
                [("PRAGMA journal_mode", "wal"), ("PRAGMA synchronous", "2"), ("PRAGMA foreign_keys", "1")]
            {
                let value: String = sqlx::query_scalar(pragma)
                    .fetch_one(&mut *connection)
                    .await
                    .or_else(|_: sqlx::Error| Ok::<_, sqlx::Error>(String::new()))
                    .unwrap();
                let number: i64 = match value.is_empty() {
                    true => sqlx::query_scalar(pragma).fetch_one(&mut *connection).await.unwrap(),
                    false => -1,
                };
                assert!(value == expected || number.to_string() == expected, "{pragma}");
            }
            drop(write);
            database.close().await;
        }
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let database = open(&folder).await;
        let mut reader = database.read().await.unwrap();
        assert!(sqlx::query("DELETE FROM vaults").execute(reader.sqlite()).await.is_err());
    }
}
