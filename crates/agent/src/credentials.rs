//! Reading a vault-credentials file, and everything about it that can be checked before the vault is asked.

use crate::codes::Code;
use crate::platform;
use stateward_api::credentials::{CredentialPurpose, VaultCredentials, decode_base64, decode_bytes};
use stateward_crypto::verify_signature;
use stateward_model::Timestamp;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The only form of the file that there is.
const CREDENTIALS_VERSION: u32 = 1;

/// A vault-credentials file is far shorter than this.
const CREDENTIALS_BYTES_MAX: u64 = 256 << 10;

/// Why a vault-credentials file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// It can't be read.
    #[error("The vault credentials `{}` can't be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// It is no such file, or not whole.
    #[error("`{}` is no vault credentials file: {why}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it; never its content.
        why: String,
    },
    /// The signature does not fit.
    #[error("The vault credentials `{}` were altered: the vault's signature does not fit", path.display())]
    Tampered {
        /// Which file.
        path: PathBuf,
    },
    /// Their time is over.
    #[error("The vault credentials `{}` expired at {at}", path.display())]
    Expired {
        /// Which file.
        path: PathBuf,
        /// When.
        at: Timestamp,
    },
    /// They are for registering.
    #[error("The vault credentials `{}` are for registering, not for restoring", path.display())]
    ForRegistering {
        /// Which file.
        path: PathBuf,
    },
    /// They are for restoring.
    #[error("The vault credentials `{}` are for restoring, not for registering", path.display())]
    ForRestore {
        /// Which file.
        path: PathBuf,
    },
}

impl CredentialsError {
    /// Which failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } => Code::CredentialsUnreadable,
            Self::Damaged { .. } => Code::CredentialsDamaged,
            Self::Tampered { .. } => Code::CredentialsTampered,
            Self::Expired { .. } => Code::CredentialsExpired,
            Self::ForRegistering { .. } => Code::CredentialsForRegistering,
            Self::ForRestore { .. } => Code::CredentialsForRestore,
        }
    }
}

/// Credentials that are whole, in time, and for what they are used for. Whether the vault knows them, only the vault can tell.
#[derive(Debug)]
pub struct CheckedCredentials {
    /// The file's content. Its `Debug` shows the secret, so it is never logged.
    pub credentials: VaultCredentials,
    /// Whether other users may read the file.
    pub is_readable_by_others: bool,
    /// The network file system that it lies on, if it does: whoever serves that, and whoever listens on the way, may read it.
    pub network_file_system: Option<&'static str>,
}

