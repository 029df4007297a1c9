//! Where the database is: a file of SQLite in the data folder, or PostgreSQL by a URL.

use sqlx::postgres::PgConnectOptions;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

/// Where the database is. Shown without what may be secret in it.
#[derive(Debug, Clone)]
pub(crate) enum DatabaseUrl {
    /// A file of SQLite.
    File(PathBuf),
    /// A database of a PostgreSQL server.
    Server(ServerUrl),
}

impl DatabaseUrl {
    /// A file of SQLite.
    pub(crate) fn file(path: PathBuf) -> Self {
        Self::File(path)
    }

    /// Reads `postgres://…`; an error says what is wrong with it, and repeats nothing of it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if !["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
            return Err(
                "it must begin with `postgres://`; without one the vault keeps its database in a file of \
                        its data folder"
                    .to_owned(),
            );
        }
        let options = PgConnectOptions::from_str(text).map_err(|error| error.to_string())?;
        let Some(name) = options.get_database().filter(|name| !name.is_empty()) else {
            return Err("it must name a database: `postgres://USER@HOST/DATABASE`".to_owned());
        };
        let socket = options.get_socket().map(|path| path.display().to_string());
        let host = socket.unwrap_or_else(|| options.get_host().to_owned());
        let shown = format!("postgres://{host}:{}/{name}", options.get_port());
        Ok(Self::Server(ServerUrl { text: text.to_owned(), shown }))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Server(url) => f.write_str(&url.shown),
        }
    }
}

/// A PostgreSQL URL that was understood.
#[derive(Clone)]
pub(crate) struct ServerUrl {
    text: String,
    /// Host, port and database.
    shown: String,
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl ServerUrl {
    /// What it says, with what libpq's variables and password file say beside it.
    pub(super) fn options(&self) -> PgConnectOptions {
        PgConnectOptions::from_str(&self.text).expect("it was understood when it was read")
    }

    /// Whether it says how the connection is sealed.
    pub(super) fn says_how_sealed(&self) -> bool {
        ["sslmode=", "ssl-mode="].iter().any(|name| self.text.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_holds_no_password() {
        for text in [
            "postgres://stateward:hunter2@db.example:5433/vault?sslmode=require",
            "postgresql://db.example:5433/vault?user=stateward&password=hunter2",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), "postgres://db.example:5433/vault");
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        let socket = DatabaseUrl::parse("postgres:///vault?host=/run/postgresql&port=5432").unwrap();
        assert_eq!(socket.to_string(), "postgres:///run/postgresql:5432/vault");
    }

    #[test]
    fn what_is_no_url_of_postgresql_is_refused_and_not_repeated() {
        for wrong in [
            "mysql://u:hunter2@h/d",
            "/var/lib/vault.db",
            "postgres://u:hunter2@h:70000/d",
            "postgres://u:hunter2@h/",
            "postgres://u:hunter2@h/d?sslmode=perhaps",
        ] {
            let why = DatabaseUrl::parse(wrong).unwrap_err();
            assert!(!why.contains("hunter2") && !why.is_empty(), "{wrong}: {why}");
        }
    }
}
