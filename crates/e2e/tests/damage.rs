//! Damage at the vault: verify finds it, restore says exactly what is lost and brings back the rest.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::compare::differences;
use stateward_e2e::process::{Outcome, run};
use stateward_e2e::server::restored;
use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, tree};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, Clone, Copy)]
enum Harm {
    Delete,
    Truncate,
    Flip,
}

const HARMS: [Harm; 3] = [Harm::Delete, Harm::Truncate, Harm::Flip];

/// Harms an object and gives what makes it whole again.
fn harm(object: &Path, how: Harm) -> impl FnOnce() + use<> {
    let whole = fs::read(object).unwrap();
    match how {
        Harm::Delete => fs::remove_file(object).unwrap(),
        Harm::Truncate => fs::write(object, &whole[..whole.len() / 2]).unwrap(),
        Harm::Flip => {
            let mut flipped = whole.clone();
            flipped[whole.len() / 2] ^= 0x10;
            fs::write(object, flipped).unwrap();
        }
    }
    let object = object.to_owned();
    move || fs::write(object, whole).unwrap()
}

struct Rig {
    vault: TestVault,
    server: TestServer,
    source: PathBuf,
    restores: u32,
}

impl Rig {
    fn new() -> Self {
        let mut dice = Dice::from_environment();
        let vault = TestVault::start();
        let server = TestServer::registered(&vault);
        let source = server.path("source");
        tree::plant(&source, tree::Size { small_files: 200, large_bytes: 40 << 20 }, &mut dice);
        server.protect(&source);
        server.backup();
        Self { vault, server, source, restores: 0 }
    }

    fn assert_verify_finds_it(&self, what: &str) {
        let outcome = self.server.run(["verify", "--full"]);
        assert_eq!(outcome.code(), Some(1), "verify did not find {what}: {outcome:#?}");
    }

    fn restore(&mut self) -> (Outcome, PathBuf) {
        self.restores += 1;
        let target = self.server.path(&format!("restored-{}", self.restores));
        (self.server.restore("latest", &target, &[]), restored(&target, &self.source))
    }
}

/// The paths that a restore names as lost.
fn lost(outcome: &Outcome) -> BTreeSet<PathBuf> {
    let lines = outcome.json();
    let warnings = lines.iter().filter(|line| line["type"] == "warning");
    warnings.filter_map(|line| line["path"].as_str()).map(PathBuf::from).collect()
}

/// Whether a restore lost entries: it cannot know what they named, and says so.
fn has_gap(outcome: &Outcome) -> bool {
    outcome.json().iter().any(|line| line["code"] == "entries-lost")
}

/// What is named is not there, nothing else is missing, and nothing that is there is other than it was.
fn assert_just_these_are_lost(named: &BTreeSet<PathBuf>, source: &Path, target: &Path) {
    assert!(!named.is_empty());
    let named: Vec<_> = named.iter().map(|path| path.strip_prefix(source).unwrap()).collect();
    for path in &named {
        assert!(fs::symlink_metadata(target.join(path)).is_err(), "{} is not whole", path.display());
    }
    for difference in differences(source, target) {
        let is_named = named.iter().any(|path| difference.starts_with(&*path.to_string_lossy()));
        assert!(is_named || difference.starts_with("hard links"), "{difference}");
    }
}

#[test]
fn a_damaged_pack_costs_just_what_is_in_it_and_each_lost_file_is_named() {
    let mut rig = Rig::new();
    let mut had_contents_only = false;
    for pack in rig.vault.objects(ObjectKind::Pack) {
        for how in HARMS {
            let heal = harm(&pack, how);
            rig.assert_verify_finds_it(&format!("a pack: {how:?}"));
            let (outcome, target) = rig.restore();
            let outcome = outcome.expect_code(1);
            assert_eq!(outcome.error_code(), "files-lost");
            // Which pack the entries share with contents depends on which thread was ready when they came.
            if !has_gap(&outcome) {
                assert_just_these_are_lost(&lost(&outcome), &rig.source, &target);
                had_contents_only = true;
            }
            heal();
        }
    }
    assert!(had_contents_only, "each pack held entries");
    let (outcome, target) = rig.restore();
    outcome.done();
    assert_same(&rig.source, &target);
    rig.server.run(["verify", "--full"]).done();
}

#[test]
fn damage_to_any_pack_is_found() {
    let rig = Rig::new();
    for (number, pack) in rig.vault.objects(ObjectKind::Pack).iter().enumerate() {
        let heal = harm(pack, HARMS[number % HARMS.len()]);
        rig.assert_verify_finds_it(&format!("pack {number}"));
        heal();
    }
    rig.server.run(["verify", "--full"]).done();
}

#[test]
fn a_damaged_recovery_point_is_found_and_the_others_come_back() {
    let mut rig = Rig::new();
    let first = rig.server.points().remove(0);
    fs::write(rig.source.join("new"), "new").unwrap();
    rig.server.backup();
    let newest = rig.vault.objects(ObjectKind::Point).pop().unwrap();
    for how in HARMS {
        let heal = harm(&newest, how);
        rig.assert_verify_finds_it(&format!("a recovery point: {how:?}"));
        let (outcome, _) = rig.restore();
        let outcome = outcome.expect_code(1);
        assert!(!outcome.error_code().is_empty());
        let target = rig.server.path(&format!("older-{how:?}"));
        rig.server.restore(&first, &target, &[]).done();
        heal();
    }
    rig.server.run(["verify", "--full"]).done();
    let (outcome, target) = rig.restore();
    outcome.done();
    assert_same(&rig.source, &target);
}

#[test]
fn a_damaged_receipt_or_key_slot_is_found_and_stands_in_no_restores_way() {
    let mut rig = Rig::new();
    for kind in [ObjectKind::Receipt, ObjectKind::Slot] {
        let object = rig.vault.objects(kind).remove(0);
        for how in HARMS {
            let heal = harm(&object, how);
            rig.assert_verify_finds_it(&format!("{kind:?}: {how:?}"));
            let (outcome, target) = rig.restore();
            outcome.done();
            assert_same(&rig.source, &target);
            heal();
        }
    }
    rig.server.run(["verify", "--full"]).done();
}

#[test]
fn without_a_vault_too_damage_is_told_and_the_rest_is_recovered() {
    let rig = Rig::new();
    let packs = rig.vault.objects(ObjectKind::Pack);
    let data = packs.iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let _heal = harm(data, Harm::Flip);
    let target = rig.server.path("recovered");
    let stranger = TestServer::fresh();
    let mut recover = stranger.command(["recover", "--recovery-point", "latest", "--store"]);
    recover.arg(rig.vault.data()).arg("--passphrase-file").arg(stranger.passphrase_file());
    recover.arg("--target").arg(&target);
    let outcome = run(recover).expect_code(1);
    assert_eq!(outcome.error_code(), "files-lost");
    assert!(!lost(&outcome).is_empty());
    let slot = rig.vault.objects(ObjectKind::Slot).remove(0);
    let _heal = harm(&slot, Harm::Flip);
    let mut recover = stranger.command(["recover", "--list", "--store"]);
    recover.arg(rig.vault.data()).arg("--passphrase-file").arg(stranger.passphrase_file());
    let outcome = run(recover);
    assert_ne!(outcome.code(), Some(0), "{outcome:#?}");
    assert!(!outcome.error_code().is_empty());
}
