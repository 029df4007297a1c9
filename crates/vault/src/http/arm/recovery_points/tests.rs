//! Recovery points over the whole router.

use super::*;
use crate::app::testing::{TestApp, open_request};
use crate::http::testing::Client;
use axum::http::Method;
use serde_json::{Value, json};
use stateward_model::SessionId;

#[tokio::test]
async fn points_are_shown_with_their_end_and_filtered_by_their_time() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let server = test.server("web-01").await;
    let body = crate::app::testing::policy(30, None);
    let properties = stateward_api::arm::policies::PolicyProperties::of(&body);
    let _: Value =
        client.ok(Method::PUT, "{V}/backupPolicies/daily", json!({ "properties": properties })).await;
    test.give_policy(&server, "daily").await;
    test.app.open_session(server.caller, &open_request(1)).await.unwrap();
    let first = server.point(1, None, &[], |_| {});
    let hash = stateward_format::point::hash(&first);
    test.app.commit_point(server.caller, SessionId([1; 16]), first).await.unwrap();
    let begun = test.app.now();
    test.clock.advance(86_400);
    let second = server.point(2, Some(hash), &[], |_| {});
    test.app.commit_point(server.caller, SessionId([1; 16]), second).await.unwrap();

    // The first token has ended.
    let client = Client::contributor(&test).await;
    let fabric = "{V}/backupFabrics/Azure/protectionContainers";
    let points =
        format!("{fabric}/Windows%3B{}/protectedItems/{}/recoveryPoints", server.caller.server, server.item);
    let list: Value = client.ok(Method::GET, &points, json!(null)).await;
    assert_eq!(list["value"].as_array().unwrap().len(), 2);
    let oldest = &list["value"][1];
    assert_eq!(oldest["name"], hash.to_string());
    let properties = &oldest["properties"];
    assert_eq!(properties["objectType"], "GenericRecoveryPoint");
    let until = begun.plus_seconds(30 * 86_400);
    let lifetime = json!({ "expiryTime": until, "ruleName": "Daily", "isSoftDeleted": false });
    assert_eq!(properties["recoveryPointProperties"], lifetime);
    let info: AdditionalInfo =
        serde_json::from_str(properties["recoveryPointAdditionalInfo"].as_str().unwrap()).unwrap();
    assert!(info.sequence == 1 && info.is_good && !info.is_held);
    assert!(info.reasons[0].starts_with("daily, "), "{:?}", info.reasons);

    let midnight = begun.to_string();
    let day = &midnight[..10];
    let filter =
        format!("startDate eq '{day} 12:00:00 AM' and endDate eq '{day} 11:59:59 PM'").replace(' ', "+");
    let list: Value = client.ok(Method::GET, &format!("{points}?$filter={filter}"), json!(null)).await;
    assert_eq!(list["value"].as_array().unwrap().len(), 1, "{filter}");
    assert_eq!(list["value"][0]["name"], hash.to_string());

    let one = format!("{}/{}", points.replace("%3B", ";"), hash.to_string().to_uppercase());
    let read: Value = client.ok(Method::GET, &one, json!(null)).await;
    assert_eq!(&read, oldest);
    for wrong in [
        format!("{points}/x"),
        format!("{points}/{}", "0".repeat(64)),
        points.replace("Azure", "Other"),
        points.replace("Windows%3B", ""),
        format!("{fabric}/Windows;x/protectedItems/x/recoveryPoints"),
        points.replace(&server.item.to_string(), &server.caller.server.to_string()),
    ] {
        let (status, _) = client.call::<Value>(Method::GET, &wrong, json!(null)).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{wrong}");
    }
    let id = oldest["id"].as_str().unwrap();
    let wish = |id: &str| json!({ "properties": { "recoveryPointId": id, "components": ["configuration"] } });
    for wrong in [
        "",
        "/",
        &id[1..],
        &id.replace("/vaults/", "/vaults/x"),
        &format!("{id}/x"),
        &id.replace("recoveryP", "p"),
    ] {
        let (status, refused) =
            client.call::<Value>(Method::POST, "{V}/stateward/restoreRequests", wish(wrong)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {refused}");
    }
    let spelled = id.replace("protectedItems", "PROTECTEDITEMS");
    let (status, _) =
        client.call::<Value>(Method::POST, "{V}/stateward/restoreRequests", wish(&spelled)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    for (path, body, expected) in [
        (format!("{{V}}/stateward/recoveryPoints/{hash}/undelete"), json!({}), StatusCode::CONFLICT),
        (format!("{{V}}/stateward/recoveryPoints/{hash}/confirmExpiry"), json!(null), StatusCode::CONFLICT),
        ("{V}/stateward/confirmExpiry".to_owned(), json!({ "recoveryPoints": [hash] }), StatusCode::CONFLICT),
        (
            "{V}/stateward/confirmExpiry".to_owned(),
            json!({ "recoveryPoints": ["x"] }),
            StatusCode::BAD_REQUEST,
        ),
        ("{V}/stateward/recoveryPoints/x/undelete".to_owned(), json!({}), StatusCode::NOT_FOUND),
    ] {
        let (status, refused) = client.call::<Value>(Method::POST, &path, body).await;
        assert_eq!(status, expected, "{path}: {refused}");
    }
}

#[tokio::test]
async fn the_clock_is_confirmed_by_who_says_what_time_it_is() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let path = "/subscriptions/sub-1/providers/Microsoft.RecoveryServices/stateward/confirmClock";
    let now = test.app.now();
    let state: Value = client.ok(Method::POST, path, json!({ "time": now })).await;
    assert_eq!(state, json!({ "time": now, "highWater": now }));
    for (body, expected) in [
        (json!({ "time": now.plus_seconds(3_600) }), StatusCode::CONFLICT),
        (json!({}), StatusCode::BAD_REQUEST),
        (json!({ "time": "now" }), StatusCode::BAD_REQUEST),
    ] {
        let (status, _) = client.call::<Value>(Method::POST, path, body).await;
        assert_eq!(status, expected);
    }
}
