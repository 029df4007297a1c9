//! What an administrator asks of a server over the management API, and what its agent makes of it.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use stateward_e2e::process::{DEADLINE, run, wait_until};
use stateward_e2e::vault::Access;
use stateward_e2e::{Dice, Running, TestServer, TestVault, assert_same, tree};
use stateward_model::Clock as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

/// An administrator who speaks Azure Resource Manager's API and nothing else.
struct Administrator {
    address: String,
    client: Arc<ClientConfig>,
    token: String,
    /// The path of the one vault.
    vault: String,
}

impl Administrator {
    fn of(vault: &TestVault) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&vault.access.ca_file).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = versions.unwrap().with_root_certificates(roots).with_no_client_auth();
        let address = vault.address().to_owned();
        let mut it = Self { address, client: Arc::new(client), token: String::new(), vault: String::new() };
        let (id, secret) = (&vault.access.client_id, &vault.access.client_secret);
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        let kind = "application/x-www-form-urlencoded";
        let (_, _, told) = it.send("POST", "/adfs/oauth2/v2.0/token", kind, &form);
        it.token = told["access_token"].as_str().unwrap().to_owned();
        let subscription = it.call("GET", "/subscriptions", None).2["value"][0]["id"].clone();
        let vaults = "providers/Microsoft.RecoveryServices/vaults";
        let path = format!("{}/{vaults}", subscription.as_str().unwrap());
        it.vault = it.call("GET", &path, None).2["value"][0]["id"].as_str().unwrap().to_owned();
        it
    }

    /// A call's status, headers and body.
    fn send(&self, method: &str, target: &str, kind: &str, body: &str) -> (u16, String, Value) {
        let host = self.address.split(':').next().unwrap().to_owned();
        let name = ServerName::try_from(host).unwrap();
        let tls = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        let mut stream = StreamOwned::new(tls, TcpStream::connect(&self.address).unwrap());
        let (address, token, length) = (&self.address, &self.token, body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all((head + body).as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A server that hangs up without a word of TLS has still said all that `Content-Length` counts.
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_owned(), serde_json::from_str(body).unwrap_or_default())
    }

    fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, String, Value) {
        let target = format!("{path}?api-version=2024-04-01");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send(method, &target, "application/json", &body)
    }

    /// What lies in the vault at that path.
    #[track_caller]
    fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.call("GET", &format!("{}/{path}", self.vault), None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The one protected item.
    fn item(&self) -> Value {
        self.get("backupProtectedItems")["value"][0].clone()
    }

    /// Asks for a backup of the item; the job's path.
    #[track_caller]
    fn back_up(&self) -> String {
        let path = format!("{}/backup", self.item()["id"].as_str().unwrap());
        let body = json!({ "properties": { "objectType": "MabBackupRequest" } });
        let (status, head, body) = self.call("POST", &path, Some(body));
        assert_eq!(status, 202, "{body}");
        let head = head.to_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("azure-asyncoperation: ")).unwrap();
        let operation = line.split('?').next().unwrap().rsplit('/').next().unwrap();
        let operation = self.get(&format!("backupOperations/{operation}"));
        assert_eq!(operation["status"], "Succeeded", "{operation}");
        format!("backupJobs/{}", operation["properties"]["jobId"].as_str().unwrap())
    }

    #[track_caller]
    fn wait_for(&self, job: &str, status: &str) -> Value {
        wait_until(&format!("the job is {status}"), DEADLINE, || {
            let job = self.get(job);
            let is = job["properties"]["status"].as_str()?.to_owned();
            let is_over = !["InProgress", "Cancelling"].contains(&&*is);
            assert!(!is_over || is == status, "{job:#}");
            (is == status).then_some(job)
        })
    }
}

fn rig(bytes: usize) -> (TestVault, TestServer, Administrator) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, bytes, &mut Dice::new(7));
    server.protect(&source);
    let administrator = Administrator::of(&vault);
    (vault, server, administrator)
}

#[track_caller]
fn agent_of(server: &TestServer) -> Running {
    let agent = server.start(["agent", "run"]);
    wait_until("the agent waits", DEADLINE, || agent.stdout().contains("waiting").then_some(()));
    agent
}

#[track_caller]
fn end(agent: Running) {
    agent.signal(Signal::TERM);
    agent.wait().done();
}

#[test]
fn a_backup_on_demand_is_made_by_the_agent_that_waits_for_it_and_survives_its_vault() {
    let (mut vault, server, administrator) = rig(1 << 20);
    assert_eq!(administrator.item()["properties"]["protectionState"], "IRPending");
    let agent = agent_of(&server);
    let job = administrator.wait_for(&administrator.back_up(), "Completed");
    let properties = &job["properties"];
    assert_eq!(properties["operation"], "Backup");
    assert!(properties["extendedInfo"]["tasksList"].as_array().is_some_and(|tasks| tasks.len() == 4));
    let item = administrator.item()["properties"].clone();
    assert_eq!(
        (&item["protectionState"], &item["lastBackupStatus"]),
        (&json!("Protected"), &json!("Completed"))
    );
    assert_eq!(server.points().len(), 1);
    vault.kill();
    vault.serve();
    administrator.wait_for(&administrator.back_up(), "Completed");
    assert_eq!(server.points().len(), 2);
    end(agent);
}

