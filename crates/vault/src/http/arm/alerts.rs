//! Alerts.

use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::alerts::Alert;
use crate::app::{App, Error};
use crate::http::extract::Segments;
use axum::Json as Answer;
use axum::extract::State;
use stateward_api::arm::alerts as arm;
use stateward_api::arm::{List, PROVIDER};
use stateward_model::AlertId;
use std::sync::Arc;

type AppState = State<Arc<App>>;

fn shown(vault: &str, alert: Alert) -> arm::Alert {
    let state = if alert.resolved_at.is_some() { "Resolved" } else { "Open" };
    arm::Alert {
        id: format!("{vault}/stateward/alerts/{}", alert.id),
        name: alert.id.to_string(),
        r#type: format!("{PROVIDER}/vaults/stateward/alerts"),
        properties: arm::AlertProperties {
            severity: format!("{:?}", alert.severity),
            kind: alert.kind,
            state: state.to_owned(),
            subject: alert.subject,
            message: alert.message,
            raised_at: alert.raised_at,
            resolved_at: alert.resolved_at,
        },
    }
}

/// `GET {vault}/stateward/alerts`
pub(in crate::http) async fn list_alerts(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Alert>>, Error> {
    let filter = query.filter(&["state", "severity", "kind"])?;
    let vault = app.vault_at(&manager.place).await?;
    let id = id_of(&app, &vault);
    let all = app.alerts(vault.id).await?.into_iter().map(|alert| shown(&id, alert));
    let wanted = all.filter(|alert| {
        let arm::AlertProperties { state, severity, kind, .. } = &alert.properties;
        filter.admits("state", state) && filter.admits("severity", severity) && filter.admits("kind", kind)
    });
    Ok(Answer(query.page(&app, wanted.collect())))
}

/// `POST {vault}/stateward/alerts/{id}/resolve`
pub(in crate::http) async fn resolve_alert(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, id)): Segments<(String, String, String, String)>,
) -> Result<Answer<arm::Alert>, Error> {
    let unknown = || Error::not_found(format!("alert `{id}`"));
    let alert: AlertId = id.parse().map_err(|_| unknown())?;
    let resolved = app.resolve_alert(&manager.actor(), &manager.place, alert).await?;
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(shown(&id_of(&app, &vault), resolved)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use crate::http::testing::Client;
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn alerts_are_filtered_and_resolved_once() {
        let test = TestApp::new().await;
        let client = Client::contributor(&test).await;
        let change = |days: u32| json!({ "properties": { "softDeleteRetentionPeriodInDays": days } });
        for days in [30, 20] {
            let _: Value = client.ok(Method::PATCH, "{V}/backupconfig/vaultconfig", change(days)).await;
        }
        let list = async |filter: &str| -> Vec<arm::Alert> {
            let path = format!("{{V}}/stateward/alerts?$filter={filter}");
            client.ok::<List<arm::Alert>>(Method::GET, &path, json!(null)).await.value
        };
        let open = list("state%20eq%20'open'%20and%20severity%20eq%20'Warning'").await;
        assert_eq!(open[0].properties.kind, "soft-delete-shortened");
        assert!(list("severity%20eq%20'Critical'").await.is_empty());
        let path = format!("{{V}}/stateward/alerts/{}/resolve", open[0].name);
        let resolved: arm::Alert = client.ok(Method::POST, &path, json!(null)).await;
        assert_eq!(resolved.properties.state, "Resolved");
        assert_eq!(list("state%20eq%20'Resolved'").await[0].properties, resolved.properties);
        test.clock.advance(5);
        let again: arm::Alert = client.ok(Method::POST, &path, json!(null)).await;
        assert_eq!(again.properties, resolved.properties);
        for unknown in ["none", "00000000-0000-4000-8000-000000000000"] {
            let path = format!("{{V}}/stateward/alerts/{unknown}/resolve");
            let (status, _) = client.call::<Value>(Method::POST, &path, json!(null)).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
        }
    }
}
