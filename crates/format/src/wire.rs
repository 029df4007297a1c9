//! The small alphabet that all encodings are spelled in: little-endian integers, LEB128 variable-length integers,
//! length-prefixed bytes; and a reader that is never led beyond its input.

use stateward_model::Timestamp;

/// Bytes that are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes end before the value does.
    #[error("The {what} ends too early")]
    Truncated {
        /// What was being read.
        what: &'static str,
    },
    /// The bytes hold something that their rule does not allow.
    #[error("The {what} is malformed: {why}")]
    Malformed {
        /// What was being read.
        what: &'static str,
        /// Which rule was broken.
        why: &'static str,
    },
    /// Made by a newer version, or not ours at all.
    #[error("The {what} has version or kind {found}, which this build does not know; a newer build may")]
    Unsupported {
        /// What was being read.
        what: &'static str,
        /// The version, kind or type that was found.
        found: u64,
    },
}

/// Builds one encoding.
#[derive(Debug, Default, Clone)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// One byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A time as eight bytes: nanoseconds since 1970, two's complement.
    pub fn time(&mut self, value: Timestamp) {
        self.u64(value.0.cast_unsigned());
    }

    /// LEB128: seven bits a byte, least significant first, 1 to 10 bytes.
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// LEB128 of 128 bits, 1 to 19 bytes; what fits 64 bits is as [`Self::varint`] writes it.
    pub fn wide_varint(&mut self, mut value: u128) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// Bytes whose length the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// A varint length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.raw(bytes);
    }
}

/// Reads one encoding, never beyond its end.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    what: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`; `what` names them in errors, with no article.
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { what, rest: bytes }
    }

    /// An error about what is being read.
    pub fn malformed(&self, why: &'static str) -> FormatError {
        FormatError::Malformed { what: self.what, why }
    }

    /// How many bytes are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// `length` bytes as they are.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let (head, rest) =
            self.rest.split_at_checked(length).ok_or(FormatError::Truncated { what: self.what })?;
        self.rest = rest;
        Ok(head)
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut out = [0; N];
        out.copy_from_slice(self.raw(N)?);
        Ok(out)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(self.array::<1>()?[0])
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A time as [`Writer::time`] wrote it.
    pub fn time(&mut self) -> Result<Timestamp, FormatError> {
        Ok(Timestamp(self.u64()?.cast_signed()))
    }

    /// LEB128 in its shortest form, so that one value has one encoding.
    pub fn varint(&mut self) -> Result<u64, FormatError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(self.malformed("a number needs more than 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return self.shortest(byte, shift, value);
            }
        }
        Err(self.malformed("a number needs more than 64 bits"))
    }

    /// LEB128 of 128 bits in its shortest form.
    pub fn wide_varint(&mut self) -> Result<u128, FormatError> {
        let mut value = 0u128;
        for shift in (0..128).step_by(7) {
            let byte = self.u8()?;
            let bits = u128::from(byte & 0x7f);
            if shift == 126 && bits > 3 {
                return Err(self.malformed("a number needs more than 128 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return self.shortest(byte, shift, value);
            }
        }
        Err(self.malformed("a number needs more than 128 bits"))
    }

    /// The value, unless its last byte could have been left out.
    fn shortest<T>(&self, last: u8, shift: u32, value: T) -> Result<T, FormatError> {
        match last != 0 || shift == 0 {
            true => Ok(value),
            false => Err(self.malformed("a number is not in its shortest form")),
        }
    }

    /// A varint that must be at most `most`.
    pub fn bounded(&mut self, most: u64, why: &'static str) -> Result<u64, FormatError> {
        let value = self.varint()?;
        (value <= most).then_some(value).ok_or_else(|| self.malformed(why))
    }

    /// A count of things that take at least `least_bytes` each: never more than what is left can hold, so that it is
    /// safe to reserve memory by it.
    pub fn count(&mut self, least_bytes: usize) -> Result<usize, FormatError> {
        let most = (self.rest.len() / least_bytes.max(1)) as u64;
        self.bounded(most, "it counts more things than its bytes can hold").map(|n| n as usize)
    }

    /// A varint length, then as many bytes.
    pub fn bytes(&mut self) -> Result<&'a [u8], FormatError> {
        let length = self.count(1)?;
        self.raw(length)
    }

    /// Length-prefixed UTF-8.
    pub fn text(&mut self) -> Result<&'a str, FormatError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a text is not UTF-8"))
    }

    /// Says that the value ends here.
    pub fn finish(self) -> Result<(), FormatError> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.malformed("there are bytes after its end")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_survive(value: u64) {
            let mut writer = Writer::default();
            writer.varint(value);
            let mut reader = Reader::new("number", &writer.0);
            prop_assert_eq!(reader.varint().unwrap(), value);
            reader.finish().unwrap();
        }

        #[test]
        fn wide_numbers_survive_and_small_ones_are_spelled_alike(value: u128, small: u64) {
            let (mut wide, mut narrow) = (Writer::default(), Writer::default());
            wide.wide_varint(u128::from(small));
            narrow.varint(small);
            prop_assert_eq!(&wide.0, &narrow.0);
            wide.wide_varint(value);
            let mut reader = Reader::new("number", &wide.0);
            prop_assert_eq!(reader.wide_varint().unwrap(), u128::from(small));
            prop_assert_eq!(reader.wide_varint().unwrap(), value);
            reader.finish().unwrap();
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let mut reader = Reader::new("number", &bytes);
            while reader.varint().is_ok() {}
            let mut reader = Reader::new("bytes", &bytes);
            while !reader.is_at_end() && reader.bytes().is_ok() {}
        }
    }

    #[test]
    fn a_longer_form_of_a_number_is_refused() {
        assert!(Reader::new("number", &[0x80, 0x00]).varint().is_err());
        assert!(Reader::new("number", &[0xff; 11]).varint().is_err());
        assert!(Reader::new("number", &[0x80, 0x00]).wide_varint().is_err());
        let most = [[0xff; 18].as_slice(), &[0x03]].concat();
        assert_eq!(Reader::new("number", &most).wide_varint(), Ok(u128::MAX));
        let beyond = [[0xff; 18].as_slice(), &[0x04]].concat();
        assert!(Reader::new("number", &beyond).wide_varint().is_err());
        assert!(Reader::new("number", &[0xff; 20]).wide_varint().is_err());
    }
}
