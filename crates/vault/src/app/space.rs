//! Space: what may be written when there is little of it.
//!
//! Packs fill a disk, so they are taken only while the reserve is whole ([`crate::reserve`]); everything else is small,
//! and lets go of the reserve where it must.

use super::{App, Error};
use crate::db;
use crate::db::Scope;
use crate::reserve::Coming;
use stateward_store::StoreError;
use std::sync::Arc;

impl App {
    /// Begins a transaction that may write everything; on a full disk in the space that was kept back for it.
    pub(super) async fn write(&self) -> Result<db::Write, Error> {
        self.write_in(Scope::Whole).await
    }

    /// Begins one that keeps to a scope, and so runs beside those of others.
    pub(super) async fn write_in(&self, scope: Scope) -> Result<db::Write, Error> {
        self.reserve.make_room();
        Ok(self.database.write_in(scope).await?)
    }

    /// Refuses what fills the disk while the reserve is not whole and can't be taken back.
    pub(crate) async fn check_space(&self) -> Result<(), Error> {
        let reserve = Arc::clone(&self.reserve);
        match tokio::task::spawn_blocking(move || reserve.keep()).await? {
            true => Ok(()),
            false => Err(self.full("data folder", "", self.reserve.bytes_needed())),
        }
    }

    /// Space for a pack of so many bytes; refused where it would not fit.
    pub(super) async fn admit(&self, bytes: u64) -> Result<Coming, Error> {
        self.reserve.admit(bytes).await.ok_or_else(|| self.full("store", "store", bytes))
    }

    /// Why an object of so many bytes was not stored.
    pub(super) fn not_stored(&self, error: StoreError, bytes: u64) -> Error {
        match error {
            StoreError::Full(_) => self.full("store", "store", bytes),
            other => other.into(),
        }
    }

    fn full(&self, what: &str, part: &str, bytes_needed: u64) -> Error {
        let free = self.reserve.space_at(part).map(|space| {
            let files = space.files.map(|files| format!(" and room for {files} more files"));
            format!("; {} bytes{} are free on its disk", space.bytes, files.unwrap_or_default())
        });
        Error::NoSpace(format!(
            "The file system of the vault's {what} is full: {bytes_needed} bytes are needed{}",
            free.unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests;
