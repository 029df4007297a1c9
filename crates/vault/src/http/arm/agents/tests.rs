//! Packages and versions of agents over the whole router.

use crate::app::audit::Actor;
use crate::app::testing::TestApp;
use crate::http::routes::router;
use crate::http::testing::Client;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

const NAME: &str = "stateward_0.2.0-1_amd64.deb";

/// Offers a package of some pieces of what is in memory at once; gives its bytes.
async fn offer(test: &TestApp, name: &str) -> Vec<u8> {
    let mut bytes = b"!<arch>\ndebian-binary".to_vec();
    bytes.extend((0..700_000u32).map(|number| number as u8));
    let path = test.folder().join(name);
    std::fs::write(&path, &bytes).unwrap();
    test.app.add_package(&Actor::Console, &path).await.unwrap();
    bytes
}

/// What a caller with a token gets.
async fn get(test: &TestApp, path: &str, token: &str) -> (StatusCode, Vec<u8>) {
    let request = Request::builder().uri(path).header("authorization", format!("Bearer {token}"));
    let answer = router(Arc::clone(&test.app)).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    (answer.status(), to_bytes(answer.into_body(), 1 << 22).await.unwrap().to_vec())
}

#[tokio::test]
async fn packages_are_listed_with_their_checksums_and_downloaded_whole() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    let none: Value = client.ok(Method::GET, "{V}/stateward/agentPackages", json!(null)).await;
    assert_eq!(none, json!({ "value": [] }));
    let bytes = offer(&test, NAME).await;
    let list: Value = client.ok(Method::GET, "{V}/stateward/agentPackages", json!(null)).await;
    let (package, properties) = (&list["value"][0], &list["value"][0]["properties"]);
    assert_eq!((&package["name"], &properties["version"]), (&json!(NAME), &json!("0.2.0-1")));
    assert_eq!((&properties["kind"], &properties["architecture"]), (&json!("deb"), &json!("amd64")));
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    assert_eq!(properties["sha256"], stateward_model::package::hex(digest.as_ref()));
    assert_eq!((&properties["sizeBytes"], &properties["signature"]), (&json!(bytes.len()), &json!(null)));
    let one: Value =
        client.ok(Method::GET, &format!("{{V}}/stateward/agentPackages/{NAME}"), json!(null)).await;
    assert_eq!(one, *package);
    let url = properties["downloadUrl"].as_str().unwrap();
    let path = url.strip_prefix("https://vault.example:7443").unwrap();
    let (status, content) = get(&test, path, client.token()).await;
    assert_eq!((status, content == bytes), (StatusCode::OK, true));
    // Both acts are in the log.
    test.app.remove_package(&Actor::Console, NAME).await.unwrap();
    let acts: Vec<_> = test.audit().await.into_iter().map(|entry| entry.act).collect();
    assert_eq!(acts[acts.len() - 2..], ["package.add", "package.remove"]);
    assert_eq!(get(&test, path, client.token()).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn agents_have_the_same_packages_and_nothing_but_packages_is_read() {
    let test = TestApp::new().await;
    let bytes = offer(&test, NAME).await;
    let server = test.server("web-01").await;
    let token = test.app.issue_token(&server.token_request(|_| {})).await.unwrap().access_token;
    let (status, list) = get(&test, "/agent/v1/packages", &token).await;
    let list: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!((status, &list["packages"][0]["file"]), (StatusCode::OK, &json!(NAME)));
    let (status, content) = get(&test, &format!("/agent/v1/packages/{NAME}"), &token).await;
    assert_eq!((status, content == bytes), (StatusCode::OK, true));
    for hostile in
        ["..%2Fvault.json", "index.json", "%2Fetc%2Fpasswd", "..", "x%00", "stateward_0.3.0-1_amd64.deb"]
    {
        let (status, _) = get(&test, &format!("/agent/v1/packages/{hostile}"), &token).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{hostile}");
        let client = Client::contributor(&test).await;
        let path = format!("{{V}}/stateward/agentPackages/{hostile}/content");
        assert_eq!(
            client.call::<Value>(Method::GET, &path, json!(null)).await.0,
            StatusCode::NOT_FOUND,
            "{hostile}"
        );
    }
    // A file that was cut short since is not given out as if it were whole.
    let file = test.folder().join("packages").join(NAME);
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(1000).unwrap();
    let (status, _) = get(&test, &format!("/agent/v1/packages/{NAME}"), &token).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_server_whose_agent_is_behind_is_shown_as_outdated() {
    let test = TestApp::new().await;
    let client = Client::contributor(&test).await;
    test.server("web-01").await;
    let is_outdated = async || -> Value {
        let list: Value = client.ok(Method::GET, "{V}/backupProtectionContainers", json!(null)).await;
        list["value"][0]["properties"]["extendedInfo"]["isOutdated"].clone()
    };
    assert_eq!(is_outdated().await, json!(false));
    offer(&test, "stateward_0.1.0-7_amd64.deb").await;
    assert_eq!(is_outdated().await, json!(false));
    offer(&test, NAME).await;
    assert_eq!(is_outdated().await, json!(true));
    test.app.remove_package(&Actor::Console, NAME).await.unwrap();
    let settings = "{V}/stateward/agentSettings";
    let set: Value =
        client.ok(Method::PUT, settings, json!({ "properties": { "minimumAgentVersion": "0.3.0" } })).await;
    assert_eq!(set["properties"], json!({ "minimumAgentVersion": "0.3.0", "newestAgentVersion": "0.1.0-7" }));
    assert_eq!(is_outdated().await, json!(true));
    let wrong = json!({ "properties": { "minimumAgentVersion": "three" } });
    let (status, _) = client.call::<Value>(Method::PUT, settings, wrong).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let none: Value = client.ok(Method::PUT, settings, json!({ "properties": {} })).await;
    assert_eq!(none["properties"]["minimumAgentVersion"], json!(null));
    assert_eq!(client.ok::<Value>(Method::GET, settings, json!(null)).await, none);
}
