//! What was staged goes to a vault as components, and comes back byte for byte; and what the next backup sends.

use crate::world::World;
use stateward_crypto::EpochKeys;
use stateward_engine::points::open_point;
use stateward_engine::progress::Silent;
use stateward_engine::{
    BackupRequest, CacheFolder, PointSummary, Source, Tools, TrustedPoint, VaultRead as _,
};
use stateward_format::manifest::ComponentResult;
use stateward_model::ItemKind;
use stateward_system_state::server_backup::plan::Point;
use stateward_system_state::server_backup::source::{IMAGE_COMPONENT, StagedSource};
use stateward_system_state::{Files, FolderTarget};
use stateward_testing::virtual_disk::{Block, vhdx};
use stateward_testing::{RegisteredServer, is_long};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A registered server and its folder.
struct Protected {
    folder: tempfile::TempDir,
    server: RegisteredServer,
    keys: EpochKeys,
}

impl Protected {
    fn new() -> Self {
        let server = RegisteredServer::new(7);
        let keys = server.new_keys(1);
        Self { folder: tempfile::tempdir().unwrap(), server, keys }
    }

    fn with_tools<T>(&self, work: impl FnOnce(&Tools<'_>) -> T) -> T {
        self.server.with_tools(&Silent, work)
    }

    fn back_up(&self, source: &dyn Source, pinned_head: Option<PointSummary>) -> PointSummary {
        let cache = CacheFolder::open(&self.folder.path().join("cache")).unwrap();
        let request = self.server.backup_request(source, &self.keys, &cache);
        let request = BackupRequest { kind: ItemKind::SystemState, pinned_head, ..request };
        let made = self.with_tools(|tools| stateward_engine::backup(request, tools)).unwrap();
        assert!(made.warnings.is_empty(), "{:?}", made.warnings);
        self.server.vault.end_session();
        made.point
    }

    fn open(&self, summary: PointSummary) -> TrustedPoint {
        open_point(&self.server.vault, &self.server.trust, std::slice::from_ref(&self.keys), summary).unwrap()
    }

    /// Lays all of a recovery point into a new folder.
    fn restore(&self, summary: PointSummary, folder: &Path) {
        let target = FolderTarget::open(folder, &summary.hash).unwrap();
        let point = self.open(summary);
        let request = self.server.restore_request(&point, &self.keys, &target);
        let outcome = self.with_tools(|tools| stateward_engine::restore(request, tools)).unwrap();
        assert!(outcome.lost.is_empty() && outcome.warnings.is_empty(), "{:?}", outcome.lost);
        target.finish().unwrap();
    }
}

/// Every file below a folder by its path, with what it holds.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.insert(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}

fn names_to(path: &Path) -> Vec<Vec<u8>> {
    path.display()
        .to_string()
        .split('/')
        .filter(|name| !name.is_empty())
        .map(|name| name.as_bytes().to_vec())
        .collect()
}

#[test]
fn what_was_staged_comes_back_byte_for_byte_and_its_writers_are_components() {
    let world = World::new();
    let stand_ins = world.play(&["versions-none", "backup-success", "versions-one"]);
    let staged = world.back_up(&stand_ins, &mut |_| {}).unwrap();
    let root = world.root().canonicalize().unwrap();
    fs::create_dir(root.join("System Volume Information")).unwrap();
    fs::write(root.join("System Volume Information/tracking.log"), "not ours").unwrap();
    let inner = Files::open(vec![root.clone()], Vec::new()).unwrap();
    let source = StagedSource::new(Box::new(inner), names_to(&root), "SRV01", &staged);

    let protected = Protected::new();
    let made = protected.back_up(&source, None);
    let restored = protected.folder.path().join("restored");
    protected.restore(made, &restored);
    let mut expected = files(&root);
    expected.retain(|name, _| name.starts_with("WindowsImageBackup/"));
    assert_eq!(expected.len(), 13);
    assert!(files(&restored) == expected, "{:?}", files(&restored).keys());

    let manifest = protected.open(made).manifest;
    let components: Vec<(&str, u64)> =
        manifest.components.iter().map(|component| (component.name.as_str(), component.files)).collect();
    assert_eq!(
        components,
        [
            (IMAGE_COMPONENT, 7),
            ("role-domain-controller", 1),
            ("writer-asr", 1),
            ("writer-com", 1),
            ("writer-registry", 1),
            ("writer-system", 1),
            ("writer-wmi", 1),
        ]
    );
    assert!(manifest.components.iter().all(|component| component.result == ComponentResult::Completed));
    let roles = manifest.prechecks.iter().find(|remark| remark.code == "roles").unwrap();
    assert!(roles.message.contains("Active Directory Domain Services"));
    let mut of_windows = manifest.clone();
    of_windows.operating_system = "Windows Server 2022 10.0.20348".to_owned();
    let point = Point::of(&of_windows).unwrap();
    assert!(point.version == staged.version && point.is_domain_controller && point.machine == "SRV01");
}

const BLOCK: usize = 2 << 20;
const CLUSTER: usize = 4 << 10;

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A number up to `end`, the next of a row.
fn next(state: &mut u64, end: usize) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    ((*state >> 33) as usize) % end
}

