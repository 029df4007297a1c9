//! Why the database did not do it.

use sqlx::postgres::PgDatabaseError;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no space left.
    #[error("The database has no space left")]
    Full,
    /// Others hold what is needed for too long, or there was no connection in time.
    #[error("The database does not answer in time")]
    Busy,
    /// The server can't be reached, was reached no more, or is stopping.
    #[error("The database can't be reached")]
    Lost(#[source] sqlx::Error),
    /// A text has the character NUL, which PostgreSQL can't keep or look for.
    #[error("A text has the character NUL")]
    Nul,
    /// A column holds what no release wrote.
    #[error("The database is damaged: a {0} can't be read")]
    Damaged(&'static str),
    /// It was made by a newer release, or altered.
    #[error("The database can't be brought to this release's form")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
    /// What is promised does not hold on it.
    #[error("The database can't be used: {0}")]
    Unsuitable(String),
    /// Anything else.
    #[error("The database failed")]
    Failed(#[source] sqlx::Error),
}

/// SQLite's primary result codes (`sqlite3.h`): the low byte of the extended ones.
const SQLITE_BUSY: u32 = 5;
const SQLITE_FULL: u32 = 13;

/// An extended one: the file of shared memory beside the WAL could not grow, which happens on a full disk.
const SQLITE_IOERR_SHMSIZE: u32 = 4874;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let Some(database) = error.as_database_error() else {
            return match error {
                sqlx::Error::PoolTimedOut => Self::Busy,
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolClosed => Self::Lost(error),
                _ => Self::Failed(error),
            };
        };
        match database.try_downcast_ref::<PgDatabaseError>() {
            Some(postgres) => match postgres_meaning(postgres.code()) {
                Meaning::Full => Self::Full,
                Meaning::Busy => Self::Busy,
                Meaning::Lost => Self::Lost(error),
                Meaning::Nul => Self::Nul,
                Meaning::Other => Self::Failed(error),
            },
            None => match database.code().and_then(|code| code.parse::<u32>().ok()) {
                Some(SQLITE_IOERR_SHMSIZE) => Self::Full,
                Some(code) if code & 0xff == SQLITE_FULL => Self::Full,
                Some(code) if code & 0xff == SQLITE_BUSY => Self::Busy,
                _ => Self::Failed(error),
            },
        }
    }
}

enum Meaning {
    Full,
    Busy,
    Lost,
    Nul,
    Other,
}

/// What an `SQLSTATE` means (PostgreSQL's manual, appendix A).
fn postgres_meaning(code: &str) -> Meaning {
    match code {
        // disk_full
        "53100" => Meaning::Full,
        // serialization_failure, deadlock_detected, lock_not_available: the same call goes through when it is repeated.
        "40001" | "40P01" | "55P03" => Meaning::Busy,
        // too_many_connections
        "53300" => Meaning::Busy,
        // idle_in_transaction_session_timeout, read_only_sql_transaction (a primary that became a standby)
        "25P03" | "25006" => Meaning::Lost,
        // character_not_in_repertoire: of what is valid UTF-8, this alone.
        "22021" => Meaning::Nul,
        // Connections; an operator who stops the server, or its crash.
        code if code.starts_with("08") || code.starts_with("57P") => Meaning::Lost,
        _ => Meaning::Other,
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error)
            | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => error.into(),
            error => Self::Migration(Box::new(error)),
        }
    }
}
