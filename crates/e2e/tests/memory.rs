//! What agent and vault hold in memory: bounded, whatever they back up.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::memory::{Peak, run_measured};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, tree};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::Command;

/// The goal for agent and vault each, in KiB.
const MOST_KIB: u64 = 160 << 10;

/// What each of them holds at least; a lower reading means that nothing was measured.
const LEAST_KIB: u64 = 1 << 10;

/// Data well beyond [`MOST_KIB`], half of it compressible, with holes.
fn plant_image(path: &Path, dice: &mut Dice) {
    let mut file = File::create(path).unwrap();
    for part in 0..96_u64 {
        file.seek(SeekFrom::Start(part * (8 << 20))).unwrap();
        file.write_all(&dice.bytes(2 << 20)).unwrap();
        file.write_all(format!("{part:0>8}").repeat(1 << 18).as_bytes()).unwrap();
    }
}

/// Backs up, restores and verifies under measurement; all that a person needs to read is printed.
#[expect(clippy::print_stdout, reason = "the figures are what a person runs this for")]
fn measure(name: &str, plant: impl FnOnce(&Path)) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    plant(&source);
    server.protect(&source);
    let target = server.path("restored");
    let phases: [(&str, Command); 3] = [
        ("backup", server.backup_command()),
        ("restore", server.restore_command("latest", &target, &[])),
        ("verify", server.command(["verify", "--full"])),
    ];
    for (phase, command) in phases {
        let (outcome, peak) = run_measured(command, vault.process().pid());
        let took = outcome.done().took;
        let Peak { agent_kib, vault_kib } = peak;
        println!(
            "{name} {phase}: {:.2} s, peak anonymous MiB: agent {}, vault {}",
            took.as_secs_f64(),
            agent_kib >> 10,
            vault_kib >> 10
        );
        for (who, kib) in [("agent", agent_kib), ("vault", vault_kib)] {
            assert!((LEAST_KIB..=MOST_KIB).contains(&kib), "{name} {phase}: {who} holds {kib} KiB");
        }
    }
    assert_same(&source, &restored(&target, &source));
}

#[test]
fn mixed_files_stay_within_the_bound() {
    let size = tree::Size { small_files: 5000, large_bytes: 300 << 20 };
    measure("files", |source| tree::plant(source, size, &mut Dice::new(41)));
}

#[test]
fn two_images_that_are_read_at_the_same_time_stay_within_the_bound() {
    measure("two images", |source| {
        std::fs::create_dir(source).unwrap();
        let mut dice = Dice::new(43);
        ["one.img", "two.img"].iter().for_each(|name| plant_image(&source.join(name), &mut dice));
    });
}

#[test]
fn an_image_stays_within_the_bound() {
    measure("image", |source| {
        std::fs::create_dir(source).unwrap();
        plant_image(&source.join("disk.img"), &mut Dice::new(42));
    });
}
