//! Sharing a deduplication domain: the domain file, which carries its data key to a server that joins.
//!
//! The vault lets a server into a domain by vault credentials that an administrator made for it; the key comes by this
//! file from a member's administrator. Neither is of use without the other.

use crate::codes::Code;
use crate::keys::FIRST_EPOCH;
use crate::secrets::{Passphrase, write_new_secret_file};
use crate::{Agent, AgentError, RegisteredServer};
use stateward_api::VaultCredentials;
use stateward_api::credentials::{decode_bytes, encode_bytes};
use stateward_crypto::{DataKey, DomainKeyError, DomainOwner, KdfCosts, open_domain_key, seal_domain_key};
use stateward_engine::EngineError;
use stateward_format::domain_key::SealedDomainKey;
use stateward_model::{Label, ServerId};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A domain file is far shorter than this, in bytes.
const FILE_BYTES_MAX: u64 = 4096;

/// Why a domain can't be joined.
#[derive(Debug, thiserror::Error)]
pub enum DomainError {
    /// The file can't be read.
    #[error("The domain file `{}` can't be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// It is no domain file, or was altered or cut short.
    #[error("`{}` is no domain file, or was altered: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it; never its content.
        why: String,
    },
    /// The domain is in another vault than the credentials.
    #[error("The domain file `{}` is for another vault than the vault credentials", path.display())]
    OtherVault {
        /// Which file.
        path: PathBuf,
    },
    /// The credentials are for another domain, or for none.
    #[error("The vault credentials do not allow joining the domain {domain} of the domain file `{}`", path.display())]
    NotAllowed {
        /// Which file.
        path: PathBuf,
        /// The file's domain.
        domain: ServerId,
    },
    /// The credentials are for joining a domain, and there is no file with its key.
    #[error("The vault credentials are for joining the domain {domain}, and no domain file was given")]
    FileNeeded {
        /// The credentials' domain.
        domain: ServerId,
    },
    /// The passphrase does not open the file.
    #[error("The passphrase is wrong: it does not open the domain file `{}`", path.display())]
    WrongPassphrase {
        /// Which file.
        path: PathBuf,
    },
    /// The vault put the server into another domain than the credentials say.
    #[error("The vault registered this server in the domain {found} instead of {expected}")]
    OtherDomain {
        /// As the vault answered.
        found: ServerId,
        /// What was asked for.
        expected: ServerId,
    },
}

impl DomainError {
    /// Which failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::InputUnreadable,
            Self::Damaged { .. } => Code::DomainFileDamaged,
            Self::OtherVault { .. } => Code::DomainOfAnotherVault,
            Self::NotAllowed { .. } | Self::FileNeeded { .. } => Code::DomainMismatch,
            Self::WrongPassphrase { .. } => Code::WrongDomainPassphrase,
            Self::OtherDomain { .. } => Code::VaultAnswer,
        }
    }
}

/// A domain file that fits the vault credentials, still sealed.
#[derive(Debug)]
pub struct DomainFile {
    path: PathBuf,
    sealed: SealedDomainKey,
}

/// A domain with its data key.
pub struct JoinedDomain {
    /// The domain: the id of the server that founded it.
    pub domain: ServerId,
    /// Its data key.
    pub data: DataKey,
}

/// A domain that was shared.
pub struct SharedDomain {
    /// The domain: the id of the server that founded it.
    pub domain: ServerId,
    /// The vault's name.
    pub vault_name: Label,
}

/// Writes the domain of this home's server into a new file, sealed by `passphrase`. Any member may; the vault is not
/// asked.
pub fn share(agent: &Agent, passphrase: &Passphrase, out: &Path) -> Result<SharedDomain, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let domain = server.domain();
    let owner = DomainOwner { vault: server.registration.vault, domain, epoch: server.keys.epoch };
    let random = &*agent.surroundings().random;
    let sealed = seal_domain_key(passphrase, KdfCosts::STANDARD, owner, &server.keys.data, random).encode();
    let opened =
        SealedDomainKey::decode(&sealed).ok().and_then(|file| open_domain_key(&file, passphrase).ok());
    if opened.is_none_or(|data| data.as_bytes() != server.keys.data.as_bytes()) {
        // Memory or processor did not do what they should.
        return Err(EngineError::SelfCheckFailed.into());
    }
    write_new_secret_file(out, &encode_bytes(&sealed))?;
    tracing::info!(%domain, "wrote a domain file");
    Ok(SharedDomain { domain, vault_name: server.registration.vault_name })
}

