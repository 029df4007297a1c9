//! What is trusted: the one certificate authority that the caller gives, and nothing else.
//!
//! A certificate that is not of that authority is refused, and its issuer named, so that a person learns who stands between:
//! another vault, or something that opens connections.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use stateward_api::AUTHORITY_NAME;
use stateward_model::Timestamp;
use std::fmt;
use std::sync::Arc;
use x509_parser::prelude::{FromDer, X509Certificate};

/// No issuer is shown with more characters.
const ISSUER_CHARS_MAX: usize = 100;

/// A configuration that trusts just the certificates in `ca_pem`, never the system's store.
///
/// # Errors
/// Words for a person when `ca_pem` holds no certificate that can be used.
pub(crate) fn trusting_only(ca_pem: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate =
            certificate.map_err(|error| format!("the authority's file can't be read: {error}"))?;
        roots.add(certificate).map_err(|error| format!("the authority's file can't be used: {error}"))?;
    }
    trusting_roots(roots)
}

/// A configuration that trusts what this machine's administrator trusts, as a list of certificates in PEM. One in it that can't
/// be used, as there is in most such lists, is left out.
///
/// # Errors
/// As [`trusting_only`].
pub(crate) fn trusting_list(list_pem: &str) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_slice_iter(list_pem.as_bytes()).filter_map(Result::ok);
    roots.add_parsable_certificates(certificates);
    trusting_roots(roots)
}

fn trusting_roots(roots: RootCertStore) -> Result<ClientConfig, String> {
    if roots.is_empty() {
        return Err("the authority's file holds no certificate".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| format!("the authority's file can't be used: {error}"))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring serves the default protocol versions")
        // The name is the library's: what is set here refuses whatever the usual one refuses.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NamingStrangers(verifier)))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// When the first of the certificates of an authority ends; `None` if that can't be told.
pub fn authority_ends(ca_pem: &str) -> Option<Timestamp> {
    let end = |certificate: CertificateDer<'_>| {
        let (_, certificate) = X509Certificate::from_der(&certificate).ok()?;
        Timestamp::from_seconds(certificate.validity().not_after.timestamp(), 0)
    };
    CertificateDer::pem_slice_iter(ca_pem.as_bytes()).flatten().filter_map(end).min()
}

/// A certificate is of an authority that is not the expected one.
#[derive(Debug)]
pub(crate) struct Stranger {
    /// Who issued it, as the certificate says; nobody has proved it.
    pub(crate) issuer: String,
    /// Whether that has the name of a vault's own authority.
    pub(crate) is_vault: bool,
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "issued by `{}`", self.issuer)
    }
}

impl std::error::Error for Stranger {}

impl Stranger {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
        let issuer = certificate.issuer();
        let common = issuer.iter_common_name().next().and_then(|name| name.as_str().ok());
        let text = common.map_or_else(|| issuer.to_string(), str::to_owned);
        let issuer: String =
            text.chars().filter(|c| !c.is_control() && *c != '`').take(ISSUER_CHARS_MAX).collect();
        Some(Self { is_vault: issuer.starts_with(AUTHORITY_NAME), issuer })
    }
}

/// The library's own checks; what they refuse for its issuer is told with who that is.
#[derive(Debug)]
struct NamingStrangers(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for NamingStrangers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        checked.map_err(|error| match &error {
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
                match Stranger::of(end_entity) {
                    Some(stranger) => CertificateError::Other(OtherError(Arc::new(stranger))).into(),
                    None => error,
                }
            }
            _ => error,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_authority_is_read() {
        let mut params = rcgen::CertificateParams::default();
        params.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let pem = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
        assert_eq!(authority_ends(&pem).unwrap().to_string().get(..10), Some("2031-02-03"));
        assert_eq!(authority_ends("nothing"), None);
    }

    #[test]
    fn text_without_a_certificate_is_refused_in_plain_words() {
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let words = trusting_only(text).unwrap_err();
            assert!(words.starts_with("the authority's file "), "{words}");
        }
    }
}
