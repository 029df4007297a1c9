//! Golden vaults: what earlier builds wrote, kept in `testdata/vaults`, and read by this one.
//!
//! `testdata/vaults/<version>` holds a vault's store as it lies on a disk, the secrets that open it, and what each of its
//! recovery points holds. Each is recovered by the program, with the passphrase and with the recovery code, and verified
//! and restored by the engine. Nobody writes a vault again once it is there: a release that writes otherwise adds one.
//!
//! The newest of them, [`NEWEST`], is what today's writer makes of the same files, clock and random numbers, byte for byte.
//! Where a writer changes on purpose and the format does not (another way to cut, longer frames, another zstd), a new one
//! is added: give [`NEWEST`] another name, and run `STATEWARD_WRITE=1 cargo test --release -p stateward-e2e --test golden`.
//! Before a release has written it, the newest may be written again in its place, by the same command.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![allow(clippy::print_stderr, reason = "what was written is told")]
#![cfg(target_os = "linux")]

mod describe;
mod disk;
mod linux;
mod scene;
mod testdata;
mod windows;

use scene::Scene;
use serde_json::Value;
use stateward_e2e::process::{Outcome, program, run};
use stateward_testing::Listing;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use testdata::{GoldenPoint, GoldenVault, SecretKind};

/// The vault that today's writer writes.
const NEWEST: &str = "0.1";

/// Exit codes of `stateward recover`: all of it; all but what is told; some of it is lost.
const ALL: i32 = 0;
const WITH_WARNINGS: i32 = 3;
const WITH_LOSSES: i32 = 1;

fn is_writing() -> bool {
    std::env::var_os("STATEWARD_WRITE").is_some_and(|value| value == "1")
}

#[test]
fn todays_writer_still_writes_the_newest_golden_vault() {
    let scene = Scene::play();
    if is_writing() {
        testdata::write(NEWEST, &scene);
        eprintln!("Written: {}", testdata::folder(NEWEST).display());
    }
    let golden = GoldenVault::open(NEWEST);
    let advice = "today's writer writes otherwise: see the head of this test, and docs/format.md, section 11";
    let (kept, made) = (golden.objects(), &scene.objects);
    let names = |objects: &BTreeMap<String, Vec<u8>>| objects.keys().cloned().collect::<BTreeSet<_>>();
    let differing: Vec<_> = names(&kept).symmetric_difference(&names(made)).cloned().collect();
    assert!(differing.is_empty(), "{advice}: {differing:#?}");
    let changed: Vec<_> = kept.iter().filter(|(name, object)| made[*name] != **object).collect();
    assert!(changed.is_empty(), "{advice}: {:#?}", changed.iter().map(|(name, _)| name).collect::<Vec<_>>());
    assert_eq!(golden.text("domain-file"), scene.domain_file, "{advice}");
    assert_eq!(golden.full_packs(), scene.full_packs, "{advice}");
}

#[test]
fn what_went_into_the_newest_golden_vault_comes_out_of_it() {
    let scene = Scene::play();
    let golden = GoldenVault::open(NEWEST);
    for point in &golden.points {
        let restored = golden.restore(point, SecretKind::Passphrase);
        let without_root = |mut listing: Listing| {
            listing.0.remove(&b""[..]);
            listing
        };
        match scene.listings.get(&point.hash) {
            Some(listing) => {
                let differences = without_root(listing.clone()).differences(&without_root(restored.listing));
                assert!(differences.is_empty(), "{}: {differences:#?}", point.name());
            }
            None => {
                let expected = windows::metadata();
                let found: BTreeMap<_, _> =
                    restored.metadata.into_iter().filter(|(path, _)| expected.contains_key(path)).collect();
                assert_eq!(found, expected, "{}", point.name());
            }
        }
    }
}

#[test]
fn the_engine_verifies_and_restores_every_golden_vault() {
    for golden in GoldenVault::all() {
        golden.assert_every_passphrase_opens();
        for point in &golden.points {
            for secret in [SecretKind::Passphrase, SecretKind::RecoveryCode] {
                let restored = golden.restore(point, secret);
                assert_eq!(restored.problems, Vec::<String>::new(), "{}", point.name());
                assert_eq!(restored.has_receipt, point.has_receipt, "{}", point.name());
                let entries = describe::lines(&restored.listing, &restored.metadata);
                let found = (restored.manifest, entries);
                assert_eq!(found, golden.described(point), "{}", point.name());
                assert_eq!(restored.refused, point.refused, "{}", point.name());
            }
        }
    }
}

