//! What Windows answers as bytes: names of folders and of streams in chains of records of varying length, values of the registry.
//!
//! In a chain, each record begins with the distance to the next, 0 in the last one. Offsets are those of the structures that the names
//! tell; nothing is read beyond what was answered.

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name's units.
    pub name: Vec<u16>,
    /// The name of DOS; empty if it has none.
    pub short_name: Vec<u16>,
    /// The file attributes.
    pub attributes: u32,
}

/// A stream of data of a file or folder, besides the file's own content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name, without colons and type.
    pub name: Vec<u16>,
    /// Its size in bytes.
    pub size: u64,
}

/// The records of a chain, each from its beginning to the next one's (or the end).
fn chain(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let next = number(rest, 0)? as usize;
        let record = rest;
        rest = match next {
            0 => &[],
            next => rest.get(next..).unwrap_or_default(),
        };
        Some(record)
    })
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn units(bytes: &[u8], at: usize, length: usize) -> Option<Vec<u16>> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect())
}

/// Names from `FILE_ID_BOTH_DIR_INFO`, without `.` and `..`.
pub fn listed(answer: &[u8]) -> Vec<Listed> {
    let read = |record: &[u8]| {
        let name = units(record, 104, number(record, 60)? as usize)?;
        let short_name = units(record, 70, usize::from(*record.get(68)?).min(24))?;
        Some(Listed { name, short_name, attributes: number(record, 56)? })
    };
    let dot = u16::from(b'.');
    chain(answer)
        .filter_map(read)
        .filter(|listed| listed.name != [dot] && listed.name != [dot, dot])
        .collect()
}

/// Streams from `FILE_STREAM_INFO`: of the type of data, and not the one without a name.
pub fn streams(answer: &[u8]) -> Vec<Stream> {
    let read = |record: &[u8]| {
        let whole = units(record, 24, number(record, 4)? as usize)?;
        let size = u64::from_le_bytes(record.get(8..16)?.try_into().ok()?);
        let colon = u16::from(b':');
        let ending: Vec<u16> = ":$DATA".encode_utf16().collect();
        let name = whole.strip_prefix(&[colon])?.strip_suffix(ending.as_slice())?;
        (!name.is_empty()).then(|| Stream { name: name.to_vec(), size })
    };
    chain(answer).filter_map(read).collect()
}

/// What a value of the registry holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryData {
    /// `REG_SZ`, `REG_EXPAND_SZ`.
    Text(String),
    /// `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// `REG_DWORD` in either order, `REG_QWORD`.
    Number(u64),
    /// Anything else, and what isn't of the kind that it says it is.
    Other(Vec<u8>),
}

/// A value of the registry by its kind (MS-RRP 2.2.6). Texts need not end in a zero, and may have more than one; lone surrogates
/// are replaced.
pub fn registry_data(kind: u32, bytes: Vec<u8>) -> RegistryData {
    let text = || {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match (kind, &bytes[..]) {
        (1 | 2, _) => RegistryData::Text(text().split('\0').next().unwrap_or_default().to_owned()),
        (4, &[a, b, c, d]) => RegistryData::Number(u32::from_le_bytes([a, b, c, d]).into()),
        (5, &[a, b, c, d]) => RegistryData::Number(u32::from_be_bytes([a, b, c, d]).into()),
        (7, _) => {
            let all = text();
            // Each ends in a zero, and the list in one more; empty ones before the last that isn't are kept.
            let end = all.trim_end_matches('\0');
            match end.is_empty() {
                true => RegistryData::Texts(Vec::new()),
                false => RegistryData::Texts(end.split('\0').map(str::to_owned).collect()),
            }
        }
        (11, eight) if eight.len() == 8 => {
            RegistryData::Number(u64::from_le_bytes(eight.try_into().unwrap_or_default()))
        }
        _ => RegistryData::Other(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn record(next: u32, head: usize, fill: impl Fn(&mut Vec<u8>), name: &str) -> Vec<u8> {
        let mut bytes = vec![0; head];
        bytes[..4].copy_from_slice(&next.to_le_bytes());
        fill(&mut bytes);
        bytes.extend(wide(name).iter().flat_map(|unit| unit.to_le_bytes()));
        bytes
    }

    #[test]
    fn names_of_a_folder_are_read_without_the_folder_itself() {
        let fill = |length: u32| {
            move |bytes: &mut Vec<u8>| {
                bytes[56..60].copy_from_slice(&0x20u32.to_le_bytes());
                bytes[60..64].copy_from_slice(&length.to_le_bytes());
                bytes[68] = 2;
                bytes[70] = b'S';
            }
        };
        let mut answer = record(106, 104, fill(2), ".");
        answer.extend(record(0, 104, fill(8), "name"));
        let found = listed(&answer);
        assert_eq!(found, [Listed { name: wide("name"), short_name: wide("S"), attributes: 0x20 }]);
        assert!(listed(&answer[..100]).is_empty(), "what is cut off is no name");
        assert!(listed(&record(0, 104, fill(100), "name")).is_empty(), "nor is what reaches beyond");
    }

    #[test]
    fn only_named_streams_of_data_count() {
        let fill = |name: &'static str| {
            move |bytes: &mut Vec<u8>| {
                bytes[4..8].copy_from_slice(&(name.len() as u32 * 2).to_le_bytes());
                bytes[8] = 7;
            }
        };
        for (name, expected) in [
            ("::$DATA", None),
            (":a b:$DATA", Some("a b")),
            (":x:$INDEX_ALLOCATION", None),
            ("nonsense", None),
        ] {
            let found = streams(&record(0, 24, fill(name), name));
            let expected: Vec<_> =
                expected.into_iter().map(|name| Stream { name: wide(name), size: 7 }).collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn values_of_the_registry_are_what_their_kind_says_if_they_can_be() {
        let units = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let texts = |all: &[&str]| RegistryData::Texts(all.iter().map(|text| (*text).to_owned()).collect());
        for (kind, bytes, found) in [
            (1, units("a\0"), RegistryData::Text("a".to_owned())),
            (2, units("%a%"), RegistryData::Text("%a%".to_owned())),
            (1, units("a\0left\0"), RegistryData::Text("a".to_owned())),
            (1, vec![b'a', 0, 7], RegistryData::Text("a".to_owned())),
            (1, Vec::new(), RegistryData::Text(String::new())),
            (4, vec![1, 2, 0, 0], RegistryData::Number(0x201)),
            (4, vec![1, 2], RegistryData::Other(vec![1, 2])),
            (5, vec![0, 0, 2, 1], RegistryData::Number(0x201)),
            (7, units("a\0\0b\0\0"), texts(&["a", "", "b"])),
            (7, units("a\0b"), texts(&["a", "b"])),
            (7, units("\0"), texts(&[])),
            (11, vec![1, 0, 0, 0, 0, 0, 0, 128], RegistryData::Number(1 << 63 | 1)),
            (3, vec![9; 3], RegistryData::Other(vec![9; 3])),
        ] {
            assert_eq!(registry_data(kind, bytes.clone()), found, "{kind} {bytes:?}");
        }
    }
}
