//! Hooks around a backup, as an administrator sets them up: a dump that a hook makes is in the recovery point, a hook
//! that fails warns or blocks, and each is told.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn hook(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_dump_of_a_hook_is_backed_up_and_a_hook_that_fails_warns_or_blocks() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let (source, hooks) = (server.path("source"), server.path("hooks"));
    fs::create_dir(&source).unwrap();
    server.protect(&source);
    let results = server.path("results");
    hook(
        &hooks.join("before.d/10-dump"),
        &format!("echo all rows > {}/dump.sql; echo dumped", source.display()),
    );
    hook(&hooks.join("after.d/tell"), &format!("echo $STATEWARD_RESULT >> {}", results.display()));
    server.run(["settings", "set", "--hooks", hooks.to_str().unwrap()]).done();

    let made = server.backup();
    let target = server.path("restored");
    server.restore("latest", &target, &[]).done();
    assert_eq!(fs::read_to_string(restored(&target, &source).join("dump.sql")).unwrap(), "all rows\n");
    let shown = server.run(["job", "show", made["job"].as_str().unwrap()]).done().json();
    let log = shown.iter().find(|line| line["type"] == "log").expect("the job's log is named");
    assert!(fs::read_to_string(log["path"].as_str().unwrap()).unwrap().contains("dumped"));

    hook(&hooks.join("before.d/20-fails"), "exit 1");
    let warned = server.run(["backup", "now", "--wait"]);
    assert_eq!(warned.status.code(), Some(3), "{warned:#?}");
    assert!(warned.json().iter().any(|line| line["code"] == "hook-failed"), "{warned:#?}");

    server.run(["settings", "set", "--hook-failure", "block"]).done();
    let points = server.points().len();
    let blocked = server.run(["backup", "now", "--wait"]);
    assert_eq!(blocked.status.code(), Some(14), "{blocked:#?}");
    assert_eq!(server.points().len(), points, "no recovery point was made");

    fs::set_permissions(hooks.join("before.d/20-fails"), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = server.run(["backup", "now", "--wait"]);
    assert_eq!(refused.status.code(), Some(14), "{refused:#?}");
    assert!(refused.stdout.contains("mode 777"), "{refused:#?}");
    let told = fs::read_to_string(results).unwrap();
    assert_eq!(told, "Completed\nCompletedWithWarnings\nFailed\nFailed\n");
}