/// Reads and checks a file that is to be used for `purpose`.
pub fn read(
    path: &Path,
    purpose: CredentialPurpose,
    now: Timestamp,
) -> Result<CheckedCredentials, CredentialsError> {
    let unreadable = |cause| CredentialsError::Unreadable { path: path.to_owned(), cause };
    let file = File::open(path).map_err(unreadable)?;
    let is_readable_by_others = platform::is_readable_by_others(&file);
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    file.take(CREDENTIALS_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    let credentials = check(&bytes, path, purpose, now)?;
    let network_file_system =
        platform::file_system(path).filter(|found| found.is_network).map(|found| found.name);
    Ok(CheckedCredentials { credentials, is_readable_by_others, network_file_system })
}

/// Checks the content of a file that was brought otherwise; `name` is what messages call it.
pub fn of_content(
    content: &[u8],
    name: &str,
    purpose: CredentialPurpose,
    now: Timestamp,
) -> Result<VaultCredentials, CredentialsError> {
    check(content, Path::new(name), purpose, now)
}

fn check(
    bytes: &[u8],
    path: &Path,
    purpose: CredentialPurpose,
    now: Timestamp,
) -> Result<VaultCredentials, CredentialsError> {
    let damaged = |why: String| CredentialsError::Damaged { path: path.to_owned(), why };
    let unwrapped = unwrap_xml(bytes).map_err(|why| damaged(why.to_owned()))?;
    let bytes = unwrapped.as_deref().map_or(bytes, Vec::as_slice);
    let credentials: VaultCredentials = serde_json::from_slice(bytes).map_err(|cause| {
        damaged(format!("it is not what it should be at line {}, column {}", cause.line(), cause.column()))
    })?;
    if credentials.version != CREDENTIALS_VERSION {
        return Err(damaged(format!("its form {} is not known to this version", credentials.version)));
    }
    if !is_signed(&credentials) {
        return Err(CredentialsError::Tampered { path: path.to_owned() });
    }
    if credentials.purpose != purpose {
        let path = path.to_owned();
        return Err(match purpose {
            CredentialPurpose::Register => CredentialsError::ForRestore { path },
            CredentialPurpose::Restore => CredentialsError::ForRegistering { path },
        });
    }
    if credentials.expires_at <= now {
        return Err(CredentialsError::Expired { path: path.to_owned(), at: credentials.expires_at });
    }
    Ok(credentials)
}

/// The file within the one that Azure PowerShell makes of the vault's answer: XML, of whose elements `ManagementCert` holds
/// the file as base64. `None` for anything that is not XML.
fn unwrap_xml(bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, &'static str> {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii();
    if !text.starts_with(b"<") {
        return Ok(None);
    }
    let within = std::str::from_utf8(text).ok().and_then(|text| {
        let (_, after) = text.split_once("<ManagementCert>")?;
        after.split_once("</ManagementCert>").map(|(within, _)| within.trim())
    });
    let within = within.ok_or("it is XML without the element `ManagementCert`")?;
    let file = decode_base64(within).ok_or("its element `ManagementCert` is not base64, or was cut short")?;
    Ok(Some(Zeroizing::new(file)))
}

/// The signature is by the key that stands in the file itself: it shows damage and clumsy changes. A file that somebody
/// signed anew with a key of his own is caught by the vault, which does not know its secret, and by the CA.
fn is_signed(credentials: &VaultCredentials) -> bool {
    let key = decode_bytes(&credentials.signing_public_key).and_then(|bytes| bytes.try_into().ok());
    let signature = decode_bytes(&credentials.signature).and_then(|bytes| bytes.try_into().ok());
    match (key, signature) {
        (Some(key), Some(signature)) => {
            verify_signature(&key, &credentials.signed_bytes(), &signature).is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use stateward_api::credentials::encode_bytes;
    use stateward_crypto::SigningKey;
    use stateward_model::{CredentialId, SystemRandom, VaultId};

    pub(crate) const NOW: Timestamp = Timestamp(1_000_000_000_000);

    /// Credentials as a vault signs them, good for a minute from [`NOW`] on.
    pub(crate) fn file() -> VaultCredentials {
        let key = SigningKey::generate(&SystemRandom);
        let mut credentials = VaultCredentials {
            version: 1,
            credential: CredentialId::new(&SystemRandom),
            purpose: CredentialPurpose::Register,
            server: None,
            domain: None,
            vault: VaultId::new(&SystemRandom),
            vault_name: "main".parse().unwrap(),
            tenant: "t".to_owned(),
            url: "https://127.0.0.1:1".to_owned(),
            ca_pem: String::new(),
            signing_public_key: encode_bytes(&key.public_key()),
            secret: "s".to_owned(),
            expires_at: NOW.plus_seconds(60),
            signature: String::new(),
        };
        credentials.signature = encode_bytes(&key.sign(&credentials.signed_bytes()));
        credentials
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{NOW, file};
    use super::*;

    fn outcome(credentials: &VaultCredentials, now: Timestamp) -> Result<(), Code> {
        let bytes = serde_json::to_vec(credentials).unwrap();
        check(&bytes, Path::new("c.json"), CredentialPurpose::Register, now)
            .map(|_| ())
            .map_err(|error| error.code())
    }

    #[test]
    fn a_whole_file_is_taken_until_its_time_is_over() {
        assert_eq!(outcome(&file(), NOW), Ok(()));
        assert_eq!(outcome(&file(), NOW.plus_seconds(60)), Err(Code::CredentialsExpired));
    }

    /// As Azure PowerShell's `DataContractSerializer` writes it.
    fn in_xml(file: &[u8]) -> Vec<u8> {
        let encoded = stateward_api::credentials::encode_base64(file);
        let xml = format!(
            "\u{feff}<RSBackupVaultAADCreds xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xmlns=\"http://schemas.datacontract.org/2004/07/Microsoft.Azure.Portal.RecoveryServices.Models.Common\">\
             <Version>2.0</Version><ManagementCert>{encoded}</ManagementCert><ResourceId>7</ResourceId>\
             </RSBackupVaultAADCreds>"
        );
        xml.into_bytes()
    }

    #[test]
    fn what_azure_powershell_writes_is_unwrapped() {
        let whole = serde_json::to_vec(&file()).unwrap();
        let read = check(&in_xml(&whole), Path::new("c.VaultCredentials"), CredentialPurpose::Register, NOW)
            .unwrap();
        assert!(is_signed(&read));
        let mut altered = file();
        altered.url = "https://evil:1".to_owned();
        let altered = in_xml(&serde_json::to_vec(&altered).unwrap());
        let error =
            check(&altered, Path::new("c.VaultCredentials"), CredentialPurpose::Register, NOW).unwrap_err();
        assert_eq!(error.code(), Code::CredentialsTampered);
        let half = in_xml(&whole);
        for damaged in
            [&half[..half.len() / 2], b"<a/>", b"<ManagementCert>%</ManagementCert>", &in_xml(b"certificate")]
        {
            let error = check(damaged, Path::new("c.VaultCredentials"), CredentialPurpose::Register, NOW)
                .unwrap_err();
            assert_eq!(error.code(), Code::CredentialsDamaged, "{error}");
        }
    }

    #[test]
    fn a_file_for_another_purpose_is_told() {
        let bytes = serde_json::to_vec(&file()).unwrap();
        let error = check(&bytes, Path::new("c.json"), CredentialPurpose::Restore, NOW).unwrap_err();
        assert_eq!(error.code(), Code::CredentialsForRegistering);
    }

    #[test]
    fn every_altered_field_is_noticed() {
        let mut changed = file();
        changed.url = "https://evil:1".to_owned();
        assert_eq!(outcome(&changed, NOW), Err(Code::CredentialsTampered));
        let mut changed = file();
        changed.expires_at = NOW.plus_seconds(6000);
        assert_eq!(outcome(&changed, NOW), Err(Code::CredentialsTampered));
        let mut changed = file();
        changed.signature = "x".to_owned();
        assert_eq!(outcome(&changed, NOW), Err(Code::CredentialsTampered));
    }

    #[test]
    fn other_files_are_named_as_what_they_are_without_their_content() {
        for wrong in ["", "-----BEGIN CERTIFICATE-----", "{\"secret\": 7}"] {
            let error =
                check(wrong.as_bytes(), Path::new("c.json"), CredentialPurpose::Register, NOW).unwrap_err();
            assert_eq!(error.code(), Code::CredentialsDamaged);
        }
        let missing = read(Path::new("/nowhere/c.json"), CredentialPurpose::Register, NOW).unwrap_err();
        assert_eq!(missing.code(), Code::CredentialsUnreadable);
    }
}