/// Changes 2 % of all clusters: half of them scattered, half in runs of 256 KiB, as logs and databases grow.
fn change(blocks: &mut [Block]) -> usize {
    let clusters = blocks.len() * BLOCK / CLUSTER;
    let (wanted, run) = (clusters / 50, 64);
    let (mut state, mut changed) = (11, 0);
    while changed < wanted {
        let length = if changed * 2 < wanted { 1 } else { run };
        let first = next(&mut state, clusters - length);
        for cluster in first..first + length {
            let at = cluster % (BLOCK / CLUSTER) * CLUSTER;
            let content = noise(1_000_000 + (changed + cluster) as u64, CLUSTER);
            blocks[cluster * CLUSTER / BLOCK].1[at..at + CLUSTER].copy_from_slice(&content);
        }
        changed += length;
    }
    changed * CLUSTER
}

/// Three orders of blocks in the file: the same, turned round, and thrown about.
#[test]
fn of_the_next_image_little_is_sent_whatever_the_order_of_its_blocks() {
    let count = if is_long() { 256 } else { 40 };
    let first: Vec<Block> = (0..count).map(|number| (number, noise(number, BLOCK))).collect();
    let mut second = first.clone();
    let changed = change(&mut second);
    let mut turned = second.clone();
    turned.reverse();
    let mut thrown = second.clone();
    let mut state = 5;
    for place in (1..thrown.len()).rev() {
        thrown.swap(place, next(&mut state, place + 1));
    }
    let mut shares = Vec::new();
    for (what, blocks) in [("the same order", second), ("turned round", turned), ("thrown about", thrown)] {
        let protected = Protected::new();
        let folder = protected.folder.path().join("source");
        fs::create_dir(&folder).unwrap();
        let image = folder.join("image.vhdx");
        let disk_bytes = count * BLOCK as u64;
        let write = |blocks: &[Block]| fs::write(&image, vhdx(disk_bytes, BLOCK, blocks)).unwrap();
        write(&first);
        let source = || Files::open(vec![folder.canonicalize().unwrap()], Vec::new()).unwrap();
        let made = protected.back_up(&source(), None);
        let before = protected.server.vault.stored_bytes();
        write(&blocks);
        protected.server.clock.advance_seconds(60);
        protected.back_up(&source(), Some(made));
        assert_eq!(protected.server.vault.points().unwrap().len(), 2);
        let sent = protected.server.vault.stored_bytes() - before;
        let share = sent as f64 / disk_bytes as f64;
        println!(
            "{} MiB of disk, {} KiB changed, {what}: {} KiB sent ({:.1} %)",
            disk_bytes >> 20,
            changed >> 10,
            sent >> 10,
            share * 100.0
        );
        shares.push(share);
    }
    assert!(shares[0] < 0.20, "{shares:?}");
    assert!(
        shares.iter().all(|share| *share < shares[0] + 0.10),
        "blocks that moved are found again: {shares:?}"
    );
}
