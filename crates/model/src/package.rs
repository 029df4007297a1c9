//! Packages of the agent: what their files' names say, which version is newer, and what a release key signs of one.
//!
//! A file's name is the one source of what a package is: kind, version and architecture are read from it, and the signature is
//! over the name with the size and the hash. So nobody without the key can pass an old package off as a new one.

use crate::ParseError;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};

/// The package's own name: the one that every agent is installed from.
const NAME: &str = "stateward";

/// The longest file name that is one, in bytes.
const NAME_BYTES_MAX: usize = 120;

/// How the text begins that is signed, so that nothing else that the key signs begins like it.
const SIGNED_BEGINNING: &str = "stateward package 1";

/// The longest file with a signature, in bytes.
pub const SIGNATURE_BYTES_MAX: usize = 1024;

/// The largest package that is offered or taken, in bytes.
pub const PACKAGE_BYTES_MAX: u64 = 1 << 30;

/// What installs a package.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum PackageKind {
    /// Debian's `dpkg`.
    Deb,
    /// `rpm`.
    Rpm,
    /// Windows Installer.
    Msi,
}

impl PackageKind {
    /// How the files' names end, after the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Deb => "deb",
            Self::Rpm => "rpm",
            Self::Msi => "msi",
        }
    }

    /// How every such file begins.
    pub fn magic(self) -> &'static [u8] {
        match self {
            Self::Deb => b"!<arch>\ndebian-binary",
            Self::Rpm => &[0xed, 0xab, 0xee, 0xdb],
            Self::Msi => &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1],
        }
    }
}

impl fmt::Display for PackageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

/// A version of the agent: three numbers, and the package's own release if it is a package's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct AgentVersion {
    numbers: [u32; 3],
    /// How often it was packaged; a program does not know it of itself.
    release: Option<u32>,
}

impl AgentVersion {
    /// The version of the program, whatever package it came in.
    #[must_use]
    pub fn of_program(self) -> Self {
        Self { release: None, ..self }
    }

    /// The version that Windows Installer keeps of a product: its fourth number, which it compares in nothing, is the
    /// package's release.
    pub fn of_product(version: &str) -> Option<Self> {
        let numbers: Vec<u32> = version.split('.').map(number).collect::<Option<_>>()?;
        match *numbers {
            [major, minor, patch] => Some(Self { numbers: [major, minor, patch], release: None }),
            [major, minor, patch, release] => {
                Some(Self { numbers: [major, minor, patch], release: Some(release) })
            }
            _ => None,
        }
    }

    /// The version that a program tells of itself, such as `stateward 0.1.0`.
    pub fn told(program: &str) -> Option<Self> {
        program.rsplit(' ').next()?.parse().ok()
    }
}

impl fmt::Display for AgentVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        self.release.map_or(Ok(()), |release| write!(f, "-{release}"))
    }
}

impl std::str::FromStr for AgentVersion {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let (numbers, release) = match text.split_once('-') {
                Some((numbers, release)) => (numbers, Some(number(release)?)),
                None => (text, None),
            };
            let numbers: Vec<u32> = numbers.split('.').map(number).collect::<Option<_>>()?;
            Some(Self { numbers: numbers.try_into().ok()?, release })
        };
        read().ok_or_else(|| ParseError { what: "version of an agent", text: text.to_owned() })
    }
}

impl TryFrom<String> for AgentVersion {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<AgentVersion> for String {
    fn from(version: AgentVersion) -> Self {
        version.to_string()
    }
}

/// A number in its one spelling: `007` and `+7` are other texts.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// The name of a package's file: `stateward_0.1.0-1_amd64.deb`, `stateward-0.1.0-1.x86_64.rpm`, `stateward-0.1.0-1.x64.msi`.
/// Nothing else is one, so that it is never a path.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct PackageFile {
    /// What installs it.
    pub kind: PackageKind,
    /// Its version.
    pub version: AgentVersion,
    /// For which processors, in the words of its kind: `amd64`, `x86_64`.
    pub architecture: String,
}