#[test]
fn a_job_that_is_cancelled_at_the_vault_ends_at_the_server() {
    let (_vault, server, administrator) = rig(200 << 20);
    server.run(["settings", "set", "--limit-rate", "1MB"]).done();
    let agent = agent_of(&server);
    let job = administrator.back_up();
    wait_until("the job transfers", DEADLINE, || {
        let phase = administrator.get(&job)["properties"]["extendedInfo"]["propertyBag"]["Phase"].clone();
        (phase == "Transferring").then_some(())
    });
    let cancel = format!("{}/{job}/cancel", administrator.vault);
    assert_eq!(administrator.call("POST", &cancel, None).0, 202);
    administrator.wait_for(&job, "Cancelled");
    end(agent);
    let (status, _, body) = administrator.call("POST", &cancel, None);
    assert_eq!(status, 202, "what is cancelled stays so: {body}");
    assert!(server.points().is_empty());
}

/// A policy that backs up every day at that time (UTC).
fn daily_at(time: &str) -> Value {
    let times = json!([format!("2026-11-28T{time}:00Z")]);
    json!({ "properties": {
        "backupManagementType": "MAB",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times,
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": times, "retentionDuration": { "count": 7, "durationType": "Days" } },
        },
    } })
}

#[test]
fn an_agent_backs_up_when_its_policy_says_and_hears_of_the_policy_at_once() {
    let (_vault, server, administrator) = rig(1 << 20);
    let agent = agent_of(&server);
    server.run(["agent", "run"]).expect_code(11);
    let item = administrator.item()["id"].as_str().unwrap().to_owned();
    // The next minute but one that begins in five seconds or later: nothing is missed while this is set up.
    let begins = stateward_model::SystemClock.now().plus_seconds(65).to_string();
    let policy = format!("{}/backupPolicies/soon", administrator.vault);
    assert_eq!(administrator.call("PUT", &policy, Some(daily_at(&begins[11..16]))).0, 200);
    let change = json!({ "properties": { "policyId": policy } });
    assert_eq!(administrator.call("PUT", &item, Some(change)).0, 200);
    let next = wait_until("the agent knows of the policy", DEADLINE, || {
        let status = server.run(["status"]).done().last();
        assert_eq!(status["is_served"], true);
        status["next_backups"][0]["at"].as_str().map(str::to_owned)
    });
    assert_eq!(next[..16], begins[..16]);
    let (status, _, _) = wait_until("the backup is made", 2 * DEADLINE, || {
        let (status, head, points) = administrator.call("GET", &format!("{item}/recoveryPoints"), None);
        (!points["value"].as_array()?.is_empty()).then_some((status, head, points))
    });
    assert_eq!(status, 200);
    let (_, _, points) = administrator.call("GET", &format!("{item}/recoveryPoints"), None);
    assert_eq!(points["value"][0]["properties"]["recoveryPointType"], "Scheduled", "{points}");
    // What the agent did not do does not come again when it begins anew.
    end(agent);
    let agent = agent_of(&server);
    let status = server.run(["status"]).done().last();
    assert_ne!(status["next_backups"][0]["at"].as_str().unwrap()[..10], begins[..10], "{status}");
    end(agent);
    assert_eq!(server.points().len(), 1);
}

#[test]
fn a_restore_that_an_administrator_asks_for_goes_only_where_the_server_lets_it() {
    let (_vault, server, administrator) = rig(1 << 20);
    server.backup();
    let agent = agent_of(&server);
    let point = server.points()[0].clone();
    let ask = || {
        let asked = server.run(["recovery-point", "restore", &point[..12], "--vault", "vault"]).done().last();
        format!("backupJobs/{}", asked["job"].as_str().unwrap())
    };
    let refused = administrator.wait_for(&ask(), "Failed");
    assert_eq!(refused["properties"]["errorDetails"][0]["code"], "no-restore-root", "{refused:#}");

    let root = server.path("restored");
    server.run(["settings", "set", "--restore-root", root.to_str().unwrap()]).expect_code(1);
    std::fs::create_dir(&root).unwrap();
    server.run(["settings", "set", "--restore-root", root.to_str().unwrap()]).done();
    let job = ask();
    let done = administrator.wait_for(&job, "Completed");
    assert_eq!(done["properties"]["operation"], "Restore");
    let folder = root.join(job.rsplit('/').next().unwrap());
    let source = server.path("source");
    let restored = folder.join(source.strip_prefix("/").unwrap());
    assert_same(&source, &restored);

    // A disk that is away is not taken for an empty folder.
    std::fs::rename(&root, server.path("elsewhere")).unwrap();
    let away = administrator.wait_for(&ask(), "Failed");
    assert_eq!(away["properties"]["errorDetails"][0]["code"], "target-unusable", "{away:#}");
    assert!(!root.exists());
    end(agent);
}

