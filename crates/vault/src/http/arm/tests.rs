//! Servers, items, jobs and operations as clients see them: the fields that they need, filters, statuses and headers.

use crate::app::audit::Actor;
use crate::app::principals::{Assignment, Role};
use crate::app::testing::{TestApp, TestServer};
use crate::http::router;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::{Value, json};
use stateward_api::agent::JobReport;
use stateward_api::token::TokenRequest;
use stateward_model::{JobId, JobKind, JobState, Phase};
use std::sync::Arc;
use tower::ServiceExt as _;

/// A client of one vault.
struct Client {
    test: TestApp,
    router: Router,
    token: String,
    vault: String,
}

impl Client {
    async fn new() -> Self {
        let test = TestApp::new().await;
        let contributor = Assignment::everywhere(Role::Contributor);
        let made = test.app.create_principal(&Actor::Console, "test", &contributor).await.unwrap();
        let request = TokenRequest {
            grant_type: "client_credentials".to_owned(),
            client_id: made.client_id,
            client_secret: Some(made.client_secret),
            client_assertion_type: None,
            client_assertion: None,
        };
        let token = test.app.issue_token(&request).await.unwrap().access_token;
        let vault = stateward_api::arm::vault_id(&test.app.config.subscription, "default", "prod");
        Self { router: router(Arc::clone(&test.app)), test, token, vault }
    }

    /// A call about a path in the vault, with a `$filter`; its status, headers and body.
    async fn call(
        &self,
        method: &str,
        path: &str,
        filter: &str,
        body: Option<Value>,
    ) -> (u16, HeaderMap, Value) {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("api-version", "2024-04-01");
        if !filter.is_empty() {
            query.append_pair("$filter", filter);
        }
        let path = if path.starts_with("/subscriptions") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.vault)
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?{}", query.finish()))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// What a list has that a filter lets through.
    async fn list(&self, path: &str, filter: &str) -> Vec<Value> {
        let (status, _, body) = self.call("GET", path, filter, None).await;
        assert_eq!(status, 200, "{path} {filter}: {body}");
        body["value"].as_array().unwrap().clone()
    }
}

/// The fields that are not there or not of that kind, with `null` taken for any.
fn missing<'a>(value: &Value, fields: &[&'a str]) -> Vec<&'a str> {
    let is_there = |field: &str| value.pointer(&format!("/{}", field.replace('.', "/"))).is_some();
    fields.iter().copied().filter(|field| !is_there(field)).collect()
}

fn report(server: &TestServer, number: u8, state: JobState, client: &Client) -> JobReport {
    let now = client.test.app.now();
    JobReport {
        job: JobId([number; 16]),
        kind: JobKind::Backup,
        item: Some(server.item),
        state,
        phase: Phase::Transferring,
        started_at: now,
        ended_at: state.is_ended().then_some(now),
        files: 1,
        bytes: 2,
        moved_bytes: 3,
        warnings: 0,
        error_code: (state == JobState::Failed).then(|| "disk-full".to_owned()),
        point: None,
        is_paused: false,
    }
}

#[tokio::test]
async fn servers_have_the_fields_that_clients_need_and_are_found_by_filters() {
    let client = Client::new().await;
    let server = client.test.server("web-01").await;
    client.test.server("web-02").await;
    let path = "backupProtectionContainers";
    let az = "backupManagementType eq 'MAB' and status eq 'Registered'";
    for (filter, count) in [
        ("", 2),
        (az, 2),
        (&format!("{az} and friendlyName eq 'WEB-01'"), 1),
        ("friendlyName eq 'it''s'", 0),
        ("backupManagementType eq 'AzureIaasVM'", 0),
        ("status eq 'NotRegistered'", 0),
    ] {
        assert_eq!(client.list(path, filter).await.len(), count, "{filter}");
    }
    assert_eq!(client.call("GET", path, "colour eq 'red'", None).await.0, 400);
    let found = client.list(path, "friendlyName eq 'web-01'").await.remove(0);
    assert_eq!(found["name"], format!("Windows;{}", server.caller.server));
    let fields = [
        "id",
        "type",
        "properties.friendlyName",
        "properties.registrationStatus",
        "properties.agentVersion",
        "properties.containerId",
        "properties.mabContainerHealthDetails",
        "properties.extendedInfo.lastRefreshedAt",
        "properties.extendedInfo.operatingSystem",
    ];
    assert_eq!(missing(&found, &fields), [""; 0]);
    assert_eq!(found["properties"]["containerType"], "Windows");
    assert_eq!(found["properties"]["extendedInfo"]["backupItems"], json!(["System"]));
    // By its path, which clients write in either way.
    let id = found["id"].as_str().unwrap();
    for path in [id.to_owned(), id.replace(';', "%3B").replace("backupFabrics/Azure", "BACKUPFABRICS/azure")]
    {
        assert_eq!(client.call("GET", &path, "", None).await.2["name"], found["name"], "{path}");
    }
    assert_eq!(client.call("DELETE", "registeredIdentities/web-01", "", None).await.0, 204);
    let gone = client.list(path, "status eq 'NotRegistered'").await;
    assert_eq!(gone[0]["name"], found["name"]);
    assert_eq!(client.list("backupDeletedProtectionContainers", "").await, gone);
    assert_eq!(client.call("DELETE", "registeredIdentities/nobody", "", None).await.0, 404);
}

