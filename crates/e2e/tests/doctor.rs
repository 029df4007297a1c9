//! What `stateward doctor` and `stateward support-bundle` say of a server in several states.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::canary::find_below;
use stateward_e2e::process::{Outcome, run, wait_until};
use stateward_e2e::server::PASSPHRASE;
use stateward_e2e::{TestServer, TestVault};
use stateward_testing::ConnectProxy;
use std::fs;
use std::process::Command;
use std::time::Duration;

/// Whatever this machine's updates and other backups are at says nothing here.
const CHECKS: [&str; 5] =
    ["free-space", "other-backup", "package-integrity", "packages-changing", "pending-restart"];

fn prepared(vault: &TestVault) -> TestServer {
    let server = TestServer::registered(vault);
    for code in CHECKS {
        server.run(["settings", "set", "--precheck", &format!("{code}=pass")]).done();
    }
    server
}

fn outcome_of(told: &Outcome, name: &str) -> String {
    let lines = told.json();
    let found = lines.iter().find(|line| line["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {told:#?}"))["outcome"].as_str().unwrap().to_owned()
}

#[test]
fn doctor_passes_where_all_is_well_warns_where_something_is_not_and_fails_where_no_backup_can_be_made() {
    let mut vault = TestVault::start();
    let server = prepared(&vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    server.protect(&source);
    let told = server.run(["doctor"]).expect_code(3);
    assert_eq!(
        (outcome_of(&told, "agent"), outcome_of(&told, "backup")),
        ("warning".into(), "warning".into())
    );
    assert_eq!(outcome_of(&told, "connection-sign-in"), "passed");
    server.backup();
    let service = server.start(["agent", "run"]);
    let status = || server.run(["status"]).done().last();
    wait_until("the agent serves", Duration::from_secs(60), || (status()["is_served"] == true).then_some(()));
    let told = server.run(["doctor"]).done();
    assert_eq!(told.last()["status"], "passed");
    service.kill();
    vault.stop();
    let told = server.run(["doctor"]).expect_code(1);
    assert_eq!(outcome_of(&told, "connection-port"), "failed");
    assert_eq!(outcome_of(&told, "connection-sign-in"), "skipped");
    for line in
        told.json().iter().filter(|line| matches!(line["outcome"].as_str(), Some("failed" | "warning")))
    {
        assert!(line["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{line}");
    }
    let shown = server.as_person(["doctor"]).expect_code(1);
    assert!(shown.stdout.contains("FAILED") && shown.stdout.contains("Hint: "), "{}", shown.stdout);
    assert_eq!(outcome_of(&TestServer::fresh().run(["doctor"]).expect_code(1), "home"), "failed");
}

#[test]
fn status_shows_what_can_be_read_of_a_damaged_home_and_names_the_damage() {
    let vault = TestVault::start();
    let server = prepared(&vault);
    let source = server.path("source");
    fs::create_dir(&source).unwrap();
    server.protect(&source);
    server.backup();
    let whole = server.run(["status"]).done().last();
    assert_eq!(whole["damage"], serde_json::json!([]));
    fs::write(server.home().join("settings.json"), "{").unwrap();
    let told = server.run(["status"]).expect_code(1).last();
    assert_eq!(told["damage"][0]["code"], "home-damaged", "{told:#}");
    for field in ["vault", "items", "recovery_point"] {
        assert_eq!(told[field], whole[field], "{field}");
    }
    let text = server.as_person(["status"]).expect_code(1).stdout;
    assert!(text.contains("settings.json") && text.contains("Newest recovery point"), "{text}");
    fs::write(server.home().join("registration.json"), "{").unwrap();
    let told = server.run(["status"]).expect_code(1).last();
    assert_eq!((told["damage"].as_array().unwrap().len(), &told["items"]), (2, &whole["items"]));
}

#[test]
fn a_support_bundle_holds_no_secret_and_no_name_of_a_file() {
    let vault = TestVault::start();
    let proxy = ConnectProxy::with_login("jane", "proxy-geheim-7");
    let server = prepared(&vault);
    fs::write(server.path("proxy-password"), "proxy-geheim-7").unwrap();
    let mut set = server.command(["settings", "set", "--proxy", &format!("http://jane@{}", proxy.address())]);
    set.arg("--proxy-password-file").arg(server.path("proxy-password"));
    run(set).done();
    fs::write(server.path("hook-token"), "hook-word-8").unwrap();
    let hook = "https://hooks.example/hook-geheim-9";
    let mut set = server.command(["settings", "set", "--notify-on", "nothing", "--notify-webhook", hook]);
    set.arg("--notify-webhook-token-file").arg(server.path("hook-token"));
    run(set).done();
    let mut code = server.command(["recovery-code", "create", "--recovery-code-file"]);
    code.arg(server.path("code"));
    run(code).done();
    let source = server.path("Planted Taxes");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("Planted-2026.ods"), "content").unwrap();
    server.protect(&source);
    server.backup();
    // A job that fails and names a path.
    let target = server.path("Planted Target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("in-the-way"), "").unwrap();
    let point = server.points().remove(0);
    server.restore(&point, &target, &[]).expect_code(1);
    let mut secrets = secrets_of(&server);
    secrets.extend(["hook-word-8".to_owned(), "hook-geheim-9".to_owned()]);
    secrets.extend([PASSPHRASE.to_owned(), "proxy-geheim-7".to_owned(), vault.access.client_secret.clone()]);
    let credentials: Value = serde_json::from_slice(&fs::read(server.path("credentials")).unwrap()).unwrap();
    secrets.push(credentials["secret"].as_str().unwrap().to_owned());
    assert!(secrets.len() >= 8, "{secrets:?}");
    for (name, is_named) in [("plain", false), ("named", true)] {
        let file = server.path(&format!("{name}.tar.gz"));
        let mut make = server.command(["support-bundle", "--out"]);
        make.arg(&file).args(is_named.then_some("--with-names"));
        let entries = run(make).done().last()["entries"].to_string();
        for expected in
            ["doctor.json", "recovery-points.json", "registration.json", "jobs/", "logs/agent.log"]
        {
            assert!(entries.contains(expected), "{expected}: {entries}");
        }
        let unpacked = server.path(name);
        fs::create_dir(&unpacked).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&file).arg("-C").arg(&unpacked);
        run(tar).done();
        for secret in &secrets {
            assert_eq!(find_below(&unpacked, secret), [] as [std::path::PathBuf; 0], "{secret}");
        }
        assert_eq!(find_below(&unpacked, "Planted").is_empty(), !is_named);
        // The search finds what is there.
        assert!(!find_below(&unpacked, "stateward 0.1").is_empty());
        assert!(!find_below(&unpacked, &point).is_empty());
    }
}

/// The keys of a home, and its recovery code.
fn secrets_of(server: &TestServer) -> Vec<String> {
    let mut secrets = Vec::new();
    for name in ["login.json", "epoch-1.json"] {
        let text = fs::read(server.home().join("keys").join(name)).unwrap();
        let value: Value = serde_json::from_slice(&text).unwrap();
        let fields = ["login_key", "data_key", "signing_key"];
        secrets.extend(fields.iter().filter_map(|field| value[*field].as_str()).map(str::to_owned));
    }
    let code = fs::read_to_string(server.path("code")).unwrap();
    secrets.extend(code.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_owned));
    secrets
}
