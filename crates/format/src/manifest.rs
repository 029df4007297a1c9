//! The root of a recovery point: sealed inside the point object.
//!
//! It names the components with their result, their totals, their metadata streams and everything that was left out.
//!
//! ```text
//! magic "SWMANIF" and version 1
//! | item label | kind u8 | names u8 | domain 16 | host name | operating system | made by | started at 8 | finished at 8
//! | components: varint count, each: name | result u8 | files, others, bytes as varints | metadata stream
//! | warnings: varint count, each: code | path | message
//! | prechecks: varint count, each: code | outcome u8 | message
//! ```
//! Texts and paths are a varint length and their bytes. Each list has a longest length, which is looked at before
//! anything of it is read: what is decoded of a list of little things is many times as long as its bytes.

use crate::content::StreamReference;
use crate::magic;
use crate::name::NameKind;
use crate::point::{decode_kind, encode_kind};
use crate::wire::{FormatError, Reader, Writer};
use stateward_model::{ComponentName, ItemKind, Label, ServerId, Timestamp};
use std::collections::HashSet;

/// Why an item was left out or is not as it should be. The code is stable (`stateward explain CODE`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Stable and short, such as `file-changed-while-read`.
    pub code: String,
    /// Which item: a path's bytes from `/`, or empty.
    pub path: Vec<u8>,
    /// One sentence for a person.
    pub message: String,
}

/// How a component came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComponentResult {
    /// All of it.
    Completed,
    /// Some of it was left out; the manifest's warnings say what.
    CompletedWithWarnings,
    /// There is no such thing on this server.
    NotPresent,
}

/// One part of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Such as `os-files`.
    pub name: ComponentName,
    /// How it came out.
    pub result: ComponentResult,
    /// Files in it.
    pub files: u64,
    /// Folders and everything else in it.
    pub others: u64,
    /// Bytes of its files, holes included.
    pub bytes: u64,
    /// Its metadata stream: records of [`crate::entry`].
    pub stream: StreamReference,
}

/// A precheck's outcome, kept with the recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precheck {
    /// Stable and short, such as `pending-restart`.
    pub code: String,
    /// 0 pass, 1 warn, 2 block (and the run was let through by policy).
    pub outcome: u8,
    /// One sentence for a person.
    pub message: String,
}

/// What a recovery point holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The item's label.
    pub item_label: Label,
    /// What kind of item.
    pub kind: ItemKind,
    /// What the bytes of its names mean.
    pub names: NameKind,
    /// The deduplication domain whose keys seal its packs: the server that made it, or the one that founded the domain it
    /// is in.
    pub domain: ServerId,
    /// The server's host name at the time.
    pub host_name: String,
    /// The operating system as it names itself, such as `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// The program and version that made it.
    pub made_by: String,
    /// When the agent began to read, by its own clock. The unchanged rule of the next run uses it.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// In their order.
    pub components: Vec<Component>,
    /// Everything left out or not as it should be.
    pub warnings: Vec<Warning>,
    /// What was checked before.
    pub prechecks: Vec<Precheck>,
}

/// The most components that a manifest names.
pub const COMPONENTS_MAX: usize = 1024;

/// The most warnings that a manifest holds. A writer with more keeps the first of them, and says in the last one how many
/// are left out.
pub const WARNINGS_MAX: usize = 1 << 16;

/// The most prechecks that a manifest holds; a writer with more does as with warnings.
pub const PRECHECKS_MAX: usize = 1024;

const WHAT: &str = "manifest";
const MAGIC: &[u8; 7] = b"SWMANIF";
const OUTCOME_MAX: u8 = 2;

