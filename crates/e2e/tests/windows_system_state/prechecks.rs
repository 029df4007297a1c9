//! Everything that is looked at before, wrong once each: what blocks and what is told, and how a person lets it through.

use crate::machine::WindowsMachine;
use crate::{BACKUP, back_up, points, protected};
use serde_json::Value;
use stateward_e2e::TestVault;
use stateward_e2e::{Outcome, WindowsServer};
use std::fs;

const RESTART: &str =
    r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";

/// A backup that its prechecks keep from being made, for a finding of that code.
#[track_caller]
fn expect_blocked(machine: &WindowsMachine, server: &WindowsServer, steps: &[&str], code: &str) {
    let outcome = back_up(machine, server, steps).expect_code(14);
    assert_eq!(outcome.error_code(), "precheck-blocks");
    let message = outcome.last()["message"].as_str().unwrap().to_owned();
    assert!(message.contains(&format!("[{code}]")), "{code}: {message}");
    assert_eq!(fs::read_dir(machine.drive()).unwrap().count(), 0);
}

/// The findings that were told under a code.
fn told(outcome: &Outcome, code: &str) -> Vec<Value> {
    let lines = outcome.json().into_iter();
    lines.filter(|line| line["type"] == "precheck" && line["code"] == code).collect()
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn every_precheck_blocks_or_tells_and_can_be_let_through() {
    let vault = TestVault::start();
    let machine = WindowsMachine::server();
    let server = protected(&vault);
    let stable = &["writers-stable"][..];
    let set = |precheck: &str| server.run(["settings", "set", "--precheck", precheck]).done();

    machine.add_key(RESTART);
    expect_blocked(&machine, &server, stable, "pending-restart");
    set("pending-restart=warn");
    let warned = back_up(&machine, &server, &BACKUP).done();
    assert_eq!(told(&warned, "pending-restart").len(), 1, "{warned:#?}");
    set("pending-restart=block");
    expect_blocked(&machine, &server, stable, "pending-restart");
    machine.remove_key(RESTART);

    machine.remove_engine();
    expect_blocked(&machine, &server, &[], "server-backup");
    machine.add_engine();
    let (program, aside) = (machine.programs().join("wbadmin.exe"), machine.programs().join("aside.exe"));
    fs::rename(&program, &aside).unwrap();
    expect_blocked(&machine, &server, &[], "server-backup");
    fs::rename(&aside, &program).unwrap();

    // Wine has not all services that shadow copies need.
    set("services=block");
    expect_blocked(&machine, &server, stable, "services");
    set("services=warn");

    let kept = server.path("home/staging.json");
    let text = fs::read_to_string(&kept).unwrap();
    let mut large: Value = serde_json::from_str(&text).unwrap();
    large["last_image_bytes"] = (1_u64 << 50).into();
    fs::write(&kept, large.to_string()).unwrap();
    set("staging-space=block");
    expect_blocked(&machine, &server, stable, "staging-space");
    fs::write(&kept, text).unwrap();
    set("staging-space=warn");

    machine.be("WinNT");
    expect_blocked(&machine, &server, stable, "windows-edition");
    assert_eq!(
        server.run(["protect", "system-state", "--name", "again"]).expect_code(1).error_code(),
        "client-edition"
    );
    set("windows-edition=warn");
    server.run(["protect", "system-state"]).done();
    let warned = back_up(&machine, &server, &BACKUP).done();
    assert_eq!(told(&warned, "windows-edition").len(), 1, "{warned:#?}");
    machine.be("LanmanNT");
    let controller = back_up(&machine, &server, &BACKUP).done();
    assert_eq!(told(&controller, "windows-edition").len(), 0, "{controller:#?}");
    machine.be("ServerNT");

    server.run(["settings", "set", "--verify-packages", "on"]).done();
    let steps = [&["writers-failed", "sfc-damaged"][..], &BACKUP[1..]].concat();
    let warned = back_up(&machine, &server, &steps).done();
    assert!(told(&warned, "writers").len() == 1 && told(&warned, "system-files").len() == 1, "{warned:#?}");
    server.run(["settings", "set", "--verify-packages", "off"]).done();

    // Somebody else's image is never touched.
    let foreign = machine.drive().join("WindowsImageBackup/OTHER");
    fs::create_dir_all(&foreign).unwrap();
    let refused = back_up(&machine, &server, &[]).expect_code(1);
    assert_eq!(refused.error_code(), "staging-place-refused");
    assert!(foreign.exists());
    machine.clear_drive();
    server.run(["settings", "set", "--staging", r"C:\"]).done();
    assert_eq!(back_up(&machine, &server, &[]).expect_code(1).error_code(), "staging-place-refused");
    assert_eq!(points(&server).len(), 4);
}