#[test]
fn an_item_that_is_stopped_at_the_vault_tells_its_server_so() {
    let (_vault, server, administrator) = rig(1 << 20);
    server.backup();
    let path = administrator.item()["id"].as_str().unwrap().to_owned();
    let stop = json!({ "properties": { "protectionState": "ProtectionStopped" } });
    let (status, _, item) = administrator.call("PUT", &path, Some(stop));
    assert_eq!((status, &item["properties"]["protectionState"]), (200, &json!("ProtectionStopped")));
    let refused = run(server.backup_command()).expect_code(1);
    assert!(refused.stdout.contains("\"protection-stopped\""), "{refused:?}");
    assert_eq!(administrator.call("DELETE", &path, None).0, 202);
    let item = administrator.item()["properties"].clone();
    assert_eq!(item["isScheduledForDeferredDelete"], true, "{item}");
    let back = json!({ "properties": { "isRehydrate": true } });
    assert_eq!(administrator.call("PUT", &path, Some(back)).0, 200);
    let resume = json!({ "properties": { "protectionState": "Protected" } });
    assert_eq!(administrator.call("PUT", &path, Some(resume)).0, 200);
    server.backup();
    let operations: Vec<_> = administrator.get("backupJobs")["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["properties"]["operation"].as_str().unwrap().to_owned())
        .collect();
    for kind in ["DisableBackup", "DeleteBackupData", "Undelete", "ConfigureBackup"] {
        assert!(operations.iter().any(|operation| operation == kind), "{kind}: {operations:?}");
    }
    let identity =
        format!("{}/registeredIdentities/{}", administrator.vault, item["computerName"].as_str().unwrap());
    assert_eq!(administrator.call("DELETE", &identity, None).0, 204);
    let refused = server.run(["agent", "run"]).expect_code(13);
    assert_eq!(refused.error_code(), "server-refused");
}

#[test]
fn a_backup_is_kept_as_long_as_was_asked_for_and_shows_it() {
    let (_vault, server, administrator) = rig(1 << 20);
    let mut command = server.backup_command();
    command.args(["--retain-until", "2099-12-30"]);
    run(command).done();
    let path = administrator.item()["id"].as_str().unwrap().to_owned();
    let lifetime = || {
        let (status, _, points) = administrator.call("GET", &format!("{path}/recoveryPoints"), None);
        assert_eq!(status, 200, "{points}");
        let properties = points["value"][0]["properties"].clone();
        assert_eq!(properties["recoveryPointType"], "OnDemand", "{properties}");
        properties["recoveryPointProperties"].clone()
    };
    assert_eq!(lifetime(), json!({ "ruleName": "NoPolicy", "isSoftDeleted": false }));
    let daily = format!("{}/backupPolicies/daily", administrator.vault);
    assert_eq!(administrator.call("PUT", &daily, Some(daily_at("02:00"))).0, 200);
    let change = json!({ "properties": { "policyId": daily } });
    let (status, _, body) = administrator.call("PUT", &path, Some(change));
    assert_eq!(status, 200, "{body}");
    // It is the last good one as well, which has no end; that of the wish is told beside it.
    assert_eq!(lifetime(), json!({ "ruleName": "LastGood", "isSoftDeleted": false }));
    run(server.backup_command()).done();
    let (_, _, points) = administrator.call("GET", &format!("{path}/recoveryPoints"), None);
    let first = &points["value"][1]["properties"]["recoveryPointProperties"];
    assert_eq!(first["expiryTime"], "2099-12-31T00:00:00Z", "{points}");
    assert_eq!(first["ruleName"], "OnDemand");
}

#[test]
fn a_second_administrator_agrees_to_what_a_guarded_vault_refuses_one() {
    let (vault, server, administrator) = rig(1 << 20);
    server.backup();
    let on = |server: &TestServer, line: &str| server.run(line.split_whitespace());
    let name = on(&server, "item list").done().last()["item"].as_str().unwrap().to_owned();
    let secret = server.path("second-secret");
    let create =
        format!("principal create second --vault vault --role contributor --secret-out {}", secret.display());
    let client_id = on(&server, &create).done().last()["client_id"].as_str().unwrap().to_owned();
    let client_secret = std::fs::read_to_string(&secret).unwrap().trim().to_owned();
    let second = TestServer::fresh();
    second.login(&Access { client_id, client_secret, ..vault.access.clone() }).done();
    let guard = format!("{}/backupResourceGuardProxies/VaultProxy", administrator.vault);
    let body = json!({ "properties": { "resourceGuardResourceId": format!("{guard}/guard") } });
    assert_eq!(administrator.call("PUT", &guard, Some(body)).0, 200);

    let delete = format!("item delete {name} --vault vault");
    assert_eq!(on(&server, &delete).expect_code(1).error_code(), "approval-required");
    let asked = on(&second, "approval list --vault vault").done().last();
    let id = asked["approval"].as_str().unwrap();
    // Nobody agrees with himself.
    let approve = format!("approval approve {id} --vault vault");
    assert_ne!(on(&server, &approve).code(), Some(0));
    on(&second, &approve).done();
    on(&server, &delete).done();
    assert_eq!(administrator.item()["properties"]["isScheduledForDeferredDelete"], true);
}