impl Manifest {
    /// The encoding, to be sealed. [`Manifest::decode`] refuses two components of one name, a precheck's outcome above 2,
    /// and lists longer than [`COMPONENTS_MAX`], [`WARNINGS_MAX`] and [`PRECHECKS_MAX`].
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = magic::begin(MAGIC);
        writer.bytes(self.item_label.as_str().as_bytes());
        encode_kind(self.kind, &mut writer);
        writer.u8(match self.names {
            NameKind::Bytes => 0,
            NameKind::Wtf8 => 1,
        });
        writer.raw(&self.domain.0);
        writer.bytes(self.host_name.as_bytes());
        writer.bytes(self.operating_system.as_bytes());
        writer.bytes(self.made_by.as_bytes());
        writer.time(self.started_at);
        writer.time(self.finished_at);
        encode_list(&self.components, Component::encode, &mut writer);
        encode_list(&self.warnings, Warning::encode, &mut writer);
        encode_list(&self.prechecks, Precheck::encode, &mut writer);
        writer.0
    }

    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = magic::open(WHAT, MAGIC, bytes)?;
        let item_label = Label::try_from(reader.text()?.to_owned())
            .map_err(|_| reader.malformed("its item's label breaks the rule of labels"))?;
        let manifest = Self {
            item_label,
            kind: decode_kind(WHAT, &mut reader)?,
            names: decode_names(&mut reader)?,
            domain: ServerId(reader.array()?),
            host_name: reader.text()?.to_owned(),
            operating_system: reader.text()?.to_owned(),
            made_by: reader.text()?.to_owned(),
            started_at: reader.time()?,
            finished_at: reader.time()?,
            components: decode_list(Component::LEAST_BYTES, COMPONENTS_MAX, Component::decode, &mut reader)?,
            warnings: decode_list(Warning::LEAST_BYTES, WARNINGS_MAX, Warning::decode, &mut reader)?,
            prechecks: decode_list(Precheck::LEAST_BYTES, PRECHECKS_MAX, Precheck::decode, &mut reader)?,
        };
        let names: HashSet<&ComponentName> = manifest.components.iter().map(|part| &part.name).collect();
        if names.len() != manifest.components.len() {
            return Err(reader.malformed("it names a component twice"));
        }
        reader.finish()?;
        Ok(manifest)
    }
}

fn decode_names(reader: &mut Reader<'_>) -> Result<NameKind, FormatError> {
    match reader.u8()? {
        0 => Ok(NameKind::Bytes),
        1 => Ok(NameKind::Wtf8),
        found => Err(FormatError::Unsupported { what: WHAT, found: u64::from(found) }),
    }
}

fn encode_list<T>(list: &[T], encode: fn(&T, &mut Writer), writer: &mut Writer) {
    writer.varint(list.len() as u64);
    list.iter().for_each(|one| encode(one, writer));
}

fn decode_list<T>(
    least_bytes: usize,
    most: usize,
    decode: fn(&mut Reader<'_>) -> Result<T, FormatError>,
    reader: &mut Reader<'_>,
) -> Result<Vec<T>, FormatError> {
    let count = reader.count(least_bytes)?;
    if count > most {
        return Err(reader.malformed("a list of it is longer than any may be"));
    }
    let mut list = Vec::with_capacity(count);
    for _ in 0..count {
        list.push(decode(reader)?);
    }
    Ok(list)
}

impl Component {
    /// Name of 1 byte and its length, result, three numbers, depth and count of an empty stream.
    const LEAST_BYTES: usize = 8;

    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self.name.as_str().as_bytes());
        writer.u8(match self.result {
            ComponentResult::Completed => 0,
            ComponentResult::CompletedWithWarnings => 1,
            ComponentResult::NotPresent => 2,
        });
        [self.files, self.others, self.bytes].into_iter().for_each(|total| writer.varint(total));
        self.stream.encode(writer);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let name = ComponentName::try_from(reader.text()?.to_owned())
            .map_err(|_| reader.malformed("a component's name breaks its rule"))?;
        let result = match reader.u8()? {
            0 => ComponentResult::Completed,
            1 => ComponentResult::CompletedWithWarnings,
            2 => ComponentResult::NotPresent,
            found => return Err(FormatError::Unsupported { what: WHAT, found: u64::from(found) }),
        };
        Ok(Self {
            name,
            result,
            files: reader.varint()?,
            others: reader.varint()?,
            bytes: reader.varint()?,
            stream: StreamReference::decode(reader)?,
        })
    }
}

