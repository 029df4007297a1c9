//! How a golden vault comes about: three servers, their keys, and what happens to them, with a clock and random numbers
//! that are always the same.
//!
//! `linux` backs up, changes its passphrase, is copied (and so makes a branch), is registered again under another name
//! with new keys; its last point has no receipt. `member` is in its domain. `windows` is put together from entries.

use crate::{linux, windows};
use base64::Engine as _;
use stateward_crypto::{
    DataKey, DomainOwner, EpochKeys, KdfCosts, Passphrase, RecoveryCode, Secret, SigningKey, SlotOwner,
    create_slot, seal_domain_key,
};
use stateward_engine::{
    BackupOptions, BackupRequest, CacheFolder, Cancellation, PointSummary, ServerTrust, Tools,
    VaultStore as _,
};
use stateward_format::manifest::Precheck;
use stateward_format::receipt::{self, Receipt};
use stateward_format::tombstone::{self, Act, PointState, Tombstone};
use stateward_format::{NameKind, layout};
use stateward_model::{Clock as _, ItemId, ItemKind, Label, PointHash, ServerId, SlotHash, VaultId};
use stateward_testing::forge::stream;
use stateward_testing::{
    FakeClock, ForgedPack, Forger, Listing, MemoryTree, MemoryVault, Offered, SeededRandom,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who made the vault: its version stands in each manifest, and must not follow the build's.
const MADE_BY: &str = "stateward 0.1.0";

/// What opens a server's keys.
pub struct Secrets {
    /// By epoch; all of these open that epoch.
    pub passphrases: BTreeMap<u32, Vec<String>>,
    /// Opens every epoch.
    pub recovery_code: String,
}

/// All that came about.
pub struct Scene {
    pub vault: VaultId,
    /// By the names of `format::layout`.
    pub objects: BTreeMap<String, Vec<u8>>,
    pub vault_public_key: [u8; 32],
    /// By the server's newest name.
    pub servers: BTreeMap<String, (ServerId, Secrets)>,
    /// What the source held at each point that a backup made.
    pub listings: BTreeMap<PointHash, Listing>,
    /// As it lies on a disk.
    pub domain_file: String,
    /// Names and lengths of the packs of a backup that is too large to be kept.
    pub full_packs: Vec<String>,
}

/// What is common to all servers.
struct World {
    clock: Arc<FakeClock>,
    random: SeededRandom,
    vault: VaultId,
    folder: tempfile::TempDir,
    listings: BTreeMap<PointHash, Listing>,
}

/// A server's agent: its keys of one epoch, and what it has done.
struct Agent {
    name: Label,
    server: ServerId,
    domain: ServerId,
    store: MemoryVault,
    data_key: DataKey,
    epoch: u32,
    signing_key: SigningKey,
    slots: Vec<SlotHash>,
    cache: &'static str,
    head: Option<PointSummary>,
}

/// One protected item.
struct Item<'a> {
    id: ItemId,
    label: &'a str,
    kind: ItemKind,
    source: &'a MemoryTree,
}

const OLD_PASSPHRASE: &str = "an old passphrase, soon changed";
/// Written in normal form D: slots are made of its form C.
const NEW_PASSPHRASE: &str = "a nai\u{308}ve cafe\u{301} passphrase";
const MEMBERS_PASSPHRASE: &str = "the passphrase of a member";
const WINDOWS_PASSPHRASE: &str = "the passphrase of a Windows server";

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).unwrap()
}

impl Scene {
    pub fn play() -> Self {
        let clock = Arc::new(FakeClock::default());
        let random = SeededRandom::new(2026);
        let folder = tempfile::tempdir().unwrap();
        let mut world =
            World { vault: VaultId::new(&random), clock, random, folder, listings: BTreeMap::new() };
        let (mut linux, linux_secrets) = world.linux();
        let (member, member_secrets, domain_file) = world.member(&linux);
        world.follow_with_new_keys(&mut linux, &linux_secrets.recovery_code);
        let (windows, windows_secrets, windows_objects) = world.windows(&linux);
        let full_packs = world.full_packs();
        let mut objects = windows_objects;
        for store in [&linux.store, &member.store] {
            objects.extend(store.names("").into_iter().map(|name| {
                let object = store.object(&name).unwrap();
                (name, object)
            }));
        }
        let servers = [
            (linux.name.to_string(), (linux.server, linux_secrets)),
            (member.name.to_string(), (member.server, member_secrets)),
            ("windows".to_owned(), (windows, windows_secrets)),
        ];
        Self {
            vault: world.vault,
            objects,
            vault_public_key: linux.store.public_key(),
            servers: servers.into(),
            listings: world.listings,
            domain_file,
            full_packs,
        }
    }
}

