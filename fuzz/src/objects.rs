//! Objects of a store, and their names.

use stateward_format::domain_key::SealedDomainKey;
use stateward_format::pack::{PackFoot, PackTable};
use stateward_format::slot::KeySlot;
use stateward_format::{layout, point, receipt, tombstone};
use stateward_model::ServerId;

pub fn point(bytes: &[u8]) {
    if let Ok((read, unsigned)) = point::decode(bytes) {
        let again = point::encode_unsigned(&read.header, &read.sealed_manifest);
        assert_eq!(again, unsigned);
        assert_eq!(point::finish(again, read.signature), bytes);
    }
}

pub fn receipt(bytes: &[u8]) {
    if let Ok((read, _, signature)) = receipt::decode(bytes) {
        assert_eq!(receipt::finish(receipt::encode_unsigned(&read), signature), bytes);
    }
}

pub fn tombstone(bytes: &[u8]) {
    if let Ok((read, _, signature)) = tombstone::decode(bytes) {
        assert_eq!(tombstone::finish(tombstone::encode_unsigned(&read), signature), bytes);
    }
}

pub fn slot(bytes: &[u8]) {
    if let Ok(read) = KeySlot::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// The hash at its end is put right first: otherwise nothing behind it would ever be read.
pub fn domain_key(bytes: &[u8]) {
    let _ = SealedDomainKey::decode(bytes);
    let Some(content) = bytes.len().checked_sub(32).map(|end| &bytes[..end]) else { return };
    let hashed = [content, blake3::hash(content).as_bytes()].concat();
    if let Ok(read) = SealedDomainKey::decode(&hashed) {
        assert_eq!(read.encode(), hashed);
    }
}

pub fn pack_foot(bytes: &[u8]) {
    if let Ok(read) = PackFoot::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// The length of all frames is not in the table: any, and then the one that its frames have.
pub fn pack_table(bytes: &[u8]) {
    let _ = PackTable::decode(bytes, 0);
    for frame_bytes in [30, 60, 1 << 20] {
        if let Ok(read) = PackTable::decode(bytes, frame_bytes) {
            assert_eq!(read.encode(bytes.len()), bytes);
        }
    }
    let Some((length, table)) = bytes.split_first_chunk::<4>() else { return };
    if let Ok(read) = PackTable::decode(table, u32::from_le_bytes(*length) as usize) {
        assert_eq!(read.encode(table.len()), table);
    }
}

pub fn object_name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some((sequence, hash)) = layout::parse_point(text) {
        assert!(layout::point(ServerId([0; 16]), sequence, hash).ends_with(&format!("/{text}")));
    }
}
