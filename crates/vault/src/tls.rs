//! TLS: the private certificate authority that `init` makes, the server's certificate, and how rustls is set up.
//!
//! The authority is good for ten years, the certificate for two; `serve` makes a new one when less than 60 days are
//! left, at its start and once a day. Their keys come from ring's generator: rcgen takes no other.

use crate::data_folder::{DataFolder, DataFolderError};
use crate::platform;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use stateward_model::Timestamp;
use std::sync::Arc;

const CA_PEM: &str = "tls/ca.pem";
const CA_KEY: &str = "tls/ca.key";
const SERVER_PEM: &str = "tls/server.pem";

const DAY: i64 = 24 * 3600;
const CA_DAYS: i64 = 3652;
const SERVER_DAYS: i64 = 730;
/// So many days before its end a certificate is made anew.
const RENEW_DAYS: i64 = 60;
/// A certificate begins so many days before it is made, for clients whose clock is behind.
const EARLIER_DAYS: i64 = 2;

/// What the first line of the server's file begins with; text before a PEM block is allowed (RFC 7468 §2).
const ENDS: &str = "ends: ";

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of the data folder.
    #[error(transparent)]
    Folder(#[from] DataFolderError),
    /// A certificate cannot be made.
    #[error("Can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// rustls does not take the certificate.
    #[error("Can't use the certificate: {0}")]
    Use(#[from] rustls::Error),
}

/// Makes the authority and the first certificate.
pub(crate) fn create(folder: &DataFolder, tenant: &str, host: &str, now: Timestamp) -> Result<(), TlsError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = authority(tenant);
    set_days(&mut params, now, CA_DAYS);
    let pem = params.self_signed(&key)?.pem();
    folder.write(CA_KEY, key.serialize_pem().as_bytes())?;
    folder.write(CA_PEM, pem.as_bytes())?;
    issue(folder, tenant, host, now)
}

/// The authority's certificate, as PEM.
pub(crate) fn ca_pem(folder: &DataFolder) -> Result<String, TlsError> {
    Ok(folder.read_text(CA_PEM)?)
}

/// Where [`ca_pem`] lies.
pub(crate) fn ca_file(folder: &DataFolder) -> std::path::PathBuf {
    folder.root().join(CA_PEM)
}

/// Makes a new server certificate if the one there ends soon; tells whether it did.
pub(crate) fn renew(folder: &DataFolder, tenant: &str, host: &str, now: Timestamp) -> Result<bool, TlsError> {
    let text = folder.read_text(SERVER_PEM)?;
    let ends = text.lines().next().and_then(|line| line.strip_prefix(ENDS)?.parse::<Timestamp>().ok());
    if ends.is_some_and(|ends| now.plus_seconds(RENEW_DAYS * DAY) < ends) {
        return Ok(false);
    }
    issue(folder, tenant, host, now)?;
    Ok(true)
}

/// How rustls serves with the certificate that lies in the folder.
pub(crate) fn server_config(folder: &DataFolder) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let pem = folder.read(SERVER_PEM)?;
    let wrong = |error: rustls_pki_types::pem::Error| folder.unreadable(SERVER_PEM, error.to_string());
    let chain = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(wrong)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn issue(folder: &DataFolder, tenant: &str, host: &str, now: Timestamp) -> Result<(), TlsError> {
    let authority_key = KeyPair::from_pem(&folder.read_text(CA_KEY)?)?;
    // An issuer is a name and a key: the same as when the authority was made, so its certificate need not be parsed.
    let issuer = Issuer::new(authority(tenant), authority_key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names(host))?;
    params.distinguished_name.push(DnType::CommonName, "Stateward vault");
    set_days(&mut params, now, SERVER_DAYS);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    let ends = now.plus_seconds(SERVER_DAYS * DAY);
    let text = format!("{ENDS}{ends}\n{}{}", certificate.pem(), key.serialize_pem());
    Ok(folder.write(SERVER_PEM, text.as_bytes())?)
}

fn authority(tenant: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("{} {tenant}", stateward_api::AUTHORITY_NAME));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// All names that clients may reach the vault by.
fn names(host: &str) -> Vec<String> {
    let mut names = vec![host.to_owned()];
    let more = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    names.extend(platform::machine_name().filter(|name| is_host_name(name)).into_iter().chain(more));
    names.sort();
    names.dedup();
    names
}

/// Whether a certificate can bear this name.
fn is_host_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'.')
}

/// Sets when a certificate is good: from a little before now, whole days.
pub(crate) fn set_days(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let midnight = |moment: Timestamp| {
        let day = jiff::Timestamp::from_second(moment.seconds())
            .map(|moment| jiff::tz::Offset::UTC.to_datetime(moment).date())
            .unwrap_or(jiff::civil::Date::MAX);
        date_time_ymd(i32::from(day.year()), day.month().unsigned_abs(), day.day().unsigned_abs())
    };
    params.not_before = midnight(now.plus_seconds(-EARLIER_DAYS * DAY));
    params.not_after = midnight(now.plus_seconds(days * DAY));
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000_000_000_000);

    #[test]
    fn a_certificate_is_made_anew_only_shortly_before_its_end() {
        let temp = tempfile::tempdir().unwrap();
        let folder = DataFolder::create(&temp.path().join("vault")).unwrap();
        create(&folder, "tenant", "vault.example", NOW).unwrap();
        let first = folder.read(SERVER_PEM).unwrap();
        assert!(!renew(&folder, "tenant", "vault.example", NOW.plus_seconds(600 * DAY)).unwrap());
        assert_eq!(folder.read(SERVER_PEM).unwrap(), first);
        assert!(renew(&folder, "tenant", "vault.example", NOW.plus_seconds(670 * DAY)).unwrap());
        assert_ne!(folder.read(SERVER_PEM).unwrap(), first);
        assert!(server_config(&folder).is_ok());
    }

    #[test]
    fn the_certificate_bears_all_names_once() {
        let names = names("127.0.0.1");
        assert!(["127.0.0.1", "::1", "localhost"].iter().all(|name| names.iter().any(|n| n == name)));
        assert_eq!(names.iter().filter(|name| *name == "127.0.0.1").count(), 1);
    }
}
