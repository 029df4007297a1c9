//! Windows' System State by `stateward.exe` under Wine, against a vault on Linux: staged by stand-ins that play transcripts,
//! sent, restored to a drive's root, and put back by the lines of its plan; and everything that can go wrong on the way.
//!
//! Nothing of Windows Server Backup runs here: what that shows and what it doesn't, docs/windows-system-state.md says.
//! `scripts/test-windows.sh` runs these; they need what it makes.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

mod faults;
mod machine;
mod prechecks;

use machine::WindowsMachine;
use serde_json::Value;
use stateward_e2e::process::run;
use stateward_e2e::{Outcome, TestServer, TestVault, WindowsServer};
use stateward_testing::stand_in::{StandIns, transcripts};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What a backup plays from its prechecks to the end of its clearing.
pub const BACKUP: [&str; 7] = [
    "writers-stable",
    "versions-none",
    "backup-success",
    "versions-one",
    "versions-one",
    "delete-all",
    "versions-none",
];

/// A registered server that protects its System State, and stages on `E:`. Wine lacks services that shadow copies need, and
/// nobody knows how much room the disk behind it has.
#[track_caller]
pub fn protected(vault: &TestVault) -> WindowsServer {
    let server = WindowsServer::registered(&vault.access);
    let set =
        ["settings", "set", "--staging", r"E:\", "--verify-packages", "off", "--server-backup-retries", "0"];
    let warns = ["services=warn", "staging-space=warn", "shadow-storage=warn"];
    let prechecks = warns.into_iter().flat_map(|warn| ["--precheck", warn]);
    server.run(set.into_iter().chain(prechecks)).done();
    server.run(["protect", "system-state"]).done();
    server
}

/// A backup, played by these steps.
#[track_caller]
pub fn back_up(machine: &WindowsMachine, server: &WindowsServer, steps: &[&str]) -> Outcome {
    let (drive, staging) = (machine.keep_drive(), server.path("home/staging.json"));
    let kept = fs::read(&staging).ok();
    let played = machine.play(steps);
    let outcome = server.run_undoing(["backup", "now", "--wait"], || {
        machine.lay_drive(&drive);
        match &kept {
            Some(bytes) => fs::write(&staging, bytes).unwrap(),
            None => _ = fs::remove_file(&staging),
        }
        machine.play(steps);
    });
    let refused = fs::read_to_string(machine.programs().join("refused")).unwrap_or_default();
    assert!(refused.is_empty(), "{refused}{outcome:#?}");
    played.expect_all_played();
    outcome
}

/// How many recovery points there are.
#[track_caller]
pub fn points(server: &WindowsServer) -> Vec<Value> {
    let listed = server.run(["recovery-point", "list"]).done().json();
    listed.into_iter().filter(|line| line["type"] == "recovery-point").collect()
}

/// Every file below a folder by its path, with what it holds.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => waiting.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    found.insert(name, fs::read(&path).unwrap());
                }
            }
        }
    }
    found
}

/// What the stand-in makes of a transcript, made once more.
fn expected(machine: &WindowsMachine, server: &WindowsServer, step: &str) -> BTreeMap<String, Vec<u8>> {
    let root = server.path(&format!("made by {step}"));
    let values = [("target", "E:"), ("root", root.to_str().unwrap()), ("machine", machine.name())];
    let played = StandIns::of_scene(&server.path("scene"), transcripts(), &values, &[step]);
    let arguments = ["start", "systemstatebackup", "-backupTarget:E:", "-quiet"].map(str::to_owned);
    played.answer("wbadmin", &arguments).unwrap();
    files(&root)
}

