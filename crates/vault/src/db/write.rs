//! One transaction that writes.
//!
//! Not sqlx's: when SQLite fails a `COMMIT` (a full disk) it may or may not have rolled back by itself, and sqlx 0.9
//! then counts one transaction too many on that connection for ever. Here, whatever ends in anything but a commit that
//! succeeded takes its connection with it; closing one rolls back for certain, and the next is opened when it is needed.

use super::{Connection, Error};
use sqlx::Sqlite;
use sqlx::pool::PoolConnection;
use std::ops::{Deref, DerefMut};

/// A transaction that has begun. Dropped without [`Write::commit`], it has no effect.
pub(crate) struct Write {
    connection: PoolConnection<Sqlite>,
    is_open: bool,
}

impl Write {
    /// Begins. `IMMEDIATE` takes the write lock now, so that what reads first and writes then never fails half-way.
    pub(super) async fn begin(connection: PoolConnection<Sqlite>) -> Result<Self, Error> {
        let mut write = Self { connection, is_open: true };
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *write.connection).await?;
        Ok(write)
    }

    /// Makes what was written durable.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        sqlx::query("COMMIT").execute(&mut *self.connection).await?;
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
    use crate::db::{Database, vaults};
    use stateward_model::{Timestamp, VaultId};

    async fn names(database: &Database) -> Vec<String> {
        let vaults = vaults::list(&mut database.read().await.unwrap()).await.unwrap();
        vaults.into_iter().map(|vault| vault.name.to_string()).collect()
    }

    async fn insert(write: &mut Write, number: u8, name: &str) -> Result<(), Error> {
        vaults::insert(write, VaultId([number; 16]), &name.parse().unwrap(), Timestamp(0)).await
    }

    #[tokio::test]
    async fn what_is_not_committed_never_was() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("vault.db")).await.unwrap();
        let mut write = database.write().await.unwrap();
        insert(&mut write, 1, "dropped").await.unwrap();
        drop(write);
        let mut write = database.write().await.unwrap();
        insert(&mut write, 2, "kept").await.unwrap();
        write.commit().await.unwrap();
        assert_eq!(names(&database).await, ["kept"]);
    }

    #[tokio::test]
    async fn a_commit_that_failed_does_not_stop_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("vault.db")).await.unwrap();
        for _ in 0..3 {
            let mut write = database.write().await.unwrap();
            sqlx::query("PRAGMA defer_foreign_keys = ON").execute(&mut *write).await.unwrap();
            sqlx::query("INSERT INTO items (server, id, label, kind) VALUES (?, ?, 'a', 'Files')")
                .bind(&[1u8; 16][..])
                .bind(&[2u8; 16][..])
                .execute(&mut *write)
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
        let database = Database::open(&folder.path().join("vault.db")).await.unwrap();
        let mut write = database.write().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *write).await.unwrap();
        let mut result = Ok(());
        for number in 0..=u8::MAX {
            result = insert(&mut write, number, &format!("{}{number}", "a".repeat(60))).await;
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
