//! What a recovery point holds, in lines that this test, `stateward` and scripts/compare-golden.py read alike.

use serde_json::{Map, Value, json};
use stateward_format::manifest::{Component, ComponentResult, Manifest};
use stateward_format::{Attribute, Metadata, NameKind};
use stateward_model::ItemKind;
use stateward_testing::{Listed, Listing, Segments, Thing};
use std::collections::BTreeMap;

/// The names of all attributes that an entry may have besides those of every entry.
pub const ATTRIBUTES: &[&str] = &[
    "accessed at",
    "alternate streams",
    "case sensitive",
    "created at",
    "disk image",
    "efs",
    "extended attributes of ntfs",
    "file attributes",
    "inode flags",
    "object id",
    "project id",
    "reparse point",
    "security descriptor",
    "short name",
    "unknown",
];

/// A path or name as text: what is not printable ASCII as `\xNN`.
pub fn escaped(bytes: &[u8]) -> String {
    let letter = |byte: &u8| match byte {
        b'\\' => r"\x5c".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!(r"\x{other:02x}"),
    };
    bytes.iter().map(letter).collect()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One line for each path, but for the topmost folder, which is the target itself.
pub fn lines(listing: &Listing, metadata: &BTreeMap<Vec<u8>, Metadata>) -> BTreeMap<String, Value> {
    let paths = listing.0.iter().filter(|(path, _)| !path.is_empty());
    paths.map(|(path, listed)| (escaped(path), line(path, listed, metadata.get(path)))).collect()
}

/// All that a manifest says, but for where its streams are and the words of warnings.
pub fn manifest(manifest: &Manifest) -> Value {
    let component = |part: &Component| {
        let result = match part.result {
            ComponentResult::Completed => "completed",
            ComponentResult::CompletedWithWarnings => "completed with warnings",
            ComponentResult::NotPresent => "not present",
        };
        let totals = [part.files, part.others, part.bytes];
        json!({ "name": part.name.as_str(), "result": result, "totals": totals, "depth": part.stream.depth })
    };
    let kind = match manifest.kind {
        ItemKind::SystemState => "system state",
        ItemKind::Files => "files",
    };
    let names = match manifest.names {
        NameKind::Bytes => "bytes",
        NameKind::Wtf8 => "WTF-8",
    };
    json!({
        "item": manifest.item_label.as_str(),
        "kind": kind,
        "names": names,
        "domain": manifest.domain.to_string(),
        "host": manifest.host_name,
        "system": manifest.operating_system,
        "made_by": manifest.made_by,
        "times": [manifest.started_at.0, manifest.finished_at.0],
        "components": manifest.components.iter().map(component).collect::<Vec<_>>(),
        "warnings": manifest.warnings.iter().map(|one| json!([one.code, escaped(&one.path)])).collect::<Vec<_>>(),
        "prechecks": manifest.prechecks.iter().map(|one| json!([one.code, one.outcome, one.message])).collect::<Vec<_>>(),
    })
}

fn line(path: &[u8], listed: &Listed, metadata: Option<&Metadata>) -> Value {
    let mut line = Map::new();
    let mut put = |field: &str, value: Value| line.insert(field.to_owned(), value);
    put("path", escaped(path).into());
    put("mode", format!("{:04o}", listed.mode).into());
    put("owner", json!([listed.user, listed.group]));
    put("modified", listed.modified_at.0.into());
    let kind = match &listed.thing {
        Thing::File { size, segments, linked_with } => {
            put("size", (*size).into());
            put("stored", json!([segments.stored_bytes(), runs(segments)]));
            put("blake3", hash_of(segments, *size).into());
            if let Some(first) = linked_with {
                put("linked_with", escaped(first).into());
            }
            "file"
        }
        Thing::Folder => "folder",
        Thing::SymbolicLink(target) => {
            put("target", escaped(target).into());
            "symbolic link"
        }
        Thing::BlockDevice(major, minor) => {
            put("device", json!([major, minor]));
            "block device"
        }
        Thing::CharacterDevice(major, minor) => {
            put("device", json!([major, minor]));
            "character device"
        }
        Thing::Fifo => "fifo",
        Thing::Socket => "socket",
    };
    put("kind", kind.into());
    let extended = listed.extended_attributes.iter();
    let extended: Map<_, _> = extended.map(|one| (escaped(&one.name), hex(&one.value).into())).collect();
    if !extended.is_empty() {
        put("xattrs", extended.into());
    }
    let attributes = metadata.map(attributes).unwrap_or_default();
    if !attributes.is_empty() {
        put("attributes", attributes.into());
    }
    line.into()
}

fn runs(segments: &Segments) -> u64 {
    let (mut count, mut offset) = (0, 0);
    while let Some((_, end)) = segments.next_stored(offset) {
        (count, offset) = (count + 1, end);
    }
    count
}

fn hash_of(segments: &Segments, size: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    for offset in (0..size).step_by(1 << 20) {
        let length = (size - offset).min(1 << 20) as usize;
        segments.read(offset, &mut buffer[..length]);
        hasher.update(&buffer[..length]);
    }
    hasher.finalize().to_hex().to_string()
}

fn attributes(metadata: &Metadata) -> Map<String, Value> {
    let mut all = Map::new();
    for attribute in &metadata.attributes {
        let (name, value) = attribute_of(attribute);
        match (name, all.get_mut(name)) {
            ("alternate streams" | "unknown", Some(Value::Array(values))) => values.push(value),
            ("alternate streams" | "unknown", _) => {
                all.insert(name.to_owned(), vec![value].into());
            }
            _ => {
                all.insert(name.to_owned(), value);
            }
        }
    }
    all
}

fn attribute_of(attribute: &Attribute) -> (&'static str, Value) {
    match attribute {
        Attribute::FileAttributes(bits) => ("file attributes", (*bits).into()),
        Attribute::CreatedAt(time) => ("created at", time.0.into()),
        Attribute::AccessedAt(time) => ("accessed at", time.0.into()),
        Attribute::SecurityDescriptor(bytes) => ("security descriptor", hex(bytes).into()),
        Attribute::ExtendedAttributeBlock(bytes) => ("extended attributes of ntfs", hex(bytes).into()),
        Attribute::ShortName(name) => ("short name", escaped(name).into()),
        Attribute::ObjectId(bytes) => ("object id", hex(bytes).into()),
        Attribute::CaseSensitive => ("case sensitive", true.into()),
        Attribute::InodeFlags(bits) => ("inode flags", (*bits).into()),
        Attribute::ProjectId(id) => ("project id", (*id).into()),
        Attribute::DiskImage(image) => ("disk image", json!([image.block, image.first, image.stride])),
        Attribute::Stream(stream) => ("alternate streams", json!([escaped(&stream.name), stream.size])),
        Attribute::ReparsePoint { tag, data } => ("reparse point", json!([tag, hex(data)])),
        Attribute::EfsRaw { size } => ("efs", (*size).into()),
        Attribute::Unknown { kind, value } => ("unknown", json!([kind, hex(value)])),
    }
}