impl fmt::Display for PackageFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, version, architecture } = self;
        match kind {
            PackageKind::Deb => write!(f, "{NAME}_{version}_{architecture}.{kind}"),
            PackageKind::Rpm | PackageKind::Msi => write!(f, "{NAME}-{version}.{architecture}.{kind}"),
        }
    }
}

impl std::str::FromStr for PackageFile {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let (stem, extension) = text.rsplit_once('.')?;
            let kinds = [PackageKind::Deb, PackageKind::Rpm, PackageKind::Msi];
            let kind = kinds.into_iter().find(|kind| kind.extension() == extension)?;
            let (mark, before) = if kind == PackageKind::Deb { ('_', '_') } else { ('.', '-') };
            let (front, architecture) = stem.rsplit_once(mark)?;
            // `x86_64` has the mark of the other kinds in it.
            let version = front.strip_prefix(NAME)?.strip_prefix(before)?.parse().ok()?;
            let is_plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
            let is_known = !architecture.is_empty() && architecture.bytes().all(is_plain);
            is_known.then(|| Self { kind, version, architecture: architecture.to_owned() })
        };
        let found = Some(text).filter(|text| text.len() <= NAME_BYTES_MAX).and_then(|_| read());
        found.ok_or_else(|| ParseError { what: "name of a package of the agent", text: text.to_owned() })
    }
}

impl TryFrom<String> for PackageFile {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<PackageFile> for String {
    fn from(file: PackageFile) -> Self {
        file.to_string()
    }
}

/// What is signed of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PackageStatement {
    /// Its file's name.
    pub file: PackageFile,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of it, in lower-case hexadecimal digits.
    pub sha256: String,
}

impl PackageStatement {
    /// The text that is signed.
    pub fn signed_text(&self) -> String {
        let Self { file, size_bytes, sha256 } = self;
        format!("{SIGNED_BEGINNING}\n{file}\n{size_bytes}\n{sha256}\n")
    }
}

/// A package's signature: what is signed, and by which key. Whether it holds is for those to say who have the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageSignature {
    /// What is signed.
    pub statement: PackageStatement,
    /// The public half of the release key.
    pub key: [u8; 32],
    /// The signature over [`PackageStatement::signed_text`]: Ed25519.
    pub signature: [u8; 64],
}

impl fmt::Display for PackageSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}key {}\nsignature {}\n",
            self.statement.signed_text(),
            hex(&self.key),
            hex(&self.signature)
        )
    }
}

