//! PostgreSQL: a server that several vault processes may share.
//!
//! A transaction that writes is alone in its [`Scope`], by a lock of the server's that ends with the transaction, whatever
//! becomes of the process. Each statement then sees all that was committed before (`READ COMMITTED`), so that what `app`
//! reads first and writes then is as it is with SQLite's one writer. Nothing ever fails for being run beside others.

use super::url::ServerUrl;
use super::{Error, Scope, migrations};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, PgPool};
use std::time::Duration;

/// Connections that write, for each process.
const WRITERS: u32 = 8;

/// Connections that read, for each process.
const READERS: u32 = 8;

/// How long a call waits for a connection of the pool, and for a server that is just starting.
const POOL_PATIENCE: Duration = Duration::from_secs(8);

/// The oldest release that is used, as `server_version_num` counts: the oldest that its makers still mended in 2025.
const OLDEST: i32 = 130_000;

/// What every session is set to, whatever the server's own settings are.
const SESSION: [(&str, &str); 4] = [
    ("default_transaction_isolation", "read committed"),
    // Whoever waits longer for another's transaction is told that the vault is busy, and tries again.
    ("lock_timeout", "30s"),
    // A process that hangs within a transaction keeps others out no longer than this.
    ("idle_in_transaction_session_timeout", "60s"),
    ("tcp_keepalives_idle", "30"),
];

/// The connections to the server.
#[derive(Debug, Clone)]
pub(super) struct Pools {
    pub(super) writers: PgPool,
    pub(super) readers: PgPool,
}

/// Connects, and brings the database to this build's form.
pub(super) async fn open(url: &ServerUrl) -> Result<Pools, Error> {
    let options = options(url);
    // Without the time limit on locks: another process may just be doing the same, for as long as it takes.
    let mut first = options.connect().await?;
    check_server(&mut first).await?;
    migrations::run(&mut first, |step| step.postgres).await?;
    first.close().await?;
    let options = options.options(SESSION);
    let pool = |most| {
        PgPoolOptions::new()
            .max_connections(most)
            .acquire_timeout(POOL_PATIENCE)
            .after_connect(|connection, _| Box::pin(keep_commits(connection)))
    };
    let writers = pool(WRITERS).connect_with(options.clone()).await?;
    let reading = options.options([("default_transaction_read_only", "on")]);
    let readers = pool(READERS).connect_with(reading).await?;
    Ok(Pools { writers, readers })
}

fn options(url: &ServerUrl) -> PgConnectOptions {
    let options = url.options().application_name("stateward-vault");
    let host = options.get_host();
    let is_local = options.get_socket().is_some()
        || host.starts_with('/')
        || ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&host);
    // Over a network nothing travels that is not sealed for the right server, unless the owner says so.
    if url.says_how_sealed() || is_local { options } else { options.ssl_mode(PgSslMode::VerifyFull) }
}

/// Refuses a server on which what is promised does not hold.
async fn check_server(connection: &mut PgConnection) -> Result<(), Error> {
    let (version, encoding, fsync, is_replica): (i32, String, String, bool) = sqlx::query_as(
        "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
                current_setting('fsync'), pg_is_in_recovery()",
    )
    .fetch_one(connection)
    .await?;
    let refused = |why: String| Err(Error::Unsuitable(why));
    if version < OLDEST {
        return refused(format!(
            "it is PostgreSQL {}, and {} or newer is needed",
            version / 10_000,
            OLDEST / 10_000
        ));
    }
    if encoding != "UTF8" {
        return refused(format!(
            "its encoding is `{encoding}`; make the database with `CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'`"
        ));
    }
    if is_replica {
        return refused("it is a standby, which can't be written; give the primary".to_owned());
    }
    if fsync != "on" {
        tracing::error!(
            "PostgreSQL runs with `fsync = off`: what it has acknowledged does not survive a power cut"
        );
    }
    Ok(())
}

/// Has commits wait until they are durable, where the server's own setting is that they do not. Stronger settings, such as
/// waiting for a standby, stay.
async fn keep_commits(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let set = "SELECT set_config('synchronous_commit', 'on', false)
               WHERE current_setting('synchronous_commit') = 'off'";
    sqlx::query(set).execute(connection).await.map(drop)
}

/// Begins a transaction that is alone in its scope. The lock of the whole is always taken first, so that nobody ever waits
/// in a circle.
pub(super) fn begin(scope: Scope) -> String {
    // Two numbers are another space of keys than one: no domain's id can be what stands for the whole.
    let (whole, part) = match scope {
        Scope::Whole => ("SELECT pg_advisory_xact_lock(1398035268, 0)", String::new()),
        Scope::SignIns => (SHARED, "; SELECT pg_advisory_xact_lock(1398035268, 1)".to_owned()),
        Scope::Domain(domain) => {
            let mut key = [0; 8];
            key.copy_from_slice(&domain.0[..8]);
            // Ids are random: two domains of one key only wait for each other.
            (SHARED, format!("; SELECT pg_advisory_xact_lock({})", i64::from_le_bytes(key)))
        }
    };
    format!("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {whole}{part}")
}

