//! A server with a tree, a vault in memory and a cache folder of its own.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use stateward_crypto::{EpochKeys, SigningKey};
use stateward_engine::{
    BackupOptions, BackupOutcome, BackupRequest, CacheFolder, Cancellation, EngineError, PointSummary,
    RestoreOutcome, RestoreRequest, ServerTrust, Source, Target, Tools, TrustedPoint, VaultRead,
    VerifyOutcome, VerifyRequest, VerifyShare, points,
};
use stateward_model::{ComponentName, ItemId, ItemKind, Label, PackId, Timestamp};
use stateward_testing::{
    FakeClock, Listing, MemoryTarget, MemoryTree, MemoryVault, Offered, RegisteredServer, SeededRandom,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Server {
    pub clock: Arc<FakeClock>,
    pub random: Arc<SeededRandom>,
    pub vault: MemoryVault,
    pub tree: MemoryTree,
    pub keys: EpochKeys,
    pub signing_key: SigningKey,
    pub trust: ServerTrust,
    pub item: ItemId,
    pub pinned_head: Option<PointSummary>,
    pub options: BackupOptions,
    pub cancellation: Cancellation,
    /// What a home would have written down before each commit.
    pub offered: Arc<Offered>,
    folder: tempfile::TempDir,
}

impl Server {
    pub fn new(seed: u64) -> Self {
        let registered = RegisteredServer::at(FakeClock::default(), seed);
        let keys = registered.new_keys(1);
        let RegisteredServer { clock, random, vault, trust, signing_key, .. } = registered;
        Self {
            keys,
            tree: MemoryTree::new(clock.clone()),
            item: ItemId::new(&*random),
            pinned_head: None,
            options: BackupOptions { threads: 2, reread_every: 0, ..BackupOptions::default() },
            cancellation: Cancellation::default(),
            offered: Arc::default(),
            folder: tempfile::tempdir().unwrap(),
            clock,
            random,
            vault,
            signing_key,
            trust,
        }
    }

    pub fn tools(&self) -> Tools<'_> {
        Tools {
            clock: &*self.clock,
            random: &*self.random,
            progress: &*self.offered,
            cancellation: &self.cancellation,
        }
    }

    pub fn cache(&self) -> CacheFolder {
        CacheFolder::open(&self.folder.path().join("cache")).unwrap()
    }

    pub fn lose_cache(&self) {
        std::fs::remove_dir_all(self.cache().path()).unwrap();
    }

    /// A backup an hour after whatever was before, and a minute before whatever comes.
    pub fn try_backup(&mut self) -> Result<BackupOutcome, EngineError> {
        self.clock.advance_seconds(3600);
        let made = self.try_backup_now();
        self.clock.advance_seconds(60);
        made
    }

    /// A backup for which the clock stands still.
    pub fn try_backup_now(&mut self) -> Result<BackupOutcome, EngineError> {
        let tree = self.tree.clone();
        self.try_backup_of(&tree)
    }

    /// The same, of another source than the tree itself.
    pub fn try_backup_of(&mut self, source: &dyn Source) -> Result<BackupOutcome, EngineError> {
        // A point for its own that the vault had taken without its answer coming back.
        self.pinned_head = self.offered.settle(&self.vault)?.or(self.pinned_head);
        let label: Label = "item".parse().unwrap();
        let request = BackupRequest {
            item: self.item,
            item_label: &label,
            kind: ItemKind::Files,
            source,
            vault: &self.vault,
            trust: &self.trust,
            keys: &self.keys,
            signing_key: &self.signing_key,
            slots: &[],
            cache: &self.cache(),
            pinned_head: self.pinned_head,
            on_demand: None,
            prechecks: Vec::new(),
            made_by: "test",
            options: self.options,
        };
        let made = stateward_engine::backup(request, &self.tools());
        if let Ok(outcome) = &made {
            self.offered.forget();
            self.pinned_head = Some(outcome.point);
        }
        made
    }

    pub fn backup(&mut self) -> BackupOutcome {
        self.try_backup().unwrap()
    }

    pub fn point(&self, summary: PointSummary) -> TrustedPoint {
        points::open_point(&self.vault, &self.trust, std::slice::from_ref(&self.keys), summary).unwrap()
    }

    pub fn latest(&self) -> TrustedPoint {
        self.point(points::find_point(&self.vault.points().unwrap(), "latest").unwrap())
    }

    pub fn try_restore(
        &self,
        point: &TrustedPoint,
        components: &[ComponentName],
        paths: &[&str],
        target: &dyn Target,
        cache: Option<&CacheFolder>,
    ) -> Result<RestoreOutcome, EngineError> {
        let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        let request = RestoreRequest {
            point,
            vault: &self.vault,
            keys: &self.keys,
            components,
            paths: &paths,
            target,
            cache,
            threads: 2,
        };
        stateward_engine::restore(request, &self.tools())
    }

    /// The newest point, restored whole with nothing but the vault.
    pub fn restore(&self) -> (RestoreOutcome, Listing) {
        let target = MemoryTarget::new();
        let outcome = self.try_restore(&self.latest(), &[], &[], &target, None).unwrap();
        assert!(target.is_synced());
        (outcome, target.listing())
    }

    /// The newest point comes back as the tree is now.
    #[track_caller]
    pub fn assert_comes_back(&self) {
        let (outcome, restored) = self.restore();
        assert_eq!((outcome.warnings, outcome.lost), (Vec::new(), Vec::new()));
        assert_eq!(
            without_root(self.tree.listing()).differences(&without_root(restored)),
            Vec::<String>::new()
        );
    }

    pub fn verify(&self, share: VerifyShare, history: &BTreeMap<PackId, Timestamp>) -> VerifyOutcome {
        let request = VerifyRequest {
            vault: &self.vault,
            trust: &self.trust,
            keys: &self.keys,
            point: None,
            share,
            history,
            threads: 2,
        };
        stateward_engine::verify(request, &self.tools()).unwrap()
    }
}

/// The topmost folder is the target itself, whose metadata stay its owner's.
pub fn without_root(mut listing: Listing) -> Listing {
    listing.0.remove(&b""[..]);
    listing
}

/// A tree with everything that Linux has.
pub fn varied_tree(server: &Server) {
    let tree = server.tree.component("files");
    tree.folder("etc").file("etc/hosts", b"127.0.0.1 localhost\n").file("etc/empty", b"");
    tree.random_file("etc/large", 3 << 20, 1).random_file("etc/middle", 40_000, 2);
    tree.file(b"etc/not-utf8-\xff\xfe", b"bytes").file("etc/copy-of-hosts", b"127.0.0.1 localhost\n");
    tree.symbolic_link("etc/link", "/nowhere/at/all").hard_link("etc/middle", "etc/middle-2");
    tree.folder("run").fifo("run/pipe").socket("run/socket").block_device("run/disk", 8, 1);
    tree.character_device("run/null", 1, 3);
    tree.sparse_file("run/sparse", 1 << 30, &[(4096, b"island"), (1 << 29, b"another")]);
    tree.file("run/su", b"#!").set_mode("run/su", 0o4755).set_owner("run/su", 0, 42);
    tree.set_attribute("run/su", "security.capability", &[1, 0, 0, 2]);
    tree.set_attribute("etc", "system.posix_acl_access", &[2, 0, 0, 0]).set_mode("etc", 0o2750);
    tree.set_modified_at("etc/hosts", Timestamp(-1_234_567_891));
    for number in 0..300 {
        tree.file(format!("etc/many-{number:03}"), format!("content {number}").as_bytes());
    }
}