impl std::str::FromStr for PackageSignature {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let read = || {
            let mut lines = text.lines();
            (lines.next()? == SIGNED_BEGINNING).then_some(())?;
            let statement = PackageStatement {
                file: lines.next()?.parse().ok()?,
                size_bytes: lines.next()?.parse().ok()?,
                sha256: lines.next()?.to_owned(),
            };
            from_hex::<32>(&statement.sha256)?;
            let key = from_hex(lines.next()?.strip_prefix("key ")?)?;
            let signature = from_hex(lines.next()?.strip_prefix("signature ")?)?;
            let found = Self { statement, key, signature };
            // One spelling each, so that what is kept is what was signed.
            (found.to_string() == text).then_some(found)
        };
        let found = Some(text).filter(|text| text.len() <= SIGNATURE_BYTES_MAX).and_then(|_| read());
        let shown = || text.lines().next().unwrap_or_default().chars().take(NAME_BYTES_MAX).collect();
        found.ok_or_else(|| ParseError { what: "signature of a package", text: shown() })
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// So many bytes of their lower-case hexadecimal digits.
pub fn from_hex<const BYTES: usize>(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != BYTES * 2 || !text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut out = [0; BYTES];
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> AgentVersion {
        text.parse().unwrap()
    }

    #[test]
    fn versions_are_ordered_by_their_numbers_and_then_by_release() {
        let ordered = ["0.1.0", "0.1.0-1", "0.1.0-2", "0.1.0-10", "0.1.2", "0.1.10", "0.2.0-1", "1.0.0"];
        for pair in ordered.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(version("0.1.0-7").of_program(), version("0.1.0"));
        assert_eq!(AgentVersion::told("stateward 0.1.0"), Some(version("0.1.0")));
        assert_eq!(AgentVersion::told("something else"), None);
        assert_eq!(AgentVersion::of_product("0.1.0.7"), Some(version("0.1.0-7")));
        assert_eq!(AgentVersion::of_product("0.1.0"), Some(version("0.1.0")));
        for wrong in ["", "1.2", "1.2.3.4.5", "1.2.3-4", "1.2.3.x", "01.2.3"] {
            assert_eq!(AgentVersion::of_product(wrong), None, "{wrong}");
        }
        for wrong in
            ["", "1", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "1.2.+3", "1.2.3-", "1.2.3-a", "1.2.4294967296"]
        {
            assert!(wrong.parse::<AgentVersion>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_file_s_name_survives_its_text_and_says_what_it_is() {
        for (name, kind, architecture) in [
            ("stateward_0.1.0-1_amd64.deb", PackageKind::Deb, "amd64"),
            ("stateward-0.1.0-1.x86_64.rpm", PackageKind::Rpm, "x86_64"),
            ("stateward-0.1.0-1.x64.msi", PackageKind::Msi, "x64"),
        ] {
            let file: PackageFile = name.parse().unwrap();
            assert_eq!((file.kind, file.architecture.as_str()), (kind, architecture));
            assert_eq!((file.version, file.to_string()), (version("0.1.0-1"), name.to_owned()));
        }
    }

    #[test]
    fn no_name_leads_out_of_a_folder_or_hides_something() {
        let long = format!("stateward_0.1.0-1_{}.deb", "a".repeat(NAME_BYTES_MAX));
        for wrong in [
            "../stateward_0.1.0-1_amd64.deb",
            "stateward_0.1.0-1_../amd64.deb",
            "stateward_0.1.0-1_amd64/.deb",
            "stateward_../../etc_amd64.deb",
            "/stateward_0.1.0-1_amd64.deb",
            "stateward_0.1.0-1_amd64.deb\0",
            "stateward_0.1.0-1_amd64.deb\n",
            "stateward_0.1.0-1_.deb",
            "stateward_0.1.0-1_AMD64.deb",
            "stateward-vault_0.1.0-1_amd64.deb",
            "stateward_0.1.0-1_amd64.exe",
            "stateward_0.1.0-1_amd64",
            "..\\stateward-0.1.0-1.x64.msi",
            "",
            ".deb",
            long.as_str(),
        ] {
            assert!(wrong.parse::<PackageFile>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_signature_survives_its_text_and_any_other_spelling_is_refused() {
        let statement = PackageStatement {
            file: "stateward_0.1.0-1_amd64.deb".parse().unwrap(),
            size_bytes: 7,
            sha256: hex(&[1; 32]),
        };
        let signature = PackageSignature { statement, key: [2; 32], signature: [3; 64] };
        let text = signature.to_string();
        assert!(text.starts_with("stateward package 1\nstateward_0.1.0-1_amd64.deb\n7\n0101"), "{text}");
        assert_eq!(text.parse::<PackageSignature>().unwrap(), signature);
        for wrong in [
            String::new(),
            text.replace("package 1", "package 2"),
            text.replace("\n7\n", "\n07\n"),
            text.replace("0101", "0A0a"),
            text.replace('\n', "\r\n"),
            text.replace("stateward_", "../stateward_"),
            format!("{text}more\n"),
            text.trim_end().to_owned(),
            text[..text.len() - 3].to_owned(),
        ] {
            assert!(wrong.parse::<PackageSignature>().is_err(), "{wrong}");
        }
    }
}
