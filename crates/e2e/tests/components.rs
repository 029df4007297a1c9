//! Components whose parts can't all be captured: each thing that is not kept is a warning of the job, and is told with the
//! recovery point too.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::run;
use stateward_e2e::{TestServer, TestVault};
use std::fs;

#[test]
fn a_directory_that_can_not_be_dumped_is_a_warning_and_the_rest_comes_back() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let tree = server.path("tree");
    let files = [
        ("etc/ldap/slapd.d/cn=config/olcDatabase={1}mdb.ldif", "dn: olcDatabase={1}mdb\n"),
        ("etc/fstab", "UUID=1 / ext4 defaults 0 1\n"),
        ("boot/grub/grub.cfg", "menuentry\n"),
        ("boot/grub/i386-pc/normal.mod", ""),
        ("var/lib/ldap/data.mdb", "what only a dump could hold"),
    ];
    for (path, content) in files {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let mut protect = server.command(["protect", "system-state", "--root"]);
    protect.arg(&tree);
    run(protect).done();

    let backup = server.run(["backup", "now", "--wait"]).expect_code(3);
    let lines = backup.json();
    let warned: Vec<&str> = lines.iter().filter_map(|line| line["code"].as_str()).collect();
    assert!(warned.contains(&"not-dumped"), "{backup:#?}");
    assert_eq!(backup.last()["status"], "CompletedWithWarnings", "{backup:#?}");
    let shown = server.run(["recovery-point", "show", "latest"]).done();
    assert!(shown.stdout.contains("not-dumped"), "{shown:#?}");

    let target = server.path("restored");
    server.restore("latest", &target, &[]).done();
    for (path, content) in &files[..4] {
        assert_eq!(fs::read_to_string(target.join(path)).unwrap(), *content, "{path}");
    }
    assert!(!target.join("var/lib/ldap/data.mdb").exists());
    let loaders = fs::read_to_string(target.join("stateward-generated/boot/boot-loaders.json")).unwrap();
    assert!(loaders.contains("i386-pc"), "{loaders}");
}
