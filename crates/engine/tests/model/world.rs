//! A server to which things happen, and what is remembered of it.

use crate::changes::content;
use crate::server::{Server, without_root};
use stateward_crypto::{
    DataKey, EpochKeys, KdfCosts, RecoveryCode, Secret, SlotOwner, create_slot, open_slot,
};
use stateward_engine::points::open_point;
use stateward_engine::progress::Silent;
use stateward_engine::{
    Cancellation, EngineError, PointSummary, RestoreRequest, Tools, TrustedPoint, VaultError, VaultRead as _,
    VaultStore as _, VerifyRequest, VerifyShare,
};
use stateward_format::slot::KeySlot;
use stateward_model::PointHash;
use stateward_testing::history::{End, Step, Which};
use stateward_testing::{Fault, FaultPlan, Listing, MemoryTarget, Part, Thing};
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

/// A data key and the recovery codes that open it: what stretching a passphrase costs would be paid for nothing here.
struct Slots {
    data_key: DataKey,
    codes: Vec<RecoveryCode>,
}

pub struct World {
    server: Server,
    tree: Part,
    epochs: Vec<EpochKeys>,
    slots: Vec<Slots>,
    remembered: BTreeMap<PointHash, Listing>,
}

impl World {
    pub fn new() -> Self {
        let server = Server::new(51);
        let tree = server.tree.component("files");
        let data_key = DataKey::generate(&*server.random);
        let mut world =
            Self { server, tree, epochs: Vec::new(), slots: Vec::new(), remembered: BTreeMap::new() };
        world.begin_epoch(data_key);
        world
    }

    /// The tree, to be changed.
    pub fn tree(&self) -> &Part {
        &self.tree
    }

    /// The tree as it is.
    pub fn listing(&self) -> Listing {
        without_root(self.server.tree.listing())
    }

