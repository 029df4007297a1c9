//! A PostgreSQL of a test's own, and databases on it.

use crate::disk::not_tried;
use crate::process::run;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Serves one until its standard input ends.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/serve-postgres.sh");

/// A running PostgreSQL; it and all of its databases are gone when this is dropped, or when the test's process ends.
pub struct Postgres {
    process: Child,
    answers: BufReader<ChildStdout>,
    socket: String,
}

impl Postgres {
    /// Starts one. `None`, and a word on standard error, where none is installed.
    #[track_caller]
    pub fn start() -> Option<Self> {
        if !Path::new("/usr/lib/postgresql").is_dir() {
            not_tried("PostgreSQL, for it is not installed");
            return None;
        }
        let mut script = Command::new(SCRIPT);
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = script.spawn().expect("the script can be run");
        let answers = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut postgres = Self { process, answers, socket: String::new() };
        postgres.socket = postgres.answer();
        Some(postgres)
    }

    #[track_caller]
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the pipe can be read");
        assert!(line.ends_with('\n'), "PostgreSQL ended");
        line.trim_end().to_owned()
    }

    #[track_caller]
    fn tell(&mut self, what: &str) {
        let input = self.process.stdin.as_mut().expect("it is piped");
        writeln!(input, "{what}").expect("the script reads");
        self.answer();
    }

    /// Has it die, as by a crash.
    #[track_caller]
    pub fn kill(&mut self) {
        self.tell("kill");
    }

    /// Starts it again, with all that it had.
    #[track_caller]
    pub fn revive(&mut self) {
        self.tell("start");
    }

    /// Makes an empty database; its URL.
    #[track_caller]
    pub fn database(&self) -> String {
        make_database(&self.socket)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The end of its input is what it waits for.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

#[track_caller]
fn make_database(socket: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut psql = Command::new("psql");
    psql.args(["--quiet", "--no-psqlrc", "--host", socket, "--username", "postgres", "--command"]);
    psql.arg(format!("CREATE DATABASE {name} TEMPLATE template0"));
    run(psql).done();
    format!("postgres:///{name}?host={socket}&user=postgres")
}

/// The URL of a new database for a vault whose test does not ask for one itself: with `STATEWARD_DATABASE=postgres` all of
/// them lie in PostgreSQL.
#[track_caller]
pub(crate) fn asked_for() -> Option<String> {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    match std::env::var("STATEWARD_DATABASE").as_deref() {
        Ok("postgres") => {
            let shared = SHARED.get_or_init(|| Postgres::start().expect("PostgreSQL is installed"));
            Some(shared.database())
        }
        Ok("sqlite") | Err(_) => None,
        Ok(other) => panic!("STATEWARD_DATABASE is `sqlite` or `postgres`, not `{other}`"),
    }
}