#[test]
fn every_golden_vault_is_recovered_by_the_program() {
    for golden in GoldenVault::all() {
        for point in &golden.points {
            for secret in [SecretKind::Passphrase, SecretKind::RecoveryCode] {
                recover_and_compare(&golden, point, secret);
            }
        }
    }
}

fn recover_and_compare(golden: &GoldenVault, point: &GoldenPoint, secret: SecretKind) {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    let outcome = recover(golden, point, secret, &folder.path().join("secret"), &target);
    let (_, described) = golden.described(point);
    let code = match () {
        () if !point.refused.is_empty() || described.values().any(disk::is_lost) => WITH_LOSSES,
        () if described.values().any(disk::is_told_of) => WITH_WARNINGS,
        () => ALL,
    };
    assert_eq!(outcome.code(), Some(code), "{}: {outcome:#?}", point.name());
    disk::assert_holds(&target, &described, &point.name());
}

fn recover(
    golden: &GoldenVault,
    point: &GoldenPoint,
    secret: SecretKind,
    secret_file: &Path,
    target: &Path,
) -> Outcome {
    let server = &golden.servers[&point.server];
    let (flag, text) = match secret {
        SecretKind::Passphrase => ("--passphrase-file", server.passphrase(point.epoch)),
        SecretKind::RecoveryCode => ("--recovery-code-file", &*server.recovery_code),
    };
    std::fs::write(secret_file, format!("{text}\n")).unwrap();
    let mut command = Command::new(program("stateward"));
    command.arg("--home").arg(target.with_file_name("home")).arg("--json").arg("recover");
    command.arg("--store").arg(testdata::folder(&golden.name)).args(["--server", &point.server]);
    command.args(["--recovery-point", &point.hash.to_string()]).arg(flag).arg(secret_file);
    command.arg("--target").arg(target);
    run(command)
}

/// The newest vault must show all that the format has: what is not in it is not kept readable by these tests.
#[test]
fn the_newest_golden_vault_holds_all_that_the_format_has() {
    let golden = GoldenVault::open(NEWEST);
    let lines: Vec<Value> =
        golden.points.iter().flat_map(|point| golden.described(point).1.into_values()).collect();
    let held = |field: &str| -> BTreeSet<String> {
        let of = |line: &Value| match &line[field] {
            Value::String(text) => vec![text.clone()],
            Value::Object(fields) => fields.keys().cloned().collect(),
            _ => Vec::new(),
        };
        lines.iter().flat_map(of).collect()
    };
    let kinds = ["block device", "character device", "fifo", "file", "folder", "socket", "symbolic link"];
    assert_eq!(held("kind"), kinds.map(str::to_owned).into());
    let missing: Vec<_> =
        describe::ATTRIBUTES.iter().filter(|name| !held("attributes").contains(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(lines.iter().any(|line| line["linked_with"].is_string()), "no hard link");
    for name in ["user.", "security.capability", "system.posix_acl_access", "system.posix_acl_default"] {
        assert!(held("xattrs").iter().any(|held| held.starts_with(name)), "no {name}");
    }
    golden.assert_holds_every_kind_of_object();
    let manifests: Vec<_> = golden.points.iter().map(|point| golden.described(point).0).collect();
    let shown = |field: &str, value: &str| manifests.iter().any(|manifest| manifest[field] == value);
    for (field, values) in [("kind", ["files", "system state"]), ("names", ["bytes", "WTF-8"])] {
        values.into_iter().for_each(|value| assert!(shown(field, value), "no {field} {value}"));
    }
    let of = |manifest: &Value| manifest["components"].as_array().unwrap().clone();
    let results: BTreeSet<_> =
        manifests.iter().flat_map(of).map(|part| part["result"].as_str().unwrap().to_owned()).collect();
    assert_eq!(results.len(), 3, "{results:?}");
    assert!(manifests.iter().flat_map(of).any(|part| part["depth"] != 0), "no stream has a list of its own");
    assert!(manifests.iter().any(|manifest| !manifest["warnings"].as_array().unwrap().is_empty()));
}
