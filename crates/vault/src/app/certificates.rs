//! X.509 certificates that clients send: read, and nothing believed of them but their key and their time. Whose they are,
//! whoever sends them says; nobody issues them for the vault.

use super::Error;
use ring::digest;
use stateward_model::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The longest certificate, in bytes.
const CERTIFICATE_BYTES_MAX: usize = 16 << 10;

/// The shortest RSA key that signs assertions, in bits (NIST SP 800-131A).
const RSA_BITS_MIN: usize = 2048;

/// The longest, in bits: what it takes to check a signature grows with it.
const RSA_BITS_MAX: usize = 8192;

/// A certificate that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Its DER.
    pub(crate) body: Vec<u8>,
    /// Its SHA-256.
    pub(crate) thumbprint: [u8; 32],
    /// Whose it is.
    pub(crate) subject: String,
    /// Who issued it.
    pub(crate) issuer: String,
    /// From when on it is good.
    pub(crate) valid_from: Timestamp,
    /// Until when it is good.
    pub(crate) valid_to: Timestamp,
    /// Its RSA key (RFC 8017, `RSAPublicKey`), if it has one of a length that will do.
    rsa_key: Option<Vec<u8>>,
}

impl Certificate {
    /// Reads DER.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let none = || {
            Error::invalid(format!(
                "The certificate is none: it must be X.509 as DER, of at most {CERTIFICATE_BYTES_MAX} bytes"
            ))
        };
        if body.len() > CERTIFICATE_BYTES_MAX {
            return Err(none());
        }
        let (rest, read) = X509Certificate::from_der(body).map_err(|_| none())?;
        let moment = |seconds: i64| Timestamp::from_seconds(seconds, 0).ok_or_else(none);
        if !rest.is_empty() {
            return Err(none());
        }
        let key = read.public_key();
        let rsa_key = match key.parsed() {
            // The first byte of a positive number may be a zero.
            Ok(PublicKey::RSA(rsa)) if (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&rsa.key_size()) => {
                Some(key.subject_public_key.data.to_vec())
            }
            _ => None,
        };
        Ok(Self {
            body: body.to_vec(),
            thumbprint: sha256(body),
            subject: read.subject().to_string(),
            issuer: read.issuer().to_string(),
            valid_from: moment(read.validity().not_before.timestamp())?,
            valid_to: moment(read.validity().not_after.timestamp())?,
            rsa_key,
        })
    }

    /// Refuses one that is not good now.
    pub(crate) fn check_time(&self, now: Timestamp) -> Result<(), Error> {
        let Self { valid_from, valid_to, .. } = self;
        match (*valid_from..=*valid_to).contains(&now) {
            true => Ok(()),
            false => Err(Error::invalid(format!(
                "The certificate is good from {valid_from} to {valid_to}, and now it is {now}"
            ))),
        }
    }

    /// The key by which signatures are checked.
    pub(crate) fn rsa_key(&self) -> Result<&[u8], Error> {
        self.rsa_key.as_deref().ok_or_else(|| {
            Error::invalid(format!(
                "The certificate has no RSA key of {RSA_BITS_MIN} to {RSA_BITS_MAX} bits; with such a key Azure's clients sign in"
            ))
        })
    }

    /// Its SHA-1: what older clients call it by.
    pub(crate) fn old_thumbprint(&self) -> [u8; 20] {
        sha1(&self.body)
    }
}

/// SHA-1, to call things by what clients call them by; nothing is believed for it.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref());
    hash
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Hexadecimal digits in capitals, as thumbprints are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
mod tests {
    use super::testing::TestKey;
    use super::*;

    #[test]
    fn a_certificate_is_read_and_its_time_is_checked() {
        let now = Timestamp::from_seconds(1_795_000_000, 0).unwrap();
        let made = TestKey::rsa().certificate("ops", now);
        let read = Certificate::read(&made).unwrap();
        assert_eq!((read.subject.as_str(), read.issuer.as_str()), ("CN=ops", "CN=ops"));
        assert!(read.rsa_key().is_ok());
        read.check_time(now).unwrap();
        for moved in [-3 * 86_400, 3 * 86_400] {
            let wrong = read.check_time(now.plus_seconds(moved)).unwrap_err();
            assert!(wrong.to_string().contains(&read.valid_to.to_string()), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_certificate_or_has_another_key_is_refused() {
        let now = Timestamp::from_seconds(1_795_000_000, 0).unwrap();
        let made = TestKey::rsa().certificate("ops", now);
        for wrong in [&made[..made.len() - 1], &[&made[..], b"x"].concat(), b"", &[0x30; 20_000]] {
            assert!(matches!(Certificate::read(wrong), Err(Error::InvalidRequest(_))));
        }
        let other = Certificate::read(&TestKey::elliptic().certificate("ops", now)).unwrap();
        assert!(matches!(other.rsa_key(), Err(Error::InvalidRequest(_))));
    }
}