const SHARED: &str = "SELECT pg_advisory_xact_lock_shared(1398035268, 0)";

/// Ends the transaction. After a statement that failed `COMMIT` alone would roll back and call that a success; the statement
/// before it fails then.
pub(super) const COMMIT: &str = "SELECT 1; COMMIT";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::Server;
    use crate::db::{Database, DatabaseUrl};

    fn server_url(text: &str) -> ServerUrl {
        match DatabaseUrl::parse(text).unwrap() {
            DatabaseUrl::Server(url) => url,
            DatabaseUrl::File(path) => panic!("{path:?}"),
        }
    }

    #[test]
    fn over_a_network_the_server_must_prove_its_name_unless_the_url_says_otherwise() {
        for (url, is_checked) in [
            ("postgres://u@db.example/d", true),
            ("postgres://u@db.example/d?sslmode=require", false),
            ("postgres://u@127.0.0.1/d", false),
            ("postgres:///d?host=/run/postgresql", false),
        ] {
            let mode = options(&server_url(url)).get_ssl_mode();
            assert_eq!(matches!(mode, PgSslMode::VerifyFull), is_checked, "{url}");
        }
    }

    #[tokio::test]
    async fn a_server_is_believed_by_its_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["right", "wrong"] {
            let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
            std::fs::write(path(&format!("{name}.pem")), made.cert.pem()).unwrap();
            std::fs::write(path(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
        }
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (certificate, key, port) = (path("right.pem"), path("right.key"), free.to_string());
        let Some(_server) = Server::start_with(&[&certificate, &key, &port]) else { return };
        for (host, authority, is_right) in
            [("localhost", "right", true), ("localhost", "wrong", false), ("127.0.0.1", "right", false)]
        {
            let authority = path(&format!("{authority}.pem"));
            let url = format!(
                "postgres://postgres@{host}:{port}/postgres?sslmode=verify-full&sslrootcert={authority}"
            );
            match Database::open(&DatabaseUrl::parse(&url).unwrap()).await {
                Ok(_) => assert!(is_right, "{host} {authority}"),
                Err(Error::Lost(sqlx::Error::Tls(_) | sqlx::Error::Io(_))) => {
                    assert!(!is_right, "{host} {authority}");
                }
                Err(error) => panic!("{host} {authority}: {error:?}"),
            }
        }
    }

    #[tokio::test]
    async fn what_is_unfit_is_refused_with_a_reason() {
        let Some(server) = crate::db::testing::server() else { return };
        let DatabaseUrl::Server(url) = server.database().await else { panic!("it is a server's") };
        let mut connection = url.options().connect().await.unwrap();
        let create =
            "CREATE DATABASE unfit TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'";
        sqlx::query(create).execute(&mut connection).await.unwrap();
        let mut unfit = url.options().database("unfit").connect().await.unwrap();
        let refused = check_server(&mut unfit).await;
        let Err(Error::Unsuitable(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("SQL_ASCII") && why.contains("ENCODING 'UTF8'"), "{why}");
    }

    #[tokio::test]
    async fn a_reader_cannot_write_and_commits_are_kept() {
        let Some(server) = crate::db::testing::server() else { return };
        let DatabaseUrl::Server(url) = server.database().await else { panic!("it is a server's") };
        let mut connection = url.options().connect().await.unwrap();
        sqlx::query("ALTER ROLE postgres SET synchronous_commit = 'off'")
            .execute(&mut connection)
            .await
            .unwrap();
        let pools = open(&url).await.unwrap();
        sqlx::query("ALTER ROLE postgres RESET synchronous_commit").execute(&mut connection).await.unwrap();
        let setting: String =
            sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&pools.writers).await.unwrap();
        assert_eq!(setting, "on");
        assert!(sqlx::query("DELETE FROM vaults").execute(&pools.readers).await.is_err());
        assert!(sqlx::query("DELETE FROM vaults").execute(&pools.writers).await.is_ok());
    }

    #[tokio::test]
    async fn a_newer_release_s_database_is_left_alone() {
        let Some(server) = crate::db::testing::server() else { return };
        let DatabaseUrl::Server(url) = server.database().await else { panic!("it is a server's") };
        let pools = open(&url).await.unwrap();
        let newer = "INSERT INTO _sqlx_migrations VALUES (9999, 'newer', now(), true, '\\x00', 0)";
        sqlx::query(newer).execute(&pools.writers).await.unwrap();
        assert!(matches!(open(&url).await, Err(Error::Migration(_))));
    }
}
