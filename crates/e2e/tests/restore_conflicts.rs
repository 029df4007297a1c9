//! Restores beside and over what is there already, back to where it came from, and without access rights.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::{Value, json};
use stateward_e2e::process::{Outcome, Running, run};
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, is_root, tree};
use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

/// A server with a folder that is backed up and then changed.
struct Rig {
    vault: TestVault,
    server: TestServer,
    source: PathBuf,
}

fn rig() -> Rig {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    fs::create_dir_all(source.join("sub")).unwrap();
    for (name, content) in [("same", "same"), ("changed.txt", "as it was"), ("sub/gone", "back again")] {
        fs::write(source.join(name), content).unwrap();
    }
    fs::set_permissions(source.join("same"), Permissions::from_mode(0o640)).unwrap();
    server.protect(&source);
    server.backup();
    fs::write(source.join("changed.txt"), "as it became").unwrap();
    fs::write(source.join("own"), "nobody backed this up").unwrap();
    fs::remove_file(source.join("sub/gone")).unwrap();
    Rig { vault, server, source }
}

impl Rig {
    fn in_place(&self, more: &[&str]) -> Outcome {
        let restore = ["restore", "--wait", "--recovery-point", "latest", "--original"];
        self.server.run(restore.iter().chain(more))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.source.join(name)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        names(&self.source)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn counts(identical: u64, copied: u64, overwritten: u64, skipped: u64) -> Value {
    json!({ "identical": identical, "copied": copied, "overwritten": overwritten, "skipped": skipped })
}

#[test]
fn in_place_a_rule_must_be_given() {
    let rig = rig();
    assert_eq!(rig.in_place(&[]).code(), Some(2));
    assert_eq!(rig.in_place(&["--conflict", "fail"]).expect_code(2).error_code(), "usage");
    let target = rig.server.path("full");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("mine"), "").unwrap();
    let refused = rig.server.restore("latest", &target, &[]).expect_code(1);
    assert_eq!(refused.error_code(), "target-not-empty");
    assert_eq!(rig.read("changed.txt"), "as it became");
}

#[test]
fn copies_lie_beside_what_is_there_and_are_made_once() {
    let rig = rig();
    let result = rig.in_place(&["--conflict", "copy"]).done().last();
    assert_eq!((&result["conflicts"], &result["files"]), (&counts(1, 1, 0, 0), &json!(2)), "{result}");
    assert_eq!((rig.read("changed.txt"), rig.read("sub/gone")), ("as it became".into(), "back again".into()));
    let names = rig.names();
    let copy = names.iter().find(|name| name.starts_with("changed (restored ") && name.ends_with(").txt"));
    assert_eq!((names.len(), rig.read(copy.unwrap())), (5, "as it was".to_owned()), "{names:?}");
    let again = rig.in_place(&["--conflict", "copy"]).done().last();
    assert_eq!((&again["conflicts"], rig.names()), (&counts(3, 0, 0, 0), names), "{again}");
}

#[test]
fn overwriting_brings_back_what_was_and_leaves_everything_else() {
    let rig = rig();
    fs::set_permissions(rig.source.join("same"), Permissions::from_mode(0o666)).unwrap();
    let result = rig.in_place(&["--conflict", "overwrite"]).done().last();
    assert_eq!(result["conflicts"], counts(0, 0, 2, 0), "{result}");
    assert_eq!((rig.read("changed.txt"), rig.read("sub/gone")), ("as it was".into(), "back again".into()));
    assert_eq!(fs::metadata(rig.source.join("same")).unwrap().mode() & 0o7777, 0o640);
    assert_eq!(rig.names(), ["changed.txt", "own", "same", "sub"]);
    assert_eq!(rig.read("own"), "nobody backed this up");
}

#[test]
fn what_is_skipped_is_counted_and_named() {
    let rig = rig();
    let skipped = rig.in_place(&["--conflict", "skip"]).expect_code(3);
    assert_eq!(skipped.last()["conflicts"], counts(1, 0, 0, 1), "{skipped:#?}");
    let is_named = |line: &Value| {
        line["code"] == "conflict-skipped" && line["path"].as_str().unwrap().ends_with("/source/changed.txt")
    };
    assert!(skipped.json().iter().any(is_named), "{skipped:#?}");
    assert_eq!((rig.read("changed.txt"), rig.read("sub/gone")), ("as it became".into(), "back again".into()));
    let shown = rig.server.as_person(["job", "list"]).done();
    assert!(shown.stdout.contains("Restore"), "{shown:#?}");
}

#[test]
fn one_path_goes_back_alone() {
    let rig = rig();
    let gone = rig.source.join("sub/gone");
    let path = gone.to_str().unwrap();
    let result = rig.in_place(&["--conflict", "overwrite", "--path", path]).done().last();
    assert_eq!((&result["files"], &result["conflicts"]), (&json!(1), &counts(0, 0, 0, 0)), "{result}");
    assert_eq!(rig.read("changed.txt"), "as it became");
    let own = rig.source.join("own");
    let wrong = rig.in_place(&["--conflict", "skip", "--path", own.to_str().unwrap()]).expect_code(1);
    assert_eq!(wrong.error_code(), "nothing-at-paths", "it is there, but not in the recovery point");
}

#[test]
fn a_link_that_somebody_put_in_the_way_leads_nowhere() {
    for rule in ["copy", "overwrite", "skip"] {
        let (rig, outside) = (rig(), tempfile::tempdir().unwrap());
        fs::write(outside.path().join("gone"), "somebody else's").unwrap();
        fs::remove_dir(rig.source.join("sub")).unwrap();
        symlink(outside.path(), rig.source.join("sub")).unwrap();
        let done = rig.in_place(&["--conflict", rule]);
        assert_eq!(fs::read_to_string(outside.path().join("gone")).unwrap(), "somebody else's", "{rule}");
        assert_eq!(names(outside.path()), ["gone"], "{rule}");
        assert_eq!(
            done.code(),
            Some(match rule {
                "copy" => 0,
                "overwrite" => 1,
                _ => 3,
            }),
            "{done:#?}"
        );
    }
}

#[test]
fn a_tree_of_every_kind_comes_back_over_a_damaged_one() {
    let mut dice = Dice::from_environment();
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant(&source, tree::Size::SMALL, &mut dice);
    server.protect(&source);
    server.backup();
    let expected = server.path("expected");
    server.restore("latest", &expected, &[]).done();
    tree::change(&source, &mut dice);
    // What came since stays: it is taken away, so that the rest can be compared.
    let target = server.path("target");
    server.restore("latest", &target, &[]).done();
    for name in ["many/001", "modes"] {
        let _ = fs::remove_dir_all(restored(&target, &source).join(name));
    }
    let result = server.restore("latest", &target, &["--conflict", "overwrite"]).done().last();
    assert!(result["conflicts"]["identical"].as_u64().unwrap() > 200, "{result}");
    assert_eq!(result["conflicts"]["overwritten"], 0, "all that is there is the same: {result}");
    assert_same(&restored(&expected, &source), &restored(&target, &source));
}

#[test]
fn without_access_rights_everything_belongs_to_who_restores() {
    let rig = rig();
    let secret = rig.source.join("secret");
    fs::write(&secret, "secret").unwrap();
    fs::set_permissions(&secret, Permissions::from_mode(0o4700)).unwrap();
    if is_root() {
        chown(&secret, Some(1234), Some(1234)).unwrap();
    }
    rig.server.backup();
    let target = rig.server.path("plain");
    rig.server.restore("latest", &target, &["--no-acl"]).done();
    let (made, was) = (fs::metadata(restored(&target, &secret)).unwrap(), fs::metadata(&secret).unwrap());
    assert_eq!(made.uid(), fs::metadata(&target).unwrap().uid());
    assert_eq!((made.mode() & 0o7000, made.mode() & 0o600), (0, 0o600));
    assert_eq!(made.mtime(), was.mtime());
    // Beside what is there too, where the mode is of no matter then.
    let again = rig.server.restore("latest", &target, &["--no-acl", "--conflict", "overwrite"]).done().last();
    assert_eq!(again["conflicts"], counts(4, 0, 0, 0), "{again}");
}

#[test]
fn recover_puts_back_in_place_too() {
    let mut rig = rig();
    rig.vault.stop();
    let stranger = TestServer::fresh();
    let mut recover = stranger.command(["recover", "--recovery-point", "latest", "--original"]);
    recover.args(["--conflict", "overwrite", "--store"]).arg(rig.vault.data());
    recover.arg("--passphrase-file").arg(stranger.passphrase_file());
    let result = run(recover).done().last();
    assert_eq!(result["conflicts"], counts(1, 0, 1, 0), "{result}");
    assert_eq!((rig.read("changed.txt"), rig.read("sub/gone")), ("as it was".into(), "back again".into()));
}

#[test]
fn another_server_restores_with_vault_credentials_and_the_passphrase_and_does_nothing_else() {
    let rig = rig();
    let listed = rig.server.run(["server", "list", "--vault", "vault"]).done().json();
    let id = listed.iter().find_map(|line| line["server"].as_str()).unwrap();
    rig.server.credentials("restore", &["--purpose", "restore", "--server", id]).done();
    let stranger = TestServer::fresh();
    let target = stranger.path("target");
    let restore = |passphrase: &Path, file: &Path| {
        let mut command = stranger.restore_command("latest", &target, &[]);
        run({
            command.arg("--credentials").arg(file).arg("--passphrase-file").arg(passphrase);
            command
        })
    };
    let wrong = stranger.path("wrong");
    fs::write(&wrong, "another passphrase than that\n").unwrap();
    fs::set_permissions(&wrong, Permissions::from_mode(0o600)).unwrap();
    let file = rig.server.path("restore");
    assert_eq!(restore(&wrong, &file).code(), Some(12));
    let result = restore(&stranger.passphrase_file(), &file).done().last();
    assert_eq!(result["files"], 3, "{result}");
    assert_eq!(fs::read_to_string(restored(&target, &rig.source).join("sub/gone")).unwrap(), "back again");
    assert!(!stranger.home().join("registration.json").exists());
    let mut list = stranger.command(["recovery-point", "list", "--credentials"]);
    list.arg(&file).arg("--passphrase-file").arg(stranger.passphrase_file());
    let points: Vec<_> = run(list).done().json();
    let points: Vec<_> = points.iter().filter_map(|line| line["recovery_point"].as_str()).collect();
    assert_eq!(points, rig.server.points());
    let secret = stranger.passphrase_file();
    let useless = ["recovery-point", "list", "--passphrase-file", secret.to_str().unwrap()];
    rig.server.run(useless).expect_code(2);

    let other = restore(&stranger.passphrase_file(), &rig.server.path("credentials")).expect_code(13);
    assert_eq!(other.error_code(), "credentials-for-registering");
    let mut register = stranger.command(["register", "--credentials"]);
    register.arg(&file).arg("--passphrase-file").arg(stranger.passphrase_file());
    assert_eq!(run(register).expect_code(13).error_code(), "credentials-for-restore");
    let audit = rig.server.run(["audit", "list", "--vault", "vault"]);
    assert!(audit.stdout.contains("credentials.restore"), "{audit:#?}");
}

#[test]
fn a_restore_with_credentials_is_stopped_while_its_vault_does_not_answer() {
    let mut rig = rig();
    let listed = rig.server.run(["server", "list", "--vault", "vault"]).done().json();
    let id = listed.iter().find_map(|line| line["server"].as_str()).unwrap();
    rig.server.credentials("restore", &["--purpose", "restore", "--server", id]).done();
    let address = rig.vault.address().to_owned();
    rig.vault.stop();
    // It takes connections and says nothing.
    let silent = TcpListener::bind(address).unwrap();
    let stranger = TestServer::fresh();
    let mut restore = stranger.restore_command("latest", &stranger.path("target"), &[]);
    restore.arg("--credentials").arg(rig.server.path("restore"));
    restore.arg("--passphrase-file").arg(stranger.passphrase_file());
    let restore = Running::start(restore);
    let _taken = silent.accept().unwrap();
    restore.signal(Signal::INT);
    assert_eq!(restore.wait().expect_code(130).error_code(), "cancelled");
}