impl World {
    /// A server of its own, in a vault of its own with this seed.
    fn new_agent(&self, name: &'static str, vaults_seed: u64) -> Agent {
        let server = ServerId::new(&self.random);
        let signing_key = SigningKey::generate(&self.random);
        let vaults_random = Arc::new(SeededRandom::new(vaults_seed));
        let store =
            MemoryVault::new(self.vault, server, signing_key.public_key(), self.clock.clone(), vaults_random);
        Agent {
            name: name.parse().unwrap(),
            server,
            domain: server,
            store,
            data_key: DataKey::generate(&self.random),
            epoch: 1,
            signing_key,
            slots: Vec::new(),
            cache: name,
            head: None,
        }
    }

    /// The first server: its files three times, its System State, and a branch.
    fn linux(&mut self) -> (Agent, Secrets) {
        let mut agent = self.new_agent("linux", 7);
        let code = RecoveryCode::generate(&self.random);
        self.add_slot(&mut agent, Secret::Passphrase(&passphrase(OLD_PASSPHRASE)), KdfCosts::FLOOR);
        self.add_slot(&mut agent, Secret::RecoveryCode(&code), KdfCosts::FLOOR);
        let tree = linux::tree(&self.clock);
        let files = ItemId::new(&self.random);
        let files = Item { id: files, label: "files", kind: ItemKind::Files, source: &tree };
        let first = self.back_up(&mut agent, &files);
        self.back_up(&mut agent, &files);
        self.add_slot(&mut agent, Secret::Passphrase(&passphrase(NEW_PASSPHRASE)), KdfCosts::STANDARD);
        linux::change(&tree);
        let copied = self.back_up(&mut agent, &files);
        self.back_up_system_state(&mut agent);
        // The copy of the home goes on from where it was copied.
        let original = agent.head.replace(copied);
        agent.cache = "copy";
        tree.component("files").write("etc/new", b"changed on the copy\n");
        self.back_up(&mut agent, &files);
        agent.head = original;
        agent.cache = "linux";
        self.bury(&agent, first);
        let opens_first = vec![OLD_PASSPHRASE.to_owned(), NEW_PASSPHRASE.to_owned()];
        let passphrases = BTreeMap::from([(1, opens_first), (2, vec![NEW_PASSPHRASE.to_owned()])]);
        (agent, Secrets { passphrases, recovery_code: code.printable().to_string() })
    }

    fn back_up_system_state(&mut self, agent: &mut Agent) {
        let state = linux::system_state(&self.clock);
        let id = ItemId::new(&self.random);
        let item = Item { id, label: "system-state", kind: ItemKind::SystemState, source: &state };
        let point = self.back_up(agent, &item);
        let listing = self.listings.remove(&point.hash).unwrap();
        self.listings.insert(point.hash, linux::without_what_is_unreadable(listing));
    }

    /// The same server registered again under another name, with keys of another epoch; the vault did not confirm its last
    /// point.
    fn follow_with_new_keys(&mut self, agent: &mut Agent, code: &str) {
        let code = RecoveryCode::parse(code).unwrap();
        agent.name = "linux-renamed".parse().unwrap();
        (agent.epoch, agent.data_key) = (2, DataKey::generate(&self.random));
        (agent.slots, agent.cache) = (Vec::new(), "second-epoch");
        self.add_slot(agent, Secret::Passphrase(&passphrase(NEW_PASSPHRASE)), KdfCosts::FLOOR);
        self.add_slot(agent, Secret::RecoveryCode(&code), KdfCosts::FLOOR);
        let tree = linux::members_tree(&self.clock);
        let id = ItemId::new(&self.random);
        let files = Item { id, label: "files", kind: ItemKind::Files, source: &tree };
        let point = self.back_up(agent, &files);
        agent.store.delete(&layout::receipt(agent.server, point.sequence, point.hash));
    }

