//! Packages of the agent: offered by whoever is at the vault's machine, read by administrators and agents.

use super::audit::{Actor, Change};
use super::{App, Error};
use crate::packages::{self, Offered, PIECE_BYTES, PackageError, Packages};
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use serde_json::json;
use stateward_model::AgentVersion;
use std::fs::File;
use std::io;
use std::path::Path;

/// A package's bytes, piece by piece.
type Pieces = BoxStream<'static, Result<Bytes, Error>>;

impl From<PackageError> for Error {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Unknown(name) => Self::not_found(format!("package `{name}`")),
            other => Self::Internal(other.into()),
        }
    }
}

impl App {
    /// All that are offered, the newest first.
    pub(crate) async fn packages(&self) -> Result<Vec<Offered>, Error> {
        self.with_packages(Packages::list).await
    }

    /// The version of the newest that is offered.
    pub(crate) async fn newest_agent(&self) -> Result<Option<AgentVersion>, Error> {
        self.with_packages(Packages::newest).await
    }

    /// One with its bytes, of which one piece is in memory at a time.
    pub(crate) async fn package(&self, name: &str) -> Result<(Offered, Pieces), Error> {
        let name = name.to_owned();
        let (offered, file) = self.with_packages(move |packages| packages.open(&name)).await?;
        let left = offered.statement.size_bytes;
        let pieces = stream::try_unfold((file, left), |(file, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let (file, piece) = read_piece(file, left).await?;
            let left = left - piece.len() as u64;
            Ok(Some((piece, (file, left))))
        });
        Ok((offered, pieces.boxed()))
    }

    /// Offers the package in a file.
    pub(crate) async fn add_package(&self, actor: &Actor, path: &Path) -> Result<Offered, PackageError> {
        let (packages, now, path) = (self.packages.clone(), self.now(), path.to_owned());
        let added = tokio::task::spawn_blocking(move || packages.add(&path, now)).await.map_err(ended)??;
        self.note_package(actor, "package.add", &added).await?;
        Ok(added)
    }

    /// Offers a package no more.
    pub(crate) async fn remove_package(&self, actor: &Actor, name: &str) -> Result<(), PackageError> {
        let (packages, name) = (self.packages.clone(), name.to_owned());
        let removed = tokio::task::spawn_blocking(move || packages.remove(&name)).await.map_err(ended)??;
        self.note_package(actor, "package.remove", &removed).await
    }

    async fn note_package(&self, actor: &Actor, act: &'static str, of: &Offered) -> Result<(), PackageError> {
        let subject = of.statement.file.to_string();
        let detail = json!({ "sha256": of.statement.sha256, "isSigned": of.signature.is_some() });
        let change = Change { vault: None, actor, act, subject: &subject, detail };
        let noted = async {
            let mut transaction = self.write().await?;
            self.record(&mut transaction, change).await?;
            Ok(transaction.commit().await?)
        };
        noted.await.map_err(|error: Error| ended(crate::causes::chain(&error)))
    }

    async fn with_packages<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Packages) -> Result<T, PackageError> + Send + 'static,
    ) -> Result<T, Error> {
        let packages = self.packages.clone();
        Ok(tokio::task::spawn_blocking(move || work(&packages)).await??)
    }
}

/// The next piece of a file of which so much is left.
async fn read_piece(mut file: File, left: u64) -> Result<(File, Bytes), Error> {
    let length = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
    let read = tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; length];
        let come = packages::fill(&mut file, &mut piece)?;
        match come == length {
            true => Ok((file, Bytes::from(piece))),
            false => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    });
    read.await?.map_err(|error| Error::Internal(error.into()))
}

/// The log of changes could not be written, or the work ended before its time.
fn ended(why: impl ToString) -> PackageError {
    PackageError::Io { path: "the log of changes".to_owned(), source: io::Error::other(why.to_string()) }
}
