//! The local console: the whole of the wizard by its API, jobs that outlive it, and everybody who is not to come in.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::{Value, json};
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::server::{PASSPHRASE, VAULT, restored};
use stateward_e2e::{Dice, TestConsole, TestServer, TestVault, assert_same, canary, tree};
use std::fs;

const NEW_PASSPHRASE: &str = "another passphrase altogether";

/// A server with vault credentials and something to protect.
fn rig(bytes: usize) -> (TestVault, TestServer, std::path::PathBuf) {
    let vault = TestVault::start();
    let server = TestServer::fresh();
    server.prepare_registration(&vault);
    let source = server.path("source");
    tree::plant_large(&source, bytes, &mut Dice::new(23));
    (vault, server, source)
}

fn register(console: &TestConsole, server: &TestServer, more: Value) -> Value {
    let content = fs::read_to_string(server.path("credentials")).unwrap();
    let mut wish = json!({ "credentials": { "content": content, "name": "credentials" } });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    console.post("/console/v1/registration", wish)
}

/// The job that was begun, watched to its end.
fn ended(console: &TestConsole, begun: &Value) -> Value {
    let job = begun["value"][0]["job"].as_str().unwrap();
    let told = console.watch(job);
    assert!(told.iter().all(|event| event["job"] == job), "{told:?}");
    told.last().unwrap().clone()
}

