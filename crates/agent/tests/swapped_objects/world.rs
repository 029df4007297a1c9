//! A vault's objects in a folder: three servers, two of them in one domain, one with two epochs.

use stateward_crypto::{
    DataKey, EpochKeys, KdfCosts, Passphrase, RecoveryCode, Secret, SigningKey, SlotOwner, create_slot,
};
use stateward_engine::progress::Silent;
use stateward_engine::{
    BackupOptions, BackupRequest, CacheFolder, Cancellation, PointSummary, ServerTrust, Tools,
    VaultStore as _,
};
use stateward_format::tombstone::{self, Act, PointState, Tombstone};
use stateward_format::{layout, pack};
use stateward_model::{Clock as _, ItemId, ItemKind, PointHash, ServerId, VaultId};
use stateward_testing::{FakeClock, Listing, MemoryTree, MemoryVault, SeededRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// What an object is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Pack,
    Point,
    Receipt,
    Tombstone,
    Slot,
}

impl Kind {
    pub fn of(name: &str) -> Self {
        match name.split('/').next().unwrap() {
            "packs" => Self::Pack,
            "points" => Self::Point,
            "receipts" => Self::Receipt,
            "tombstones" => Self::Tombstone,
            "keys" => Self::Slot,
            other => panic!("what is `{other}`?"),
        }
    }
}

/// A server and all that a test knows of it.
pub struct Server {
    pub trust: ServerTrust,
    pub keys: Vec<EpochKeys>,
    /// Each opens one slot of each epoch.
    pub codes: [RecoveryCode; 2],
    pub passphrase: Passphrase,
    /// What its tree was at each point.
    pub expected: BTreeMap<PointHash, Listing>,
    /// The names of its objects.
    names: BTreeSet<String>,
    domain: ServerId,
    signing_key: SigningKey,
    vault: MemoryVault,
    tree: MemoryTree,
    cache: CacheFolder,
}

pub struct World {
    pub servers: Vec<Server>,
    pub clock: Arc<FakeClock>,
    pub random: Arc<SeededRandom>,
    pub folder: tempfile::TempDir,
    vault: VaultId,
    objects: BTreeMap<String, Vec<u8>>,
}

impl World {
    pub fn build() -> Self {
        let (clock, random) = (Arc::new(FakeClock::default()), Arc::new(SeededRandom::new(71)));
        let mut world = Self {
            vault: VaultId::new(&*random),
            servers: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            objects: BTreeMap::new(),
            clock,
            random,
        };
        let (shared, own) = (DataKey::generate(&*world.random), DataKey::generate(&*world.random));
        let founder = world.add_server(&shared, None);
        world.add_server(&own, None);
        world.add_server(&shared, Some(founder));
        for turn in 0..2 {
            (0..3).for_each(|server| world.back_up(server, turn));
        }
        let second = DataKey::generate(&*world.random);
        world.begin_epoch(0, &second);
        world.back_up(0, 2);
        (0..3).for_each(|server| world.tombstone(server));
        world.collect();
        world
    }

    fn add_server(&mut self, data_key: &DataKey, domain: Option<ServerId>) -> ServerId {
        let random = &*self.random;
        let (id, signing_key) = (ServerId::new(random), SigningKey::generate(random));
        let vault = match self.servers.first() {
            Some(first) => first.vault.for_another(id, signing_key.public_key()),
            None => {
                let key = signing_key.public_key();
                MemoryVault::new(self.vault, id, key, self.clock.clone(), self.random.clone())
            }
        };
        let number = self.servers.len();
        self.servers.push(Server {
            trust: ServerTrust {
                vault: self.vault,
                server: id,
                signing_public_keys: vec![signing_key.public_key()],
                vault_public_key: Some(vault.public_key()),
            },
            keys: Vec::new(),
            codes: [RecoveryCode::generate(random), RecoveryCode::generate(random)],
            passphrase: Passphrase::new(format!("a passphrase of server {number}")).unwrap(),
            expected: BTreeMap::new(),
            names: BTreeSet::new(),
            domain: domain.unwrap_or(id),
            signing_key,
            vault,
            tree: MemoryTree::new(self.clock.clone()),
            cache: CacheFolder::open(&self.folder.path().join(format!("cache-{number}"))).unwrap(),
        });
        self.begin_epoch(number, data_key);
        id
    }

    /// Slots for both codes, and one for the passphrase in the first epoch.
    fn begin_epoch(&mut self, number: usize, data_key: &DataKey) {
        let server = &mut self.servers[number];
        let epoch = server.keys.len() as u32 + 1;
        let owner = || SlotOwner {
            vault: server.trust.vault,
            server: server.trust.server,
            domain: server.domain,
            server_label: format!("server-{number}").parse().unwrap(),
            epoch,
        };
        let codes = server.codes.iter().map(Secret::RecoveryCode);
        let phrase = (epoch == 1).then_some(Secret::Passphrase(&server.passphrase));
        for secret in codes.chain(phrase) {
            let slot =
                create_slot(secret, KdfCosts::FLOOR, owner(), data_key, &server.signing_key, &*self.random);
            server.vault.put_slot(epoch, &slot.encode()).unwrap();
        }
        server.keys.push(EpochKeys::derive(data_key, server.trust.vault, server.domain, epoch));
    }

