//! The vault's database: SQL, and nothing but SQL. One file a noun, the same names as in `app`.
//!
//! SQLite in the data folder, or PostgreSQL by a URL ([`DatabaseUrl`]); each statement has one text for both ([`query`]).
//! What differs stands in `sqlite.rs` and `postgres.rs`: how it is opened, and how a transaction begins. Functions take a
//! connection, so that `app` says what belongs into one transaction.
//!
//! Invariant: a transaction that writes sees and keeps its scope as if nobody else were there, over all processes.

pub(crate) mod agents;
pub(crate) mod alerts;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod commands;
mod connection;
pub(crate) mod credentials;
mod error;
pub(crate) mod groups;
pub(crate) mod guards;
pub(crate) mod guesses;
pub(crate) mod high_water;
pub(crate) mod identity;
pub(crate) mod items;
pub(crate) mod jobs;
mod migrations;
pub(crate) mod operations;
pub(crate) mod overdue;
pub(crate) mod packs;
pub(crate) mod pins;
pub(crate) mod points;
pub(crate) mod policies;
mod postgres;
pub(crate) mod principals;
mod query;
pub(crate) mod quotas;
pub(crate) mod recovery_points;
pub(crate) mod servers;
pub(crate) mod sessions;
pub(crate) mod slots;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod timetables;
pub(crate) mod tokens;
pub(crate) mod tombstones;
mod url;
mod value;
pub(crate) mod vaults;
mod write;

pub(crate) use connection::{Connection, Read};
pub(crate) use error::Error;
#[cfg(test)]
pub(crate) use sqlite::limit_pages;
pub(crate) use url::DatabaseUrl;
pub(crate) use write::Write;

use stateward_model::ServerId;

/// What a transaction may write, and what it reads to decide that: nobody else writes it meanwhile. SQLite has one writer
/// for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everything.
    Whole,
    /// What belongs to the servers of one deduplication domain, but tokens.
    Domain(ServerId),
    /// Tokens, assertions and guesses.
    SignIns,
}

/// The open database.
#[derive(Debug, Clone)]
pub(crate) struct Database(Pools);

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(sqlite::Pools),
    Postgres(postgres::Pools),
}

impl Database {
    /// Opens it and brings it to this build's form. A file is made if it is not there.
    pub(crate) async fn open(url: &DatabaseUrl) -> Result<Self, Error> {
        Ok(Self(match url {
            DatabaseUrl::File(file) => Pools::Sqlite(Box::pin(sqlite::open(file)).await?),
            DatabaseUrl::Server(url) => Pools::Postgres(Box::pin(postgres::open(url)).await?),
        }))
    }

    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Read, Error> {
        Ok(Read(match &self.0 {
            Pools::Sqlite(pools) => Connection::Sqlite(pools.readers.acquire().await?),
            Pools::Postgres(pools) => Connection::Postgres(pools.readers.acquire().await?),
        }))
    }

    /// Begins a transaction that may write everything; all others wait.
    #[cfg(test)]
    pub(crate) async fn write(&self) -> Result<Write, Error> {
        self.write_in(Scope::Whole).await
    }

    /// Begins a transaction that writes; others of its scope wait.
    pub(crate) async fn write_in(&self, scope: Scope) -> Result<Write, Error> {
        let (connection, begin, commit) = match &self.0 {
            Pools::Sqlite(pools) => {
                let connection = Connection::Sqlite(pools.writer.acquire().await?);
                (connection, sqlite::BEGIN.to_owned(), sqlite::COMMIT)
            }
            Pools::Postgres(pools) => {
                let connection = Connection::Postgres(pools.writers.acquire().await?);
                (connection, postgres::begin(scope), postgres::COMMIT)
            }
        };
        Write::begin(connection, begin, commit).await
    }

    /// Closes all connections; waits for those in use.
    pub(crate) async fn close(&self) {
        match &self.0 {
            Pools::Sqlite(pools) => {
                pools.readers.close().await;
                pools.writer.close().await;
            }
            Pools::Postgres(pools) => {
                pools.readers.close().await;
                pools.writers.close().await;
            }
        }
    }
}
