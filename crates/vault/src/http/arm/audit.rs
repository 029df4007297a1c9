//! The audit log.

use super::place::Manager;
use super::query::{PAGE, Query};
use crate::app::audit::Entry;
use crate::app::{App, Error};
use axum::Json as Answer;
use axum::extract::State;
use serde_json::Value;
use stateward_api::arm::List;
use stateward_api::arm::audit::{AuditCheck, AuditEntry};
use std::sync::Arc;

type AppState = State<Arc<App>>;

fn shown(entry: Entry) -> AuditEntry {
    AuditEntry {
        number: entry.number,
        at: entry.at,
        actor: entry.actor,
        act: entry.act,
        subject: entry.subject,
        detail: serde_json::from_str(&entry.detail).unwrap_or(Value::Null),
        hash: blake3::Hash::from_bytes(entry.hash).to_hex().to_string(),
    }
}

/// `GET {vault}/stateward/auditLog`
pub(in crate::http) async fn list_audit(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<AuditEntry>>, Error> {
    let mut entries = app.audit_of(&manager.place, query.after(), PAGE + 1).await?;
    let is_last = entries.len() <= PAGE;
    entries.truncate(PAGE);
    let next = entries.last().filter(|_| !is_last).map(|entry| entry.number);
    let next_link = next.map(|number| query.next_link(&app, &number.to_string()));
    Ok(Answer(List { value: entries.into_iter().map(shown).collect(), next_link }))
}

/// `GET {vault}/stateward/auditLog/verify`
pub(in crate::http) async fn check_audit(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<AuditCheck>, Error> {
    app.vault_at(&manager.place).await?;
    Ok(Answer(app.check_audit().await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use crate::http::testing::Client;
    use axum::http::Method;
    use serde_json::json;

    #[tokio::test]
    async fn a_vaults_log_comes_in_pages_with_hashes_that_fit() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        for number in 0..250 {
            let tags = json!({ "tags": { "number": number.to_string() } });
            let _: Value = client.ok(Method::PATCH, "{V}", tags).await;
        }
        let (mut path, mut seen) = ("{V}/stateward/auditLog".to_owned(), Vec::new());
        loop {
            let page: List<AuditEntry> = client.ok(Method::GET, &path, json!(null)).await;
            assert!(page.value.len() <= PAGE);
            seen.extend(page.value);
            let Some(next) = page.next_link else { break };
            path = next.replace(&test.app.config.url, "").replace("api-version=2024-04-01", "x=y");
        }
        assert_eq!(seen.iter().filter(|entry| entry.act == "vault.update").count(), 250);
        assert!(seen.iter().all(|entry| entry.act != "principal.create"), "those are of the subscription");
        assert!(seen.is_sorted_by_key(|entry| entry.number));
        let check: AuditCheck = client.ok(Method::GET, "{V}/stateward/auditLog/verify", json!(null)).await;
        assert!(check.is_intact);
        assert_eq!(check.last_hash, seen.last().map(|entry| entry.hash.clone()));
    }
}