    pub fn take(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Change(change) => self.change(change),
            Step::Wait(nanoseconds) => self.server.clock.advance_nanoseconds(*nanoseconds),
            Step::Backup(end) => self.back_up(*end)?,
            Step::WriteWithinTick(at, seed, wait) => self.write_within_tick(*at, *seed, *wait)?,
            Step::Restore(point, path) => self.restore_some(*point, *path)?,
            Step::LoseCache => self.server.lose_cache(),
            Step::DamageCache(file, at) => self.damage_cache(*file, *at),
            Step::ChangePassphrase => self.add_slot(),
            Step::NewEpoch => self.begin_epoch(DataKey::generate(&*self.server.random)),
        }
        Ok(())
    }

    fn begin_epoch(&mut self, data_key: DataKey) {
        let epoch = self.epochs.len() as u32 + 1;
        let derive =
            || EpochKeys::derive(&data_key, self.server.trust.vault, self.server.trust.server, epoch);
        self.epochs.push(derive());
        self.server.keys = derive();
        self.slots.push(Slots { data_key, codes: Vec::new() });
        self.add_slot();
    }

    fn add_slot(&mut self) {
        let epoch = self.epochs.len() as u32;
        let server = &self.server;
        let code = RecoveryCode::generate(&*server.random);
        let owner = SlotOwner {
            vault: server.trust.vault,
            server: server.trust.server,
            domain: server.trust.server,
            server_label: "server".parse().unwrap(),
            epoch,
        };
        let slots = self.slots.last_mut().unwrap();
        let secret = Secret::RecoveryCode(&code);
        let (key, random) = (&slots.data_key, &*server.random);
        let slot = create_slot(secret, KdfCosts::FLOOR, owner, key, &server.signing_key, random);
        // As an agent does: try until the vault has it.
        server.vault.set_faults(FaultPlan::none());
        server.vault.put_slot(epoch, &slot.encode()).unwrap();
        slots.codes.push(code);
    }

    /// Whatever becomes of it, a point that the vault has now is one of the tree as it was.
    fn back_up(&mut self, end: End) -> Result<(), String> {
        let gone = || VaultError::Unreachable("planned".to_owned());
        let cancellation = self.server.cancellation.clone();
        let plan = match end {
            End::Well => FaultPlan::none(),
            End::Broken(call) => FaultPlan::none().from_call(call, Fault::Fail(gone())),
            End::AnswerLost(call) => FaultPlan::none()
                .at_call(call, Fault::LoseReply(gone()))
                .from_call(call + 1, Fault::Fail(gone())),
            End::Cancelled(call) => {
                FaultPlan::none().at_call(call, Fault::Run(Arc::new(move || cancellation.cancel())))
            }
        };
        let before = self.points();
        let listing = self.listing();
        self.server.vault.set_faults(plan);
        let made = self.server.try_backup_now();
        self.server.vault.set_faults(FaultPlan::none());
        // A process that died leaves its session open until its lease ends, or the next agent replaces it.
        self.server.vault.end_session();
        self.server.cancellation = Cancellation::default();
        for point in self.points().into_iter().filter(|point| !before.contains(point)) {
            self.remembered.insert(point.hash, listing.clone());
        }
        match (made, end) {
            (Ok(made), _) if !made.warnings.is_empty() => Err(format!("warnings {:?}", made.warnings)),
            (Ok(made), _) => match self.remembered.contains_key(&made.point.hash) {
                true => Ok(()),
                false => Err("a point was acknowledged and is not there".to_owned()),
            },
            (Err(EngineError::Vault(VaultError::Unreachable(_))), End::Broken(_) | End::AnswerLost(_))
            | (Err(EngineError::Cancelled), End::Cancelled(_)) => Ok(()),
            (Err(error), _) => Err(format!("the backup ended with: {error}")),
        }
    }

    fn points(&self) -> Vec<PointSummary> {
        self.server.vault.points().unwrap()
    }

    fn write_within_tick(&mut self, at: Which, seed: u64, wait: i64) -> Result<(), String> {
        let Some((path, size)) = self.file(at) else { return Ok(()) };
        self.tree.write(&path, &content(seed, size as usize));
        self.back_up(End::Well)?;
        self.server.clock.advance_nanoseconds(wait);
        self.tree.write_unseen(&path, &content(seed.wrapping_add(1), size as usize));
        Ok(())
    }

    fn damage_cache(&self, file: Which, at: Which) {
        let mut files = Vec::new();
        let mut waiting = vec![self.server.cache().path().to_owned()];
        while let Some(folder) = waiting.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { &mut waiting } else { &mut files }.push(path);
            }
        }
        files.sort();
        if files.is_empty() {
            return;
        }
        let path = &files[usize::from(file) % files.len()];
        let mut bytes = fs::read(path).unwrap();
        if !bytes.is_empty() {
            let at = usize::from(at) * bytes.len() / usize::from(Which::MAX) % bytes.len();
            bytes[at] ^= 0x10;
            fs::write(path, bytes).unwrap();
        }
    }

    fn restore_some(&self, point: Which, path: Option<Which>) -> Result<(), String> {
        let points = self.points();
        let Some(summary) = points.get(usize::from(point) % points.len().max(1)) else { return Ok(()) };
        let expected = &self.remembered[&summary.hash];
        let paths: Vec<_> = expected.0.keys().collect();
        match path.filter(|_| !paths.is_empty()).map(|at| paths[usize::from(at) % paths.len()]) {
            None => self.restore(*summary, None, expected),
            Some(path) => {
                // A name whose file has others by the whole tree is by itself one of a part.
                let part = alone(expected.beneath(path));
                self.restore(*summary, Some(path), &part)
            }
        }
    }

    fn open(&self, summary: PointSummary) -> Result<TrustedPoint, String> {
        open_point(&self.server.vault, &self.server.trust, &self.epochs, summary)
            .map_err(|error| error.to_string())
    }

    fn restore(&self, summary: PointSummary, path: Option<&[u8]>, expected: &Listing) -> Result<(), String> {
        let point = self.open(summary)?;
        let target = MemoryTarget::new();
        let paths: Vec<_> = path.map(|path| [b"/", path].concat()).into_iter().collect();
        let request = RestoreRequest {
            point: &point,
            vault: &self.server.vault,
            keys: &self.epochs[point.header.epoch as usize - 1],
            components: &[],
            paths: &paths,
            target: &target,
            cache: None,
            threads: 1,
        };
        let outcome = stateward_engine::restore(request, &self.tools()).map_err(|error| error.to_string())?;
        let told: Vec<_> = outcome.lost.iter().chain(&outcome.warnings).collect();
        if !told.is_empty() {
            return Err(format!("point {} loses {told:?}", summary.sequence));
        }
        match expected.differences(&without_root(target.listing())).as_slice() {
            [] => Ok(()),
            differences => Err(format!("point {} differs: {differences:#?}", summary.sequence)),
        }
    }

    fn tools(&self) -> Tools<'_> {
        let server = &self.server;
        Tools {
            clock: &*server.clock,
            random: &*server.random,
            progress: &Silent,
            cancellation: &server.cancellation,
        }
    }

    /// All points, all slots, and what verify says of all packs.
    pub fn check_everything(&self) -> Result<(), String> {
        for summary in self.points() {
            self.restore(summary, None, &self.remembered[&summary.hash])?;
        }
        self.check_slots()?;
        for keys in &self.epochs {
            let request = VerifyRequest {
                vault: &self.server.vault,
                trust: &self.server.trust,
                keys,
                point: None,
                share: VerifyShare::Full,
                history: &BTreeMap::new(),
                threads: 1,
            };
            let outcome =
                stateward_engine::verify(request, &self.tools()).map_err(|error| error.to_string())?;
            // Points of other epochs are not these keys' to open.
            let other = |message: &str| message.contains("a key that is not at hand");
            let found: Vec<_> = outcome
                .problems
                .iter()
                .filter(|problem| !other(&problem.message) && problem.code != "chain-broken")
                .collect();
            if !found.is_empty() {
                return Err(format!("verify finds {found:?}"));
            }
        }
        Ok(())
    }

    fn check_slots(&self) -> Result<(), String> {
        let objects = self.server.vault.slots().map_err(|error| error.to_string())?;
        let slots: Vec<KeySlot> = objects.iter().map(|object| KeySlot::decode(object).unwrap()).collect();
        for (index, made) in self.slots.iter().enumerate() {
            for code in &made.codes {
                let of_epoch = slots.iter().filter(|slot| slot.epoch as usize == index + 1);
                let opened = of_epoch.filter_map(|slot| open_slot(slot, Secret::RecoveryCode(code)).ok());
                if opened.filter(|opened| opened.data_key.as_bytes() == made.data_key.as_bytes()).count() != 1
                {
                    return Err(format!("a code of epoch {} opens no slot of its own", index + 1));
                }
            }
        }
        Ok(())
    }
}

/// The same as a tree by itself: a file of which only one name is in it has no other.
fn alone(mut listing: Listing) -> Listing {
    let mut names: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for (path, listed) in &listing.0 {
        if let Thing::File { linked_with: Some(first), .. } = &listed.thing {
            names.entry(first.clone()).or_default().push(path.clone());
        }
    }
    for listed in listing.0.values_mut() {
        if let Thing::File { linked_with, .. } = &mut listed.thing {
            let here = linked_with.as_ref().map(|first| &names[first]);
            *linked_with = here.filter(|here| here.len() > 1).map(|here| here[0].clone());
        }
    }
    listing
}
