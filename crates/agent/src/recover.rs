//! `stateward recover`: restoring straight from a vault's objects, with passphrase or recovery code only. No vault
//! runs, no database is read, this machine need not be registered, and nothing is written but the target.

use crate::jobs::run::{self, JobContext, JobListener};
use crate::jobs::{ItemReference, JobRecord, JobRequest, Pace};
use crate::points::{self, ListedPoint, PointDescription};
use crate::restore::{self, Origin, Selected};
use crate::secrets::Secret;
use crate::slots::open_slots;
use crate::{AgentError, items};
use stateward_client::{FolderServer, FolderStore, FolderVault, Surroundings};
use stateward_crypto::{EpochKeys, OpenedSlot};
use stateward_engine::{Cancellation, ServerTrust, VaultRead};
use stateward_model::{ComponentName, JobId};
use std::path::{Path, PathBuf};

/// A server in a folder, opened with one of its secrets.
pub struct RecoveredServer {
    vault: FolderVault,
    trust: ServerTrust,
    opened: Vec<OpenedSlot>,
}

/// What of a recovery point is laid where.
pub struct RecoverRequest {
    /// Only these components; empty means all.
    pub components: Vec<ComponentName>,
    /// Only what lies at or below these absolute paths; empty means everything.
    pub paths: Vec<PathBuf>,
    /// The folder.
    pub target: PathBuf,
    /// How much of the machine it may take. There is no line: a rate holds for nothing here.
    pub pace: Pace,
}

/// Finds the server that `asked` names (by label or id), or the only one there is.
pub fn find_server(store: &Path, asked: Option<&str>) -> Result<FolderServer, AgentError> {
    let servers = FolderStore::open(store)?.servers()?;
    let is_meant = |server: &FolderServer| {
        asked.is_none_or(|asked| {
            server.server.to_string() == asked || server.labels.iter().any(|label| label.as_str() == asked)
        })
    };
    let name = |server: &FolderServer| match server.labels.first() {
        Some(label) => format!("{label} ({})", server.server),
        None => server.server.to_string(),
    };
    let known = servers.iter().map(name).collect();
    let mut meant = servers.into_iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(server), None) => Ok(server),
        _ => Err(AgentError::UnknownServer { asked: asked.map(str::to_owned), known }),
    }
}

impl RecoveredServer {
    /// Opens a server's keys with every slot that the secret fits.
    pub fn open(server: &FolderServer, secret: Secret<'_>) -> Result<Self, AgentError> {
        let vault = FolderVault::new(server);
        let opened = open_slots(&vault.slots()?, secret, (server.vault, server.server))?;
        let trust = ServerTrust {
            vault: server.vault,
            server: server.server,
            signing_public_keys: opened.iter().map(|slot| slot.signing_key.public_key()).collect(),
            // Without registration nothing says which key is the vault's.
            vault_public_key: None,
        };
        Ok(Self { vault, trust, opened })
    }

    fn keys(&self) -> Vec<EpochKeys> {
        let derive = |slot: &OpenedSlot| {
            EpochKeys::derive(&slot.data_key, slot.owner.vault, slot.owner.domain, slot.owner.epoch)
        };
        self.opened.iter().map(derive).collect()
    }

    /// Its recovery points, newest first.
    pub fn points(&self) -> Result<Vec<ListedPoint>, AgentError> {
        points::list(&self.vault, &self.trust, &self.keys(), None)
    }

    /// Lays one of them into a folder.
    pub fn recover(
        &self,
        point: &PointDescription,
        request: RecoverRequest,
        listener: &dyn JobListener,
        surroundings: &Surroundings,
        cancellation: &Cancellation,
    ) -> Result<JobRecord, AgentError> {
        let target = items::absolute(&request.target)?;
        let paths: Vec<_> =
            request.paths.iter().map(|path| items::within_point(path)).collect::<Result<_, _>>()?;
        let job = JobRequest::Restore {
            point: point.recovery_point,
            sequence: point.sequence,
            components: request.components.clone(),
            paths: paths.clone(),
            target: target.clone(),
        };
        let item = ItemReference { id: point.item, label: point.item_label.clone() };
        let now = surroundings.clock.now();
        let record = JobRecord::queued(JobId::new(&*surroundings.random), job, Some(item), now)
            .at(request.pace.clone());
        let context = JobContext { folder: None, listener, surroundings, cancellation };
        let selected = Selected {
            point: point.summary(),
            components: &request.components,
            paths: &paths,
            target: &target.0,
        };
        let worked = |job: &run::RunningJob<'_>, tools: &stateward_engine::Tools<'_>| {
            let from =
                Origin { vault: &self.vault, trust: self.trust.clone(), keys: self.keys(), cache: None };
            restore::lay(&from, selected, job, tools)
        };
        Ok(run::run(record, context, worked))
    }
}
