//! What is done on the vault's own machine, by whoever may read its data folder: principals, and the audit log. It works
//! beside a vault that serves, for everything is in the database.

use crate::app::audit::Actor;
use crate::app::certificates::{Certificate, hex};
use crate::app::principals::{Assignment, Role};
use crate::app::{App, Error};
use crate::causes::chain;
use crate::data_folder::{DataFolder, DataFolderError};
use crate::db::audit::Entry;
use crate::init::{InitError, open_app};
use crate::packages::{Offered, PackageError};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use stateward_api::arm::audit::AuditCheck;
use stateward_model::{AgentVersion, Clock, PackageKind, Random, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// The data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// Something in it cannot be opened.
    #[error(transparent)]
    Open(#[from] InitError),
    /// The vault refuses it.
    #[error("{0}")]
    Refused(String),
    /// A certificate's file.
    #[error("Can't use the certificate `{}`: {why}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl From<Error> for ConsoleError {
    fn from(error: Error) -> Self {
        Self::Refused(chain(&error))
    }
}

impl From<PackageError> for ConsoleError {
    fn from(error: PackageError) -> Self {
        Self::Refused(error.to_string())
    }
}

/// A principal that is to be made.
#[derive(Debug, Clone)]
pub struct NewPrincipal {
    /// What people call it.
    pub name: String,
    /// `BackupReader`, `BackupOperator` or `BackupContributor`.
    pub role: String,
    /// The resource group in which it has its role; all, if not said.
    pub group: Option<String>,
    /// The vault of that group; all, if not said.
    pub vault: Option<String>,
    /// The file of a certificate that it signs in with, instead of a secret.
    pub certificate: Option<PathBuf>,
}

/// A principal that was just made.
#[derive(Debug, Clone, Serialize)]
pub struct MadePrincipal {
    /// What it signs in with.
    pub client_id: String,
    /// Its secret, unless it has a certificate. It is shown once and kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
    /// The tenant that it signs in to.
    pub tenant: String,
}

/// A principal as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct ShownPrincipal {
    /// What it signs in with.
    pub client_id: String,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its roles: `ROLE`, `ROLE in GROUP` or `ROLE in GROUP/VAULT`.
    pub roles: Vec<String>,
    /// SHA-256 of its certificates.
    pub thumbprints: Vec<String>,
}

/// An entry of the audit log.
#[derive(Debug, Clone, Serialize)]
pub struct Audited {
    /// Its place in the log.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What was done.
    pub act: String,
    /// To what.
    pub subject: String,
    /// More about it, as JSON.
    pub detail: String,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

impl From<Entry> for Audited {
    fn from(entry: Entry) -> Self {
        let hash = blake3::Hash::from_bytes(entry.hash).to_hex().to_string();
        let Entry { number, at, actor, act, subject, detail, .. } = entry;
        Self { number, at, actor, act, subject, detail, hash }
    }
}

/// A package of the agent as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct ShownPackage {
    /// Its file's name.
    pub name: String,
    /// Its version.
    pub version: AgentVersion,
    /// What installs it.
    pub kind: PackageKind,
    /// For which processors.
    pub architecture: String,
    /// Its size.
    pub size_bytes: u64,
    /// SHA-256 of it.
    pub sha256: String,
    /// Whether there is a signature. The vault can't tell whether it holds.
    pub signed: bool,
    /// Since when it is offered.
    pub added_at: Timestamp,
}

impl From<Offered> for ShownPackage {
    fn from(offered: Offered) -> Self {
        let Offered { statement, signature, added_at } = offered;
        Self {
            name: statement.file.to_string(),
            version: statement.file.version,
            kind: statement.file.kind,
            architecture: statement.file.architecture,
            size_bytes: statement.size_bytes,
            sha256: statement.sha256,
            signed: signature.is_some(),
            added_at,
        }
    }
}

/// A vault that is looked after on its own machine.
pub struct Console {
    app: App,
}

