//! The vault's database: SQL, and nothing but SQL. One file a noun, the same names as in `app`.
//!
//! SQLite in WAL mode with `synchronous=FULL`: what a transaction committed survives a power cut. One connection
//! writes, several read. Functions take a connection, so that `app` says what belongs into one transaction.

pub(crate) mod credentials;
mod error;
pub(crate) mod items;
pub(crate) mod jobs;
mod migrations;
pub(crate) mod packs;
pub(crate) mod points;
pub(crate) mod principals;
pub(crate) mod servers;
pub(crate) mod sessions;
pub(crate) mod slots;
pub(crate) mod tokens;
mod value;
pub(crate) mod vaults;
mod write;

pub(crate) use error::Error;
pub(crate) use sqlx::SqliteConnection as Connection;
pub(crate) use write::Write;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, SqlitePool};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read.
const READERS: u32 = 4;

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Database {
    /// Opens the file, makes it if it is not there, and brings it to this build's form.
    pub(crate) async fn open(file: &Path) -> Result<Self, Error> {
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
        migrations::run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.create_if_missing(false).read_only(true))
            .await?;
        Ok(Self { writer, readers })
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.readers.acquire().await?)
    }

    /// Begins the one transaction that writes; others wait.
    pub(crate) async fn write(&self) -> Result<Write, Error> {
        Write::begin(self.writer.acquire().await?).await
    }

    /// Closes all connections; waits for those in use.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Lets this connection grow the database by so many pages and no more, as if its disk were full then.
#[cfg(test)]
pub(crate) async fn limit_pages(connection: &mut Connection, more: i64) {
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *connection).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {}", pages + more));
    sqlx::query(limit).execute(connection).await.unwrap();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_durable_checks_references_and_opens_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vault.db");
        for _ in 0..2 {
            let database = Database::open(&file).await.unwrap();
            let mut connection = database.write().await.unwrap();
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
            drop(connection);
            database.close().await;
        }
    }

    #[tokio::test]
    async fn a_reader_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("vault.db")).await.unwrap();
        let mut reader = database.read().await.unwrap();
        assert!(sqlx::query("DELETE FROM vaults").execute(&mut *reader).await.is_err());
    }
}
