//! Keys with certificates, and assertions signed by them as Azure's clients sign theirs.

use crate::tls::set_days;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use stateward_api::credentials::encode_bytes;
use stateward_model::Timestamp;

/// Made for these tests by `openssl genpkey -algorithm RSA`; it opens nothing.
const RSA_KEYS: [&[u8]; 2] = [include_bytes!("testing/one.der"), include_bytes!("testing/two.der")];

/// A key.
pub(crate) struct TestKey {
    pair: KeyPair,
    rsa: Option<RsaKeyPair>,
}

impl TestKey {
    /// An RSA key, always the same.
    pub(crate) fn rsa() -> Self {
        Self::rsa_number(0)
    }

    /// Another one.
    pub(crate) fn other_rsa() -> Self {
        Self::rsa_number(1)
    }

    fn rsa_number(number: usize) -> Self {
        let der = RSA_KEYS[number];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der));
        let pair = KeyPair::from_der_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap();
        Self { pair, rsa: Some(RsaKeyPair::from_pkcs8(der).unwrap()) }
    }

    /// A key on an elliptic curve.
    pub(crate) fn elliptic() -> Self {
        Self { pair: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(), rsa: None }
    }

    /// A certificate by itself, good from two days before a moment to two days after it.
    pub(crate) fn certificate(&self, name: &str, now: Timestamp) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        set_days(&mut params, now, 2);
        params.self_signed(&self.pair).unwrap().der().to_vec()
    }

    /// A JWT with this header and these claims, signed by RS256 or PS256 as the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| encode_bytes(value.to_string().as_bytes());
        let body = format!("{}.{}", part(header), part(claims));
        let rsa = self.rsa.as_ref().unwrap();
        let padding = if header["alg"] == "PS256" {
            &RSA_PSS_SHA256 as &dyn ring::signature::RsaEncoding
        } else {
            &RSA_PKCS1_SHA256
        };
        let mut signature = vec![0; rsa.public().modulus_len()];
        rsa.sign(padding, &SystemRandom::new(), body.as_bytes(), &mut signature).unwrap();
        format!("{body}.{}", encode_bytes(&signature))
    }
}
