//! Every decoder of foreign bytes: of what a vault gives, of what a person hands over, of what lies in the cache folder.
//!
//! A target takes any bytes. It may refuse them, and it must not panic, take memory without bound, or accept two spellings
//! of one value; where a reader lays files, [`stateward_testing::MemoryTarget`] fails on every path that leads out.
//!
//! `scripts/fuzz.sh` drives the targets with libFuzzer; `cargo test -p stateward-fuzz` gives them the kept corpus, in which
//! bytes that once broke something stay for good. [`TARGETS`] is the one list of them: the test `every_decoder_has_a_target`
//! holds it against the source.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a panic is what a fuzzer looks for")]

mod cache;
mod inside;
mod json;
mod objects;
mod sealed;
mod secrets;
pub mod seeds;
mod server_backup;
pub mod sources;

use std::path::{Path, PathBuf};

/// Something that reads foreign bytes.
pub struct Target {
    /// Its name: of the folder of its corpus too.
    pub name: &'static str,
    /// The decoders that it reaches, as [`sources::decoders`] names them.
    pub decoders: &'static [&'static str],
    /// Gives it some bytes.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: &[Target] = &[
    target("point", &["format::point::decode", "format::point::decode_kind"], objects::point),
    target("receipt", &["format::receipt::decode"], objects::receipt),
    target("tombstone", &["format::tombstone::decode"], objects::tombstone),
    target("slot", &["format::slot::KeySlot::decode"], objects::slot),
    target("domain-key", &["format::domain_key::SealedDomainKey::decode"], objects::domain_key),
    target("pack-foot", &["format::pack::PackFoot::decode"], objects::pack_foot),
    target("pack-table", &["format::pack::PackTable::decode"], objects::pack_table),
    target("object-name", &["format::layout::parse_point"], objects::object_name),
    target("manifest", &["format::manifest::Manifest::decode"], inside::manifest),
    target(
        "segment",
        &[
            "format::segment::Segment::decode",
            "format::entry::Record::decode_or_refuse",
            "format::entry::encoding::decode_head",
            "format::attribute::Attribute::decode",
        ],
        inside::segment,
    ),
    target(
        "record",
        &["format::entry::Record::decode", "format::entry::encoding::decode_entry"],
        inside::record,
    ),
    target(
        "content",
        &[
            "format::content::Content::decode",
            "format::content::StreamReference::decode",
            "format::content::Piece::decode",
        ],
        inside::content,
    ),
    target("file-name", &["format::name::FileName::from_utf16", "format::wtf8::decode"], inside::file_name),
    target("numbers", &[], inside::numbers),
    target(
        "secrets",
        &[
            "crypto::recovery_code::RecoveryCode::parse",
            "crypto::release::ReleaseKeys::parse",
            "api::credentials::decode_bytes",
            "api::credentials::decode_base64",
        ],
        secrets::texts,
    ),
    target("open-slot", &["crypto::slot::open_slot", "crypto::slot::open_key"], secrets::open_slot_of),
    target("open-domain-key", &["crypto::domain::open_domain_key"], secrets::open_domain_file),
    target("open-manifest", &["crypto::manifest::EpochKeys::open_manifest"], secrets::open_manifest),
    target("signature", &["crypto::signing::verify_signature"], secrets::signature),
    target("open-point", &["engine::points::open_point", "engine::points::open_header"], sealed::open_point),
    target("pack", &["engine::pack_reader::read_contents", "engine::pack_reader::open_whole"], sealed::pack),
    target(
        "sealed-pack",
        &["engine::pack_reader::FrameReader::open", "engine::pack_reader::FrameReader::open_in_place"],
        sealed::sealed_pack,
    ),
    target("sealed-stream", &["engine::records::RecordStream::open"], sealed::sealed_stream),
    target("cache-journal", &["engine::cache::packs::PackJournal::open"], cache::journal),
    target("cache-parent", &["engine::cache::parent::Parent::open"], cache::parent),
    target("json", &[], json::any_body),
    target("console", &[], server_backup::console),
    target("staged-document", &[], server_backup::document),
    target("staged-image", &[], server_backup::staged_image),
];

const fn target(name: &'static str, decoders: &'static [&'static str], run: fn(&[u8])) -> Target {
    Target { name, decoders, run }
}

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Where its corpus lies.
pub fn corpus(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name)
}

/// The types of the contract that the target of JSON reads.
pub fn json_bodies() -> impl Iterator<Item = &'static str> {
    json::BODIES.iter().map(|(path, _)| path.rsplit("::").next().unwrap_or(path)).map(|name| {
        match name.split_once('<') {
            Some((name, _)) => name,
            None => name,
        }
    })
}
