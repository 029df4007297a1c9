//! The steps that bring a database of any release to this one's form. They lie in `migrations/sqlite` and are never
//! changed after a release: their checksums are compared.
//!
//! The list is written by hand, since the macro that reads the folder needs all of sqlx's compile-time checking.

use super::Error;
use sqlx::SqlSafeStr as _;
use sqlx::SqlitePool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and SQL of each step, in order.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "create_vault", include_str!("../../../../migrations/sqlite/0001_create_vault.sql")),
    (2, "add_domains", include_str!("../../../../migrations/sqlite/0002_add_domains.sql")),
    (
        3,
        "add_branches_and_registering_again",
        include_str!("../../../../migrations/sqlite/0003_add_branches_and_registering_again.sql"),
    ),
];

/// Runs the steps that the database does not have yet.
pub(super) async fn run(writer: &SqlitePool) -> Result<(), Error> {
    let steps = STEPS.iter().map(|(number, name, sql)| {
        Migration::new(*number, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Ok(Migrator::with_migrations(steps.collect()).run(writer).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn packs_and_references_of_the_first_form_are_those_of_a_domain_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("vault.db"));
        let pool =
            SqlitePool::connect_with(options.create_if_missing(true).foreign_keys(true)).await.unwrap();
        sqlx::raw_sql(STEPS[0].2.into_sql_str()).execute(&pool).await.unwrap();
        let filled = "
            INSERT INTO vaults VALUES (zeroblob(16), 'v', 1);
            INSERT INTO credentials VALUES (zeroblob(16), zeroblob(16), 'Register', NULL, zeroblob(32), 1, 1, 1);
            INSERT INTO servers VALUES (x'01010101010101010101010101010101', zeroblob(16), 's', zeroblob(32), zeroblob(32),
                '', '', zeroblob(16), 1, NULL, NULL);
            INSERT INTO items VALUES (x'01010101010101010101010101010101', zeroblob(16), 'i', 'Files');
            INSERT INTO packs VALUES (x'01010101010101010101010101010101', zeroblob(32), 5, 'live');
            INSERT INTO pack_references VALUES (x'01010101010101010101010101010101', zeroblob(16), zeroblob(32), 3, NULL);";
        sqlx::raw_sql(filled.into_sql_str()).execute(&pool).await.unwrap();
        sqlx::raw_sql(STEPS[1].2.into_sql_str()).execute(&pool).await.unwrap();
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
        sqlx::raw_sql(STEPS[2].2.into_sql_str()).execute(&pool).await.unwrap();
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
    fn every_file_in_the_folder_is_a_step() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let steps: Vec<_> = STEPS.iter().map(|(number, name, _)| format!("{number:04}_{name}.sql")).collect();
        assert_eq!(files, steps);
    }
}
