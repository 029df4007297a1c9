//! The audit log: every change that somebody makes over the management API, who made it, and when.
//!
//! Each entry has the hash of itself and of the one before, so that nothing can be taken out or changed without all that
//! follows being written anew. Whoever keeps a hash that he was shown finds out.
//!
//! An entry is written in the transaction of what it tells of: neither is there without the other.

use super::principals::Place;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
use crate::db;
pub(crate) use crate::db::audit::Entry;
use serde_json::Value;
use stateward_api::arm::audit::AuditCheck;
use stateward_model::{CredentialId, VaultId};
use std::fmt;

/// How many entries are read at once.
const PAGE: u32 = 1000;

/// Who changes something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// An administrator, by its client id.
    Principal(String),
    /// A server.
    Server(ServerCaller),
    /// Somebody with vault credentials for restoring.
    Credential(CredentialId),
    /// One of the vault's own tasks.
    Task(&'static str),
    /// Somebody on the vault's own machine.
    Console,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(client_id) => write!(f, "principal {client_id}"),
            Self::Credential(id) => write!(f, "credentials {id}"),
            Self::Server(caller) => write!(f, "server {}", caller.server),
            Self::Task(name) => write!(f, "task {name}"),
            Self::Console => write!(f, "console"),
        }
    }
}

/// A change, for the log.
pub(crate) struct Change<'a> {
    /// Which vault; `None` for what is of the subscription.
    pub(crate) vault: Option<VaultId>,
    /// Who.
    pub(crate) actor: &'a Actor,
    /// What was done: a word such as `vault.create`.
    pub(crate) act: &'static str,
    /// To what: a name or an id, never a path on a server.
    pub(crate) subject: &'a str,
    /// What was, what is. No secrets.
    pub(crate) detail: Value,
}

/// The hash of an entry, over the one before.
fn hash(previous: [u8; 32], entry: &Entry) -> [u8; 32] {
    let Entry { number, vault, at, actor, act, subject, detail, .. } = entry;
    let text = serde_json::json!([number, vault, at, actor, act, subject, detail]).to_string();
    let mut hasher = blake3::Hasher::new();
    *hasher.update(&previous).update(text.as_bytes()).finalize().as_bytes()
}

impl App {
    /// Writes an entry. The transaction must be of the whole database, for entries follow one another.
    pub(super) async fn record(&self, transaction: &mut db::Write, change: Change<'_>) -> Result<(), Error> {
        let (last, previous) = db::audit::head(transaction).await?.unwrap_or_default();
        let mut entry = Entry {
            number: last + 1,
            vault: change.vault,
            at: self.now(),
            actor: change.actor.to_string(),
            act: change.act.to_owned(),
            subject: change.subject.to_owned(),
            detail: change.detail.to_string(),
            hash: [0; 32],
        };
        entry.hash = hash(previous, &entry);
        Ok(db::audit::insert(transaction, &entry).await?)
    }

    /// At most so many entries of a vault above a number, in order.
    pub(crate) async fn audit_of(&self, place: &Place, after: u64, most: usize) -> Result<Vec<Entry>, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        let most = u32::try_from(most).unwrap_or(PAGE);
        Ok(db::audit::list(&mut connection, Some(vault.id), after, most).await?)
    }

    /// At most so many entries of the whole log above a number, in order.
    pub(crate) async fn audit(&self, after: u64) -> Result<Vec<Entry>, Error> {
        Ok(db::audit::list(&mut *self.database.read().await?, None, after, PAGE).await?)
    }

    /// Reads the log from its beginning and checks each hash.
    pub(crate) async fn check_audit(&self) -> Result<AuditCheck, Error> {
        let mut check =
            AuditCheck { is_intact: true, entries: 0, last_at: None, last_hash: None, altered_at: None };
        let mut previous = [0; 32];
        loop {
            let entries = self.audit(check.entries).await?;
            if entries.is_empty() {
                return Ok(check);
            }
            for entry in entries {
                if entry.number != check.entries + 1 || entry.hash != hash(previous, &entry) {
                    return Ok(AuditCheck { is_intact: false, altered_at: Some(check.entries + 1), ..check });
                }
                previous = entry.hash;
                let last_hash = Some(blake3::Hash::from_bytes(entry.hash).to_hex().to_string());
                check = AuditCheck { entries: entry.number, last_at: Some(entry.at), last_hash, ..check };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use serde_json::json;

    #[tokio::test]
    async fn an_entry_that_was_altered_is_found() {
        let test = TestApp::new().await;
        let before = test.app.check_audit().await.unwrap().entries;
        let actor = Actor::Task("test");
        let mut transaction = test.app.write().await.unwrap();
        for number in 0..3 {
            let detail = json!({ "number": number });
            let change = Change { vault: None, actor: &actor, act: "test.do", subject: "thing", detail };
            test.app.record(&mut transaction, change).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let check = test.app.check_audit().await.unwrap();
        assert_eq!((check.is_intact, check.entries, check.altered_at), (true, before + 3, None));
        let mut transaction = test.app.write().await.unwrap();
        db::audit::falsify(&mut transaction, before + 2).await.unwrap();
        transaction.commit().await.unwrap();
        let check = test.app.check_audit().await.unwrap();
        assert_eq!((check.is_intact, check.entries, check.altered_at), (false, before + 1, Some(before + 2)));
    }
}