#[tokio::test]
async fn an_item_is_shown_and_its_deletion_is_polled_to_its_job() {
    let client = Client::new().await;
    client.test.server("web-01").await;
    let by_kind = "backupManagementType eq 'MAB' and itemType eq 'SystemState'";
    let item = client.list("backupProtectedItems", by_kind).await.remove(0);
    assert!(client.list("backupProtectedItems", "itemType eq 'FileFolder'").await.is_empty());
    let fields = [
        "properties.friendlyName",
        "properties.containerName",
        "properties.lastBackupStatus",
        "properties.lastRecoveryPoint",
        "properties.workloadType",
        "properties.policyId",
        "properties.extendedInfo.recoveryPointCount",
    ];
    assert_eq!(missing(&item, &fields), [""; 0]);
    assert_eq!(item["properties"]["protectedItemType"], "MabFileFolderProtectedItem");
    assert_eq!(item["properties"]["protectionState"], "IRPending");
    let path = item["id"].as_str().unwrap();
    assert_eq!(client.call("GET", path, "expand eq 'extendedinfo'", None).await.0, 200);
    // What a client sends back as it read it changes nothing.
    let (status, headers, same) = client.call("PUT", path, "", Some(item.clone())).await;
    assert_eq!((status, headers.get("azure-asyncoperation"), &same), (200, None, &item));
    let (status, headers, _) = client.call("DELETE", path, "", None).await;
    assert_eq!(status, 202);
    let address = |name: &str| {
        let address = headers[name].to_str().unwrap().split('?').next().unwrap().to_owned();
        address.strip_prefix("https://vault.example:7443").unwrap().to_owned()
    };
    let operation = address("azure-asyncoperation");
    let id = operation.rsplit('/').next().unwrap();
    for place in [&operation, &format!("backupOperations/{id}"), &format!("operationStatus/{id}")] {
        let (status, _, told) = client.call("GET", place, "", None).await;
        assert_eq!((status, &told["status"]), (200, &json!("Succeeded")), "{place}");
        assert_eq!(told["properties"]["objectType"], "OperationStatusJobExtendedInfo");
        let job = format!("backupJobs/{}", told["properties"]["jobId"].as_str().unwrap());
        let job = client.call("GET", &job, "", None).await.2;
        assert_eq!(job["properties"]["operation"], "DeleteBackupData");
    }
    assert!(headers.contains_key("retry-after"));
    assert_eq!(client.call("GET", &address("location"), "", None).await.0, 204);
    let deleted = client.call("GET", path, "", None).await.2["properties"].clone();
    assert_eq!(deleted["isScheduledForDeferredDelete"], true);
    assert_eq!(deleted["deferredDeleteTimeRemaining"], "P14DT0S");
    assert_eq!(deleted["protectionState"], "ProtectionStopped");
    assert_eq!(client.call("DELETE", path, "", None).await.0, 204);
}

