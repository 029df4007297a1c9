//! One transaction that writes.
//!
//! Not sqlx's: when SQLite fails a `COMMIT` (a full disk) it may or may not have rolled back by itself, and sqlx 0.9
//! then counts one transaction too many on that connection for ever. Here, whatever ends in anything but a commit that
//! succeeded takes its connection with it; closing one rolls back for certain, and the next is opened when it is needed.

use super::{Connection, Error};
use std::ops::{Deref, DerefMut};

/// A transaction that has begun. Dropped without [`Write::commit`], it has no effect.
#[derive(Debug)]
pub(crate) struct Write {
    connection: Connection,
    commit: &'static str,
    is_open: bool,
}

impl Write {
    /// Begins, by a statement that waits until nobody else writes what this may write or read.
    pub(super) async fn begin(
        connection: Connection,
        begin: String,
        commit: &'static str,
    ) -> Result<Self, Error> {
        let mut write = Self { connection, commit, is_open: true };
        write.connection.run(begin).await?;
        Ok(write)
    }

    /// Makes what was written durable. When it fails by a lost connection nobody knows whether it did: the same call again
    /// finds out.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.connection.run(self.commit.to_owned()).await?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Write {
    fn drop(&mut self) {
        if self.is_open {
            self.connection.close_on_drop();
        }
    }
}

impl Deref for Write {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::TestDatabase;
    use crate::db::vaults::{Vault, VaultSettings};
    use crate::db::{Database, DatabaseUrl, items, vaults};
    use stateward_api::arm::Tags;
    use stateward_model::{Immutability, ItemId, ItemKind, Redundancy, ServerId, Timestamp, VaultId};

    async fn names(database: &Database) -> Vec<String> {
        let vaults = vaults::list(&mut database.read().await.unwrap()).await.unwrap();
        vaults.into_iter().map(|vault| vault.name.to_string()).collect()
    }

    async fn insert(write: &mut Write, number: u8, name: &str) -> Result<(), Error> {
        let settings = VaultSettings {
            tags: Tags::new(),
            redundancy: Redundancy::LocallyRedundant,
            cross_region_restore: false,
            immutability: Immutability::Disabled,
            soft_delete_days: 14,
            monitoring: serde_json::json!({}),
        };
        let vault = Vault {
            id: VaultId([number; 16]),
            group: "default".parse().unwrap(),
            name: name.parse().unwrap(),
            location: "local".to_owned(),
            settings,
            revision: 1,
            created_at: Timestamp(0),
            deleted: None,
            is_guarded: false,
        };
        vaults::insert(write, &vault).await
    }

    #[tokio::test]
    async fn what_is_not_committed_never_was() {
        let test = TestDatabase::new().await;
        let database = Database::open(test.url()).await.unwrap();
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "dropped").await.unwrap();
        drop(write);
        let mut write = database.write().await.unwrap();
        insert(&mut write, 2, "kept").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(names(&database).await, ["kept"]);
    }

    #[tokio::test]
    async fn a_commit_after_a_statement_that_failed_is_no_success() {
        let test = TestDatabase::new().await;
        let database = Database::open(test.url()).await.unwrap();
        if matches!(test.url(), DatabaseUrl::File(_)) {
            return; // SQLite undoes the statement alone, and what went before it is kept.
        }
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "first").await.unwrap();
        assert!(insert(&mut write, 1, "second").await.is_err());
        assert!(write.commit().await.is_err());
        assert!(names(&database).await.is_empty());
    }

    #[tokio::test]
    async fn what_breaks_a_reference_is_refused_and_does_not_stop_the_next() {
        let test = TestDatabase::new().await;
        let database = Database::open(test.url()).await.unwrap();
        for _ in 0..3 {
            let mut write = database.write().await.unwrap();
            let label = "a".parse().unwrap();
            let refused = items::upsert(
                &mut write,
                (ServerId([1; 16]), ItemId([2; 16])),
                &label,
                ItemKind::Files,
                Timestamp(0),
            )
            .await;
            assert!(refused.is_err());
        }
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "next").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(names(&database).await, ["next"]);
    }

    async fn open_file(folder: &tempfile::TempDir) -> Database {
        Database::open(&DatabaseUrl::file(folder.path().join("vault.db"))).await.unwrap()
    }

    #[tokio::test]
    async fn a_commit_that_failed_does_not_stop_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let database = open_file(&folder).await;
        for _ in 0..3 {
            let mut write = database.write().await.unwrap();
            sqlx::query("PRAGMA defer_foreign_keys = ON").execute(write.sqlite()).await.unwrap();
            sqlx::query("INSERT INTO items (server, id, label, kind) VALUES ($1, $2, 'a', 'Files')")
                .bind(&[1u8; 16][..])
                .bind(&[2u8; 16][..])
                .execute(write.sqlite())
                .await
                .unwrap();
            assert!(write.commit().await.is_err());
        }
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "next").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(names(&database).await, ["next"]);
    }

    #[tokio::test]
    async fn a_full_database_says_so_and_goes_on_when_there_is_space() {
        let folder = tempfile::tempdir().unwrap();
        let database = open_file(&folder).await;
        let mut write = database.write().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(write.sqlite()).await.unwrap();
        let mut result = Ok(());
        for number in 0..=u8::MAX {
            result = insert(&mut write, number, &format!("{}{number}", "a".repeat(40))).await;
            if result.is_err() {
                break;
            }
        }
        assert!(matches!(result, Err(Error::Full)), "{result:?}");
        drop(write);
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "next").await.unwrap();
        write.commit().await.unwrap();
    }
}
