//! Registered servers as they are managed: containers, in Azure's word.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::{App, Error, vaults};
use crate::db;
use crate::db::items::Item;
use crate::db::servers::ManagedServer;
use crate::db::sessions::Ended;
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::{JobKind, ServerId, Timestamp, VaultId};

/// A server that protects something and was not heard of for so long does not look well, in seconds: three days.
const QUIET_SECONDS: i64 = 3 * 86_400;

/// A server, and what of it is protected.
pub(crate) struct Container {
    /// The server.
    pub(crate) managed: ManagedServer,
    /// Its items that are not purged.
    pub(crate) items: Vec<Item>,
}

/// What is wrong with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// Its recovery points forked then.
    Forked(Timestamp),
    /// It was last heard of then.
    Quiet(Timestamp),
}

impl Container {
    /// What is wrong with the server.
    pub(crate) fn ailments(&self, now: Timestamp) -> Vec<Ailment> {
        let ManagedServer { server, revoked_at, active_items, .. } = &self.managed;
        let forked = server.forked_at.map(Ailment::Forked);
        let last = server.seen_at.unwrap_or(server.registered_at);
        let is_quiet = last.plus_seconds(QUIET_SECONDS) <= now && *active_items > 0 && revoked_at.is_none();
        forked.into_iter().chain(is_quiet.then_some(Ailment::Quiet(last))).collect()
    }
}

impl App {
    /// All servers of a vault by label, with those that were unregistered and of which something is still there.
    pub(crate) async fn containers(&self, vault: VaultId) -> Result<Vec<Container>, Error> {
        let mut connection = self.database.read().await?;
        let servers = db::servers::list_managed(&mut connection, vault).await?;
        let mut items = db::items::list(&mut connection, vault, self.now()).await?;
        let containers = servers.into_iter().map(|managed| {
            let (own, others) = items.drain(..).partition(|item| item.server == managed.server.id);
            items = others;
            Container { managed, items: own }
        });
        Ok(containers.collect())
    }

    /// A server of a vault.
    pub(crate) async fn container(&self, vault: VaultId, id: ServerId) -> Result<Container, Error> {
        let found = self.containers(vault).await?.into_iter().find(|found| found.managed.server.id == id);
        found.ok_or_else(|| no_server(&id.to_string()))
    }

    /// Ends a server's registration: its key and its tokens are good no more, and a session of it is over. Its recovery
    /// points stay.
    pub(crate) async fn unregister(
        &self,
        actor: &Actor,
        place: &Place,
        named: &Named<'_>,
    ) -> Result<(), Error> {
        let now = self.now();
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let servers = db::servers::list_managed(&mut transaction, vault.id).await?;
        let ManagedServer { server, revoked_at, .. } = named.one_of(&servers)?;
        if revoked_at.is_some() {
            return Ok(());
        }
        db::servers::revoke(&mut transaction, server.id, now).await?;
        let open = db::sessions::find_open(&mut transaction, server.id).await?;
        if let Some(open) = &open {
            db::sessions::end(&mut transaction, open.id, Ended::Closed, now).await?;
        }
        self.note_job(&mut transaction, server.id, None, JobKind::UnRegister).await?;
        let subject = server.id.to_string();
        let detail = json!({ "label": server.label });
        let change =
            Change { vault: Some(vault.id), actor, act: "server.unregister", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        if let Some(open) = open {
            self.assemblies.end(open.id);
        }
        Ok(())
    }
}

/// How a server is meant.
pub(crate) enum Named<'a> {
    /// By its id.
    Id(ServerId),
    /// By what people call it.
    Label(&'a str),
}

impl Named<'_> {
    /// The one that is meant; of those of the same name, one that is registered.
    fn one_of<'s>(&self, servers: &'s [ManagedServer]) -> Result<&'s ManagedServer, Error> {
        let name = match self {
            Self::Id(id) => {
                let found = servers.iter().find(|managed| managed.server.id == *id);
                return found.ok_or_else(|| no_server(&id.to_string()));
            }
            Self::Label(name) => name,
        };
        let namesakes =
            || servers.iter().filter(|managed| managed.server.label.as_str().eq_ignore_ascii_case(name));
        let registered: Vec<_> = namesakes().filter(|managed| managed.revoked_at.is_none()).collect();
        match registered[..] {
            [] => namesakes().next().ok_or_else(|| no_server(name)),
            [one] => Ok(one),
            _ => {
                let ids: Vec<_> = registered
                    .iter()
                    .map(|managed| format!("`{}`", stateward_api::arm::container_name(managed.server.id)))
                    .collect();
                let why = format!(
                    "There are {} servers `{name}`; name the one that is meant by its id: {}",
                    ids.len(),
                    ids.join(", ")
                );
                Err(Error::refused(ErrorCode::AmbiguousName, why))
            }
        }
    }
}

fn no_server(name: &str) -> Error {
    Error::not_found(format!("server `{name}`"))
}

#[cfg(test)]
mod tests;