/// Reads the domain file that goes with vault credentials, if they are for joining a domain. Done before a person is
/// asked for anything.
pub fn for_credentials(
    path: Option<&Path>,
    credentials: &VaultCredentials,
) -> Result<Option<DomainFile>, DomainError> {
    let Some(path) = path else {
        return match credentials.domain {
            Some(domain) => Err(DomainError::FileNeeded { domain }),
            None => Ok(None),
        };
    };
    let sealed = read(path)?;
    let path = path.to_owned();
    if sealed.vault != credentials.vault {
        return Err(DomainError::OtherVault { path });
    }
    if credentials.domain != Some(sealed.domain) {
        return Err(DomainError::NotAllowed { path, domain: sealed.domain });
    }
    Ok(Some(DomainFile { path, sealed }))
}

fn read(path: &Path) -> Result<SealedDomainKey, DomainError> {
    let damaged = |why: String| DomainError::Damaged { path: path.to_owned(), why };
    let mut text = String::new();
    let file = File::open(path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text));
    match file {
        Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
            return Err(damaged("it is no text".into()));
        }
        Err(cause) => return Err(DomainError::Unreadable { path: path.to_owned(), cause }),
        Ok(_) => {}
    }
    let bytes = decode_bytes(text.trim_end()).ok_or_else(|| damaged("it is no base64url".to_owned()))?;
    let sealed = SealedDomainKey::decode(&bytes).map_err(|error| damaged(error.to_string()))?;
    match sealed.epoch {
        FIRST_EPOCH => Ok(sealed),
        epoch => Err(damaged(format!("its key epoch {epoch} is not known to this version"))),
    }
}

impl DomainFile {
    /// Opens it.
    pub fn open(&self, passphrase: &Passphrase) -> Result<JoinedDomain, DomainError> {
        let path = self.path.clone();
        match open_domain_key(&self.sealed, passphrase) {
            Ok(data) => Ok(JoinedDomain { domain: self.sealed.domain, data }),
            Err(DomainKeyError::WrongPassphrase) => Err(DomainError::WrongPassphrase { path }),
            Err(error) => Err(DomainError::Damaged { path, why: error.to_string() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::testing::file as credentials;
    use stateward_model::SystemRandom;

    const DOMAIN: ServerId = ServerId([7; 16]);

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned()).unwrap()
    }

    /// Credentials for the domain, and a file of it.
    fn fitting(path: &Path) -> VaultCredentials {
        let credentials = VaultCredentials { domain: Some(DOMAIN), ..credentials() };
        let owner = DomainOwner { vault: credentials.vault, domain: DOMAIN, epoch: FIRST_EPOCH };
        let data = DataKey::from_bytes([3; 32]);
        let secret = passphrase("a passphrase for a domain");
        let sealed = seal_domain_key(&secret, KdfCosts::FLOOR, owner, &data, &SystemRandom);
        std::fs::write(path, encode_bytes(&sealed.encode()) + "\n").unwrap();
        credentials
    }

    #[test]
    fn a_fitting_file_opens_with_its_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("domain");
        let credentials = fitting(&path);
        let file = for_credentials(Some(&path), &credentials).unwrap().unwrap();
        let joined = file.open(&passphrase("a passphrase for a domain")).unwrap();
        assert_eq!((joined.domain, joined.data.as_bytes()), (DOMAIN, &[3; 32]));
        let wrong = file.open(&passphrase("another passphrase altogether")).err().unwrap();
        assert_eq!(wrong.code(), Code::WrongDomainPassphrase);
    }

    #[test]
    fn each_way_of_not_fitting_has_its_own_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("domain");
        let good = fitting(&path);
        let code =
            |path: Option<&Path>, file: &VaultCredentials| for_credentials(path, file).unwrap_err().code();
        let vault = stateward_model::VaultId([1; 16]);
        assert_eq!(
            code(Some(&path), &VaultCredentials { vault, ..good.clone() }),
            Code::DomainOfAnotherVault
        );
        for domain in [None, Some(ServerId([8; 16]))] {
            let other = VaultCredentials { domain, ..good.clone() };
            assert_eq!(code(Some(&path), &other), Code::DomainMismatch);
        }
        assert_eq!(code(None, &good), Code::DomainMismatch);
        assert!(for_credentials(None, &VaultCredentials { domain: None, ..good.clone() }).unwrap().is_none());
        let missing = folder.path().join("missing");
        assert_eq!(code(Some(&missing), &good), Code::InputUnreadable);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in
            [text[..200].to_owned(), text.replacen('A', "B", 1), String::new(), "\u{0}?".to_owned()]
        {
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(code(Some(&path), &good), Code::DomainFileDamaged);
        }
    }
}
