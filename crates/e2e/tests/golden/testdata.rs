//! A golden vault as it lies in `testdata/vaults`: written once, opened by every test.
//!
//! ```text
//! <version>/store/vaults/<vault id>/…   the objects, as a vault lays them out
//! <version>/vault.json                  the vault's public key, servers and the secrets that open them
//! <version>/points.jsonl                the recovery points
//! <version>/entries/<point>.jsonl       what each holds: its manifest, then a line for each path
//! <version>/domain-file, full-packs     a domain's key as it is carried; names of packs that are too large to be kept
//! ```

use crate::describe;
use crate::scene::Scene;
use base64::Engine as _;
use serde_json::{Value, json};
use stateward_client::{FolderStore, FolderVault};
use stateward_crypto::{EpochKeys, OpenedSlot, Passphrase, RecoveryCode, Secret, open_domain_key, open_slot};
use stateward_engine::{
    Cancellation, PointSummary, RestoreRequest, ServerTrust, Tools, VaultRead as _, VerifyRequest,
    VerifyShare, points, restore, verify,
};
use stateward_format::Metadata;
use stateward_format::domain_key::SealedDomainKey;
use stateward_format::layout;
use stateward_format::manifest::Warning;
use stateward_format::pack::{PACK_BYTES, PackFoot};
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_format::tombstone;
use stateward_model::PointHash;
use stateward_testing::{FakeClock, Listing, MemoryTarget, Offered, SeededRandom};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    Passphrase,
    RecoveryCode,
}

pub struct GoldenServer {
    passphrases: BTreeMap<u32, Vec<String>>,
    pub recovery_code: String,
}

impl GoldenServer {
    /// The newest that opens an epoch.
    pub fn passphrase(&self, epoch: u32) -> &str {
        self.passphrases[&epoch].last().unwrap()
    }
}

pub struct GoldenPoint {
    pub server: String,
    pub sequence: u64,
    pub hash: PointHash,
    pub epoch: u32,
    pub has_receipt: bool,
    /// Entries that a reader must refuse: paths from `/`.
    pub refused: Vec<String>,
}

impl GoldenPoint {
    pub fn name(&self) -> String {
        format!("{}-{}-{}", self.server, self.sequence, &self.hash.to_string()[..8])
    }
}

pub struct GoldenVault {
    pub name: String,
    folder: PathBuf,
    public_key: [u8; 32],
    /// By what `recover` calls them.
    pub servers: BTreeMap<String, GoldenServer>,
    pub points: Vec<GoldenPoint>,
}

/// What the engine made of a point.
pub struct Restored {
    pub manifest: Value,
    pub listing: Listing,
    pub metadata: BTreeMap<Vec<u8>, Metadata>,
    pub refused: Vec<String>,
    /// What verifying it in full found.
    pub problems: Vec<String>,
    pub has_receipt: bool,
}

fn vaults() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/vaults")
}

pub fn folder(name: &str) -> PathBuf {
    vaults().join(name)
}

/// Writes a golden vault in place of what was there.
pub fn write(name: &str, scene: &Scene) {
    let folder = folder(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    let root = folder.join("store").join(layout::vault_root(scene.vault));
    for (name, object) in &scene.objects {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, object).unwrap();
    }
    let server = |(_, secrets): &(_, crate::scene::Secrets)| {
        let passphrases: BTreeMap<_, _> =
            secrets.passphrases.iter().map(|(epoch, texts)| (epoch.to_string(), texts)).collect();
        json!({ "passphrases": passphrases, "recovery_code": secrets.recovery_code })
    };
    let servers: BTreeMap<_, _> = scene.servers.iter().map(|(name, one)| (name, server(one))).collect();
    let vault = json!({ "public_key": describe::hex(&scene.vault_public_key), "servers": servers });
    fs::write(folder.join("vault.json"), serde_json::to_string_pretty(&vault).unwrap() + "\n").unwrap();
    fs::write(folder.join("domain-file"), &scene.domain_file).unwrap();
    fs::write(folder.join("full-packs"), scene.full_packs.join("\n") + "\n").unwrap();
    write_points(&folder, scene);
    GoldenVault::open(name).write_entries();
}

