//! All ways to read a vault's objects, and what they say.

use crate::world::{Server, World};
use stateward_agent::points::ListedPoint;
use stateward_agent::recover::{RecoveredServer, find_server};
use stateward_client::FolderVault;
use stateward_crypto::{EpochKeys, Secret, verify_signature};
use stateward_engine::points::open_point;
use stateward_engine::{RestoreRequest, TrustedPoint, VaultRead as _, VerifyRequest, VerifyShare};
use stateward_format::{layout, tombstone};
use stateward_testing::{Listing, MemoryTarget, Thing};
use std::collections::{BTreeMap, BTreeSet};

/// A line for each thing that is as it should be; and, apart, what only a passphrase tells, which is not always asked.
#[derive(Debug)]
pub struct Report {
    sound: BTreeSet<String>,
    by_passphrase: Option<BTreeSet<String>>,
}

impl Report {
    /// Points restored, receipts and tombstones believed, everything opened by each code, nothing found by verify.
    pub fn is_sound(&self, server: &Server) -> bool {
        let points = server.expected.len();
        let count = |what: &str| self.sound.iter().filter(|line| line.starts_with(what)).count();
        count("restored") == points
            && count("received") == points
            && count("recover by code 0") == points
            && count("recover by code 1") == points
            && count("verified") == points
            && count("tombstone") == 2
            && self.by_passphrase.as_ref().is_some_and(|lines| !lines.is_empty())
    }

    pub fn differs_from(&self, sound: &Self) -> bool {
        self.sound != sound.sound
            || self.by_passphrase.as_ref().is_some_and(|found| Some(found) != sound.by_passphrase.as_ref())
    }
}

impl Server {
    /// Reads everything of this server in every way. Panics if something wrong came back as right.
    pub fn read(&self, world: &World, with_passphrase: bool) -> Report {
        let mut sound = BTreeSet::new();
        let found = find_server(&world.store(), Some(&self.trust.server.to_string()));
        let Ok(found) = found else { return Report { sound, by_passphrase: None } };
        for (number, code) in self.codes.iter().enumerate() {
            let lines = self.recover(&found, Secret::RecoveryCode(code));
            sound.extend(lines.into_iter().map(|line| format!("recover by code {number}: {line}")));
        }
        let by_passphrase =
            with_passphrase.then(|| self.recover(&found, Secret::Passphrase(&self.passphrase)));
        let vault = FolderVault::new(&found);
        for summary in vault.points().unwrap() {
            let Ok(point) = open_point(&vault, &self.trust, &self.keys, summary) else { continue };
            if let Some(time) = point.received_at {
                sound.insert(format!("received {}: {time}", summary.sequence));
            }
            sound.extend(self.restore(&vault, &point, world));
        }
        sound.extend(self.verify(&vault, world));
        sound.extend(self.tombstones_believed(world));
        Report { sound, by_passphrase }
    }

    fn recover(&self, found: &stateward_client::FolderServer, secret: Secret<'_>) -> BTreeSet<String> {
        let Ok(opened) = RecoveredServer::open(found, secret) else { return BTreeSet::new() };
        let usable = |point: ListedPoint| match point {
            ListedPoint::Usable(point) => {
                assert!(self.expected.contains_key(&point.recovery_point), "another's point is listed");
                Some(format!("{} {}", point.sequence, point.recovery_point))
            }
            ListedPoint::Unusable { .. } => None,
        };
        opened.points().unwrap().into_iter().filter_map(usable).collect()
    }

    fn keys_of(&self, epoch: u32) -> &EpochKeys {
        self.keys.iter().find(|keys| keys.epoch() == epoch).unwrap()
    }

    fn restore(&self, vault: &FolderVault, point: &TrustedPoint, world: &World) -> Option<String> {
        let target = MemoryTarget::new();
        let request = RestoreRequest {
            point,
            vault,
            keys: self.keys_of(point.header.epoch),
            components: &[],
            paths: &[],
            target: &target,
            cache: None,
            threads: 1,
        };
        let outcome = stateward_engine::restore(request, &world.tools()).ok()?;
        let mut restored = target.listing();
        restored.0.remove(&b""[..]);
        let expected = &self.expected[&point.summary.hash];
        assert_nothing_false(expected, &restored);
        let is_whole = outcome.lost.is_empty() && outcome.warnings.is_empty();
        if is_whole {
            assert_eq!(expected.differences(&restored), Vec::<String>::new());
        }
        is_whole.then(|| format!("restored {}", point.summary.hash))
    }

    /// Points that verify reads without finding anything.
    fn verify(&self, vault: &FolderVault, world: &World) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        for keys in &self.keys {
            let request = VerifyRequest {
                vault,
                trust: &self.trust,
                keys,
                point: None,
                share: VerifyShare::Full,
                history: &BTreeMap::new(),
                threads: 1,
            };
            let outcome = stateward_engine::verify(request, &world.tools()).unwrap();
            // One epoch's keys do not open another's points, and verify says so of each.
            let is_other_epoch = |message: &str| message.contains("sealed with a key that is not at hand");
            if outcome.problems.iter().all(|problem| is_other_epoch(&problem.message)) {
                let epoch = keys.epoch();
                lines
                    .extend((0..outcome.points).map(|number| format!("verified in epoch {epoch}: {number}")));
            }
        }
        lines
    }

    /// The product reads none yet: what docs/format.md lets a reader prove of one.
    fn tombstones_believed(&self, world: &World) -> BTreeSet<String> {
        let is_believed = |name: &&String| {
            let object = world.object(name);
            let Ok((said, signed, signature)) = tombstone::decode(&object) else { return false };
            verify_signature(&self.trust.vault_public_key.unwrap(), signed, &signature).is_ok()
                && said.vault == self.trust.vault
                && layout::tombstone(said.server, said.sequence, said.point, said.number) == **name
        };
        self.tombstones().filter(is_believed).map(|name| format!("tombstone {name}")).collect()
    }
}

/// What came back of a damaged point is the point's: no other file, no other content.
fn assert_nothing_false(expected: &Listing, restored: &Listing) {
    for (path, found) in &restored.0 {
        let expected = expected.0.get(path).unwrap_or_else(|| panic!("{path:?} was never there"));
        if !matches!(found.thing, Thing::Folder) {
            assert_eq!(expected, found, "{path:?}");
        }
    }
}
