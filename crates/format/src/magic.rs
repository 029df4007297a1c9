//! How every object and every sealed value begins: seven bytes that say what it is, and one that says its version.

use crate::wire::{FormatError, Reader, Writer};

/// The one version that this build writes and reads, of every kind of object.
const VERSION: u8 = 1;

/// Begins an encoding.
pub(crate) fn begin(magic: &[u8; 7]) -> Writer {
    let mut writer = Writer::default();
    writer.raw(magic);
    writer.u8(VERSION);
    writer
}

/// Checks how the bytes begin and gives a reader of what follows; `what` names them in errors, with no article.
pub(crate) fn open<'a>(
    what: &'static str,
    magic: &[u8; 7],
    bytes: &'a [u8],
) -> Result<Reader<'a>, FormatError> {
    let mut reader = Reader::new(what, bytes);
    if reader.array::<7>()? != *magic {
        return Err(reader.malformed("it does not begin as it should"));
    }
    match reader.u8()? {
        VERSION => Ok(reader),
        found => Err(FormatError::Unsupported { what, found: u64::from(found) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_and_another_kind_are_told_apart() {
        let mut bytes = begin(b"SWTHING").0;
        assert!(open("thing", b"SWTHING", &bytes).is_ok());
        assert!(matches!(open("thing", b"SWOTHER", &bytes), Err(FormatError::Malformed { .. })));
        assert!(matches!(open("thing", b"SWTHING", &bytes[..7]), Err(FormatError::Truncated { .. })));
        bytes[7] = 2;
        let newer = FormatError::Unsupported { what: "thing", found: 2 };
        assert_eq!(open("thing", b"SWTHING", &bytes).unwrap_err(), newer);
    }
}
