//! What somebody who holds a server's keys, or a vault's folder, can write and no agent ever would: packs whose tables
//! lie, entries that break every rule of names and order, points that point anywhere, slots that cost a year to open.
//!
//! A [`Forger`] collects objects and lays them out as a vault's store, for `recover` to read. What it seals and signs is
//! sealed and signed right: past that, nothing about it need be true.

mod entries;
mod packs;

pub use entries::{ForgedEntry, Segment, attributes, kinds};
pub use packs::{ForgedPack, LyingFrame};

use crate::SeededRandom;
use stateward_crypto::{
    DataKey, EpochKeys, KdfCosts, Passphrase, Secret, SigningKey, SlotOwner, create_slot,
};
use stateward_format::manifest::{Component, ComponentResult, Manifest};
use stateward_format::point::{self, PackReference, PointHeader};
use stateward_format::slot::{self, KeySlot};
use stateward_format::{ChunkReference, NameKind, StreamReference, layout};
use stateward_model::{
    ComponentName, ItemId, ItemKind, Label, PointHash, Random, Sequence, ServerId, Timestamp, VaultId,
};
use std::collections::BTreeMap;
use std::path::Path;

/// When everything forged was made.
const NOW: Timestamp = Timestamp(1_795_000_000_000_000_000);

/// Who forges, and what has been forged.
pub struct Forger {
    /// The vault.
    pub vault: VaultId,
    /// The server.
    pub server: ServerId,
    /// The protected item.
    pub item: ItemId,
    /// The keys of its only epoch.
    pub keys: EpochKeys,
    /// What signs its points.
    pub signing_key: SigningKey,
    data_key: DataKey,
    random: SeededRandom,
    objects: BTreeMap<String, Vec<u8>>,
}

/// A recovery point before it is signed. What is not said is what an agent would have said.
pub struct ForgedPoint {
    /// The sealed part.
    pub manifest: Manifest,
    /// The clear part.
    pub header: PointHeader,
}

impl Forger {
    /// A server of its own with no objects.
    pub fn new(seed: u64) -> Self {
        let random = SeededRandom::new(seed);
        let (vault, server) = (VaultId::new(&random), ServerId::new(&random));
        let data_key = DataKey::generate(&random);
        Self {
            vault,
            server,
            item: ItemId::new(&random),
            keys: EpochKeys::derive(&data_key, vault, server, 1),
            signing_key: SigningKey::generate(&random),
            data_key,
            random,
            objects: BTreeMap::new(),
        }
    }

    /// Adds an object, or puts another in its place; by the names of [`layout`].
    pub fn put(&mut self, name: String, object: Vec<u8>) {
        self.objects.insert(name, object);
    }

    /// The objects so far.
    pub fn objects(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.objects
    }

    /// A slot that the passphrase opens; not added.
    ///
    /// # Panics
    /// If it is no passphrase.
    pub fn slot(&self, passphrase: &str) -> KeySlot {
        let passphrase = Passphrase::new(passphrase.to_owned()).expect("a test's passphrase is long enough");
        let owner = SlotOwner {
            vault: self.vault,
            server: self.server,
            domain: self.server,
            server_label: "forged".parse().expect("it is a label"),
            epoch: 1,
        };
        let secret = Secret::Passphrase(&passphrase);
        create_slot(secret, KdfCosts::FLOOR, owner, &self.data_key, &self.signing_key, &self.random)
    }

    /// Adds a slot under the name that it should have.
    pub fn put_slot(&mut self, slot: &KeySlot) {
        let object = slot.encode();
        self.put(layout::slot(self.server, slot.epoch, slot::hash(&object)), object);
    }

    /// Takes all slots away.
    pub fn remove_slots(&mut self) {
        let slots = layout::slots(self.server);
        self.objects.retain(|name, _| !name.starts_with(&slots));
    }

    /// What a chunk of these bytes is called.
    pub fn chunk(&self, bytes: &[u8]) -> ChunkReference {
        ChunkReference { id: self.keys.chunk_id(bytes), length: bytes.len() as u32 }
    }

    /// Adds a pack.
    pub fn put_pack(&mut self, pack: &ForgedPack) -> PackReference {
        let mut salt = [0; 32];
        self.random.fill(&mut salt);
        let (reference, bytes) = pack.seal(&self.keys, salt);
        self.put(layout::pack(reference.id), bytes);
        reference
    }

    /// A point with these components, each a name and its stream, that needs these packs.
    ///
    /// # Panics
    /// If a name is none.
    pub fn point(&self, components: &[(&str, StreamReference)], packs: &[PackReference]) -> ForgedPoint {
        let component = |(name, stream): &(&str, StreamReference)| Component {
            name: ComponentName::try_from((*name).to_owned()).expect("it is a component's name"),
            result: ComponentResult::Completed,
            files: 1,
            others: 1,
            bytes: 1,
            stream: stream.clone(),
        };
        let label: Label = "forged".parse().expect("it is a label");
        let manifest = Manifest {
            item_label: label,
            kind: ItemKind::Files,
            names: NameKind::Bytes,
            domain: self.server,
            host_name: "host".to_owned(),
            operating_system: "system".to_owned(),
            made_by: "forger".to_owned(),
            started_at: NOW,
            finished_at: NOW,
            components: components.iter().map(component).collect(),
            warnings: Vec::new(),
            prechecks: Vec::new(),
        };
        let mut packs = packs.to_vec();
        packs.sort_unstable();
        packs.dedup();
        let header = PointHeader {
            vault: self.vault,
            server: self.server,
            item: self.item,
            kind: ItemKind::Files,
            sequence: 1,
            previous: None,
            epoch: 1,
            agent_time: NOW,
            slots: Vec::new(),
            packs,
        };
        ForgedPoint { manifest, header }
    }

    /// A point's object, signed with that key.
    pub fn signed(&self, point: &ForgedPoint, key: &SigningKey) -> Vec<u8> {
        let header = point::encode_header(&point.header);
        let sealed = self.keys.seal_manifest(&self.random, &header, &point.manifest.encode());
        let unsigned = point::encode_unsigned(&point.header, &sealed);
        let signature = key.sign(&point::signed_message(&unsigned));
        point::finish(unsigned, signature)
    }

    /// Signs a point and adds it under the name that it should have.
    pub fn put_point(&mut self, point: &ForgedPoint) -> (Sequence, PointHash) {
        let object = self.signed(point, &self.signing_key);
        let (sequence, hash) = (point.header.sequence, point::hash(&object));
        self.put(layout::point(self.server, sequence, hash), object);
        (sequence, hash)
    }

    /// Lays all objects out as a vault's store in `folder`.
    ///
    /// # Panics
    /// If the folder can't be written.
    pub fn lay_out(&self, folder: &Path) {
        let root = folder.join(layout::vault_root(self.vault));
        for room in ["keys", "points", "packs", "receipts"] {
            std::fs::create_dir_all(root.join(room)).expect("a test's folder can be written");
        }
        for (name, object) in &self.objects {
            let path = root.join(name);
            let above = path.parent().expect("an object's name has folders");
            std::fs::create_dir_all(above).expect("a test's folder can be written");
            std::fs::write(path, object).expect("a test's folder can be written");
        }
    }
}

/// A stream of these chunks.
pub fn stream(chunks: &[ChunkReference]) -> StreamReference {
    StreamReference { depth: 0, chunks: chunks.to_vec() }
}
