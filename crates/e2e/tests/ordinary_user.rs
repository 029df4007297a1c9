//! An ordinary user's agent: it backs up what the user may read, puts back what the user may make, and names everything
//! else, each with its reason, by exit code 3.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid, chownat, makedev, mknodat};
use serde_json::Value;
use stateward_e2e::disk::not_tried;
use stateward_e2e::process::{Outcome, run};
use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault, is_root, tree};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// No user of this machine's.
const USER: u32 = 54_321;

/// `cap_net_bind_service=ep`, as `setcap` writes it.
const CAPABILITY: &[u8] = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

fn own(path: &Path, user: u32, group: u32) {
    let (user, group) = (Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
    chownat(CWD, path, user, group, AtFlags::SYMLINK_NOFOLLOW).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Files of several owners, a device, a capability, setuid bits; and things that only root may read.
fn plant(source: &Path) {
    let at = |name: &str| source.join(name);
    fs::create_dir_all(at("open")).unwrap();
    for (name, mode) in [("mine", 0o644), ("roots", 0o644), ("setuid", 0o4755), ("capable", 0o755)] {
        fs::write(at(&format!("open/{name}")), name).unwrap();
        set_mode(&at(&format!("open/{name}")), mode);
    }
    own(&at("open/mine"), USER, USER);
    own(&at("open/roots"), 0, 7);
    tree::set_attribute(&at("open/capable"), "security.capability", CAPABILITY);
    mknodat(CWD, at("open/null"), FileType::CharacterDevice, Mode::from_raw_mode(0o666), makedev(1, 3))
        .unwrap();
    std::os::unix::fs::symlink("nowhere", at("open/link")).unwrap();
    // Closed to others: a file, a folder with something in it.
    fs::write(at("secret"), "secret").unwrap();
    set_mode(&at("secret"), 0o600);
    fs::create_dir(at("closed")).unwrap();
    fs::write(at("closed/within"), "within").unwrap();
    set_mode(&at("closed"), 0o700);
    set_mode(source, 0o755);
}

/// Each warning's codes by its path; none without a reason.
fn warnings(outcome: &Outcome) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in outcome.json().into_iter().filter(|line| line["type"] == "warning") {
        let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
        assert!(!text("message").is_empty(), "{line}");
        found.entry(text("path")).or_default().push(text("code"));
    }
    found
}

/// Ended with warnings, which the result counts.
fn with_warnings(outcome: Outcome) -> (Value, BTreeMap<String, Vec<String>>) {
    let outcome = outcome.expect_code(3);
    let (result, found) = (outcome.last(), warnings(&outcome));
    assert_eq!(result["status"], "CompletedWithWarnings", "{result}");
    assert_eq!(result["warnings"], found.values().map(Vec::len).sum::<usize>(), "{result}");
    (result, found)
}

#[test]
fn what_the_user_may_not_read_is_left_out_and_named() {
    if !is_root() {
        return not_tried("an ordinary user, for only root can become one");
    }
    let vault = TestVault::start();
    let server = TestServer::registered_as(&vault, USER);
    let source = server.path("source");
    plant(&source);
    server.protect(&source);
    let (result, named) = with_warnings(run(server.backup_command()));
    let path = |name: &str| source.join(name).to_str().unwrap().to_owned();
    let expected = [path("closed"), path("secret")].map(|path| (path, vec!["unreadable".to_owned()]));
    assert_eq!(named, BTreeMap::from(expected));
    // Kept in the recovery point and in the job, too.
    let point = result["recovery_point"].as_str().unwrap();
    let shown = server.run(["recovery-point", "show", point]).done();
    assert!(shown.stdout.contains(&path("secret")), "{shown:#?}");
    let job = server.run(["job", "show", result["job"].as_str().unwrap()]).done();
    assert_eq!(warnings(&job), named);

    let target = server.path("target");
    let (_, named) = with_warnings(server.restore(point, &target, &[]));
    let mine = restored(&target, &source);
    let expected: BTreeMap<String, &str> = [
        ("open/roots", "owner-not-restored"),
        ("open/setuid", "owner-not-restored"),
        ("open/capable", "owner-not-restored"),
        ("open/null", "device-not-restored"),
        ("open/link", "owner-not-restored"),
        ("open", "owner-not-restored"),
        ("", "owner-not-restored"),
    ]
    .map(|(name, code)| (path(name).trim_end_matches('/').to_owned(), code))
    .into();
    for (path, code) in &expected {
        assert!(
            named.get(path).is_some_and(|codes| codes.iter().any(|known| known == code)),
            "{path}: {named:#?}"
        );
    }
    assert!(!named.contains_key(&path("open/mine")), "{named:#?}");
    // What the user may read has the capability too: it can be read by everybody, and set by root alone.
    let capable = &named[&path("open/capable")];
    assert!(capable.contains(&"attribute-not-restored".to_owned()), "{named:#?}");
    for name in ["mine", "roots", "setuid", "capable"] {
        assert_eq!(fs::read_to_string(mine.join("open").join(name)).unwrap(), name);
    }
    // Of another owner these bits would give other rights than they gave.
    assert_eq!(fs::metadata(mine.join("open/setuid")).unwrap().mode() & 0o6000, 0);
    assert!(
        !mine.join("open/null").exists() && !mine.join("secret").exists() && !mine.join("closed").exists()
    );

    // Root gets everything back that is in the point, as it was.
    let root = server.path("by-root");
    let mut recover = server.command(["recover", "--store"]);
    recover.arg(vault.data()).arg("--passphrase-file").arg(server.passphrase_file());
    recover.args(["--recovery-point", point, "--target"]).arg(&root);
    std::os::unix::process::CommandExt::uid(&mut recover, 0);
    std::os::unix::process::CommandExt::gid(&mut recover, 0);
    run(recover).done();
    let by_root = restored(&root, &source);
    let found = |name: &str| fs::symlink_metadata(by_root.join("open").join(name)).unwrap();
    assert_eq!((found("roots").uid(), found("roots").gid()), (0, 7));
    assert_eq!(found("setuid").mode() & 0o7777, 0o4755);
    assert_eq!(found("null").rdev(), makedev(1, 3));
}

#[test]
fn system_state_of_an_ordinary_user_names_what_it_lacks() {
    if !is_root() {
        return not_tried("an ordinary user, for only root can become one");
    }
    let vault = TestVault::start();
    let server = TestServer::registered_as(&vault, USER);
    let protect = ["protect", "system-state", "--component", "configuration", "--component", "accounts"];
    server.run(protect).done();
    let (_, named) = with_warnings(run(server.backup_command()));
    assert_eq!(named.get("/etc/shadow"), Some(&vec!["unreadable".to_owned()]), "{named:#?}");
    // Again: what could not be read is named again, and nothing counts as unchanged that was never read.
    let (_, again) = with_warnings(run(server.backup_command()));
    assert_eq!(again, named);
    let target = server.path("target");
    let (_, named) = with_warnings(server.restore("latest", &target, &[]));
    assert!(
        named.values().flatten().all(|code| code == "owner-not-restored" || code == "attribute-not-restored")
    );
    let passwd = fs::read(target.join("etc/passwd")).unwrap();
    assert_eq!(passwd, fs::read("/etc/passwd").unwrap());
    assert!(!target.join("etc/shadow").exists());
}