fn pin(server: &TestServer) -> String {
    server.run(["pin", "create", "--vault", VAULT]).done().last()["pin"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_is_registered_protected_backed_up_and_restored_by_the_console_alone() {
    let (vault, server, source) = rig(3_000_000);
    let console = TestConsole::start(&server);
    assert!(console.get("/console/v1/overview")["registration"].is_null());
    let content = fs::read_to_string(server.path("credentials")).unwrap();
    let file = json!({ "credentials": { "content": content } });
    let shown = console.post("/console/v1/credentials/check", file.clone());
    assert_eq!((&shown["vault"], &shown["isKnownServer"]), (&json!(VAULT), &json!(false)), "{shown}");
    let steps = console.post("/console/v1/connection/test", file);
    let steps = steps["checks"].as_array().unwrap();
    assert!(steps.len() > 4 && steps.iter().all(|step| step["outcome"] != "failed"), "{steps:?}");

    let made = register(&console, &server, json!({ "makeRecoveryCode": true, "label": "web-01" }));
    let passphrase = made["passphrase"].as_str().unwrap().to_owned();
    let code = made["recoveryCode"].as_str().unwrap().to_owned();
    assert_eq!(made["registration"]["label"], "web-01");
    let protected = console.post("/console/v1/items/files", json!({ "paths": [&source], "name": "data" }));
    assert_eq!((&protected["change"], protected["untold"].is_null()), (&json!("Added"), true), "{protected}");

    let times = json!(["2026-11-23T02:00:00Z"]);
    let properties = json!({
        "backupManagementType": "MAB", "timeZone": "Europe/Berlin",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times,
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": times, "retentionDuration": { "count": 30, "durationType": "Days" } },
        },
    });
    let who = json!({ "clientId": vault.access.client_id, "clientSecret": vault.access.client_secret });
    let wish = json!({ "item": "data", "policy": "nightly", "properties": properties, "administrator": who });
    let scheduled = console.post("/console/v1/schedule", wish);
    assert_eq!((&scheduled["policy"]["name"], &scheduled["isServed"]), (&json!("nightly"), &json!(false)));
    let listed = console.post("/console/v1/policies", json!({ "administrator": who }));
    assert!(listed["value"].as_array().unwrap().iter().any(|policy| policy["name"] == "nightly"), "{listed}");

    let begun = console.post("/console/v1/backups", json!({ "retainUntil": "2100-01-01T00:00:00Z" }));
    let done = ended(&console, &begun);
    assert_eq!((&done["status"], &done["item"]), (&json!("Completed"), &json!("data")), "{done}");
    let point = done["outcome"]["recoveryPoint"].as_str().unwrap().to_owned();
    let points = console.get("/console/v1/recoveryPoints?item=data");
    assert_eq!(points["value"][0]["recoveryPoint"], *point);
    let calendar = console.get("/console/v1/recoveryPoints/calendar");
    assert_eq!(calendar["days"][0]["recoveryPoints"][0]["recoveryPoint"], *point);
    let shown = console.get(&format!("/console/v1/recoveryPoints/{point}"));
    assert!(shown["prechecks"].is_array() && shown["files"].as_u64().unwrap() > 0, "{shown}");

    let folder = source.display().to_string();
    let entries = console.get(&format!("/console/v1/recoveryPoints/latest/entries?path={folder}"));
    let file = entries["value"].as_array().unwrap().iter().find(|entry| entry["kind"] == "file").unwrap();
    let path = file["path"].as_str().unwrap();
    assert!(
        path.starts_with(&folder) && fs::metadata(path).unwrap().len() == file["bytes"].as_u64().unwrap()
    );
    let found = console.get(&format!("/console/v1/find?name={}", file["name"].as_str().unwrap()));
    assert!(found["value"].as_array().unwrap().iter().any(|version| version["path"] == path), "{found}");

    let target = server.path("restored");
    let begun = console.post("/console/v1/restores", json!({ "recoveryPoint": point, "target": &target }));
    assert_eq!(ended(&console, &begun)["status"], "Completed");
    assert_same(&source, &restored(&target, &source));
    let one = server.path("one");
    let wish = json!({ "recoveryPoint": "latest", "target": &one, "paths": [path], "noAcl": true });
    assert_eq!(ended(&console, &console.post("/console/v1/restores", wish))["status"], "Completed");
    assert_eq!(fs::read(restored(&one, path.as_ref())).unwrap(), fs::read(path).unwrap());
    let wish = json!({ "recoveryPoint": "latest", "original": true, "conflict": "skip" });
    let back = ended(&console, &console.post("/console/v1/restores", wish));
    assert!(back["outcome"]["conflicts"]["identical"].as_u64().unwrap() > 0, "{back}");
    let verified = ended(&console, &console.post("/console/v1/verifies", json!({ "full": true })));
    assert_eq!((&verified["status"], &verified["outcome"]["problems"]), (&json!("Completed"), &json!(0)));
    assert_eq!(console.get("/console/v1/jobs")["value"].as_array().unwrap().len(), 5);

    // What was made of secrets opens what it should, and stands nowhere on this server.
    let job = console.get("/console/v1/overview")["items"][0].clone();
    assert_eq!((&job["lastBackupStatus"], job["nextBackup"].is_null()), (&json!("Completed"), true), "{job}");
    for secret in [&*passphrase, &*code, &*console.one_time_token, &*vault.access.client_secret] {
        let kept = canary::find_below(&server.home(), secret);
        let is_login = |path: &std::path::PathBuf| path.ends_with("admin.json");
        assert!(kept.iter().all(is_login), "{kept:?}");
    }
    let again = TestServer::fresh();
    let label = "web-01";
    server.credentials("again", &["--server", label]).done();
    fs::copy(server.path("again"), again.path("credentials")).unwrap();
    let second = TestConsole::start(&again);
    let wish =
        json!({ "credentials": { "content": fs::read_to_string(again.path("credentials")).unwrap() } });
    let refused = second.call("POST", "/console/v1/registration", wish);
    assert_eq!(refused.refused(), "passphrase-needed");
    register(&second, &again, json!({ "passphrase": passphrase }));
    assert_eq!(second.get("/console/v1/recoveryPoints")["value"][0]["recoveryPoint"], *point);
}

#[test]
fn a_backup_goes_on_when_the_console_is_killed_in_the_middle_of_it() {
    let (_vault, server, source) = rig(6_000_000);
    server.register("credentials", &[]).done();
    server.protect(&source);
    let console = TestConsole::start(&server);
    let begun = console.post("/console/v1/backups", json!({ "pace": { "limitRate": 1_000_000 } }));
    let job = begun["value"][0]["job"].as_str().unwrap().to_owned();
    let path = format!("/console/v1/jobs/{job}");
    wait_until("the backup transfers", DEADLINE, || {
        let shown = console.get(&path);
        assert!(shown["endedAt"].is_null(), "it ended too early: {shown}");
        (shown["phase"] == "Transferring" && shown["movedBytes"].as_u64()? > 0).then_some(())
    });
    let busy = console.call("POST", "/console/v1/backups", json!({}));
    assert_eq!((busy.status, busy.refused().as_str()), (409, "busy"));
    console.kill();
    let console = TestConsole::start(&server);
    assert_eq!(console.get(&path)["status"], "Running");
    assert_eq!(console.watch(&job).last().unwrap()["status"], "Completed");
    let target = server.path("restored");
    server.restore("latest", &target, &[]).done();
    assert_same(&source, &restored(&target, &source));
}

#[test]
fn a_job_is_paused_goes_on_and_is_stopped_by_the_console_which_ends_when_it_is_asked_to() {
    let (_vault, server, source) = rig(20_000_000);
    server.register("credentials", &[]).done();
    server.protect(&source);
    let mut console = TestConsole::start(&server);
    let begun = console.post("/console/v1/backups", json!({ "pace": { "limitRate": 500_000 } }));
    let job = begun["value"][0]["job"].as_str().unwrap().to_owned();
    let path = format!("/console/v1/jobs/{job}");
    let becomes = |what: &str, field: &str, value: Value| {
        wait_until(what, DEADLINE, || (console.get(&path)[field] == value).then_some(()));
    };
    becomes("the backup runs", "status", json!("Running"));
    console.post(&format!("{path}/pause"), Value::Null);
    becomes("the backup waits", "isPaused", json!(true));
    console.post(&format!("{path}/resume"), Value::Null);
    becomes("the backup goes on", "isPaused", json!(false));
    console.post(&format!("{path}/cancel"), Value::Null);
    becomes("the backup is stopped", "status", json!("Cancelled"));
    let late = console.call("POST", &format!("{path}/pause"), Value::Null);
    assert_eq!(late.refused(), "job-ended");
    console.process().signal(Signal::INT);
    let ended = console.wait().done();
    assert_eq!(ended.last()["ended"], "stopped");
}

#[test]
fn properties_are_changed_and_protection_is_stopped_by_the_console() {
    let (vault, server, source) = rig(500_000);
    server.register("credentials", &[]).done();
    server.protect(&source);
    let console = TestConsole::start(&server);
    assert_eq!(ended(&console, &console.post("/console/v1/backups", json!({})))["status"], "Completed");

    let wrong = json!({ "securityPIN": "12345678", "passphrase": NEW_PASSPHRASE });
    assert_eq!(console.call("POST", "/console/v1/passphrase", wrong).refused(), "security-pin-wrong");
    let right = json!({ "securityPIN": pin(&server), "passphrase": NEW_PASSPHRASE });
    assert!(console.post("/console/v1/passphrase", right)["passphrase"].is_null());
    let code = console.post("/console/v1/recoveryCodes", Value::Null);
    assert!(code["recoveryCode"].as_str().unwrap().len() > 50, "a recovery code");
    for secret in [NEW_PASSPHRASE, PASSPHRASE, code["recoveryCode"].as_str().unwrap()] {
        assert_eq!(canary::find_below(&server.home(), secret), [] as [std::path::PathBuf; 0]);
    }
    server.run(["verify", "--full"]).done();

    let stop = json!({ "securityPIN": pin(&server), "keeps": "forever" });
    console.post("/console/v1/items/files/stop", stop);
    let failed = ended(&console, &console.post("/console/v1/backups", json!({})));
    assert_eq!(failed["error"]["code"], "protection-stopped", "{failed}");
    let who = json!({ "clientId": vault.access.client_id, "clientSecret": vault.access.client_secret });
    console.post("/console/v1/items/files/resume", json!({ "administrator": who }));
    assert_eq!(ended(&console, &console.post("/console/v1/backups", json!({})))["status"], "Completed");
    console.post("/console/v1/items/files/delete", json!({ "securityPIN": pin(&server) }));
    console.post("/console/v1/items/files/undelete", json!({ "administrator": who }));
    console.post("/console/v1/items/files/resume", json!({ "administrator": who }));
    assert_eq!(ended(&console, &console.post("/console/v1/backups", json!({})))["status"], "Completed");
    let wrong =
        json!({ "administrator": { "clientId": vault.access.client_id, "clientSecret": "geheim-9" } });
    let refused = console.call("POST", "/console/v1/policies", wrong);
    assert!(!refused.json().to_string().contains("geheim-9"));
    assert_eq!(refused.refused(), "sign-in-refused");

    let diagnosis = console.get("/console/v1/doctor");
    assert!(diagnosis["checks"].as_array().unwrap().len() > 10, "{diagnosis}");
    let explained = console.get("/console/v1/codes/console-not-signed-in");
    assert!(explained["recommendation"].as_str().unwrap().contains("stateward console"));
    let bundle = console.call("POST", "/console/v1/supportBundle", json!({}));
    assert!(bundle.status == 200 && bundle.bytes.starts_with(&[0x1f, 0x8b]), "{}", bundle.head);
    let left = fs::read_dir(server.home().join("logs")).unwrap().flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().contains("support")));
    console.call("DELETE", "/console/v1/session", Value::Null);
    assert_eq!(console.wait().done().last()["ended"], "signed-out");
}

