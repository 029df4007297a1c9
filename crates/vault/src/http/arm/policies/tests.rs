//! Policies over the whole router, as clients send them.

use crate::app::testing::TestApp;
use crate::http::testing::Client;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

const POLICY: &str = "{V}/backupPolicies/Daily-30";

fn body() -> Value {
    let times = json!(["2026-11-28T02:00:00.000Z"]);
    json!({ "properties": {
        "backupManagementType": "MAB", "timeZone": "Europe/Berlin", "protectedItemsCount": 7,
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times,
            "hourlySchedule": null, "someFieldToCome": [1],
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": times, "retentionDuration": { "count": 30, "durationType": "Days" } },
        },
    } })
}

#[tokio::test]
async fn a_policy_comes_back_with_what_clients_need_and_can_be_sent_again() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let (status, made) = client.call::<Value>(Method::PUT, POLICY, body()).await;
    assert_eq!(
        (status, &made["name"], &made["eTag"]),
        (StatusCode::OK, &json!("Daily-30"), &json!("W/\"1\""))
    );
    let properties = &made["properties"];
    assert_eq!(
        (&properties["backupManagementType"], &properties["protectedItemsCount"]),
        (&json!("MAB"), &json!(0))
    );
    assert!(made["id"].as_str().unwrap().ends_with("/vaults/prod/backupPolicies/Daily-30"), "{made}");
    let again: Value = client.ok(Method::PUT, "{V}/backupPolicies/DAILY-30", made.clone()).await;
    assert_eq!(again, made, "what was read changes nothing");
    let read: Value = client.ok(Method::GET, POLICY, json!(null)).await;
    assert_eq!(read, made);
    let counted = |filter: &'static str| {
        let client = &client;
        async move {
            let path = format!("{{V}}/backupPolicies?%24filter={filter}");
            let list: Value = client.ok(Method::GET, &path, json!(null)).await;
            list["value"].as_array().unwrap().len()
        }
    };
    assert_eq!(counted("backupManagementType+eq+'MAB'").await, 1);
    assert_eq!(
        counted("backupManagementType eq 'MAB' and workloadType eq 'SystemState'".replace(' ', "+").leak())
            .await,
        1
    );
    assert_eq!(counted("backupManagementType+eq+'AzureIaasVM'").await, 0);
    let (status, _) = client.call::<Value>(Method::DELETE, POLICY, json!(null)).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = client.call::<Value>(Method::DELETE, POLICY, json!(null)).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, refused) = client.call::<Value>(Method::GET, POLICY, json!(null)).await;
    assert_eq!((status, &refused["error"]["code"]), (StatusCode::NOT_FOUND, &json!("ResourceNotFound")));
}

#[tokio::test]
async fn hostile_bodies_and_names_are_refused_and_change_nothing() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let with = |pointer: &str, value: Value| {
        let mut body = body();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let times = "/properties/schedulePolicy/scheduleRunTimes";
    let count = "/properties/retentionPolicy/dailySchedule/retentionDuration/count";
    for text in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "{\"properties\":".to_owned(),
        "[".repeat(60_000),
        json!({ "properties": {} }).to_string(),
        with(times, json!("02:00")),
        with(times, json!([1, 2])),
        with(times, json!(["9999999-01-01T02:00:00Z"])),
        with(
            times,
            json!((0..5_000).map(|n| format!("{:02}:{:02}", n / 60 % 24, n % 60)).collect::<Vec<_>>()),
        ),
        with(count, json!(-1)),
        with(count, json!(4_294_967_296_u64)),
        with(count, json!(7.5)),
        with(count, json!(4_294_967_295_u64)),
        with("/properties/timeZone", json!("../../etc/passwd")),
        with("/properties/timeZone", json!("\u{0}")),
        with("/properties/backupManagementType", json!("AzureStorage")),
    ] {
        let (status, refused) = client.text::<Value>(Method::PUT, POLICY, &text).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{text:.100}: {refused}");
        assert!(!refused["error"]["message"].as_str().unwrap().is_empty());
    }
    for name in ["ab", "a_b", "-ab", "ab%00c", "..%2F..", "%F0%9F%92%BE%F0%9F%92%BE"] {
        let path = format!("{{V}}/backupPolicies/{name}");
        let (status, _) = client.call::<Value>(Method::PUT, &path, body()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{name}");
    }
    let list: Value = client.ok(Method::GET, "{V}/backupPolicies", json!(null)).await;
    assert_eq!(list, json!({ "value": [] }));
    let (status, _) =
        client.call::<Value>(Method::GET, "{V}/backupPolicies?$filter=colour+eq+'x'", json!(null)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_preview_tells_what_would_be_kept_in_words() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let moment = test.app.now().plus_seconds(10 * 86_400);
    let question = json!({ "properties": body()["properties"], "moments": [moment] });
    let preview: Value = client.ok(Method::POST, "{V}/stateward/policyPreview", question).await;
    assert_eq!(preview["nextRuns"][0]["planned"]["time"], "02:00");
    assert_eq!(preview["kept"][0]["count"], 10);
    let reasons = preview["kept"][0]["points"][0]["reasons"].to_string();
    assert!(reasons.contains("daily, ") && reasons.contains(", until "), "{reasons}");
    let (status, _) = client.call::<Value>(Method::POST, "{V}/stateward/policyPreview", json!({})).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
