//! One statement, as it is given to either database.
//!
//! The text is the same for both: values are `$1`, `$2` …, flags are numbers 0 and 1 in columns and `bool` in expressions,
//! and nothing is used that one of the two does not have. Read it in `docs/decisions/2026-11-28-postgresql.md`.

use super::{Connection, Error};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Postgres, Sqlite};
use std::time::Duration;

/// How long PostgreSQL may take to answer a statement. A line that broke without a word would hold a call for a quarter of
/// an hour otherwise; waiting for others' locks ends before ([`super::postgres`]).
const PATIENCE: Duration = Duration::from_secs(60);

/// A value that a statement is given.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Bytes(Option<&'a [u8]>),
    Text(Option<&'a str>),
    Number(Option<i64>),
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(Some(bytes))
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(bytes: Option<&'a [u8]>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A row that either database can give: a tuple of numbers, texts, bytes and flags.
pub(super) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// A statement with its values.
pub(super) struct Query<'a> {
    text: &'static str,
    values: Vec<Value<'a>>,
}

/// Begins a statement.
pub(super) fn query<'a>(text: &'static str) -> Query<'a> {
    Query { text, values: Vec::new() }
}

/// Gives a statement of one of the two its values.
macro_rules! with_values {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Bytes(bytes) => query.bind(bytes),
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        query
    }};
}

impl<'a> Query<'a> {
    /// The next value.
    pub(super) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs a statement that gives no rows; tells how many it changed.
    pub(super) async fn execute(self, connection: &mut Connection) -> Result<u64, Error> {
        match connection {
            Connection::Sqlite(sqlite) => {
                let query = with_values!(sqlx::query::<Sqlite>(self.text), self.values);
                Ok(query.execute(&mut **sqlite).await?.rows_affected())
            }
            Connection::Postgres(postgres) => {
                let query = with_values!(sqlx::query::<Postgres>(self.text), self.values);
                let done = in_time(query.execute(&mut **postgres)).await;
                Ok(connection.checked(done)?.rows_affected())
            }
        }
    }

    /// All rows.
    pub(super) async fn fetch_all<T: Row>(self, connection: &mut Connection) -> Result<Vec<T>, Error> {
        match connection {
            Connection::Sqlite(sqlite) => {
                let query = with_values!(sqlx::query_as::<Sqlite, T>(self.text), self.values);
                Ok(query.fetch_all(&mut **sqlite).await?)
            }
            Connection::Postgres(postgres) => {
                let query = with_values!(sqlx::query_as::<Postgres, T>(self.text), self.values);
                let done = in_time(query.fetch_all(&mut **postgres)).await;
                connection.checked(done)
            }
        }
    }

    /// The one row that there may be.
    pub(super) async fn fetch_optional<T: Row>(
        self,
        connection: &mut Connection,
    ) -> Result<Option<T>, Error> {
        Ok(self.fetch_all(connection).await?.into_iter().next())
    }

    /// The one row that there always is.
    pub(super) async fn fetch_one<T: Row>(self, connection: &mut Connection) -> Result<T, Error> {
        self.fetch_optional(connection).await?.ok_or(Error::Failed(sqlx::Error::RowNotFound))
    }
}

/// Gives up an answer that does not come.
pub(super) async fn in_time<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(done) => done,
        Err(_) => {
            let why = format!("PostgreSQL has not answered for {} seconds", PATIENCE.as_secs());
            Err(std::io::Error::new(std::io::ErrorKind::TimedOut, why).into())
        }
    }
}
