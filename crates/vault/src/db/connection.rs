//! One connection to either database.

use super::Error;
use super::query::in_time;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Postgres, Sqlite};
use std::ops::{Deref, DerefMut};

/// A connection; goes back into its pool when it is dropped.
#[derive(Debug)]
pub(crate) enum Connection {
    /// To the file.
    Sqlite(PoolConnection<Sqlite>),
    /// To the server.
    Postgres(PoolConnection<Postgres>),
}

impl Connection {
    /// Runs statements without values, one after another; on PostgreSQL in one round trip.
    pub(super) async fn run(&mut self, text: String) -> Result<(), Error> {
        let statements = sqlx::raw_sql(AssertSqlSafe(text));
        match self {
            Self::Sqlite(sqlite) => {
                statements.execute(&mut **sqlite).await?;
            }
            Self::Postgres(postgres) => {
                let done = in_time(statements.execute(&mut **postgres)).await;
                self.checked(done)?;
            }
        }
        Ok(())
    }

    /// What an answer of PostgreSQL comes to. A connection that may be broken, or of which an answer may still come, is not
    /// used again.
    pub(super) fn checked<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, Error> {
        done.map_err(|error| {
            let error = Error::from(error);
            if matches!(error, Error::Lost(_)) {
                self.close_on_drop();
            }
            error
        })
    }

    /// Closes it instead of giving it back.
    pub(super) fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.close_on_drop(),
            Self::Postgres(postgres) => postgres.close_on_drop(),
        }
    }

    /// The connection to the file, for tests of what SQLite alone has.
    #[cfg(test)]
    pub(super) fn sqlite(&mut self) -> &mut sqlx::SqliteConnection {
        match self {
            Self::Sqlite(sqlite) => sqlite,
            Self::Postgres(_) => panic!("this test is of SQLite"),
        }
    }
}

/// A connection that reads.
#[derive(Debug)]
pub(crate) struct Read(pub(super) Connection);

impl Deref for Read {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Read {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}
