//! What Windows' programs say, and what they leave on a staging volume.

use stateward_system_state::server_backup::console::{contains, decode_console};
use stateward_system_state::server_backup::image;
use stateward_system_state::server_backup::prechecks::sfc::classify;
use stateward_system_state::server_backup::prechecks::writers::parse_writers;
use stateward_system_state::server_backup::roles::{WriterId, writer_of_file};
use stateward_system_state::server_backup::wbadmin::failure::Failure;
use stateward_system_state::server_backup::wbadmin::progress::PercentReader;
use stateward_system_state::server_backup::wbadmin::version::{VersionId, parse_versions};
use stateward_system_state::server_backup::xml::check_document;
use stateward_testing::virtual_disk::seal;
use std::io::Cursor;

/// Everything that is read from a console.
pub(crate) fn console(bytes: &[u8]) {
    let text = decode_console(bytes);
    assert!(!text.contains('\0'));
    for version in parse_versions(&text) {
        assert_eq!(VersionId::parse(&version.to_string()), Some(version), "one spelling of one value");
    }
    for writer in parse_writers(&text) {
        assert_eq!(WriterId::parse(&writer.id.to_string()), Some(writer.id));
    }
    let _ = (Failure::in_text(&text), classify(Some(0), &text, Some(&text)), writer_of_file(&text));
    let _ = contains(&text, "integrity violations");
    let mut reader = PercentReader::default();
    for piece in bytes.chunks(7) {
        assert!(reader.read(piece).is_none_or(|percent| percent <= 100));
    }
}

/// A document of a backup.
pub(crate) fn document(bytes: &[u8]) {
    if let Ok(top) = check_document(bytes) {
        assert!(!top.is_empty());
    }
}

/// Where a VHDX that [`stateward_testing::virtual_disk::vhdx`] writes has what is read of it.
const PLACES: [usize; 5] = [64 << 10, 192 << 10, 2 << 20, 3 << 20, (3 << 20) + (64 << 10)];

/// A VHD as it is; of a VHDX the five structures that are read, put to their places with right checksums.
pub(crate) fn staged_image(bytes: &[u8]) {
    let Some(structures) = bytes.strip_prefix(b"vhdxfile") else {
        let _ = image::check(&mut Cursor::new(bytes), bytes.len() as u64);
        return;
    };
    let mut file = vec![0; 4 << 20];
    file[..8].copy_from_slice(b"vhdxfile");
    let length = (structures.len() / 5).clamp(1, 4096);
    for (place, piece) in PLACES.iter().zip(structures.chunks(length)) {
        file[*place..*place + piece.len()].copy_from_slice(piece);
    }
    for (at, length) in [(64 << 10, 4096), (192 << 10, 64 << 10)] {
        file[at + 4..at + 8].fill(0);
        let sealed = seal(file[at..at + length].to_vec());
        file[at..at + length].copy_from_slice(&sealed);
    }
    if let Ok(facts) = image::check(&mut Cursor::new(&file), file.len() as u64) {
        assert!(facts.blocks.saturating_mul(1 << 20) <= facts.disk_bytes.saturating_add(256 << 20));
    }
}
