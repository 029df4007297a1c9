//! The database of a vault under test: a file in its data folder, or with `STATEWARD_DATABASE=postgres` one of its own on a
//! PostgreSQL that ends with this process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/serve-postgres.sh");

/// A new database's URL.
pub fn url() -> Option<String> {
    static SERVER: OnceLock<(Child, String)> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    if std::env::var("STATEWARD_DATABASE").is_ok_and(|kind| kind != "sqlite") {
        let (_, socket) = SERVER.get_or_init(serve);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        let mut psql = Command::new("psql");
        psql.args([
            "--quiet",
            "--no-psqlrc",
            "--username",
            "postgres",
            "--host",
            socket,
            "--command",
            &create,
        ]);
        assert!(psql.status().unwrap().success());
        return Some(format!("postgres:///{name}?host={socket}&user=postgres"));
    }
    None
}

fn serve() -> (Child, String) {
    let mut server = Command::new(SCRIPT).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut socket = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut socket).unwrap();
    assert!(socket.ends_with('\n'), "PostgreSQL is installed and starts");
    (server, socket.trim_end().to_owned())
}
