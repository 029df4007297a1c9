//! The steps that bring a database of any release to this one's form. They lie in `migrations/sqlite` and
//! `migrations/postgres`, under the same numbers and names, and are never changed after a release: their checksums are
//! compared. PostgreSQL came with the fourth step, and begins with the form that the third leads to.
//!
//! The list is written by hand, since the macro that reads the folder needs all of sqlx's compile-time checking. Steps run
//! one process at a time: sqlx holds PostgreSQL's advisory lock meanwhile, and SQLite's file is one process's.

use super::Error;
use sqlx::SqlSafeStr as _;
use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};

/// One step.
pub(super) struct Step {
    number: i64,
    name: &'static str,
    /// Its SQL for SQLite.
    pub(super) sqlite: Option<&'static str>,
    /// Its SQL for PostgreSQL.
    pub(super) postgres: Option<&'static str>,
}

macro_rules! sql {
    ($file:literal) => {
        Some(include_str!(concat!("../../../../migrations/", $file, ".sql")))
    };
}

/// All of them, in order.
const STEPS: &[Step] = &[
    Step { number: 1, name: "create_vault", sqlite: sql!("sqlite/0001_create_vault"), postgres: None },
    Step { number: 2, name: "add_domains", sqlite: sql!("sqlite/0002_add_domains"), postgres: None },
    Step {
        number: 3,
        name: "add_branches_and_registering_again",
        sqlite: sql!("sqlite/0003_add_branches_and_registering_again"),
        postgres: None,
    },
    Step { number: 3, name: "create_vault", sqlite: None, postgres: sql!("postgres/0003_create_vault") },
    Step {
        number: 4,
        name: "add_identity_and_guesses",
        sqlite: sql!("sqlite/0004_add_identity_and_guesses"),
        postgres: sql!("postgres/0004_add_identity_and_guesses"),
    },
    Step {
        number: 5,
        name: "add_management",
        sqlite: sql!("sqlite/0005_add_management"),
        postgres: sql!("postgres/0005_add_management"),
    },
    Step {
        number: 6,
        name: "add_agent_versions",
        sqlite: sql!("sqlite/0006_add_agent_versions"),
        postgres: sql!("postgres/0006_add_agent_versions"),
    },
    Step {
        number: 7,
        name: "retire_key_slots",
        sqlite: sql!("sqlite/0007_retire_key_slots"),
        postgres: sql!("postgres/0007_retire_key_slots"),
    },
    Step {
        number: 8,
        name: "add_restore_tokens",
        sqlite: sql!("sqlite/0008_add_restore_tokens"),
        postgres: sql!("postgres/0008_add_restore_tokens"),
    },
];