    /// A second server in the first one's domain, and the file by which its keys came to it.
    fn member(&mut self, founder: &Agent) -> (Agent, Secrets, String) {
        let server = ServerId::new(&self.random);
        let signing_key = SigningKey::generate(&self.random);
        let store = founder.store.for_another(server, signing_key.public_key());
        for name in founder.store.names("packs/") {
            store.replace(&name, founder.store.object(&name).unwrap());
        }
        let mut agent = Agent {
            name: "member".parse().unwrap(),
            server,
            domain: founder.domain,
            store,
            data_key: DataKey::from_bytes(*founder.data_key.as_bytes()),
            epoch: founder.epoch,
            signing_key,
            slots: Vec::new(),
            cache: "member",
            head: None,
        };
        let code = RecoveryCode::generate(&self.random);
        let words = passphrase(MEMBERS_PASSPHRASE);
        self.add_slot(&mut agent, Secret::Passphrase(&words), KdfCosts::FLOOR);
        self.add_slot(&mut agent, Secret::RecoveryCode(&code), KdfCosts::FLOOR);
        let owner = DomainOwner { vault: self.vault, domain: agent.domain, epoch: agent.epoch };
        let sealed = seal_domain_key(&words, KdfCosts::FLOOR, owner, &agent.data_key, &self.random);
        let domain_file = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sealed.encode()) + "\n";
        let tree = linux::members_tree(&self.clock);
        let id = ItemId::new(&self.random);
        let files = Item { id, label: "files", kind: ItemKind::Files, source: &tree };
        self.back_up(&mut agent, &files);
        let passphrases = BTreeMap::from([(1, vec![MEMBERS_PASSPHRASE.to_owned()])]);
        (agent, Secrets { passphrases, recovery_code: code.printable().to_string() }, domain_file)
    }

    fn add_slot(&self, agent: &mut Agent, secret: Secret<'_>, costs: KdfCosts) {
        let owner = SlotOwner {
            vault: self.vault,
            server: agent.server,
            domain: agent.domain,
            server_label: agent.name.clone(),
            epoch: agent.epoch,
        };
        let slot = create_slot(secret, costs, owner, &agent.data_key, &agent.signing_key, &self.random);
        agent.slots.push(agent.store.put_slot(agent.epoch, &slot.encode()).unwrap());
    }

    /// A backup on one thread of each kind: who asks for random bytes, and in which order frames come, is then always the
    /// same.
    fn back_up(&mut self, agent: &mut Agent, item: &Item<'_>) -> PointSummary {
        self.clock.advance_seconds(3600);
        let trust = ServerTrust {
            vault: self.vault,
            server: agent.server,
            signing_public_keys: vec![agent.signing_key.public_key()],
            vault_public_key: Some(agent.store.public_key()),
        };
        let label: Label = item.label.parse().unwrap();
        let precheck = |code: &str, outcome, message: &str| Precheck {
            code: code.to_owned(),
            outcome,
            message: message.to_owned(),
        };
        let request = BackupRequest {
            item: item.id,
            item_label: &label,
            kind: item.kind,
            source: item.source,
            vault: &agent.store,
            trust: &trust,
            keys: &EpochKeys::derive(&agent.data_key, self.vault, agent.domain, agent.epoch),
            signing_key: &agent.signing_key,
            slots: &agent.slots,
            cache: &CacheFolder::open(&self.folder.path().join(agent.cache)).unwrap(),
            pinned_head: agent.head,
            on_demand: None,
            prechecks: vec![
                precheck("space", 0, "There is space"),
                precheck("pending-restart", 1, "A restart waits"),
                precheck("integrity", 2, "A package's file was changed"),
            ],
            made_by: MADE_BY,
            options: BackupOptions { threads: 1, reread_every: 0, ..BackupOptions::default() },
        };
        let (progress, cancellation) = (Offered::default(), Cancellation::default());
        let tools = Tools {
            clock: &*self.clock,
            random: &self.random,
            progress: &progress,
            cancellation: &cancellation,
        };
        let point = stateward_engine::backup(request, &tools).unwrap().point;
        agent.head = Some(point);
        self.listings.insert(point.hash, item.source.listing());
        point
    }

    /// What a vault says of a point that was deleted, taken back, and expired in the end.
    fn bury(&self, agent: &Agent, point: PointSummary) {
        let at = self.clock.now();
        let recoverable_until = at.plus_seconds(14 * 86_400);
        let acts = [
            (Act::SoftDelete { recoverable_until }, PointState::Live),
            (Act::Undelete, PointState::SoftDeleted),
            (Act::Expire { recoverable_until }, PointState::Live),
        ];
        for (number, (act, before)) in (1..).zip(acts) {
            let (sequence, hash) = (point.sequence, point.hash);
            let unsigned = tombstone::encode_unsigned(&Tombstone {
                vault: self.vault,
                server: agent.server,
                sequence,
                point: hash,
                number,
                act,
                before,
                at: at.plus_seconds(i64::from(number)),
            });
            let signature = agent.store.sign(&unsigned);
            let name = layout::tombstone(agent.server, sequence, hash, number);
            agent.store.replace(&name, tombstone::finish(unsigned, signature));
        }
    }

    /// A Windows server, whose only point no writer made.
    fn windows(&mut self, vault: &Agent) -> (ServerId, Secrets, BTreeMap<String, Vec<u8>>) {
        let mut forger = Forger::new(11);
        let data_key = DataKey::generate(&self.random);
        forger.vault = self.vault;
        forger.keys = EpochKeys::derive(&data_key, self.vault, forger.server, 1);
        let code = RecoveryCode::generate(&self.random);
        let words = passphrase(WINDOWS_PASSPHRASE);
        let mut slots = Vec::new();
        for secret in [Secret::Passphrase(&words), Secret::RecoveryCode(&code)] {
            let owner = SlotOwner {
                vault: self.vault,
                server: forger.server,
                domain: forger.server,
                server_label: "windows".parse().unwrap(),
                epoch: 1,
            };
            let slot =
                create_slot(secret, KdfCosts::FLOOR, owner, &data_key, &forger.signing_key, &self.random);
            slots.push(stateward_format::slot::hash(&slot.encode()));
            forger.put_slot(&slot);
        }
        slots.sort_unstable();
        let mut contents = Vec::new();
        let segments = windows::segments(&mut |bytes| {
            contents.push(bytes.to_vec());
            forger.chunk(bytes)
        });
        contents.extend(segments.iter().cloned());
        contents.sort_unstable();
        contents.dedup();
        let pack = contents.iter().fold(ForgedPack::default(), |pack, chunk| pack.with(&forger.keys, chunk));
        let pack = forger.put_pack(&pack);
        let chunks: Vec<_> = segments.iter().map(|segment| forger.chunk(segment)).collect();
        let mut point = forger.point(&[("volume-c", stream(&chunks))], &[pack]);
        point.manifest.names = NameKind::Wtf8;
        point.header.slots = slots;
        let (sequence, hash) = forger.put_point(&point);
        let unsigned = receipt::encode_unsigned(&Receipt {
            vault: self.vault,
            server: forger.server,
            sequence,
            point: hash,
            received_at: self.clock.now(),
        });
        let signature = vault.store.sign(&unsigned);
        let name = layout::receipt(forger.server, sequence, hash);
        forger.put(name, receipt::finish(unsigned, signature));
        let passphrases = BTreeMap::from([(1, vec![WINDOWS_PASSPHRASE.to_owned()])]);
        let secrets = Secrets { passphrases, recovery_code: code.printable().to_string() };
        (forger.server, secrets, forger.objects().clone())
    }

    /// Packs that are full: what they are called tells what all of their bytes are.
    fn full_packs(&mut self) -> Vec<String> {
        let mut agent = self.new_agent("large", 8);
        let tree = linux::large_tree(&self.clock);
        let id = ItemId::new(&self.random);
        let item = Item { id, label: "files", kind: ItemKind::Files, source: &tree };
        let point = self.back_up(&mut agent, &item);
        self.listings.remove(&point.hash);
        let packs = agent.store.names("packs/");
        packs.iter().map(|name| format!("{} {name}", agent.store.object(name).unwrap().len())).collect()
    }
}
