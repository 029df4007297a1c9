//! Names and contents stay home: strings that nobody else would write are found nowhere in what a vault keeps.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::canary::{find_below, forms, is_in};
use stateward_e2e::process::run;
use stateward_e2e::server::restored;
use stateward_e2e::{TestServer, TestVault, is_root, tree};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whoever runs an agent here that must not read everything.
const NOBODY: u32 = 65_534;

const CONTENT: &str = "canary-content-9c1f7a52";
const FILE: &str = "canary-file-03b8e64d";
const FOLDER: &str = "canary-folder-e17a20f6";
const ATTRIBUTE: &str = "canary-attribute-5d90c3b1";
const VALUE: &str = "canary-value-a86f14e7";
const LINK: &str = "canary-link-2e7b95d0";
const UNREADABLE: &str = "canary-unreadable-61fd08ac";
const CHANGING: &str = "canary-changing-b4c2793e";
const GONE: &str = "canary-gone-7705fe1b";
const TARGET: &str = "canary-target-f39a6c28";

fn plant(source: &Path) {
    let folder = source.join(FOLDER);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(FILE), format!("{CONTENT}\n").repeat(1000)).unwrap();
    // Incompressible around it, so that a frame which is not compressed would show it as it is.
    let mut dice = stateward_e2e::Dice::new(7);
    let noise = [dice.bytes(200_000), CONTENT.as_bytes().to_vec(), dice.bytes(200_000)].concat();
    fs::write(folder.join("noise"), noise).unwrap();
    tree::set_attribute(&folder.join(FILE), &format!("user.{ATTRIBUTE}"), VALUE.as_bytes());
    symlink(format!("/{LINK}"), folder.join("link")).unwrap();
    fs::write(source.join(UNREADABLE), "nobody reads this").unwrap();
    fs::set_permissions(source.join(UNREADABLE), fs::Permissions::from_mode(0o000)).unwrap();
}

#[test]
fn nothing_of_names_and_contents_is_found_in_vault_database_and_logs() {
    let mut vault = TestVault::start();
    let server = match is_root() {
        true => TestServer::registered_as(&vault, NOBODY),
        false => TestServer::registered(&vault),
    };
    let source = server.path("source");
    plant(&source);
    // Written as fast as it goes while it is read: a warning, or a file that was read at a quiet moment.
    let changing = source.join(CHANGING);
    fs::write(&changing, vec![b'x'; 8 << 20]).unwrap();
    if is_root() {
        let mut chown = std::process::Command::new("chown");
        chown.arg("-R").arg(NOBODY.to_string()).arg(&source);
        run(chown).done();
        // Root's, so that even its owner's agent may not read it.
        std::os::unix::fs::chown(source.join(UNREADABLE), Some(0), Some(0)).unwrap();
    }
    let gone = server.path(GONE);
    fs::create_dir(&gone).unwrap();
    fs::write(gone.join("file"), CONTENT).unwrap();
    server.protect(&source);
    server.protect(&gone);

    // Not `Completed`: something was left out and is named here, at home.
    let outcome = while_changing(&changing, || run(server.backup_command())).expect_code(3);
    assert!(outcome.stdout.contains(UNREADABLE), "a warning names its file at home: {outcome:#?}");

    // A job that fails on a canary.
    fs::remove_dir_all(&gone).unwrap();
    let failed = server.run(["backup", "now", "--wait", "--item", "files-2"]);
    assert_eq!(failed.code(), Some(1), "{failed:#?}");

    let in_the_way = server.path(TARGET);
    fs::write(&in_the_way, "no folder").unwrap();
    assert_ne!(server.restore("latest", &in_the_way, &["--item", "files"]).code(), Some(0));
    let target = server.path("restored");
    server.restore("latest", &target, &["--item", "files"]);
    assert!(restored(&target, &source).join(FOLDER).join(FILE).exists(), "the canary was really backed up");
    server.run(["verify", "--full"]).done();
    vault.stop();

    let logs = vault.logs();
    for canary in [CONTENT, FILE, FOLDER, ATTRIBUTE, VALUE, LINK, UNREADABLE, CHANGING, GONE, TARGET] {
        assert_eq!(find_below(vault.data(), canary), Vec::<std::path::PathBuf>::new(), "{canary}");
        assert!(!is_in(logs.as_bytes(), &forms(canary)), "{canary} stands in the vault's log");
    }
    // The search finds what is there: labels are the vault's to know.
    assert!(!find_below(vault.data(), "files-2").is_empty());
}

fn while_changing<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0u8;
            while !is_done.load(Ordering::Relaxed) {
                round = round.wrapping_add(1);
                fs::write(path, vec![round; 8 << 20]).unwrap();
            }
        });
        let value = work();
        is_done.store(true, Ordering::Relaxed);
        value
    })
}