/// Runs the steps that the database does not have yet; `sql` picks a step's text for it.
pub(super) async fn run<C: Migrate>(
    connection: &mut C,
    sql: impl Fn(&Step) -> Option<&'static str>,
) -> Result<(), Error> {
    let steps = STEPS.iter().filter_map(|step| {
        let sql = sql(step)?.into_sql_str();
        Some(Migration::new(step.number, step.name.into(), MigrationType::Simple, sql, false))
    });
    Ok(Migrator::with_migrations(steps.collect()).run_direct(None, connection, false).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sqlx::SqlitePool;

    #[tokio::test]
    async fn packs_and_references_of_the_first_form_are_those_of_a_domain_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("vault.db"));
        let pool =
            SqlitePool::connect_with(options.create_if_missing(true).foreign_keys(true)).await.unwrap();
        sqlx::raw_sql(STEPS[0].sqlite.unwrap().into_sql_str()).execute(&pool).await.unwrap();
        let filled = "
            INSERT INTO vaults VALUES (zeroblob(16), 'v', 1);
            INSERT INTO credentials VALUES (zeroblob(16), zeroblob(16), 'Register', NULL, zeroblob(32), 1, 1, 1);
            INSERT INTO servers VALUES (x'01010101010101010101010101010101', zeroblob(16), 's', zeroblob(32), zeroblob(32),
                '', '', zeroblob(16), 1, NULL, NULL);
            INSERT INTO items VALUES (x'01010101010101010101010101010101', zeroblob(16), 'i', 'Files');
            INSERT INTO packs VALUES (x'01010101010101010101010101010101', zeroblob(32), 5, 'live');
            INSERT INTO pack_references VALUES (x'01010101010101010101010101010101', zeroblob(16), zeroblob(32), 3, NULL);";
        sqlx::raw_sql(filled.into_sql_str()).execute(&pool).await.unwrap();
        sqlx::raw_sql(STEPS[1].sqlite.unwrap().into_sql_str()).execute(&pool).await.unwrap();
        let kept: (i64, i64, i64) = sqlx::query_as(
            "SELECT k.length, r.first_sequence, coalesce(s.domain, s.id) = k.domain AND k.server = r.server
             FROM packs k JOIN pack_references r ON r.domain = k.domain AND r.pack = k.id
             JOIN servers s ON s.id = r.server",
        )
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(kept, (5, 3, 1));
        let points = "
            INSERT INTO points VALUES (x'01010101010101010101010101010101', 2, randomblob(32), zeroblob(16), 7, 5, 1);
            INSERT INTO points VALUES (x'01010101010101010101010101010101', 1, randomblob(32), zeroblob(16), 6, 5, 0);";
        sqlx::raw_sql(points.into_sql_str()).execute(&pool).await.unwrap();
        sqlx::raw_sql(STEPS[2].sqlite.unwrap().into_sql_str()).execute(&pool).await.unwrap();
        let kept: Vec<(i64, i64, i64)> =
            sqlx::query_as("SELECT sequence, received_at, receipted FROM points ORDER BY number")
                .fetch_all(&pool)
                .await
                .unwrap();
        assert_eq!(kept, [(1, 6, 0), (2, 7, 1)]);
        let broken: Vec<sqlx::sqlite::SqliteRow> =
            sqlx::query("PRAGMA foreign_key_check").fetch_all(&pool).await.unwrap();
        assert!(broken.is_empty());
    }

    #[test]
    fn every_file_in_the_folders_is_a_step_and_new_ones_are_in_both() {
        for (folder, sql) in [
            ("sqlite", (|step| step.sqlite) as fn(&Step) -> Option<&'static str>),
            ("postgres", |step| step.postgres),
        ] {
            let folder = format!("{}/../../migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect();
            files.sort();
            let steps = STEPS.iter().filter(|step| sql(step).is_some());
            let steps: Vec<_> = steps.map(|step| format!("{:04}_{}.sql", step.number, step.name)).collect();
            assert_eq!(files, steps);
        }
        let both = |step: &&Step| step.sqlite.is_some() && step.postgres.is_some();
        assert!(STEPS.iter().filter(|step| step.number > 3).all(|step| both(&step)));
    }

    /// Names of tables and columns, and whether a column may be empty.
    type Form = std::collections::BTreeSet<(String, String, bool)>;

    #[tokio::test]
    async fn both_databases_get_the_same_tables_and_columns() {
        let Some(server) = crate::db::testing::server() else { return };
        let folder = tempfile::tempdir().unwrap();
        let file = crate::db::DatabaseUrl::file(folder.path().join("vault.db"));
        let server = server.database().await;
        let mut forms = Vec::new();
        for (url, text) in [
            (
                &file,
                "SELECT m.name, c.name, c.\"notnull\" = 0 FROM sqlite_schema m JOIN pragma_table_info(m.name) c
                 WHERE m.type = 'table' AND m.name <> '_sqlx_migrations'",
            ),
            (
                &server,
                "SELECT table_name::text, column_name::text, is_nullable = 'YES' FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
            ),
        ] {
            let database = crate::db::Database::open(url).await.unwrap();
            let mut connection = database.read().await.unwrap();
            let rows: Vec<(String, String, bool)> =
                crate::db::query::query(text).fetch_all(&mut connection).await.unwrap();
            forms.push(Form::from_iter(rows));
        }
        assert!(forms[0].len() > 60, "{forms:?}");
        assert_eq!(forms[0], forms[1]);
    }

    #[tokio::test]
    async fn texts_in_postgresql_compare_by_their_bytes() {
        let Some(server) = crate::db::testing::server() else { return };
        let database = crate::db::Database::open(&server.database().await).await.unwrap();
        let text = "SELECT table_name::text, column_name::text, coalesce(collation_name::text, 'the default')
                    FROM information_schema.columns
                    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations' AND data_type = 'text'";
        let rows: Vec<(String, String, String)> =
            crate::db::query::query(text).fetch_all(&mut database.read().await.unwrap()).await.unwrap();
        assert!(rows.len() > 10 && rows.iter().all(|(_, _, collation)| collation == "C"), "{rows:?}");
    }

    #[tokio::test]
    async fn several_processes_may_open_a_new_database_at_the_same_time() {
        let Some(server) = crate::db::testing::server() else { return };
        let url = server.database().await;
        let opened = (0..4).map(|_| crate::db::Database::open(&url));
        for database in futures::future::join_all(opened).await {
            database.unwrap();
        }
    }
}
