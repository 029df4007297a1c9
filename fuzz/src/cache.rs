//! Files of the cache folder. They are the agent's own, but they may be damaged, old, or another version's, and then cost
//! time and nothing else.

use crate::sealed::{restore_and_verify, trusted};
use crate::secrets::{KEYS, SERVER, VAULT};
use stateward_crypto::SigningKey;
use stateward_engine::progress::Silent;
use stateward_engine::{
    BackupOptions, BackupRequest, CacheFolder, Cancellation, ServerTrust, Tools, VaultRead as _,
};
use stateward_format::StreamReference;
use stateward_format::point::PackReference;
use stateward_format::wire::{Reader, Writer};
use stateward_model::{ItemId, ItemKind, PackId};
use stateward_testing::{FakeClock, MemoryTree, MemoryVault, SeededRandom};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// The pack that the journal's seeds tell of.
pub const JOURNALED: PackReference = PackReference { id: PackId([11; 32]), length: 400 };

/// Rows of length and payload, each with its checksum put right.
pub fn journal(bytes: &[u8]) {
    let mut reader = Reader::new("payloads", bytes);
    let mut file = Writer::default();
    while let Ok(payload) = reader.bytes() {
        file.u32(payload.len() as u32);
        file.raw(payload);
        file.raw(&blake3::hash(payload).as_bytes()[..8]);
    }
    // What follows stands there as it is.
    file.raw(reader.raw(reader.left()).unwrap_or_default());
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(folder.path()).unwrap();
    fs::write(cache.path().join("packs"), file.0).unwrap();
    restore_and_verify(&trusted(JOURNALED, StreamReference::default()), b"", Some(&cache));
    back_up(&cache, |_| {});
}

/// By the first byte: a parent's head with its checksum put right, or a component's records under a fitting head.
pub fn parent(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().unwrap();
    let cache = CacheFolder::open(folder.path()).unwrap();
    back_up(&cache, |parent| {
        let (mut head, records) = match kind & 1 {
            0 => (bytes.to_vec(), &b""[..]),
            _ => (head_over(&fs::read(parent.join("head")).unwrap(), bytes), bytes),
        };
        let check = *blake3::hash(&head).as_bytes();
        head.extend_from_slice(&check);
        fs::write(parent.join("head"), head).unwrap();
        fs::write(parent.join("files"), records).unwrap();
    });
}

/// The head without its checksum, but for the hash of the component's file, which is its last field.
fn head_over(head: &[u8], records: &[u8]) -> Vec<u8> {
    let mut head = head[..head.len() - 64].to_vec();
    head.extend_from_slice(blake3::hash(records).as_bytes());
    head
}

/// Backs up a small tree twice with that cache folder; in between the parent's folder is changed.
fn back_up(cache: &CacheFolder, change_parent: impl FnOnce(&Path)) {
    let (clock, random) = (Arc::new(FakeClock::default()), Arc::new(SeededRandom::new(12)));
    let signing_key = SigningKey::from_seed([13; 32]);
    let vault = MemoryVault::new(VAULT, SERVER, signing_key.public_key(), clock.clone(), random.clone());
    let tree = MemoryTree::new(clock.clone());
    tree.component("files").file("a/b", b"first").file("c", b"second").symbolic_link("d", "c");
    let trust = ServerTrust {
        vault: VAULT,
        server: SERVER,
        signing_public_keys: vec![signing_key.public_key()],
        vault_public_key: Some(vault.public_key()),
    };
    let item = ItemId([14; 16]);
    let run = || {
        clock.advance_seconds(3600);
        let request = BackupRequest {
            on_demand: None,
            item,
            item_label: &"item".parse().unwrap(),
            kind: ItemKind::Files,
            source: &tree,
            vault: &vault,
            trust: &trust,
            keys: &KEYS,
            signing_key: &signing_key,
            slots: &[],
            cache,
            pinned_head: None,
            prechecks: Vec::new(),
            made_by: "fuzz",
            options: BackupOptions { threads: 1, reread_every: 0, ..BackupOptions::default() },
        };
        let tools = Tools {
            clock: &*clock,
            random: &*random,
            progress: &Silent,
            cancellation: &Cancellation::default(),
        };
        stateward_engine::backup(request, &tools)
    };
    run().expect("what the cache holds ends no backup");
    let items = cache.path().join("items").join(item.to_string());
    change_parent(&fs::read_dir(items).unwrap().next().unwrap().unwrap().path());
    run().expect("what the cache holds ends no backup");
    assert_eq!(vault.points().unwrap().len(), 2);
}
