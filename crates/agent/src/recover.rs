//! Restoring what another server backed up, with its passphrase or recovery code, on a machine that need not be registered:
//! straight from a vault's objects (`stateward recover`: no vault runs, no database is read), or from a running vault with
//! vault credentials for restoring (`stateward restore --credentials`). Nothing is written but the target.

use crate::credentials::{self, CredentialsError};
use crate::items::StoredPath;
use crate::jobs::run::{self, JobContext, JobListener};
use crate::jobs::{ItemReference, JobRecord, JobRequest, Pace};
use crate::points::{self, ListedPoint, PointDescription};
use crate::restore::{self, LayingWish, Origin, Selected};
use crate::secrets::Secret;
use crate::slots::open_slots;
use crate::{Agent, AgentError, items};
use stateward_api::agent::Replaces;
use stateward_api::credentials::{CredentialPurpose, decode_bytes};
use stateward_client::{
    Connection, FolderServer, FolderStore, FolderVault, HttpVault, Identity, Manner, SessionKeeper,
    Surroundings,
};
use stateward_crypto::{EpochKeys, OpenedSlot};
use stateward_engine::{Cancellation, ServerTrust, VaultError, VaultRead};
use stateward_model::{ComponentName, JobId, ServerId, SessionId, VaultId};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A server in a folder or a vault, opened with one of its secrets.
pub struct RecoveredServer {
    vault: Box<dyn VaultRead>,
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
    pub target: StoredPath,
    /// How it is laid there.
    pub laying: LayingWish,
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
    /// Opens a server's keys in a folder with every slot that the secret fits.
    pub fn open(server: &FolderServer, secret: Secret<'_>) -> Result<Self, AgentError> {
        // Without registration or vault credentials nothing says which key is the vault's.
        Self::open_in(Box::new(FolderVault::new(server)), (server.vault, server.server), secret, None)
    }

    /// Opens the server that vault credentials for restoring name, at its vault.
    pub fn at_vault(
        agent: &Agent,
        file: &Path,
        secret: Secret<'_>,
        pace: &Pace,
        cancellation: &Cancellation,
    ) -> Result<Self, AgentError> {
        let read = credentials::read(file, CredentialPurpose::Restore, agent.now())?;
        let credentials = read.credentials;
        let server = credentials.server.ok_or_else(|| CredentialsError::Damaged {
            path: file.to_owned(),
            why: "it names no server".to_owned(),
        })?;
        let endpoint = agent.endpoint(&credentials.url, &credentials.ca_pem, &credentials.tenant)?;
        let identity = Identity::Administrator {
            client_id: credentials.credential.to_string(),
            client_secret: Zeroizing::new(credentials.secret),
        };
        let surroundings = agent.surroundings();
        let manner = Manner::interactive(cancellation.clone());
        let connection = Connection::new(endpoint, Some(identity), manner, surroundings.clone())?
            .throttled(pace.throttle(&surroundings.clock));
        let vault = HttpVault::connect(connection, credentials.vault, Arc::new(NoSessions))?;
        if vault.server().server != server {
            return Err(VaultError::WrongVault("another server's things were offered".to_owned()).into());
        }
        let key = decode_bytes(&credentials.signing_public_key).and_then(|key| key.try_into().ok());
        Self::open_in(Box::new(vault), (credentials.vault, server), secret, key)
    }

    fn open_in(
        vault: Box<dyn VaultRead>,
        owner: (VaultId, ServerId),
        secret: Secret<'_>,
        vault_public_key: Option<[u8; 32]>,
    ) -> Result<Self, AgentError> {
        let opened = open_slots(&vault.slots()?, secret, owner)?;
        let trust = ServerTrust {
            vault: owner.0,
            server: owner.1,
            signing_public_keys: opened.iter().map(|slot| slot.signing_key.public_key()).collect(),
            vault_public_key,
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
        points::list(&*self.vault, &self.trust, &self.keys(), None)
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
        let target = request.target.clone();
        let paths: Vec<_> =
            request.paths.iter().map(|path| items::within_point(path)).collect::<Result<_, _>>()?;
        let job = JobRequest::Restore {
            point: point.recovery_point,
            sequence: point.sequence,
            components: request.components.clone(),
            paths: paths.clone(),
            target: target.clone(),
            laying: request.laying.clone(),
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
            laying: &request.laying,
            item_paths: &[],
        };
        let worked = |job: &run::RunningJob<'_>, tools: &stateward_engine::Tools<'_>| {
            let from =
                Origin { vault: &*self.vault, trust: self.trust.clone(), keys: self.keys(), cache: None };
            restore::lay(&from, selected, job, tools)
        };
        Ok(run::run(record, context, worked))
    }
}

/// Who only reads opens no session.
struct NoSessions;

impl SessionKeeper for NoSessions {
    fn previous(&self) -> Vec<Replaces> {
        Vec::new()
    }

    fn opening(&self, _: SessionId, _: &str) {}

    fn opened(&self, _: SessionId) {}

    fn closed(&self, _: SessionId) {}
}
