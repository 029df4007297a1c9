//! The steps that bring a database of any release to this one's form. They lie in `migrations/sqlite` and are never
//! changed after a release: their checksums are compared.
//!
//! The list is written by hand, since the macro that reads the folder needs all of sqlx's compile-time checking.

use super::Error;
use sqlx::SqlSafeStr as _;
use sqlx::SqlitePool;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Number, name and SQL of each step, in order.
const STEPS: &[(i64, &str, &str)] =
    &[(1, "create_vault", include_str!("../../../../migrations/sqlite/0001_create_vault.sql"))];

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
