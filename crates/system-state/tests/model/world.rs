//! A server whose tree is a real folder, and what is remembered of it.
//!
//! The clock is hours ahead of the kernel's, so that what did not change is taken for unchanged at once. That is sound as
//! long as no change after a backup bears the same tick of the kernel's clock as one before it: see [`World::next_tick`].

use crate::look::{beneath, look};
use stateward_crypto::EpochKeys;
use stateward_engine::points::open_point;
use stateward_engine::{
    BackupRequest, CacheFolder, EngineError, PointSummary, Target, Tools, VaultError, VaultRead as _,
};
use stateward_model::PointHash;
use stateward_system_state::{Files, FolderTarget};
use stateward_testing::history::{Change, End, Step, Which};
use stateward_testing::{Fault, FaultPlan, Listing, MemoryTarget, Offered, RegisteredServer};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub struct World {
    folder: tempfile::TempDir,
    server: RegisteredServer,
    epochs: Vec<EpochKeys>,
    pinned: Option<PointSummary>,
    offered: Offered,
    remembered: BTreeMap<PointHash, Listing>,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("source")).unwrap();
        let mut world = Self {
            folder,
            server: RegisteredServer::new(52),
            epochs: Vec::new(),
            pinned: None,
            offered: Offered::default(),
            remembered: BTreeMap::new(),
        };
        world.begin_epoch();
        world
    }

    /// The folder that is protected.
    pub fn source(&self) -> PathBuf {
        self.folder.path().join("source").canonicalize().unwrap()
    }

    fn cache(&self) -> CacheFolder {
        CacheFolder::open(&self.folder.path().join("cache")).unwrap()
    }

    fn begin_epoch(&mut self) {
        self.epochs.push(self.server.new_keys(self.epochs.len() as u32 + 1));
    }

    pub fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Change(change) => self.change(change),
            Step::Wait(nanoseconds) => self.server.clock.advance_nanoseconds(*nanoseconds),
            Step::Backup(end) => self.back_up(*end)?,
            Step::WriteWithinTick(at, seed, _) => {
                self.back_up(End::Well)?;
                self.change(&Change::WriteUnderOldTime(*at, *seed));
            }
            Step::Restore(point, _) => self.restore_some(*point)?,
            Step::LoseCache => fs::remove_dir_all(self.cache().path()).unwrap(),
            Step::NewEpoch => self.begin_epoch(),
            // Slots and damaged caches concern no folder; the engine's own model has them.
            Step::DamageCache(..) | Step::ChangePassphrase => {}
        }
        Ok(())
    }

    /// Waits until the kernel's clock has ticked: what changes from now on bears a later time than all before.
    fn next_tick(&self) {
        let probe = self.folder.path().join("probe");
        let tick = || {
            fs::write(&probe, "").unwrap();
            let metadata = fs::metadata(&probe).unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        let before = tick();
        while tick() == before {
            std::thread::yield_now();
        }
    }

    fn back_up(&mut self, end: End) -> Result<(), String> {
        let gone = || VaultError::Unreachable("planned".to_owned());
        let plan = match end {
            End::Well | End::Cancelled(_) => FaultPlan::none(),
            End::Broken(call) => FaultPlan::none().from_call(call, Fault::Fail(gone())),
            End::AnswerLost(call) => FaultPlan::none()
                .at_call(call, Fault::LoseReply(gone()))
                .from_call(call + 1, Fault::Fail(gone())),
        };
        let (before, listing) = (self.server.vault.points().unwrap(), look(&self.source()));
        self.server.vault.set_faults(plan);
        let settled = self.offered.settle(&self.server.vault);
        self.pinned = settled.as_ref().copied().unwrap_or_default().or(self.pinned);
        let made = settled.map_err(EngineError::from).and_then(|_| self.run_backup());
        self.server.vault.set_faults(FaultPlan::none());
        self.server.vault.end_session();
        self.next_tick();
        for point in self.server.vault.points().unwrap().into_iter().filter(|point| !before.contains(point)) {
            self.remembered.insert(point.hash, listing.clone());
        }
        match made {
            Ok(made) if made.warnings.is_empty() => {
                self.offered.forget();
                self.pinned = Some(made.point);
                Ok(())
            }
            Ok(made) => Err(format!("warnings {:?}", made.warnings)),
            Err(EngineError::Vault(VaultError::Unreachable(_))) if !matches!(end, End::Well) => Ok(()),
            Err(error) => Err(format!("the backup ended with: {error}")),
        }
    }

    fn run_backup(&self) -> Result<stateward_engine::BackupOutcome, EngineError> {
        let source = Files::open(vec![self.source()], Vec::new()).unwrap();
        let (keys, cache) = (self.epochs.last().unwrap(), self.cache());
        let request = self.server.backup_request(&source, keys, &cache);
        let request = BackupRequest { pinned_head: self.pinned, ..request };
        self.with_tools(|tools| stateward_engine::backup(request, tools))
    }

    fn with_tools<T>(&self, work: impl FnOnce(&Tools<'_>) -> T) -> T {
        self.server.with_tools(&self.offered, work)
    }

    fn lay(&self, summary: PointSummary, target: &dyn Target) -> Result<(), String> {
        let point = open_point(&self.server.vault, &self.server.trust, &self.epochs, summary)
            .map_err(|error| error.to_string())?;
        let keys = &self.epochs[point.header.epoch as usize - 1];
        let request = self.server.restore_request(&point, keys, target);
        let outcome = self.with_tools(|tools| stateward_engine::restore(request, tools));
        let outcome = outcome.map_err(|error| error.to_string())?;
        match outcome.lost.iter().chain(&outcome.warnings).next() {
            None => Ok(()),
            Some(told) => Err(format!("point {} is not whole: {told:?}", summary.sequence)),
        }
    }

    fn restore(&self, summary: PointSummary) -> Result<(), String> {
        let target = MemoryTarget::new();
        self.lay(summary, &target)?;
        self.compare(summary, &beneath(target.listing(), &self.source()))
    }

    fn compare(&self, summary: PointSummary, found: &Listing) -> Result<(), String> {
        match self.remembered[&summary.hash].differences(found).as_slice() {
            [] => Ok(()),
            differences => Err(format!("point {} differs: {differences:#?}", summary.sequence)),
        }
    }

    fn restore_some(&self, point: Which) -> Result<(), String> {
        let points = self.server.vault.points().unwrap();
        points.get(usize::from(point) % points.len().max(1)).map_or(Ok(()), |summary| self.restore(*summary))
    }

    /// Every point in memory, and the newest into a real folder.
    pub fn check_everything(&self) -> Result<(), String> {
        let points = self.server.vault.points().unwrap();
        points.iter().try_for_each(|summary| self.restore(*summary))?;
        let Some(newest) = points.last() else { return Ok(()) };
        let folder = self.folder.path().join("restored");
        let target = FolderTarget::open(&folder, &newest.hash).map_err(|error| error.to_string())?;
        self.lay(*newest, &target)?;
        target.finish().map_err(|error| error.to_string())?;
        self.compare(*newest, &look(&laid(&folder, &self.source())))
    }
}

fn laid(folder: &Path, source: &Path) -> PathBuf {
    folder.join(source.strip_prefix("/").unwrap())
}
