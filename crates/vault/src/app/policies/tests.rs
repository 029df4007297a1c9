//! What may become of policies.

use super::*;
use crate::app::testing::{TestApp, policy, prod};
use crate::app::vaults::VaultChange;

fn actor() -> Actor {
    Actor::Principal("ops".to_owned())
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> (ErrorCode, String) {
    match result.unwrap_err() {
        Error::Refused { code, message } => (code, message),
        other => panic!("{other:?}"),
    }
}

async fn put(test: &TestApp, name: &str, body: stateward_model::Policy) -> Result<(Policy, bool), Error> {
    Box::pin(test.app.put_policy(&actor(), &prod(), name, body, None)).await
}

async fn make_immutable(test: &TestApp) {
    let change = VaultChange { immutability: Some(Immutability::Unlocked), ..VaultChange::default() };
    test.app.update_vault(&actor(), &prod(), change, None).await.unwrap();
}

#[tokio::test]
async fn a_policy_is_made_changed_and_deleted() {
    let test = TestApp::new().await;
    let (made, is_new) = put(&test, "Daily-30", policy(30, None)).await.unwrap();
    assert!(is_new);
    let (same, is_new) = put(&test, "daily-30", policy(30, None)).await.unwrap();
    assert_eq!((&same, is_new), (&made, false), "the same again changes nothing");
    let longer = policy(31, None);
    let stale = test.app.put_policy(&actor(), &prod(), "daily-30", longer.clone(), Some(2)).await;
    assert_eq!(code(stale).0, ErrorCode::PreconditionFailed);
    let (changed, _) =
        test.app.put_policy(&actor(), &prod(), "daily-30", longer.clone(), Some(1)).await.unwrap();
    assert_eq!((changed.id, changed.name.as_str(), changed.revision), (made.id, "Daily-30", 2));
    assert_eq!(test.app.policy(&prod(), "DAILY-30").await.unwrap(), changed);
    put(&test, "archive", longer.clone()).await.unwrap();
    let names: Vec<_> =
        test.app.policies(&prod()).await.unwrap().into_iter().map(|p| p.name.to_string()).collect();
    assert_eq!(names, ["archive", "Daily-30"]);

    let stale = test.app.delete_policy(&actor(), &prod(), "daily-30", Some(1)).await;
    assert_eq!(code(stale).0, ErrorCode::PreconditionFailed);
    assert!(test.app.delete_policy(&actor(), &prod(), "daily-30", Some(2)).await.unwrap());
    assert!(!test.app.delete_policy(&actor(), &prod(), "daily-30", None).await.unwrap());
    assert!(matches!(test.app.policy(&prod(), "daily-30").await, Err(Error::NotFound(_))));
    let new = test.app.put_policy(&actor(), &prod(), "daily-30", longer, Some(2)).await;
    assert_eq!(code(new).0, ErrorCode::PreconditionFailed, "there is none that could be changed");
    assert!(matches!(put(&test, "a_b", policy(7, None)).await, Err(Error::InvalidRequest(_))));
    assert!(test.app.check_audit().await.unwrap().is_intact);
}

#[tokio::test]
async fn a_policy_that_items_have_is_not_deleted() {
    let test = TestApp::new().await;
    let server = test.server("web-01").await;
    put(&test, "daily", policy(30, None)).await.unwrap();
    test.give_policy(&server, "daily").await;
    let (refused, text) = code(test.app.delete_policy(&actor(), &prod(), "daily", None).await);
    assert_eq!(refused, ErrorCode::PolicyInUse);
    assert!(text.contains("1 item and 0 deleted items"), "{text}");
    assert_eq!(test.app.policy(&prod(), "daily").await.unwrap().items, 1);
}

#[tokio::test]
async fn a_policy_that_keeps_less_is_told_of_and_an_immutable_vault_has_none() {
    let test = TestApp::new().await;
    let vault = test.app.vault_at(&prod()).await.unwrap().id;
    put(&test, "daily", policy(30, Some(8))).await.unwrap();
    assert!(test.app.alerts(vault).await.unwrap().is_empty());
    put(&test, "daily", policy(14, Some(8))).await.unwrap();
    let alerts = test.app.alerts(vault).await.unwrap();
    assert_eq!(
        (alerts.len(), alerts[0].severity, alerts[0].kind.as_str()),
        (1, Severity::Critical, SHORTENED)
    );
    assert!(alerts[0].message.contains("shortened from 30 to 14 days"), "{}", alerts[0].message);
    let log =
        db::audit::list(&mut test.app.database.read().await.unwrap(), Some(vault), 0, 100).await.unwrap();
    assert!(log.last().unwrap().detail.contains("keepShortened"), "{:?}", log.last());

    make_immutable(&test).await;
    let (refused, text) = code(put(&test, "daily", policy(13, None)).await);
    assert_eq!(refused, ErrorCode::VaultImmutable);
    assert!(text.contains("from 14 to 13 days") && text.contains("weekly retention removed"), "{text}");
    put(&test, "daily", policy(15, Some(8))).await.unwrap();
    put(&test, "short", policy(7, None)).await.unwrap();
}

#[tokio::test]
async fn a_vault_has_200_policies_at_most() {
    let test = TestApp::new().await;
    for number in 0..POLICIES_MAX {
        put(&test, &format!("policy-{number}"), policy(7, None)).await.unwrap();
    }
    let (refused, text) = code(put(&test, "one-more", policy(7, None)).await);
    assert_eq!(refused, ErrorCode::LimitReached);
    assert!(text.contains("200 policies"), "{text}");
    put(&test, "policy-0", policy(8, None)).await.unwrap();
}

#[tokio::test]
async fn a_guarded_vault_shortens_a_policy_with_consent_to_that_very_change() {
    let test = TestApp::new().await;
    put(&test, "long", policy(30, None)).await.unwrap();
    test.app.put_guard(&actor(), &prod(), "VaultProxy", json!({})).await.unwrap();
    put(&test, "long", policy(60, None)).await.unwrap();
    assert_eq!(code(put(&test, "long", policy(7, None)).await).0, ErrorCode::ApprovalRequired);
    let waiting = test.app.approvals(&prod()).await.unwrap();
    assert!(waiting[0].subject.contains("from 60 to 7"), "{}", waiting[0].subject);
    let other = Actor::Principal("other".to_owned());
    test.app.approve(&other, &prod(), waiting[0].id).await.unwrap();
    assert_eq!(code(put(&test, "long", policy(8, None)).await).0, ErrorCode::ApprovalRequired);
    put(&test, "long", policy(7, None)).await.unwrap();
}
