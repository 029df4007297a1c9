//! Agents' versions: which are outdated, and which may make no backups any more. An agent tells its version itself, so that
//! the minimum keeps old agents from working on, and is no defence against one that lies.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::servers::check_text;
use super::tokens::ServerCaller;
use super::{App, Error, vaults};
use crate::db;
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::{AgentVersion, JobKind};

impl App {
    /// The oldest agent that may make backups in a vault.
    pub(crate) async fn minimum_agent(&self, place: &Place) -> Result<Option<AgentVersion>, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        Ok(db::agents::minimum(&mut connection, vault.id).await?)
    }

    /// Sets it; `None` for any.
    pub(crate) async fn set_minimum_agent(
        &self,
        actor: &Actor,
        place: &Place,
        minimum: Option<AgentVersion>,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let before = db::agents::minimum(&mut transaction, vault.id).await?;
        if before == minimum {
            return Ok(());
        }
        db::agents::set_minimum(&mut transaction, vault.id, minimum).await?;
        let detail = json!({ "before": before, "after": minimum });
        let subject = vault.name.as_str();
        let change = Change { vault: Some(vault.id), actor, act: "agents.set-minimum", subject, detail };
        self.record(&mut transaction, change).await?;
        Ok(transaction.commit().await?)
    }

    /// Notes the version that the calling server's agent tells; one that tells none has that with which it registered.
    pub(super) async fn note_agent(
        &self,
        connection: &mut db::Connection,
        caller: ServerCaller,
        told: Option<&str>,
    ) -> Result<(), Error> {
        let Some(told) = told else { return Ok(()) };
        check_text(told, "agent's version")?;
        Ok(db::agents::note_version(connection, caller.server, told).await?)
    }

    /// Why the calling server's agent may not do such a job in its vault, if it may not.
    pub(super) async fn too_old(
        &self,
        connection: &mut db::Connection,
        caller: ServerCaller,
        kind: JobKind,
    ) -> Result<Option<Error>, Error> {
        if kind != JobKind::Backup {
            return Ok(None);
        }
        let Some(minimum) = db::agents::minimum(connection, caller.vault).await? else { return Ok(None) };
        let told = db::agents::version(connection, caller.server).await?;
        let is_enough = AgentVersion::told(&told).is_some_and(|version| is_at_least(version, minimum));
        Ok((!is_enough).then(|| {
            tracing::warn!(server = %caller.server, told, %minimum, "refused a backup by an agent that is too old");
            let why = format!(
                "This server's agent is `{told}`, and the vault takes backups of agents from version {minimum} on; \
                 restores go on"
            );
            Error::refused(ErrorCode::AgentTooOld, why)
        }))
    }
}

/// Whether a version is the minimum or newer. A program does not know which release of its package it came in, so that is not
/// looked at.
fn is_at_least(version: AgentVersion, minimum: AgentVersion) -> bool {
    version.of_program() >= minimum.of_program()
}

/// Whether an agent is older than the newest that is offered, or than the minimum.
pub(crate) fn is_outdated(told: &str, newest: Option<AgentVersion>, minimum: Option<AgentVersion>) -> bool {
    let Some(wanted) = newest.max(minimum) else { return false };
    AgentVersion::told(told).is_none_or(|version| !is_at_least(version, wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, open_request};
    use stateward_api::agent::OpenSessionRequest;

    fn version(text: &str) -> AgentVersion {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn an_agent_below_the_minimum_makes_no_backups_and_restores_all_the_same() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let set = async |minimum: Option<&str>| {
            let minimum = minimum.map(version);
            test.app.set_minimum_agent(&Actor::Task("test"), &test.place(), minimum).await.unwrap();
        };
        let open = async |kind: JobKind, told: Option<&str>| {
            let agent_version = told.map(str::to_owned);
            let request = OpenSessionRequest { kind, agent_version, ..open_request(1) };
            let opened = test.app.open_session(server.caller, &request).await;
            opened.map(drop).map_err(|error| match error {
                Error::Refused { code: ErrorCode::AgentTooOld, message } => message,
                other => panic!("{other}"),
            })
        };
        set(Some("0.2.0-3")).await;
        let why = open(JobKind::Backup, None).await.unwrap_err();
        assert!(why.contains("`0.1.0`") && why.contains("from version 0.2.0-3 on"), "{why}");
        open(JobKind::Backup, Some("stateward 0.1.9")).await.unwrap_err();
        // Though it was refused, the vault knows what it told.
        assert_eq!(test.servers().await[0].agent_version, "stateward 0.1.9");
        open(JobKind::Backup, Some("nonsense")).await.unwrap_err();
        for kind in [JobKind::Restore, JobKind::Verify] {
            open(kind, Some("stateward 0.1.9")).await.unwrap();
        }
        open(JobKind::Backup, Some("stateward 0.2.0")).await.unwrap();
        set(None).await;
        open(JobKind::Backup, Some("stateward 0.1.9")).await.unwrap();
        let acts: Vec<_> = test.audit().await.into_iter().map(|entry| entry.act).collect();
        assert_eq!(acts.iter().filter(|act| *act == "agents.set-minimum").count(), 2);
    }

    #[test]
    fn an_agent_is_outdated_when_something_newer_is_offered_or_wanted() {
        let told = "stateward 0.1.0";
        let newer = Some(version("0.1.1-1"));
        assert!(!is_outdated(told, None, None));
        assert!(!is_outdated(told, Some(version("0.1.0-9")), Some(version("0.0.9"))));
        assert!(is_outdated(told, newer, None) && is_outdated(told, None, newer));
        assert!(is_outdated("nonsense", newer, None) && !is_outdated("nonsense", None, None));
    }
}
