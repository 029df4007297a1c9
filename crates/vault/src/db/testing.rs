//! The database of a test: a file of SQLite, or with `STATEWARD_DATABASE=postgres` a database of its own on a PostgreSQL that
//! the tests start.

use super::DatabaseUrl;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use tempfile::TempDir;

/// Serves a PostgreSQL until its standard input ends.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/serve-postgres.sh");

/// The database of one test.
pub(crate) struct TestDatabase {
    url: DatabaseUrl,
    _folder: TempDir,
}

impl TestDatabase {
    /// A new one, of the kind that this run is for.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = match std::env::var("STATEWARD_DATABASE").as_deref() {
            Ok("postgres") => Box::pin(server().expect("PostgreSQL is installed").database()).await,
            Ok("sqlite") | Err(_) => DatabaseUrl::file(folder.path().join("vault.db")),
            Ok(other) => panic!("STATEWARD_DATABASE is `sqlite` or `postgres`, not `{other}`"),
        };
        Self { url, _folder: folder }
    }

    /// A new file of SQLite, for what only SQLite has.
    pub(crate) fn file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { url: DatabaseUrl::file(folder.path().join("vault.db")), _folder: folder }
    }

    /// A new one on that server.
    pub(crate) async fn on(server: &Server) -> Self {
        Self { url: Box::pin(server.database()).await, _folder: tempfile::tempdir().unwrap() }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

/// A PostgreSQL of this process's own; ends with it.
pub(crate) struct Server {
    process: Mutex<(Child, BufReader<std::process::ChildStdout>)>,
    socket: String,
    databases: AtomicU32,
}

/// The PostgreSQL that the tests of this process share; `None`, and a word about it, where it is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref()
}

impl Server {
    /// Starts one.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts one that is reached over TLS, too: certificate, key and port.
    pub(crate) fn start_with(arguments: &[&str]) -> Option<Self> {
        if !std::path::Path::new("/usr/lib/postgresql").exists() {
            // The runner keeps what is printed by the macros; a person must see this.
            let _ = writeln!(std::io::stderr(), "NOT TRIED: PostgreSQL, for it is not installed");
            return None;
        }
        let mut process = Command::new(SCRIPT)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be run");
        let output = BufReader::new(process.stdout.take().unwrap());
        let server = Self {
            process: Mutex::new((process, output)),
            socket: String::new(),
            databases: AtomicU32::new(0),
        };
        let socket = server.next_line();
        Some(Self { socket, ..server })
    }

    fn next_line(&self) -> String {
        let mut line = String::new();
        self.process.lock().unwrap().1.read_line(&mut line).unwrap();
        assert!(line.ends_with('\n'), "it ended");
        line.trim_end().to_owned()
    }

    /// Has it die as by a crash; [`Self::revive`] starts it again.
    pub(crate) fn kill(&self) {
        self.tell("kill");
    }

    /// Starts it again.
    pub(crate) fn revive(&self) {
        self.tell("start");
    }

    fn tell(&self, what: &str) {
        writeln!(self.process.lock().unwrap().0.stdin.as_mut().unwrap(), "{what}").unwrap();
        self.next_line();
    }

    /// A new, empty database.
    pub(crate) async fn database(&self) -> DatabaseUrl {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let url = |database: &str| format!("postgres:///{database}?host={}&user=postgres", self.socket);
        use sqlx::Connection as _;
        let mut connection = sqlx::PgConnection::connect(&url("postgres")).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        DatabaseUrl::parse(&url(&name)).unwrap()
    }
}
