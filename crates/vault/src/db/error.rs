//! Why the database did not do it.

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no space left.
    #[error("The database has no space left")]
    Full,
    /// Another process holds it.
    #[error("The database is held by another process")]
    Busy,
    /// A column holds what no release wrote.
    #[error("The database is damaged: a {0} can't be read")]
    Damaged(&'static str),
    /// It was made by a newer release, or altered.
    #[error("The database can't be brought to this release's form")]
    Migration(#[source] Box<sqlx::migrate::MigrateError>),
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
        let code = error.as_database_error().and_then(|e| e.code()?.parse::<u32>().ok());
        match code.map(|code| if code == SQLITE_IOERR_SHMSIZE { SQLITE_FULL } else { code & 0xff }) {
            Some(SQLITE_FULL) => Self::Full,
            Some(SQLITE_BUSY) => Self::Busy,
            _ if matches!(error, sqlx::Error::PoolTimedOut) => Self::Busy,
            _ => Self::Failed(error),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for Error {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Migration(Box::new(error))
    }
}