#[tokio::test]
async fn jobs_have_tasks_errors_with_advice_and_are_found_by_filters() {
    let client = Client::new().await;
    let server = client.test.server("web-01").await;
    for (number, state) in [(1, JobState::Failed), (2, JobState::Running), (3, JobState::Completed)] {
        let report = report(&server, number, state, &client);
        client.test.app.put_job(server.caller, report.job, &report).await.unwrap();
        client.test.clock.advance(20);
    }
    for (filter, count) in [
        ("", 3),
        ("status eq 'InProgress' and operation eq 'Backup' and backupManagementType eq 'MAB'", 1),
        ("status eq 'failed'", 1),
        ("operation eq 'Restore'", 0),
        ("backupManagementType eq 'AzureIaasVM'", 0),
        (&format!("jobId eq '{}'", JobId([3; 16])), 1),
        ("startTime eq '2001-01-01 12:00:00 AM' and endTime eq '2002-01-01 12:00:00 AM'", 0),
        ("startTime eq '2001-01-01 12:00:00 AM' and endTime eq '2201-01-01 12:00:00 AM'", 3),
    ] {
        assert_eq!(client.list("backupJobs", filter).await.len(), count, "{filter}");
    }
    let wrong = "startTime eq '2002-01-01 12:00:00 AM' and endTime eq '2001-01-01 12:00:00 AM'";
    assert_eq!(client.call("GET", "backupJobs", wrong, None).await.0, 400);
    let job = client.call("GET", &format!("backupJobs/{}", JobId([1; 16])), "", None).await.2;
    assert_eq!(job["properties"]["jobType"], "MabJob");
    assert_eq!(job["properties"]["entityFriendlyName"], "System");
    let error = &job["properties"]["errorDetails"][0];
    assert!(error["errorString"].as_str().unwrap().contains("disk-full"), "{error}");
    assert!(error["recommendations"][0].as_str().unwrap().contains("stateward explain disk-full"), "{error}");
    let states: Vec<_> = job["properties"]["extendedInfo"]["tasksList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["Completed", "Completed", "Failed", "NotStarted"]);
    let running = format!("backupJobs/{}", JobId([2; 16]));
    let actions = client.call("GET", &running, "", None).await.2["properties"]["actionsInfo"].clone();
    assert_eq!(actions, json!(["Cancellable"]));
    assert_eq!(client.call("POST", &format!("{running}/cancel"), "", None).await.0, 202);
    let status = client.call("GET", &running, "", None).await.2["properties"]["status"].clone();
    assert_eq!(status, "Cancelling");
}

#[tokio::test]
async fn a_job_that_a_person_made_wait_goes_on_for_azures_clients_and_says_so() {
    let client = Client::new().await;
    let server = client.test.server("web-01").await;
    let at = format!("backupJobs/{}", JobId([2; 16]));
    let mut told = Vec::new();
    for is_paused in [true, false] {
        let report = JobReport { is_paused, ..report(&server, 2, JobState::Running, &client) };
        client.test.app.put_job(server.caller, report.job, &report).await.unwrap();
        let properties = client.call("GET", &at, "", None).await.2["properties"].clone();
        let state = properties["extendedInfo"]["propertyBag"]["State on the server"].clone();
        told.push((properties["status"].clone(), state));
    }
    assert_eq!(told, [(json!("InProgress"), json!("Paused")), (json!("InProgress"), json!("Running"))]);
    let paused = JobReport { is_paused: true, ..report(&server, 2, JobState::Running, &client) };
    client.test.app.put_job(server.caller, paused.job, &paused).await.unwrap();
    client.test.clock.advance(119);
    assert_eq!(client.call("GET", &at, "", None).await.2["properties"]["status"], "InProgress");
    client.test.clock.advance(1);
    let lost = client.call("GET", &at, "", None).await.2["properties"].clone();
    assert_eq!(lost["status"], "Failed", "one that waits is heard of, too");
    assert_eq!(lost["extendedInfo"]["propertyBag"]["State on the server"], "Running");
}

#[tokio::test]
async fn what_clients_ask_besides_is_answered_and_nonsense_is_refused() {
    let client = Client::new().await;
    let server = client.test.server("web-01").await;
    for path in [
        "usages",
        "replicationUsages",
        "backupUsageSummaries",
        "backupEngines",
        "backupProtectionIntents",
        "backupProtectableItems",
        "backupFabrics",
        "backupFabrics/Azure/protectionContainers",
        "extendedInformation/vaultExtendedInfo",
        "backupEncryptionConfigs/backupResourceEncryptionConfig",
    ] {
        assert_eq!(client.call("GET", path, "", None).await.0, 200, "{path}");
    }
    let counted = client.list("backupUsageSummaries", "type eq 'BackupProtectedItemCountSummary'").await;
    assert_eq!(counted[0]["currentValue"], 1);
    let (status, headers, _) = client.call("POST", "backupFabrics/Azure/refreshContainers", "", None).await;
    assert_eq!((status, headers.contains_key("location")), (202, true));
    let items = format!("{}/protectedItems", stateward_api::arm::container_path(server.caller.server));
    let foreign = "00000000-0000-4000-8000-000000000000";
    for path in [
        "backupFabrics/Other/protectionContainers".to_owned(),
        "backupFabrics/Azure/protectionContainers/Windows;web-01".to_owned(),
        format!("backupFabrics/Azure/protectionContainers/Windows;{foreign}"),
        format!("{items}/x"),
        format!("{items}/{foreign}"),
        "backupJobs/x".to_owned(),
        format!("backupJobs/{foreign}"),
        "backupOperations/x".to_owned(),
        format!("operationResults/{foreign}"),
    ] {
        assert_eq!(client.call("GET", &path, "", None).await.0, 404, "{path}");
    }
    let item = format!("{items}/{}", server.item);
    for (method, path, body) in [
        ("PUT", &item, json!({ "properties": { "protectionState": "Asleep" } })),
        ("PUT", &item, json!({ "properties": { "stopKeeps": "never" } })),
        ("PUT", &item, json!([])),
        (
            "POST",
            &format!("{item}/backup"),
            json!({ "properties": { "recoveryPointExpiryTimeInUTC": "soon" } }),
        ),
    ] {
        assert_eq!(client.call(method, path, "", Some(body.clone())).await.0, 400, "{body}");
    }
}
