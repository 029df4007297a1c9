//! The name of an entry within its folder.

use crate::wire::FormatError;
use crate::wtf8;

/// One name in a folder: any bytes but `/` and NUL; not empty, `.` or `..` (but empty for the topmost folder). Which
/// bytes they are, the manifest's [`NameKind`] says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileName(Vec<u8>);

/// What the bytes of a recovery point's names mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// Whatever the file system gave (Unix): mostly UTF-8, never promised.
    Bytes,
    /// WTF-8 of 16-bit units (Windows): see [`wtf8`].
    Wtf8,
}

impl FileName {
    /// The longest name that an entry holds, in bytes: three for each of NTFS' 255 UTF-16 units, and some.
    pub const BYTES_MAX: usize = 1024;

    /// The topmost folder's empty name.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// A name; refuses what could lead out of a folder.
    pub fn new(name: &[u8]) -> Result<Self, FormatError> {
        match name {
            b"" | b"." | b".." => malformed("it is empty, `.` or `..`"),
            _ if name.len() > Self::BYTES_MAX => malformed("it is too long"),
            _ if name.iter().any(|c| matches!(c, b'/' | 0)) => malformed("it holds `/` or NUL"),
            _ => Ok(Self(name.to_vec())),
        }
    }

    /// A name of Windows; refuses what could lead out of a folder or into a stream there.
    pub fn from_utf16(units: &[u16]) -> Result<Self, FormatError> {
        let name = Self::new(&wtf8::encode(units))?;
        name.leads_nowhere_on_windows().map(|()| name)
    }

    /// The 16-bit units of a name of Windows; refuses what [`Self::from_utf16`] would not have made.
    pub fn to_utf16(&self) -> Result<Vec<u16>, FormatError> {
        self.leads_nowhere_on_windows()?;
        wtf8::decode(&self.0)
    }

    fn leads_nowhere_on_windows(&self) -> Result<(), FormatError> {
        match self.0.iter().any(|c| matches!(c, b'\\' | b':')) {
            true => malformed("it holds `\\` or `:`"),
            false => Ok(()),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

fn malformed<T>(why: &'static str) -> Result<T, FormatError> {
    Err(FormatError::Malformed { what: "file name", why })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_lead_out_of_a_folder_are_refused() {
        for name in [&b""[..], b".", b"..", b"a/b", b"/", b"a\0", &[b'a'; 1025]] {
            assert!(FileName::new(name).is_err(), "{name:?}");
        }
        for name in [&b"..."[..], b".a", b"\xff\xfe", b" ", &[b'a'; 255]] {
            assert!(FileName::new(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn names_of_windows_keep_lone_surrogates_and_lead_nowhere() {
        let lone = [0x61, 0xd800, 0x62];
        let name = FileName::from_utf16(&lone).unwrap();
        assert_eq!(name.as_bytes(), b"a\xed\xa0\x80b");
        assert_eq!(name.to_utf16().unwrap(), lone);
        assert_eq!(FileName::from_utf16(&[0xffff; 255]).unwrap().to_utf16().unwrap(), [0xffff; 255]);
        for bad in ["", ".", "..", "a/b", "a\\b", "a:b", "C:", "a\0"] {
            let units: Vec<_> = bad.encode_utf16().collect();
            assert!(FileName::from_utf16(&units).is_err(), "{bad:?}");
        }
        for bad in [&b"a\\b"[..], b"a:b", b"\xff", b"\xed\xa0\xbd\xed\xb8\x80"] {
            assert!(FileName::new(bad).unwrap().to_utf16().is_err(), "{bad:?}");
        }
    }
}