#[test]
fn nobody_else_comes_in() {
    let server = TestServer::fresh();
    let console = TestConsole::start(&server);
    let items = "/console/v1/items";
    console.get(items);
    let all = console.headers();
    let without = |name: &str| -> Vec<_> { all.iter().filter(|header| header.0 != name).cloned().collect() };
    let instead = |name: &'static str, value: &str| {
        let mut headers = without(name);
        headers.push((name, value.to_owned()));
        headers
    };
    let port = console.address.split(':').nth(1).unwrap();
    let localhost = format!("localhost:{port}");
    let elsewhere = format!("http://{localhost}");
    let cases = [
        ("another local user", console.page_headers(), 401, "console-not-signed-in"),
        ("no cookie", without("Cookie"), 401, "console-not-signed-in"),
        ("no request token", without("X-Stateward-Token"), 403, "console-token-missing"),
        ("a wrong request token", instead("X-Stateward-Token", "AAAA"), 403, "console-token-missing"),
        ("a rebound name", instead("Host", "evil.example"), 403, "console-foreign-request"),
        ("another name", instead("Host", &localhost), 403, "console-foreign-request"),
        ("no host", without("Host"), 403, "console-foreign-request"),
        ("another page", instead("Origin", "http://evil.example"), 403, "console-foreign-request"),
        ("another port's page", instead("Origin", &elsewhere), 403, "console-foreign-request"),
        ("another site", instead("Sec-Fetch-Site", "cross-site"), 403, "console-foreign-request"),
    ];
    for (who, headers, status, code) in cases {
        for (method, path, body) in
            [("GET", items, ""), ("POST", "/console/v1/items/files", "{\"paths\": [\"/etc\"]}")]
        {
            let answer = console.send(method, path, &headers, body.as_bytes());
            assert_eq!((answer.status, answer.refused().as_str()), (status, code), "{who}: {method}");
            for header in ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff"] {
                assert!(answer.head.contains(header), "{who}: {}", answer.head);
            }
            assert!(!answer.head.contains("access-control"), "{who}: {}", answer.head);
        }
    }
    let twice = format!("{{\"token\": \"{}\"}}", console.one_time_token);
    let used = console.send("POST", "/console/v1/session", &console.page_headers(), twice.as_bytes());
    assert_eq!((used.status, used.refused().as_str()), (401, "console-not-signed-in"));
    let asked = console.send("OPTIONS", items, &instead("Origin", "http://evil.example"), b"");
    assert!(asked.status == 403 && !asked.head.contains("access-control"), "{}", asked.head);
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = console.call(method, items, json!({}));
        assert_eq!((answer.status, answer.refused().as_str()), (405, "console-call-unknown"), "{method}");
    }
    let form = console.send("POST", "/console/v1/items/files", &instead("Content-Type", "text/plain"), b"{}");
    assert_eq!((form.status, form.refused().as_str()), (415, "console-request-invalid"));
    let long = format!("{{\"paths\": [\"{}\"]}}", "a".repeat(600 << 10));
    let answer = console.send("POST", "/console/v1/items/files", &all, long.as_bytes());
    assert_eq!((answer.status, answer.refused().as_str()), (413, "console-request-invalid"));
    assert_eq!(console.get(items)["value"], json!([]), "nothing of it was done");
    // Whoever else listens on this machine's addresses finds nothing.
    let taken = server.run(["console", "--port", port]);
    assert_eq!(taken.expect_code(1).error_code(), "console-unusable");
}