impl Console {
    /// Opens the vault in `data`, whether it is being served or not.
    ///
    /// # Errors
    /// If there is no vault, or something of it cannot be opened.
    pub async fn open(
        data: &Path,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, ConsoleError> {
        let folder = DataFolder::beside(data)?;
        let config = folder.config()?;
        let app = Box::pin(open_app(&folder, config, clock, random)).await?;
        app.check_identity().await.map_err(InitError::from)?;
        Ok(Self { app })
    }

    /// Makes a principal.
    ///
    /// # Errors
    /// If what is asked for can't be, or the database fails.
    pub async fn create_principal(&self, new: &NewPrincipal) -> Result<MadePrincipal, ConsoleError> {
        let role = Role::parse(&new.role)
            .ok_or_else(|| ConsoleError::Refused(format!("There is no role `{}`", new.role)))?;
        let assignment = Assignment::at(role, new.group.as_deref(), new.vault.as_deref())?;
        let (actor, tenant) = (Actor::Console, self.app.config.tenant.clone());
        let Some(path) = &new.certificate else {
            let made = Box::pin(self.app.create_principal(&actor, &new.name, &assignment)).await?;
            let client_secret = Some(made.client_secret);
            return Ok(MadePrincipal { client_id: made.client_id, client_secret, tenant });
        };
        let certificate = read(path)?;
        let made = self.app.create_principal_by_certificate(&actor, &new.name, &assignment, &certificate);
        Ok(MadePrincipal { client_id: Box::pin(made).await?, client_secret: None, tenant })
    }

    /// All principals that were not deleted, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn principals(&self) -> Result<Vec<ShownPrincipal>, ConsoleError> {
        let all = self.app.principals().await?;
        let shown = all.into_iter().map(|known| ShownPrincipal {
            roles: known.assignments.iter().map(in_words).collect(),
            thumbprints: known
                .certificates
                .iter()
                .filter_map(|body| Certificate::read(body).ok())
                .map(|certificate| hex(&certificate.thumbprint))
                .collect(),
            client_id: known.client_id,
            name: known.name,
            created_at: known.created_at,
        });
        Ok(shown.collect())
    }

    /// Deletes a principal: its tokens end at once.
    ///
    /// # Errors
    /// If there is none, or the database fails.
    pub async fn delete_principal(&self, client_id: &str) -> Result<(), ConsoleError> {
        Ok(Box::pin(self.app.revoke_principal(&Actor::Console, client_id)).await?)
    }

    /// Lets a principal sign in with the certificate in a file; gives its SHA-256.
    ///
    /// # Errors
    /// If there is no such principal, the file holds no certificate that can be used, or the database fails.
    pub async fn add_certificate(&self, client_id: &str, file: &Path) -> Result<String, ConsoleError> {
        let certificate = read(file)?;
        Box::pin(self.app.add_certificate(&Actor::Console, client_id, &certificate)).await?;
        Ok(hex(&certificate.thumbprint))
    }

    /// Takes a certificate from a principal, by its SHA-256 in hexadecimal digits. The principal's tokens end at once.
    ///
    /// # Errors
    /// If there is none, or the database fails.
    pub async fn remove_certificate(&self, client_id: &str, thumbprint: &str) -> Result<(), ConsoleError> {
        let digits = thumbprint.replace(':', "").to_ascii_lowercase();
        let bytes = blake3::Hash::from_hex(digits.as_bytes()).map_err(|_| {
            ConsoleError::Refused(format!(
                "`{thumbprint}` is no SHA-256 in hexadecimal digits; `principal list` shows them"
            ))
        })?;
        let removed = self.app.remove_certificate(&Actor::Console, client_id, *bytes.as_bytes());
        Ok(Box::pin(removed).await?)
    }

    /// Offers the package in a file, with the signature in the file beside it (`.sig`), if that is there.
    ///
    /// # Errors
    /// If it is no package of the agent, its signature is of another file, another of its name is offered, or it can't be kept.
    pub async fn add_package(&self, file: &Path) -> Result<ShownPackage, ConsoleError> {
        Ok(Box::pin(self.app.add_package(&Actor::Console, file)).await?.into())
    }

    /// The packages that are offered, the newest first.
    ///
    /// # Errors
    /// If their index can't be read.
    pub async fn packages(&self) -> Result<Vec<ShownPackage>, ConsoleError> {
        Ok(self.app.packages().await?.into_iter().map(ShownPackage::from).collect())
    }

    /// Offers a package no more.
    ///
    /// # Errors
    /// If it is not offered, or can't be removed.
    pub async fn remove_package(&self, name: &str) -> Result<(), ConsoleError> {
        Ok(Box::pin(self.app.remove_package(&Actor::Console, name)).await?)
    }

    /// At most a thousand entries of the audit log above a number, in order.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn audit(&self, after: u64) -> Result<Vec<Audited>, ConsoleError> {
        Ok(self.app.audit(after).await?.into_iter().map(Audited::from).collect())
    }

    /// Checks the hashes of the whole audit log.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn check_audit(&self) -> Result<AuditCheck, ConsoleError> {
        Ok(self.app.check_audit().await?)
    }

    /// Closes the database.
    pub async fn close(self) {
        self.app.database.close().await;
    }
}

fn in_words(assignment: &Assignment) -> String {
    let Assignment { role, group, vault } = assignment;
    match (group.is_empty(), vault.is_empty()) {
        (true, _) => role.as_str().to_owned(),
        (false, true) => format!("{} in {group}", role.as_str()),
        (false, false) => format!("{} in {group}/{vault}", role.as_str()),
    }
}

/// The first certificate in a file, as PEM or DER.
fn read(path: &Path) -> Result<Certificate, ConsoleError> {
    let wrong = |why: String| ConsoleError::Certificate { path: path.to_owned(), why };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let der = CertificateDer::from_pem_slice(&bytes).map_or(bytes, |certificate| certificate.to_vec());
    Certificate::read(&der).map_err(|error| wrong(error.to_string()))
}
