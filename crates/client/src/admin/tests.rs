//! What all calls of an administrator have in common, against a real TLS server.

use super::*;
use crate::test_server::{Authority, TestServer, administrator, connect, json, refused, token};
use serde_json::json as body;
use stateward_api::ErrorCode;
use stateward_engine::Cancellation;
use std::sync::Mutex;

const SUBSCRIPTION: &str = "/subscriptions/s-1";

fn client(authority: &Authority, server: &TestServer) -> AdminClient {
    AdminClient::new(connect(authority, &server.url(), administrator(), 0, &Cancellation::default()))
}

fn subscriptions() -> serde_json::Value {
    body!({ "value": [{
        "id": SUBSCRIPTION, "subscriptionId": "s-1", "tenantId": "t", "displayName": "S", "state": "Enabled",
    }] })
}

fn group(name: &str) -> serde_json::Value {
    body!({
        "id": format!("{SUBSCRIPTION}/resourceGroups/{name}"), "name": name, "type": "Microsoft.Resources/resourceGroups",
        "location": "local", "tags": {}, "properties": { "provisioningState": "Succeeded" },
    })
}

#[test]
fn a_list_is_read_to_its_last_page_whatever_host_its_links_name() {
    let authority = Authority::new();
    let asked = std::sync::Arc::new(Mutex::new(Vec::new()));
    let server = TestServer::start(&authority, {
        let asked = asked.clone();
        move |request| match request.line.as_str() {
            "GET /subscriptions" => json(&subscriptions()),
            "GET /subscriptions/s-1/resourceGroups" => {
                asked.lock().unwrap().push(request.query.clone());
                let link = format!(
                    "https://elsewhere.invalid{SUBSCRIPTION}/resourceGroups?api-version=1&%24skipToken=1"
                );
                match request.query.contains("skipToken") {
                    true => json(&body!({ "value": [group("b")] })),
                    false => json(&body!({ "value": [group("a")], "nextLink": link })),
                }
            }
            line if line.starts_with("POST /tenant/") => token("t"),
            line => panic!("{line}"),
        }
    });
    let client = client(&authority, &server);
    let names: Vec<String> = client.groups().unwrap().into_iter().map(|group| group.name).collect();
    assert_eq!(names, ["a", "b"]);
    client.groups().unwrap();
    let version = format!("api-version={}", stateward_api::arm::VERSION);
    let asked = asked.lock().unwrap();
    assert_eq!(asked[..2], [version, "api-version=1&%24skipToken=1".to_owned()]);
    assert_eq!(asked.len(), 4);
}

#[test]
fn what_is_not_there_is_told_from_what_is_refused() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |request| match request.line.as_str() {
        "GET /subscriptions" => json(&subscriptions()),
        line if line.ends_with("/absent") => refused(ErrorCode::NotFound, "There is no vault `absent`"),
        line if line.ends_with("/secret") => refused(ErrorCode::Forbidden, "No"),
        line if line.starts_with("POST /tenant/") => token("t"),
        line => panic!("{line}"),
    });
    let client = client(&authority, &server);
    let group = "default".parse().unwrap();
    let find = |name: &str| client.find_vault(&name.parse().unwrap(), Some(&group));
    assert!(matches!(find("absent"), Ok(None)));
    assert!(matches!(find("secret"), Err(CallError::Refused(detail)) if detail.code == ErrorCode::Forbidden));
}
