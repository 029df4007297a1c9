//! `stateward.exe doctor --record` under Wine, with stand-ins for the programs of Windows: what it writes is a recording, and
//! nothing of this machine's names is in it.
//!
//! `scripts/test-windows.sh` runs this; it needs what that makes.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::WindowsServer;
use stateward_e2e::wine::{machine_folder, windows_path};
use stateward_system_state::server_backup::record::{Recording, RegistryAnswer};
use stateward_system_state::server_backup::transcript::Provenance;
use stateward_testing::stand_in::{StandIns, transcripts};
use std::fs;
use std::path::PathBuf;

/// What is asked, in this order.
const STEPS: [&str; 8] = [
    "list-versions",
    "list-disks",
    "status-none",
    "list-items",
    "writers-stable",
    "list-providers",
    "list-shadow-storage",
    "diskpart-list",
];

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_programs_of_windows_say_is_recorded_without_the_names_of_this_machine() {
    let server = WindowsServer::fresh();
    let programs = machine_folder().join("drive_c/windows/system32");
    // The machine is that of all tests: another may have laid some.
    StandIns::remove(&programs, ".exe");
    let machine = server.run(["doctor", "--record", &server.named("early.json")]);
    assert_eq!(
        machine.code(),
        Some(3),
        "without the programs there is nothing but the registry: {machine:#?}"
    );
    let early = Recording::read(&fs::read_to_string(server.path("early.json")).unwrap()).unwrap();
    assert!(early.transcripts.is_empty() && early.not_recorded.len() == 7, "{:?}", early.not_recorded);

    let name = early_name(&server);
    let script = server.named("stateward-record.diskpart.txt");
    let stand_in = std::env::var_os("STATEWARD_WINDOWS_STAND_IN").expect("scripts/test-windows.sh sets it");
    let values = [("machine", &name[..]), ("script", &script)];
    let from = PathBuf::from(windows_path(&transcripts().canonicalize().unwrap()));
    StandIns::lay(&programs, stand_in.as_ref(), ".exe");
    let stand_ins = StandIns::of_scene(&programs, from, &values, &STEPS);

    let told = server.run(["doctor", "--record", &server.named("record.json")]).done().last();
    assert_eq!((&told["transcripts"], &told["not_recorded"]), (&8.into(), &serde_json::json!([])));
    stand_ins.expect_all_played();
    let text = fs::read_to_string(server.path("record.json")).unwrap();
    let recording = Recording::read(&text).unwrap();
    // A shorter name may be a part of words.
    let is_shown = name.len() > 4 && text.to_lowercase().contains(&name.to_lowercase());
    assert!(!is_shown, "{name}: {text}");
    assert!(!text.contains("Holtzmann") && text.contains("On computer: SRV01"), "{text}");
    let writers = &recording.transcripts["vssadmin-list-writers"];
    assert!(matches!(writers.provenance, Provenance::Recorded { .. }));
    assert!(writers.output.iter().any(|line| line.contains("{e8132975-6f93-4464-a53e-1050253ae220}")));
    assert_eq!(recording.transcripts["wbadmin-get-status"].exit, 1);
    let product = recording.registry.iter().find(|fact| fact.name.as_deref() == Some("ProductName")).unwrap();
    assert!(
        matches!(&product.answer, RegistryAnswer::Text { text } if text.contains("Windows")),
        "{product:?}"
    );
    server.run(["doctor", "--record", &server.named("record.json")]).expect_code(1);
}

/// How Wine calls this machine.
fn early_name(server: &WindowsServer) -> String {
    let told =
        stateward_e2e::process::run(server.command_of("cmd.exe", &["/c", "echo %COMPUTERNAME%"])).done();
    let name = told.stdout.trim().to_owned();
    assert!(!name.is_empty() && !name.contains('%'), "{name}");
    name
}
