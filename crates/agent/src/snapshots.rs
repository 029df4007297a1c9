//! The snapshots of the source that this home has made, or was about to: `snapshots.json`, so that one which a dead run
//! left behind is removed by the next. The next holds the home's job lock, so no living run has any.

use crate::document::Document;
use crate::items::StoredPath;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_format::manifest::Precheck;
use stateward_model::{JobId, ServerId};
use stateward_system_state::remove_snapshot;
use stateward_system_state::snapshots::{SnapshotKind, SnapshotLedger, SnapshotPlace};

const FILE: &str = "snapshots.json";

/// A precheck that did not pass.
const WARN: u8 = 1;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Recorded {
    snapshots: Vec<Snapshot>,
}

impl Document for Recorded {
    const VERSION: u32 = 1;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Snapshot {
    kind: Kind,
    path: StoredPath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    volume: Option<String>,
    /// The home that made it: a copy of that home must leave it alone, for the original may be reading it.
    home: StoredPath,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Btrfs,
    Lvm,
}

impl Snapshot {
    fn of(place: &SnapshotPlace, home: &Home) -> Self {
        let kind = match place.kind {
            SnapshotKind::Btrfs => Kind::Btrfs,
            SnapshotKind::Lvm => Kind::Lvm,
        };
        let (path, home) = (StoredPath(place.path.clone()), StoredPath(home.path().to_owned()));
        Self { kind, path, volume: place.volume.clone(), home }
    }

    fn place(&self) -> SnapshotPlace {
        let kind = match self.kind {
            Kind::Btrfs => SnapshotKind::Btrfs,
            Kind::Lvm => SnapshotKind::Lvm,
        };
        SnapshotPlace { kind, path: self.path.0.clone(), volume: self.volume.clone() }
    }
}

fn prefix(server: ServerId) -> String {
    format!("stateward-{server}-")
}

/// What the names of a job's snapshots begin with.
pub fn name(server: ServerId, job: JobId) -> String {
    format!("{}{job}", prefix(server))
}

/// Keeps the list of a home.
pub struct Ledger<'a> {
    home: &'a Home,
}

impl<'a> Ledger<'a> {
    /// Of a home.
    pub fn of(home: &'a Home) -> Self {
        Self { home }
    }

    fn load(&self) -> Result<Recorded, AgentError> {
        Ok(self.home.read(FILE)?.unwrap_or_default())
    }

    /// How many it holds.
    pub fn count(&self) -> Result<usize, AgentError> {
        Ok(self.load()?.snapshots.len())
    }

    /// Removes what dead runs left behind, as far as it is this home's; tells of what stays.
    pub fn remove_leftovers(&self, server: ServerId) -> Result<Vec<Precheck>, AgentError> {
        let found = self.load()?.snapshots;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let (mut kept, mut told) = (Vec::new(), Vec::new());
        for snapshot in found {
            let place = snapshot.place();
            let path = place.path.display();
            let is_ours = snapshot.home.0 == self.home.path() && place.name().starts_with(&prefix(server));
            if !is_ours {
                told.push(left(format!(
                    "The snapshot `{path}` was made by another home or server, so it is left alone from now on"
                )));
                continue;
            }
            match remove_snapshot(&place) {
                Ok(()) => tracing::info!(%path, "removed a snapshot that a dead run left"),
                Err(why) => {
                    told.push(left(format!("A snapshot of a dead run, `{path}`, can't be removed: {why}")));
                    kept.push(snapshot);
                }
            }
        }
        self.home.write(FILE, &Recorded { snapshots: kept })?;
        Ok(told)
    }
}

fn left(message: String) -> Precheck {
    Precheck { code: "snapshot-left".to_owned(), outcome: WARN, message }
}

impl SnapshotLedger for Ledger<'_> {
    fn making(&self, place: &SnapshotPlace) -> Result<(), String> {
        let write = || {
            let mut recorded = self.load()?;
            recorded.snapshots.push(Snapshot::of(place, self.home));
            self.home.write(FILE, &recorded)
        };
        write().map_err(|error| error.to_string())
    }

    fn removed(&self, place: &SnapshotPlace) {
        let write = || {
            let mut recorded = self.load()?;
            let gone = Snapshot::of(place, self.home);
            recorded.snapshots.retain(|snapshot| *snapshot != gone);
            self.home.write(FILE, &recorded)
        };
        // The next run finds that it is gone already.
        if let Err(error) = write() {
            tracing::warn!(%error, "that a snapshot was removed can't be written down");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;
    use std::path::PathBuf;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        (folder, home)
    }

    fn place(path: PathBuf) -> SnapshotPlace {
        SnapshotPlace { kind: SnapshotKind::Btrfs, path, volume: None }
    }

    fn recorded(home: &Home) -> usize {
        Ledger::of(home).load().unwrap().snapshots.len()
    }

    #[test]
    fn what_is_gone_is_forgotten_and_what_cannot_be_removed_is_told_and_kept() {
        let (folder, home) = home();
        let (server, job) = (ServerId::new(&SystemRandom), JobId::new(&SystemRandom));
        let ledger = Ledger::of(&home);
        let gone = place(folder.path().join(name(server, job)));
        // A plain folder of that name is no snapshot and is not touched.
        let stays = place(folder.path().join(format!("{}-1", name(server, job))));
        std::fs::create_dir(&stays.path).unwrap();
        [&gone, &stays].iter().for_each(|place| ledger.making(place).unwrap());
        let told = ledger.remove_leftovers(server).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].message.contains(stays.path.to_str().unwrap()) && stays.path.is_dir());
        assert_eq!(recorded(&home), 1);
        ledger.removed(&stays);
        assert_eq!(recorded(&home), 0);
    }

    #[test]
    fn another_homes_or_servers_snapshot_is_left_alone_and_told_once() {
        let (folder, home) = home();
        let server = ServerId::new(&SystemRandom);
        let other = place(folder.path().join(name(ServerId::new(&SystemRandom), JobId::new(&SystemRandom))));
        Ledger::of(&home).making(&other).unwrap();
        assert_eq!(Ledger::of(&home).remove_leftovers(server).unwrap().len(), 1);
        assert_eq!(recorded(&home), 0);
        let own = place(folder.path().join(name(server, JobId::new(&SystemRandom))));
        std::fs::create_dir(&own.path).unwrap();
        Ledger::of(&home).making(&own).unwrap();
        let (_copy, copy) = {
            let (folder, copy) = self::home();
            std::fs::copy(home.path().join(FILE), copy.path().join(FILE)).unwrap();
            (folder, copy)
        };
        let told = Ledger::of(&copy).remove_leftovers(server).unwrap();
        assert!(told[0].message.contains("another home"), "{told:?}");
        assert!(own.path.is_dir());
    }
}