impl Warning {
    /// Three lengths.
    const LEAST_BYTES: usize = 3;

    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self.code.as_bytes());
        writer.bytes(&self.path);
        writer.bytes(self.message.as_bytes());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        Ok(Self {
            code: reader.text()?.to_owned(),
            path: reader.bytes()?.to_vec(),
            message: reader.text()?.to_owned(),
        })
    }
}

impl Precheck {
    /// Two lengths and the outcome.
    const LEAST_BYTES: usize = 3;

    fn encode(&self, writer: &mut Writer) {
        writer.bytes(self.code.as_bytes());
        writer.u8(self.outcome);
        writer.bytes(self.message.as_bytes());
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let code = reader.text()?.to_owned();
        let outcome = reader.u8()?;
        if outcome > OUTCOME_MAX {
            return Err(FormatError::Unsupported { what: WHAT, found: u64::from(outcome) });
        }
        Ok(Self { code, outcome, message: reader.text()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{ChunkId, ChunkReference};
    use crate::testing::assert_one_spelling;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn streams() -> impl Strategy<Value = StreamReference> {
        let chunk = (any::<[u8; 32]>(), 1..=crate::content::CHUNK_BYTES_MAX)
            .prop_map(|(id, length)| ChunkReference { id: ChunkId(id), length });
        (0..=crate::content::DEPTH_MAX, vec(chunk, 0..4))
            .prop_map(|(depth, chunks)| StreamReference { depth, chunks })
    }

    fn components() -> impl Strategy<Value = Vec<Component>> {
        let result = prop_oneof![
            Just(ComponentResult::Completed),
            Just(ComponentResult::CompletedWithWarnings),
            Just(ComponentResult::NotPresent),
        ];
        vec((result, any::<(u64, u64, u64)>(), streams()), 0..4).prop_map(|parts| {
            let named = parts.into_iter().enumerate();
            named
                .map(|(i, (result, (files, others, bytes), stream))| Component {
                    name: format!("part-{i}").parse().unwrap(),
                    result,
                    files,
                    others,
                    bytes,
                    stream,
                })
                .collect()
        })
    }

    fn manifests() -> impl Strategy<Value = Manifest> {
        let heads =
            ("[a-z][a-z0-9.-]{0,63}", any::<(bool, bool, [u8; 16], String, String, String, i64, i64)>());
        let warnings = vec(any::<(String, Vec<u8>, String)>(), 0..4);
        let prechecks = vec((any::<String>(), 0..=OUTCOME_MAX, any::<String>()), 0..4);
        (heads, components(), warnings, prechecks).prop_map(
            |(
                (label, (is_files, is_wtf8, domain, host, system, by, start, end)),
                components,
                warnings,
                prechecks,
            )| Manifest {
                item_label: label.parse().unwrap(),
                kind: if is_files { ItemKind::Files } else { ItemKind::SystemState },
                names: if is_wtf8 { NameKind::Wtf8 } else { NameKind::Bytes },
                domain: ServerId(domain),
                host_name: host,
                operating_system: system,
                made_by: by,
                started_at: Timestamp(start),
                finished_at: Timestamp(end),
                components,
                warnings: warnings
                    .into_iter()
                    .map(|(code, path, message)| Warning { code, path, message })
                    .collect(),
                prechecks: prechecks
                    .into_iter()
                    .map(|(code, outcome, message)| Precheck { code, outcome, message })
                    .collect(),
            },
        )
    }

    fn sample() -> Manifest {
        let chunk = ChunkReference { id: ChunkId([9; 32]), length: 70_000 };
        Manifest {
            item_label: "system-state".parse().unwrap(),
            kind: ItemKind::SystemState,
            names: NameKind::Bytes,
            domain: ServerId([7; 16]),
            host_name: "web-01".into(),
            operating_system: "Debian GNU/Linux 12 (bookworm)".into(),
            made_by: "stateward 0.1.0".into(),
            started_at: Timestamp(1),
            finished_at: Timestamp(-2),
            components: vec![Component {
                name: "boot".parse().unwrap(),
                result: ComponentResult::CompletedWithWarnings,
                files: 300,
                others: 4,
                bytes: 1 << 40,
                stream: StreamReference { depth: 1, chunks: vec![chunk] },
            }],
            warnings: vec![Warning {
                code: "file-changed-while-read".into(),
                path: b"/boot/\xff".into(),
                message: "It kept changing".into(),
            }],
            prechecks: vec![Precheck {
                code: "pending-restart".into(),
                outcome: 1,
                message: "A restart waits".into(),
            }],
        }
    }

    proptest! {
        #[test]
        fn a_manifest_survives_its_encoding(manifest in manifests()) {
            prop_assert_eq!(Manifest::decode(&manifest.encode()).unwrap(), manifest);
        }

        #[test]
        fn any_bytes_are_read_or_refused(tail in vec(any::<u8>(), 0..300)) {
            let _ = Manifest::decode(&tail);
            let _ = Manifest::decode(&[magic::begin(MAGIC).0, tail].concat());
        }

        #[test]
        fn what_is_read_has_just_this_encoding(manifest in manifests()) {
            assert_one_spelling(&manifest.encode(), |bytes| Manifest::decode(bytes).ok().map(|read| read.encode()));
        }
    }

    #[test]
    fn the_encoding_never_moves() {
        let bytes = sample().encode();
        assert_eq!(&bytes[..8], b"SWMANIF\x01");
        assert_eq!(
            blake3::hash(&bytes).to_hex().as_str(),
            "de1066301f75aaaebd3eefbb6c7e0bbb50afc3729a334421a5db47486fe467d9"
        );
    }

    #[test]
    fn any_shorter_or_longer_manifest_is_refused() {
        let mut bytes = sample().encode();
        for length in 0..bytes.len() {
            assert!(Manifest::decode(&bytes[..length]).is_err(), "{length}");
        }
        bytes.push(0);
        assert!(Manifest::decode(&bytes).is_err());
    }

    #[test]
    fn a_list_as_long_as_any_may_be_is_read_and_a_longer_one_is_refused() {
        type Fill = fn(&mut Manifest, usize);
        let lists: [(Fill, usize); 3] = [
            (
                |manifest, count| {
                    let named = |i| Component {
                        name: format!("part-{i}").parse().unwrap(),
                        ..manifest.components[0].clone()
                    };
                    manifest.components = (0..count).map(named).collect();
                },
                COMPONENTS_MAX,
            ),
            (|manifest, count| manifest.warnings = vec![manifest.warnings[0].clone(); count], WARNINGS_MAX),
            (
                |manifest, count| manifest.prechecks = vec![manifest.prechecks[0].clone(); count],
                PRECHECKS_MAX,
            ),
        ];
        for (fill, most) in lists {
            let mut manifest = sample();
            fill(&mut manifest, most);
            assert_eq!(Manifest::decode(&manifest.encode()).as_ref(), Ok(&manifest));
            fill(&mut manifest, most + 1);
            let refused = Manifest::decode(&manifest.encode()).unwrap_err();
            let why = "a list of it is longer than any may be";
            assert_eq!(refused, FormatError::Malformed { what: WHAT, why });
        }
    }

    #[test]
    fn a_component_that_is_named_twice_and_an_unknown_outcome_are_refused() {
        let mut twice = sample();
        twice.components.push(twice.components[0].clone());
        assert!(matches!(Manifest::decode(&twice.encode()), Err(FormatError::Malformed { .. })));
        let mut unknown = sample();
        unknown.prechecks[0].outcome = 3;
        assert!(matches!(Manifest::decode(&unknown.encode()), Err(FormatError::Unsupported { .. })));
        let mut names = sample().encode();
        let at = 8 + 1 + "system-state".len() + 1;
        assert_eq!((names[at], &names[at + 1..at + 17]), (0, [7; 16].as_slice()));
        names[at] = 2;
        assert!(matches!(Manifest::decode(&names), Err(FormatError::Unsupported { found: 2, .. })));
    }
}
