//! The audit log: every change that somebody makes over the management API, who made it, and when.
//!
//! Each entry has the hash of itself and of the one before, so that nothing can be taken out or changed without all that
//! follows being written anew. Whoever keeps a hash that he was shown finds out.
//!
//! An entry is written in the transaction of what it tells of: neither is there without the other.

use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db;
use crate::db::audit::Entry;
use serde_json::Value;
use stateward_model::{Timestamp, VaultId};
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
    /// One of the vault's own tasks.
    Task(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Principal(client_id) => write!(f, "principal {client_id}"),
            Self::Server(caller) => write!(f, "server {}", caller.server),
            Self::Task(name) => write!(f, "task {name}"),
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

    /// Reads the log from its beginning and checks each hash; tells how many entries there are, and when the last was made.
    ///
    /// # Errors
    /// [`Error::Internal`] if it was tampered with.
    pub(crate) async fn check_audit(&self) -> Result<(u64, Option<Timestamp>), Error> {
        let (mut last, mut previous, mut at) = (0, [0; 32], None);
        loop {
            let entries = db::audit::list(&mut *self.database.read().await?, None, last, PAGE).await?;
            if entries.is_empty() {
                return Ok((last, at));
            }
            for entry in entries {
                if entry.number != last + 1 || entry.hash != hash(previous, &entry) {
                    let why = format!("The audit log was altered at or before entry {}", entry.number);
                    return Err(Error::Internal(why.into()));
                }
                (last, previous, at) = (entry.number, entry.hash, Some(entry.at));
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
        let (before, _) = test.app.check_audit().await.unwrap();
        let actor = Actor::Task("test");
        let mut transaction = test.app.write().await.unwrap();
        for number in 0..3 {
            let detail = json!({ "number": number });
            let change = Change { vault: None, actor: &actor, act: "test.do", subject: "thing", detail };
            test.app.record(&mut transaction, change).await.unwrap();
        }
        transaction.commit().await.unwrap();
        assert_eq!(test.app.check_audit().await.unwrap().0, before + 3);
        let mut transaction = test.app.write().await.unwrap();
        db::audit::falsify(&mut transaction, before + 2).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(test.app.check_audit().await.is_err());
    }
}
