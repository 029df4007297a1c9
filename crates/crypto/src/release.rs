//! Release keys: who may make packages that an agent installs. Ed25519, apart from all keys of servers and vaults.

use crate::signing::{SigningKey, verify_signature};
use ring::digest::{Context, SHA256};
use stateward_model::package::{from_hex, hex};
use stateward_model::{PackageSignature, PackageStatement};

/// How a file with the secret half of a release key begins.
const SECRET_BEGINNING: &str = "stateward release key 1\n";

/// A text that holds no release keys, or something besides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Line {line} is no release key: 64 lower-case hexadecimal digits, and what you like to say of it after a space"
)]
pub struct WrongReleaseKeys {
    /// Which line, from 1.
    pub line: usize,
}

/// Why a package's signature is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsigned {
    /// Nobody is trusted.
    #[error("no release key is trusted here")]
    NoKey,
    /// It is by somebody else.
    #[error("it was signed by a key that is not trusted here")]
    OtherKey,
    /// The signature does not fit.
    #[error("the signature does not fit what it is over")]
    BadSignature,
}

/// The public halves of the keys that are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseKeys(Vec<[u8; 32]>);

impl ReleaseKeys {
    /// Reads a file of them: one a line; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// A line is something else. Nothing of the file is believed then.
    pub fn parse(text: &str) -> Result<Self, WrongReleaseKeys> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let meant = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let keys = meant.map(|(line, text)| {
            let digits = text.split_whitespace().next().unwrap_or_default();
            from_hex(digits).ok_or(WrongReleaseKeys { line })
        });
        keys.collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same and these.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Their digits.
    pub fn shown(&self) -> Vec<String> {
        self.0.iter().map(|key| hex(key)).collect()
    }

    /// Checks that one of these keys signed what the signature says.
    ///
    /// # Errors
    /// None of them did.
    pub fn check(&self, signed: &PackageSignature) -> Result<(), Unsigned> {
        if self.is_empty() {
            return Err(Unsigned::NoKey);
        }
        let trusted = self.0.iter().find(|key| **key == signed.key).ok_or(Unsigned::OtherKey)?;
        verify_signature(trusted, signed.statement.signed_text().as_bytes(), &signed.signature)
            .map_err(|_| Unsigned::BadSignature)
    }
}

impl SigningKey {
    /// The key that a file with the secret half of a release key holds.
    pub fn of_release_file(text: &str) -> Option<Self> {
        from_hex(text.strip_prefix(SECRET_BEGINNING)?.strip_suffix('\n')?).map(Self::from_seed)
    }

    /// The text of a file with the secret half of this key, as a release key.
    pub fn release_file(&self) -> zeroize::Zeroizing<String> {
        format!("{SECRET_BEGINNING}{}\n", hex(self.seed())).into()
    }

    /// Signs a package.
    pub fn sign_package(&self, statement: PackageStatement) -> PackageSignature {
        let signature = self.sign(statement.signed_text().as_bytes());
        PackageSignature { statement, key: self.public_key(), signature }
    }
}

/// SHA-256 of a file, piece by piece.
pub struct FileHash(Context);

impl Default for FileHash {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl FileHash {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The hash of all of it, in lower-case hexadecimal digits.
    pub fn finish(self) -> String {
        hex(self.0.finish().as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> PackageStatement {
        PackageStatement {
            file: "stateward_0.1.0-1_amd64.deb".parse().unwrap(),
            size_bytes: 3,
            sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".to_owned(),
        }
    }

    #[test]
    fn a_hash_is_the_published_one_however_it_came() {
        let mut hash = FileHash::default();
        hash.update(b"a");
        hash.update(b"bc");
        // FIPS 180-4, "abc".
        assert_eq!(hash.finish(), statement().sha256);
    }

    #[test]
    fn only_what_a_trusted_key_signed_is_believed() {
        let (key, other) = (SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32]));
        let trusted =
            ReleaseKeys::parse(&format!("# of the house\n\n{} ours\n", hex(&key.public_key()))).unwrap();
        let signed = key.sign_package(statement());
        assert_eq!(trusted.check(&signed), Ok(()));
        assert_eq!(ReleaseKeys::default().check(&signed), Err(Unsigned::NoKey));
        assert_eq!(trusted.check(&other.sign_package(statement())), Err(Unsigned::OtherKey));
        let claimed = PackageSignature { key: key.public_key(), ..other.sign_package(statement()) };
        assert_eq!(trusted.check(&claimed), Err(Unsigned::BadSignature));
        let newer = PackageStatement { file: "stateward_9.0.0-1_amd64.deb".parse().unwrap(), ..statement() };
        let renamed = PackageSignature { statement: newer, ..signed };
        assert_eq!(trusted.check(&renamed), Err(Unsigned::BadSignature));
    }

    #[test]
    fn a_key_survives_its_file_and_other_files_are_refused() {
        let key = SigningKey::from_seed([7; 32]);
        let text = key.release_file();
        assert_eq!(SigningKey::of_release_file(&text).unwrap().public_key(), key.public_key());
        for wrong in ["", "stateward release key 1\n07\n", &text[1..], text.trim_end()] {
            assert!(SigningKey::of_release_file(wrong).is_none(), "{wrong}");
        }
        let wrong = format!("{}\nnonsense\n", hex(&key.public_key()));
        assert_eq!(ReleaseKeys::parse(&wrong), Err(WrongReleaseKeys { line: 2 }));
    }
}
