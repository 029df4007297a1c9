//! A load option: what one boot entry starts (UEFI specification 2.10, 3.1.3 "Load Options" and 10.3 "Device Path
//! Nodes"), as text in the manner of `efibootmgr -v`.

use std::fmt::{self, Write};

/// Firmware ignores entries without it.
const ACTIVE: u32 = 1;

/// The end of a device path, and of all of it.
const END: u8 = 0x7f;

/// A decoded load option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LoadOption {
    is_active: bool,
    label: String,
    path: String,
    data_bytes: usize,
}

impl LoadOption {
    /// Decodes a variable's data; `None` if it is no load option.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let attributes = u32::from_le_bytes(data.get(..4)?.try_into().ok()?);
        let path_bytes = usize::from(u16::from_le_bytes(data.get(4..6)?.try_into().ok()?));
        let (label, rest) = utf16(data.get(6..)?)?;
        let path = rest.get(..path_bytes)?;
        Some(Self {
            is_active: attributes & ACTIVE != 0,
            label,
            path: device_path(path)?,
            data_bytes: rest.len() - path_bytes,
        })
    }
}

impl fmt::Display for LoadOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_active { "* " } else { "" };
        write!(f, "{mark}{}\t{}", self.label.escape_debug(), self.path)?;
        match self.data_bytes {
            0 => Ok(()),
            count => write!(f, "\t{count} bytes of its own"),
        }
    }
}

/// Text up to its zero, and what stands behind.
fn utf16(bytes: &[u8]) -> Option<(String, &[u8])> {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
    let end = units.iter().position(|unit| *unit == 0)?;
    Some((String::from_utf16_lossy(&units[..end]), &bytes[2 * (end + 1)..]))
}

/// All nodes of a path. Each says its kind, its length with these four bytes, and then what it is.
fn device_path(mut rest: &[u8]) -> Option<String> {
    let mut told: Vec<String> = Vec::new();
    while let [kind, below, low, high, ..] = *rest {
        let length = usize::from(u16::from_le_bytes([low, high]));
        let body = rest.get(4..length)?;
        if kind == END {
            break;
        }
        told.push(node(kind, below, body));
        rest = &rest[length..];
    }
    Some(told.join("/"))
}

fn node(kind: u8, below: u8, body: &[u8]) -> String {
    let known = match (kind, below) {
        (4, 1) => hard_drive(body),
        (4, 4) => utf16(body)
            .map(|(path, _)| format!("File({})", path.escape_debug().to_string().replace("\\\\", "\\"))),
        (3, 11) => body.get(..6).map(|address| format!("MAC({})", hex(address))),
        (5, 1) => body.get(4..).map(|text| {
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            format!("BIOS({})", String::from_utf8_lossy(text).escape_debug())
        }),
        _ => None,
    };
    known.unwrap_or_else(|| format!("Node({kind},{below},{})", hex(body)))
}

fn hard_drive(body: &[u8]) -> Option<String> {
    let number = |at: usize| Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
    let partition = u32::from_le_bytes(body.get(..4)?.try_into().ok()?);
    let (start, size) = (number(4)?, number(12)?);
    let signature: &[u8; 16] = body.get(20..36)?.try_into().ok()?;
    let (table, id) = match body.get(37)? {
        2 => ("GPT", guid(signature)),
        1 => ("MBR", format!("{:#010x}", u32::from_le_bytes(signature[..4].try_into().ok()?))),
        _ => ("none", hex(signature)),
    };
    Some(format!("HD({partition},{table},{id},{start:#x},{size:#x})"))
}

/// EFI writes the first three groups of an id with their lowest byte first.
fn guid(bytes: &[u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, i, j, rest @ ..] = bytes;
    let groups = [hex(&[*d, *c, *b, *a]), hex(&[*f, *e]), hex(&[*h, *g]), hex(&[*i, *j]), hex(rest)];
    groups.join("-")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &[u8] = include_bytes!("testdata/efibootmgr-entry");

    #[test]
    fn an_entry_of_efibootmgr_reads_as_efibootmgr_shows_it() {
        let option = LoadOption::decode(&ENTRY[4..]).unwrap();
        assert_eq!(
            option.to_string(),
            "* debian\tHD(1,GPT,62519c0c-38f2-dd45-b360-ebe8d2fa0383,0x800,0x8000)/File(\\EFI\\debian\\shimx64.efi)"
        );
    }

    #[test]
    fn other_nodes_inactive_entries_and_data_of_their_own_are_told() {
        let label: Vec<u8> = "net\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let path = b"\x02\x01\x0c\0\xd0\x41\x03\x0a\0\0\0\0\x03\x0b\x25\0\x02\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x00\x7f\xff\x04\0";
        let data =
            [&0u32.to_le_bytes()[..], &(path.len() as u16).to_le_bytes(), &label, path, b"abc"].concat();
        assert_eq!(
            LoadOption::decode(&data).unwrap().to_string(),
            "net\tNode(2,1,d041030a00000000)/MAC(020000000001)\t3 bytes of its own"
        );
        let bios = b"\x05\x01\x0d\0\x02\0\0\0Disk\0\x7f\xff\x04\0";
        assert_eq!(device_path(bios).unwrap(), "BIOS(Disk)");
        let dos = b"\x04\x01\x2a\0\x01\0\0\0\0\x08\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\xef\xbe\xad\xde\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01";
        assert_eq!(device_path(dos).unwrap(), "HD(1,MBR,0xdeadbeef,0x800,0x1000)");
    }

    #[test]
    fn no_bytes_at_all_make_it_fail_otherwise_than_by_saying_nothing() {
        for end in 0..ENTRY.len() - 4 {
            let _ = LoadOption::decode(&ENTRY[4..4 + end]);
        }
        // A node that says that it is shorter than its own head.
        assert_eq!(device_path(b"\x04\x04\x00\x00more"), None);
        assert_eq!(device_path(b"\x04\x04\xff\xffmore"), None);
        assert_eq!(LoadOption::decode(b""), None);
    }
}