fn write_points(folder: &Path, scene: &Scene) {
    let mut lines = String::new();
    for name in scene.objects.keys().filter(|name| name.starts_with("points/")) {
        let (sequence, hash) = layout::parse_point(name.rsplit('/').next().unwrap()).unwrap();
        let object = &scene.objects[name];
        let (point, _) = stateward_format::point::decode(object).unwrap();
        let server = point.header.server;
        let (label, _) = scene.servers.iter().find(|(_, (id, _))| *id == server).unwrap();
        let refused: &[&str] = if label == "windows" { &crate::windows::REFUSED } else { &[] };
        let line = json!({
            "server": label,
            "sequence": sequence,
            "hash": hash.to_string(),
            "epoch": point.header.epoch,
            "receipt": scene.objects.contains_key(&layout::receipt(server, sequence, hash)),
            "refused": refused,
        });
        lines += &format!("{line}\n");
    }
    fs::write(folder.join("points.jsonl"), lines).unwrap();
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn bytes_of(hex: &Value) -> [u8; 32] {
    let hex = text_of(hex);
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

impl GoldenVault {
    /// All that there are.
    pub fn all() -> Vec<Self> {
        let names = fs::read_dir(vaults()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        assert!(names.iter().any(|name| name == crate::NEWEST));
        names.iter().map(|name| Self::open(name)).collect()
    }

    pub fn open(name: &str) -> Self {
        let folder = folder(name);
        let read =
            |file: &str| fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let vault: Value = serde_json::from_str(&read("vault.json")).unwrap();
        let server = |(name, server): (&String, &Value)| {
            let texts = |texts: &Value| texts.as_array().unwrap().iter().map(text_of).collect();
            let passphrases = server["passphrases"].as_object().unwrap().iter();
            let passphrases = passphrases.map(|(epoch, of)| (epoch.parse().unwrap(), texts(of))).collect();
            let recovery_code = text_of(&server["recovery_code"]);
            (name.clone(), GoldenServer { passphrases, recovery_code })
        };
        let servers = vault["servers"].as_object().unwrap().iter().map(server).collect();
        let point = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            GoldenPoint {
                server: text_of(&line["server"]),
                sequence: line["sequence"].as_u64().unwrap(),
                hash: text_of(&line["hash"]).parse().unwrap(),
                epoch: line["epoch"].as_u64().unwrap() as u32,
                has_receipt: line["receipt"].as_bool().unwrap(),
                refused: line["refused"].as_array().unwrap().iter().map(text_of).collect(),
            }
        };
        let points = read("points.jsonl").lines().map(point).collect();
        let public_key = bytes_of(&vault["public_key"]);
        Self { name: name.to_owned(), folder, public_key, servers, points }
    }

    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.folder.join(file)).unwrap()
    }

    pub fn full_packs(&self) -> Vec<String> {
        self.text("full-packs").lines().map(str::to_owned).collect()
    }

    /// By their names.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let root = fs::read_dir(self.folder.join("store/vaults")).unwrap().next().unwrap().unwrap().path();
        let (mut objects, mut open) = (BTreeMap::new(), vec![root.clone()]);
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    open.push(path);
                } else {
                    let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                    objects.insert(name, fs::read(path).unwrap());
                }
            }
        }
        objects
    }

    fn entries_file(&self, point: &GoldenPoint) -> PathBuf {
        self.folder.join("entries").join(format!("{}.jsonl", point.name()))
    }

    /// A point's manifest, and what it holds by path.
    pub fn described(&self, point: &GoldenPoint) -> (Value, BTreeMap<String, Value>) {
        let text = fs::read_to_string(self.entries_file(point)).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let manifest = lines.next().unwrap()["manifest"].take();
        (manifest, lines.map(|line| (text_of(&line["path"]), line)).collect())
    }

    fn write_entries(&self) {
        fs::create_dir_all(self.folder.join("entries")).unwrap();
        for point in &self.points {
            let restored = self.restore(point, SecretKind::Passphrase);
            let lines = describe::lines(&restored.listing, &restored.metadata);
            let mut text = format!("{}\n", json!({ "manifest": restored.manifest }));
            text.extend(lines.values().map(|line| format!("{line}\n")));
            fs::write(self.entries_file(point), text).unwrap();
        }
    }

    /// Opens a server's keys as whoever recovers it would.
    fn opened(&self, vault: &FolderVault, point: &GoldenPoint, kind: SecretKind) -> Vec<OpenedSlot> {
        let server = &self.servers[&point.server];
        let passphrase = Passphrase::new(server.passphrase(point.epoch).to_owned()).unwrap();
        let code = RecoveryCode::parse(&server.recovery_code).unwrap();
        let secret = match kind {
            SecretKind::Passphrase => Secret::Passphrase(&passphrase),
            SecretKind::RecoveryCode => Secret::RecoveryCode(&code),
        };
        let slots = vault.slots().unwrap();
        let slots: Vec<_> = slots.iter().map(|slot| KeySlot::decode(slot).unwrap()).collect();
        let opened: Vec<_> = slots.iter().filter_map(|slot| open_slot(slot, secret).ok()).collect();
        assert!(!opened.is_empty(), "{}: {kind:?} opens nothing", point.name());
        opened
    }

    /// Verifies a point in full and restores it into memory, by the engine.
    pub fn restore(&self, point: &GoldenPoint, kind: SecretKind) -> Restored {
        let servers = FolderStore::open(&self.folder).unwrap().servers().unwrap();
        let called = |label: &stateward_model::Label| label.as_str() == point.server;
        let server = servers.iter().find(|server| server.labels.iter().any(called)).unwrap();
        let vault = FolderVault::new(server);
        let opened = self.opened(&vault, point, kind);
        let trust = ServerTrust {
            vault: server.vault,
            server: server.server,
            signing_public_keys: opened.iter().map(|slot| slot.signing_key.public_key()).collect(),
            vault_public_key: Some(self.public_key),
        };
        let derive = |slot: &OpenedSlot| {
            EpochKeys::derive(&slot.data_key, slot.owner.vault, slot.owner.domain, slot.owner.epoch)
        };
        let keys: Vec<_> = opened.iter().map(derive).collect();
        let summary = PointSummary { sequence: point.sequence, hash: point.hash };
        assert!(vault.points().unwrap().contains(&summary));
        let trusted = points::open_point(&vault, &trust, &keys, summary).unwrap();
        let keys = keys.iter().find(|keys| keys.epoch() == trusted.header.epoch).unwrap();
        let (clock, random) = (FakeClock::default(), SeededRandom::new(1));
        let (progress, cancellation) = (Offered::default(), Cancellation::default());
        let tools =
            Tools { clock: &clock, random: &random, progress: &progress, cancellation: &cancellation };
        let proof = VerifyRequest {
            vault: &vault,
            trust: &trust,
            keys,
            point: Some(&trusted),
            share: VerifyShare::Full,
            history: &BTreeMap::new(),
            threads: 1,
        };
        let proof = verify(proof, &tools).unwrap();
        assert_eq!((proof.packs, proof.bytes), (proof.packs_in_all, proof.bytes_in_all));
        let target = MemoryTarget::new();
        let request = RestoreRequest {
            point: &trusted,
            vault: &vault,
            keys,
            components: &[],
            paths: &[],
            target: &target,
            cache: None,
            threads: 1,
        };
        let outcome = restore(request, &tools).unwrap();
        let paths = |told: &[Warning]| -> Vec<String> {
            told.iter().map(|one| format!("{}", String::from_utf8_lossy(&one.path))).collect()
        };
        let is_refusal = |one: &&Warning| one.code == "entry-refused";
        let problems = proof.problems.iter().filter(|problem| !is_refusal(problem));
        Restored {
            manifest: describe::manifest(&trusted.manifest),
            listing: target.listing(),
            metadata: target.metadata(),
            refused: paths(&outcome.lost),
            problems: problems.map(|problem| format!("{problem:?}")).collect(),
            has_receipt: trusted.received_at.is_some(),
        }
    }

    /// Each passphrase that ever opened an epoch still does, an older one too; and one of them opens the domain file, which
    /// holds what a slot of that domain holds.
    pub fn assert_every_passphrase_opens(&self) {
        let objects = self.objects();
        let slots = objects.iter().filter(|(name, _)| name.starts_with("keys/"));
        let slots: Vec<_> = slots.map(|(_, slot)| KeySlot::decode(slot).unwrap()).collect();
        let file = self.text("domain-file");
        let file = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(file.trim_end()).unwrap();
        let file = SealedDomainKey::decode(&file).unwrap();
        let mut data_keys = BTreeSet::new();
        for (name, server) in &self.servers {
            for (epoch, text) in
                server.passphrases.iter().flat_map(|(epoch, of)| of.iter().map(move |text| (epoch, text)))
            {
                let passphrase = Passphrase::new(text.clone()).unwrap();
                let of_epoch = slots.iter().filter(|slot| slot.epoch == *epoch);
                let opened =
                    of_epoch.filter_map(|slot| open_slot(slot, Secret::Passphrase(&passphrase)).ok());
                let opened: Vec<_> = opened.collect();
                assert!(!opened.is_empty(), "{name}, {epoch}: `{text}`");
                let of_domain =
                    opened.iter().filter(|slot| (slot.owner.domain, *epoch) == (file.domain, file.epoch));
                data_keys.extend(of_domain.map(|slot| *slot.data_key.as_bytes()));
                data_keys.extend(open_domain_key(&file, &passphrase).ok().map(|key| *key.as_bytes()));
            }
        }
        let opens = |text: &String| open_domain_key(&file, &Passphrase::new(text.clone()).unwrap()).is_ok();
        let all = self.servers.values().flat_map(|server| server.passphrases.values().flatten());
        assert_eq!(all.filter(|text| opens(text)).count(), 1);
        assert_eq!(data_keys.len(), 1, "a domain has one data key");
    }

    /// What a description of entries does not show.
    pub fn assert_holds_every_kind_of_object(&self) {
        let objects = self.objects();
        let of = |room: &'static str| {
            objects.iter().filter(move |(name, _)| name.starts_with(room)).map(|(_, object)| object)
        };
        let slots: Vec<_> = of("keys/").map(|slot| KeySlot::decode(slot).unwrap()).collect();
        assert!(slots.iter().any(|slot| slot.secret == SlotSecret::RecoveryCode));
        let costs: BTreeSet<_> = slots
            .iter()
            .filter_map(|slot| match slot.secret {
                SlotSecret::Passphrase { memory_kib, passes, lanes } => Some((memory_kib, passes, lanes)),
                SlotSecret::RecoveryCode => None,
            })
            .collect();
        assert!(costs.len() > 1, "one cost of passphrases only");
        assert!(
            slots.iter().any(|slot| slot.epoch > 1) && slots.iter().any(|slot| slot.domain != slot.server)
        );
        let states: BTreeSet<_> = of("tombstones/")
            .map(|stone| format!("{:?}", tombstone::decode(stone).unwrap().0.after()))
            .collect();
        assert_eq!(states.len(), 3, "{states:?}");
        assert!(of("receipts/").count() + 1 == of("points/").count(), "one point is not confirmed");
        for pack in of("packs/") {
            PackFoot::decode(&pack[pack.len() - 128..]).unwrap();
        }
        let full = format!("{PACK_BYTES} packs/");
        assert!(self.full_packs().iter().filter(|pack| pack.starts_with(&full)).count() > 1);
        let size: usize = objects.values().map(Vec::len).sum();
        assert!(size < 3 << 20, "a golden vault has {size} bytes: it stays in the repository for ever");
    }
}