const SAFE_BOOT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Option";

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_system_state_is_staged_sent_restored_and_put_back() {
    let vault = TestVault::start();
    let machine = WindowsMachine::server();
    let server = protected(&vault);
    server.run(["settings", "set", "--verify-packages", "on"]).done();

    let with_sfc = |steps: &[&'static str]| [&["writers-stable", "sfc-whole"][..], steps].concat();
    let first = back_up(&machine, &server, &with_sfc(&BACKUP[1..])).done().last();
    assert_eq!((&first["status"], &first["files"]), (&"Completed".into(), &13.into()), "{first}");
    assert_eq!(fs::read_dir(machine.drive()).unwrap().count(), 0, "nothing stays staged");
    let again = [
        "versions-none",
        "backup-success-again",
        "versions-two",
        "versions-two",
        "delete-all",
        "versions-none",
    ];
    let second = back_up(&machine, &server, &with_sfc(&again)).done().last();
    assert!(second["bytes_uploaded"].as_u64().unwrap() < 1 << 20, "only what changed goes up: {second}");
    assert_eq!(points(&server).len(), 2);
    let shown = server.run(["recovery-point", "show", "latest"]).done().last();
    let components: Vec<&str> =
        shown["components"].as_array().unwrap().iter().map(|part| part["name"].as_str().unwrap()).collect();
    for name in ["windows-image-backup", "writer-system", "writer-registry", "role-domain-controller"] {
        assert!(components.contains(&name), "{components:?}");
    }

    // To the root of a drive, with runbook and script beside it.
    let id = first["recovery_point"].as_str().unwrap();
    let restore =
        |target: &str| server.run(["restore", "--wait", "--recovery-point", id, "--target", target]);
    let laid = restore(r"E:\");
    assert!(matches!(laid.code(), Some(0 | 3)), "{laid:#?}");
    let mut found = files(&machine.drive());
    let [runbook, script] = ["stateward-runbook.txt", "stateward-restore.cmd"].map(|name| {
        String::from_utf8(found.remove(name).unwrap_or_else(|| panic!("{name}: {laid:#?}"))).unwrap()
    });
    assert!(found == expected(&machine, &server, "backup-success"), "{:?}", found.keys());
    let line = format!(
        "wbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:{} -quiet",
        machine.name()
    );
    assert!(runbook.contains(&line) && script.contains(&line), "{runbook}\n{script}");
    assert_eq!(restore(r"E:\").expect_code(1).error_code(), "output-exists");
    assert_eq!(restore(r"C:\").expect_code(1).error_code(), "critical-volume");

    put_back(&machine, &server, id, &line);

    // On Linux, from the vault's folder, with the passphrase and nothing else.
    let stranger = TestServer::fresh();
    let target = stranger.path("recovered");
    let mut recover = stranger.command(["recover", "--recovery-point", id, "--store"]);
    recover.arg(vault.data()).arg("--passphrase-file").arg(server.path("passphrase"));
    recover.arg("--target").arg(&target);
    let recovered = run(recover);
    assert!(matches!(recovered.code(), Some(0 | 3)), "{recovered:#?}");
    assert!(files(&target) == expected(&machine, &server, "backup-success"));
}

/// The plan, shown and run; and what it refuses.
fn put_back(machine: &WindowsMachine, server: &WindowsServer, id: &str, line: &str) {
    let plan = |more: &[&str]| {
        let plan = ["system-state", "plan", "--recovery-point", id, "--place", "E:"];
        server.run(plan.into_iter().chain(more.iter().copied()))
    };
    let shown = plan(&[]).done().last();
    assert_eq!((&shown["line"], &shown["is_domain_controller"]), (&line.into(), &true.into()), "{shown:#}");
    assert_eq!(shown["steps"][0]["line"], "bcdedit /set safeboot dsrepair");
    let authoritative = plan(&["--authoritative"]).done().last();
    assert!(authoritative["line"].as_str().unwrap().contains("-authsysvol"), "{authoritative:#}");
    // Up to the restart for the repair of the directory; then, started so, up to the last one.
    let played = machine.play(&["bcdedit-repair"]);
    assert_eq!(plan(&["--run", "--yes"]).done().last()["steps_done"], 1);
    played.expect_all_played();
    machine.set_number(SAFE_BOOT, "OptionValue", "3");
    let played = machine.play(&["versions-one", "recovery-success", "bcdedit-ordinary"]);
    assert_eq!(plan(&["--run", "--yes"]).done().last()["steps_done"], 3);
    played.expect_all_played();
    machine.play(&["versions-one", "recovery-fails"]);
    assert_eq!(plan(&["--run", "--yes"]).expect_code(1).error_code(), "plan-line-failed");
    machine.play(&["versions-none"]);
    assert_eq!(plan(&["--run", "--yes"]).expect_code(1).error_code(), "plan-line-failed");
    machine.remove_key(SAFE_BOOT);

    assert_eq!(plan(&["--tombstone-days", "60"]).expect_code(1).error_code(), "recovery-point-tombstoned");
    machine.set(r"HKCU\Software\Wine", "Version", "vista");
    assert_eq!(plan(&[]).expect_code(1).error_code(), "older-windows");
    machine.remove_key(r"HKCU\Software\Wine");
    machine.be("WinNT");
    assert_eq!(plan(&["--run", "--yes"]).expect_code(1).error_code(), "client-edition");
}
