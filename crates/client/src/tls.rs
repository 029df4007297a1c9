//! What is trusted: the one certificate authority that the caller gives, and nothing else.

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;

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
    if roots.is_empty() {
        return Err("the authority's file holds no certificate".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring serves the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_a_certificate_is_refused_in_plain_words() {
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let words = trusting_only(text).unwrap_err();
            assert!(words.starts_with("the authority's file "), "{words}");
        }
    }
}
