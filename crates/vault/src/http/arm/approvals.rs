//! Approvals.

use super::place::Manager;
use super::query::Query;
use super::vaults::id_at;
use crate::app::approvals::Approval;
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::arm::approvals as arm;
use stateward_api::arm::{List, PROVIDER};
use std::sync::Arc;

type AppState = State<Arc<App>>;

fn state(app: &App, approval: &Approval) -> arm::ApprovalState {
    match approval {
        Approval { used_at: Some(_), .. } => arm::ApprovalState::Used,
        Approval { expires_at, .. } if *expires_at <= app.now() => arm::ApprovalState::Expired,
        Approval { approved: Some(_), .. } => arm::ApprovalState::Approved,
        _ => arm::ApprovalState::Waiting,
    }
}

fn shown(app: &App, vault: &str, approval: Approval) -> arm::Approval {
    let state = state(app, &approval);
    let (approved_by, approved_at) = approval.approved.unzip();
    arm::Approval {
        id: format!("{vault}/stateward/approvals/{}", approval.id),
        name: approval.id.to_string(),
        r#type: format!("{PROVIDER}/vaults/stateward/approvals"),
        properties: arm::ApprovalProperties {
            act: approval.act,
            subject: approval.subject,
            state,
            asked_by: approval.asked_by,
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            approved_by,
            approved_at,
            used_at: approval.used_at,
        },
    }
}

/// `GET {vault}/stateward/approvals`
pub(in crate::http) async fn list_approvals(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Approval>>, Error> {
    let vault = id_at(&app, &manager).await?;
    let all = app.approvals(&manager.place).await?;
    Ok(Answer(query.page(&app, all.into_iter().map(|approval| shown(&app, &vault, approval)).collect())))
}

/// `POST {vault}/stateward/approvals`
pub(in crate::http) async fn ask_for_approval(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<arm::ApprovalRequest>,
) -> Result<(StatusCode, Answer<arm::Approval>), Error> {
    let arm::ApprovalRequestProperties { act, subject } = request.properties;
    let asked = app.ask_for_approval(&manager.actor(), &manager.place, &act, &subject).await?;
    Ok((StatusCode::CREATED, Answer(shown(&app, &id_at(&app, &manager).await?, asked))))
}

/// `POST {vault}/stateward/approvals/{id}/approve`
pub(in crate::http) async fn approve(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, id)): Segments<(String, String, String, String)>,
) -> Result<Answer<arm::Approval>, Error> {
    let id = id.parse().map_err(|_| Error::not_found(format!("approval `{id}`")))?;
    let approved = app.approve(&manager.actor(), &manager.place, id).await?;
    Ok(Answer(shown(&app, &id_at(&app, &manager).await?, approved)))
}

#[cfg(test)]
mod tests {
    use crate::app::testing::TestApp;
    use crate::http::testing::Client;
    use axum::http::{Method, StatusCode};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn two_contributors_remove_a_guard_as_azures_client_does() {
        let test = TestApp::new().await;
        let (one, two) = (Client::contributor(&test).await, Client::contributor(&test).await);
        let proxy = "{V}/backupResourceGuardProxies/VaultProxy";
        let none: Value = one.ok(Method::GET, "{V}/backupResourceGuardProxies", json!(null)).await;
        assert_eq!(none, json!({ "value": [] }));
        let body =
            json!({ "properties": { "resourceGuardResourceId": "/subscriptions/x/resourceGuards/g" } });
        let set: Value = one.ok(Method::PUT, proxy, body).await;
        assert_eq!(set["properties"]["resourceGuardResourceId"], "/subscriptions/x/resourceGuards/g");
        assert_eq!(set["properties"]["resourceGuardOperationDetails"].as_array().unwrap().len(), 6);
        let vault: Value = one.ok(Method::GET, "{V}", json!(null)).await;
        assert_eq!(vault["properties"]["securitySettings"]["multiUserAuthorization"], "Enabled");
        let (status, refused) = one.call::<Value>(Method::DELETE, proxy, json!(null)).await;
        assert_eq!((status, &refused["error"]["code"]), (StatusCode::FORBIDDEN, &json!("ApprovalRequired")));
        let waiting: Value = two.ok(Method::GET, "{V}/stateward/approvals", json!(null)).await;
        let waiting = &waiting["value"][0];
        assert_eq!(
            (&waiting["properties"]["act"], &waiting["properties"]["state"]),
            (&json!("guard.delete"), &json!("Waiting"))
        );
        let name = waiting["name"].as_str().unwrap();
        assert!(refused["error"]["message"].as_str().unwrap().contains(name), "{refused}");
        let unlock = format!("{proxy}/unlockDelete");
        let (status, _) = one.call::<Value>(Method::POST, &unlock, json!(null)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let approve = format!("{{V}}/stateward/approvals/{name}/approve");
        let (status, _) = one.call::<Value>(Method::POST, &approve, json!(null)).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        let approved: Value = two.ok(Method::POST, &approve, json!(null)).await;
        assert_eq!(approved["properties"]["state"], "Approved");
        let unlocked: Value =
            one.ok(Method::POST, &unlock, json!({ "resourceGuardOperationRequests": [] })).await;
        assert!(unlocked["unlockDeleteExpiryTime"].is_string());
        let (status, _) = one.call::<Value>(Method::DELETE, proxy, json!(null)).await;
        assert_eq!(status, StatusCode::OK);
        let (status, _) = one.call::<Value>(Method::DELETE, proxy, json!(null)).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _) = one.call::<Value>(Method::GET, proxy, json!(null)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