    /// The same names in every tree, so that only keys and hashes tell whose they are; contents of one length each.
    fn back_up(&mut self, number: usize, turn: u64) {
        self.clock.advance_seconds(3600);
        let server = &mut self.servers[number];
        let part = server.tree.component("files");
        let seed = 100 * number as u64 + turn;
        part.random_file(format!("etc/new-{turn}"), 30_000, seed);
        part.file(format!("etc/small-{turn}"), format!("server {number}, turn {turn}").as_bytes());
        let keys = server.keys.last().unwrap();
        if keys.epoch() > 1 {
            fs::remove_dir_all(server.cache.path()).unwrap();
            server.cache = CacheFolder::open(server.cache.path()).unwrap();
        }
        let request = BackupRequest {
            item: ItemId([7; 16]),
            item_label: &"files".parse().unwrap(),
            kind: ItemKind::Files,
            source: &server.tree,
            vault: &server.vault,
            trust: &server.trust,
            keys,
            signing_key: &server.signing_key,
            slots: &[],
            cache: &server.cache,
            pinned_head: None,
            on_demand: None,
            prechecks: Vec::new(),
            made_by: "test",
            options: BackupOptions { threads: 1, reread_every: 0, ..BackupOptions::default() },
        };
        let made = stateward_engine::backup(request, &tools(&self.clock, &self.random)).unwrap();
        let mut listing = server.tree.listing();
        listing.0.remove(&b""[..]);
        server.expected.insert(made.point.hash, listing);
        self.clock.advance_seconds(60);
    }

    /// The first point was soft-deleted and taken back.
    fn tombstone(&self, number: usize) {
        let server = &self.servers[number];
        let point = first_point(server);
        let at = self.clock.now();
        let acts = [
            (Act::SoftDelete { recoverable_until: at.plus_seconds(14 * 86_400) }, PointState::Live),
            (Act::Undelete, PointState::SoftDeleted),
        ];
        for (index, (act, before)) in acts.into_iter().enumerate() {
            let number = index as u32 + 1;
            let PointSummary { sequence, hash } = point;
            let (vault, server_id) = (server.trust.vault, server.trust.server);
            let said = Tombstone { vault, server: server_id, sequence, point: hash, number, act, before, at };
            let unsigned = tombstone::encode_unsigned(&said);
            let signature = server.vault.sign(&unsigned);
            let name = layout::tombstone(server_id, sequence, hash, number);
            server.vault.replace(&name, tombstone::finish(unsigned, signature));
        }
    }

    /// All objects into one folder.
    fn collect(&mut self) {
        for server in &mut self.servers {
            for name in server.vault.names("") {
                self.objects.insert(name.clone(), server.vault.object(&name).unwrap());
                server.names.insert(name);
            }
        }
        for name in self.objects.keys() {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            self.write(name, name);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.store().join(layout::vault_root(self.vault)).join(name)
    }

    /// What `recover` is pointed at.
    pub fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub fn names(&self) -> Vec<String> {
        self.objects.keys().cloned().collect()
    }

    /// Puts the object that belongs under one name under another.
    pub fn write(&self, name: &str, of: &str) {
        fs::write(self.path(name), &self.objects[of]).unwrap();
    }

    pub fn is_passphrase_slot(&self, name: &str) -> bool {
        use stateward_format::slot::{KeySlot, SlotSecret};
        Kind::of(name) == Kind::Slot
            && matches!(KeySlot::decode(&self.objects[name]).unwrap().secret, SlotSecret::Passphrase { .. })
    }

    pub fn object(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub fn tools(&self) -> Tools<'_> {
        tools(&self.clock, &self.random)
    }

    /// Packs of other lengths than the point says are refused for that alone; some must have the same.
    pub fn assert_that_lengths_meet(&self) {
        let packs: Vec<_> = self.objects.iter().filter(|(name, _)| Kind::of(name) == Kind::Pack).collect();
        let owner = |name: &str| self.servers.iter().position(|server| server.names.contains(name)).unwrap();
        let pairs = |wanted: &dyn Fn(usize, usize) -> bool| {
            let all = packs.iter().flat_map(|one| packs.iter().map(move |other| (one, other)));
            all.filter(|(one, other)| {
                one.0 < other.0 && one.1.len() == other.1.len() && wanted(owner(one.0), owner(other.0))
            })
            .count()
        };
        assert!(packs.iter().all(|(_, pack)| pack.len() > pack::FOOT_BYTES));
        assert!(pairs(&|one, other| one == other) > 0, "within a server");
        assert!(pairs(&|one, other| (one, other) == (0, 2) || (one, other) == (2, 0)) > 0, "within a domain");
        assert!(pairs(&|one, other| (one == 1) != (other == 1)) > 0, "between domains");
    }
}

impl Server {
    /// Whether it is this server's object.
    pub fn owns(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The names of its tombstones.
    pub fn tombstones(&self) -> impl Iterator<Item = &String> {
        self.names.iter().filter(|name| Kind::of(name) == Kind::Tombstone)
    }
}

fn first_point(server: &Server) -> PointSummary {
    let name = server.vault.names("points/").into_iter().next().unwrap();
    let (sequence, hash) = layout::parse_point(name.rsplit('/').next().unwrap()).unwrap();
    PointSummary { sequence, hash }
}

fn tools<'a>(clock: &'a Arc<FakeClock>, random: &'a Arc<SeededRandom>) -> Tools<'a> {
    static NEVER: std::sync::LazyLock<Cancellation> = std::sync::LazyLock::new(Cancellation::default);
    Tools { clock: &**clock, random: &**random, progress: &Silent, cancellation: &NEVER }
}
