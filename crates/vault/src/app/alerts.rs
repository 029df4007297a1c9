//! Alerts: what people should know. One is open for each kind and subject until it is so no longer.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::{App, Error, vaults};
use crate::db;
pub(crate) use crate::db::alerts::Alert;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stateward_model::{AlertId, VaultId};

/// How many alerts are listed: the newest.
const LISTED_ALERTS: u32 = 1000;

/// How bad something is, in Azure's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Severity {
    /// Data is, or soon will be, lost, or somebody may be at work who should not.
    Critical,
    /// Something did not work that should.
    Error,
    /// Something should be looked at.
    Warning,
    /// Good to know.
    Informational,
}

/// Something that people should know.
pub(crate) struct NewAlert<'a> {
    /// Which vault.
    pub(crate) vault: VaultId,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What kind of thing happened: a word such as `expiry-held`.
    pub(crate) kind: &'static str,
    /// What it is about: the id of an item, a server or a job.
    pub(crate) subject: &'a str,
    /// In words. No names of files: they stay on the server.
    pub(crate) message: String,
}

impl App {
    /// Raises an alert, in the transaction of what it tells of. Raising it again changes its words only.
    pub(super) async fn raise(&self, transaction: &mut db::Write, new: NewAlert<'_>) -> Result<(), Error> {
        let alert = Alert {
            id: AlertId::new(&*self.random),
            vault: new.vault,
            severity: new.severity,
            kind: new.kind.to_owned(),
            subject: new.subject.to_owned(),
            message: new.message,
            raised_at: self.now(),
            resolved_at: None,
        };
        if db::alerts::raise(transaction, &alert).await? {
            tracing::warn!(kind = alert.kind, subject = alert.subject, severity = ?alert.severity, "{}", alert.message);
        }
        Ok(())
    }

    /// Closes an alert: it is so no longer.
    pub(super) async fn resolve(
        &self,
        transaction: &mut db::Write,
        vault: VaultId,
        kind: &'static str,
        subject: &str,
    ) -> Result<(), Error> {
        Ok(db::alerts::resolve(transaction, vault, (kind, subject), self.now()).await?)
    }

    /// Closes an alert that somebody has dealt with. Closing it again changes nothing.
    pub(crate) async fn resolve_alert(
        &self,
        actor: &Actor,
        place: &Place,
        id: AlertId,
    ) -> Result<Alert, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let found = db::alerts::find(&mut transaction, vault.id, id).await?;
        let mut alert = found.ok_or_else(|| Error::not_found(format!("alert `{id}`")))?;
        if alert.resolved_at.is_some() {
            return Ok(alert);
        }
        let now = self.now();
        db::alerts::resolve(&mut transaction, vault.id, (&alert.kind, &alert.subject), now).await?;
        let (subject, detail) = (id.to_string(), json!({ "kind": alert.kind, "of": alert.subject }));
        let change = Change { vault: Some(vault.id), actor, act: "alert.resolve", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        alert.resolved_at = Some(now);
        Ok(alert)
    }

    /// The newest alerts of a vault, newest first.
    pub(crate) async fn alerts(&self, vault: VaultId) -> Result<Vec<Alert>, Error> {
        Ok(db::alerts::list(&mut *self.database.read().await?, vault, LISTED_ALERTS).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    #[tokio::test]
    async fn one_alert_is_open_for_each_kind_and_subject() {
        let test = TestApp::new().await;
        let vault = test.app.vault_at(&test.place()).await.unwrap().id;
        let alert = |message: &str| NewAlert {
            vault,
            severity: Severity::Warning,
            kind: "test",
            subject: "item-1",
            message: message.to_owned(),
        };
        let mut transaction = test.app.write().await.unwrap();
        test.app.raise(&mut transaction, alert("First")).await.unwrap();
        test.app.raise(&mut transaction, alert("Again")).await.unwrap();
        test.app.resolve(&mut transaction, vault, "test", "item-1").await.unwrap();
        test.clock.advance(1);
        test.app.raise(&mut transaction, alert("Anew")).await.unwrap();
        transaction.commit().await.unwrap();
        let alerts = test.app.alerts(vault).await.unwrap();
        let told: Vec<_> = alerts.iter().map(|a| (a.message.as_str(), a.resolved_at.is_some())).collect();
        assert_eq!(told, [("Anew", false), ("Again", true)]);
    }
}
