//! Roles in one vault, given and taken over the management API.

use super::*;
use crate::app::testing::{TestApp, create_vault};
use crate::http::testing::Client;
use axum::http::Method;
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_api::token::TokenRequest;

const PRINCIPALS: &str = "{V}/stateward/principals";

fn role(name: &str) -> Value {
    json!({ "properties": { "role": name } })
}

async fn sign_in(app: &App, principal: &arm::PrincipalProperties) -> Result<String, Error> {
    let request = TokenRequest {
        grant_type: "client_credentials".to_owned(),
        client_id: principal.client_id.clone(),
        client_secret: principal.client_secret.clone(),
        client_assertion_type: None,
        client_assertion: None,
    };
    Ok(app.issue_token(&request).await?.access_token)
}

#[tokio::test]
async fn a_principal_is_made_changed_and_revoked_over_both_processes_at_once() {
    let test = TestApp::new().await;
    let other = test.beside().await;
    let client = Client::contributor(&test).await;
    let path = format!("{PRINCIPALS}/watcher");
    let (status, made) = client.call::<arm::Principal>(Method::PUT, &path, role("BackupReader")).await;
    assert_eq!(status, StatusCode::CREATED);
    let made = made.properties;
    assert!(made.scope.ends_with("/vaults/prod"), "{}", made.scope);
    let token = sign_in(&test.app, &made).await.unwrap();
    other.authenticate(&token).await.unwrap();
    let (status, same) = client.call::<arm::Principal>(Method::PUT, &path, role("BackupOperator")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&same.properties.client_id, &same.properties.client_secret), (&made.client_id, &None));
    let all: List<arm::Principal> = client.ok(Method::GET, PRINCIPALS, json!(null)).await;
    let roles: Vec<_> = all
        .value
        .iter()
        .map(|one| (one.properties.display_name.as_str(), one.properties.role.as_str()))
        .collect();
    assert_eq!(roles, [("test", "BackupContributor"), ("watcher", "BackupOperator")]);
    let own = format!("{PRINCIPALS}/{}", made.client_id);
    let (status, _) = client.call::<Value>(Method::DELETE, &own, json!(null)).await;
    assert_eq!(status, StatusCode::OK);
    for app in [&test.app, &other] {
        assert!(matches!(app.authenticate(&token).await, Err(Error::InvalidToken)));
        assert!(matches!(sign_in(app, &made).await, Err(Error::InvalidClient(_))));
    }
    let (status, _) = client.call::<Value>(Method::DELETE, &own, json!(null)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let acts: Vec<_> = test.audit().await.into_iter().map(|entry| entry.act).collect();
    for act in ["principal.create", "principal.grant", "principal.withdraw", "principal.delete"] {
        assert!(acts.iter().any(|found| found == act), "{act}");
    }
}

#[tokio::test]
async fn whoever_has_roles_elsewhere_keeps_them_and_is_given_none_beyond() {
    let test = TestApp::new().await;
    create_vault(&test.app, "other").await.unwrap();
    let there = Assignment::at(Role::Contributor, Some("default"), Some("PROD")).unwrap();
    let client = Client::new(&test, &there).await;
    let elsewhere =
        Client::new(&test, &Assignment::at(Role::Reader, Some("default"), Some("other")).unwrap()).await;
    let path = format!("{PRINCIPALS}/{}", elsewhere.client_id);
    let given: arm::Principal = client.ok(Method::PUT, &path, role("BackupOperator")).await;
    assert_eq!(given.properties.role, "BackupOperator");
    let (status, _) = client.call::<Value>(Method::DELETE, &path, json!(null)).await;
    assert_eq!(status, StatusCode::OK);
    let known = test.app.principals().await.unwrap();
    let known = known.iter().find(|known| known.client_id == elsewhere.client_id).unwrap();
    assert_eq!(known.assignments.len(), 1);
    let (status, refused) = client.call::<Value>(Method::PUT, &path, role("Owner")).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::BAD_REQUEST, &json!("InvalidRequest")));
    let (status, _) = elsewhere.call::<Value>(Method::PUT, &path, role("BackupContributor")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_guarded_vault_gets_no_second_contributor_by_one_alone() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let _: Value = client
        .ok(Method::PUT, "{V}/backupResourceGuardProxies/VaultProxy", json!({ "properties": {} }))
        .await;
    let path = format!("{PRINCIPALS}/accomplice");
    let (status, refused) = client.call::<Value>(Method::PUT, &path, role("BackupContributor")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert_eq!(refused["error"]["code"], json!(ErrorCode::ApprovalRequired));
    let _: Value = client.ok(Method::PUT, &path, role("BackupReader")).await;
    let again = client.call::<Value>(Method::PUT, &path, role("BackupContributor")).await;
    assert_eq!(again.0, StatusCode::FORBIDDEN);
}
