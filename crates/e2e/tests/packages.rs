//! Packages of the agent: offered by a vault, downloaded, proved, installed. They are made by `dpkg-deb` and installed by
//! `dpkg` below a folder of the test's own.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use serde_json::{Value, json};
use stateward_crypto::{FileHash, SigningKey};
use stateward_e2e::process::{DEADLINE, Outcome, is_installed, program, run, wait_until};
use stateward_e2e::{Running, TestServer, TestVault};
use stateward_model::PackageStatement;
use stateward_model::package::hex;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The version that is installed when a scene begins, and those after and before it.
const NOW: &str = "0.1.0-1";
const NEWER: &str = "99.0.0-1";
const OLDER: &str = "0.0.1-1";

/// A vault, and a registered server whose agent is taken to have come in a package.
struct Scene {
    vault: TestVault,
    server: TestServer,
    folder: TempDir,
    architecture: String,
}

impl Scene {
    fn new() -> Self {
        let vault = TestVault::start();
        let server = TestServer::registered(&vault);
        let folder = TempDir::with_prefix("stateward-packages-").unwrap();
        let root = folder.path().join("root/var/lib/dpkg");
        for name in ["info", "updates"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        for name in ["status", "available"] {
            fs::write(root.join(name), "").unwrap();
        }
        let mut asked = Command::new("dpkg");
        asked.arg("--print-architecture");
        let architecture = run(asked).done().stdout.trim().to_owned();
        let scene = Self { vault, server, folder, architecture };
        let mut install = Command::new("dpkg");
        install.arg("--install").arg(scene.deb(NOW));
        run(scene.below_root(install)).done();
        scene
    }

    /// A command that installs below the scene's own root, whoever runs it.
    fn below_root(&self, mut command: Command) -> Command {
        command
            .env("DPKG_ROOT", self.folder.path().join("root"))
            .env("DPKG_FORCE", "not-root,script-chrootless");
        command
    }

    /// A package of that version.
    fn deb(&self, version: &str) -> PathBuf {
        let content = self.folder.path().join(format!("content-{version}"));
        fs::create_dir_all(content.join("DEBIAN")).unwrap();
        fs::create_dir_all(content.join("usr/share/doc/stateward")).unwrap();
        fs::write(content.join("usr/share/doc/stateward/version"), version).unwrap();
        let control = format!(
            "Package: stateward\nVersion: {version}\nArchitecture: {}\nMaintainer: test <test@localhost>\nDescription: test\n",
            self.architecture
        );
        fs::write(content.join("DEBIAN/control"), control).unwrap();
        let path = self.folder.path().join(format!("stateward_{version}_{}.deb", self.architecture));
        let mut build = Command::new("dpkg-deb");
        build.args(["--root-owner-group", "-Znone", "--build"]).arg(content).arg(&path);
        run(build).done();
        path
    }

    /// The command of the vault's machine.
    fn packages(&self, words: &[&str], more: &[&Path]) -> Outcome {
        let mut command = Command::new(program("stateward-vault"));
        command.arg("packages").args(words).arg("--data").arg(self.vault.data()).args(more);
        run(command)
    }

    /// Offers a package of that version that this key signed.
    fn offer(&self, version: &str, key: &SigningKey) -> PathBuf {
        let path = self.deb(version);
        sign(&path, key);
        self.packages(&["add", "--json"], &[&path]).done();
        path
    }

    /// Trusts the release key on the server.
    fn trust(&self, key: &SigningKey) {
        let path = self.server.path("release-keys");
        fs::write(&path, format!("{} of the test\n", hex(&key.public_key()))).unwrap();
        let mut set = self.server.command(["settings", "set", "--release-key"]);
        set.arg(path);
        run(set).done();
    }

    fn upgrade(&self, more: &[&str]) -> Outcome {
        let mut command = self.server.command(["agent", "upgrade"]);
        command.args(more);
        run(self.below_root(command))
    }

    /// What the file of the package that is installed says.
    fn installed(&self) -> String {
        fs::read_to_string(self.folder.path().join("root/usr/share/doc/stateward/version")).unwrap()
    }

    /// Asserts that an upgrade is refused so, that nothing was installed, and that nothing of it is left.
    #[track_caller]
    fn refused(&self, more: &[&str], exit: i32, code: &str) -> String {
        let outcome = self.upgrade(more).expect_code(exit);
        assert_eq!(outcome.error_code(), code, "{outcome:#?}");
        assert_eq!(self.installed(), NOW);
        assert!(!self.server.home().join("packages").exists());
        outcome.last()["message"].as_str().unwrap().to_owned()
    }

    /// The file in which the vault keeps a package.
    fn kept(&self, version: &str) -> PathBuf {
        self.vault.data().join(format!("packages/stateward_{version}_{}.deb", self.architecture))
    }
}

fn key() -> SigningKey {
    SigningKey::from_seed([5; 32])
}

fn statement(path: &Path) -> PackageStatement {
    let bytes = fs::read(path).unwrap();
    let mut hash = FileHash::default();
    hash.update(&bytes);
    let file = path.file_name().unwrap().to_str().unwrap().parse().unwrap();
    PackageStatement { file, size_bytes: bytes.len() as u64, sha256: hash.finish() }
}

fn sign(path: &Path, key: &SigningKey) {
    fs::write(format!("{}.sig", path.display()), key.sign_package(statement(path)).to_string()).unwrap();
}

#[test]
fn an_agent_is_upgraded_by_a_package_that_a_trusted_key_signed() {
    let scene = Scene::new();
    let path = scene.offer(NEWER, &key());
    // Nobody is trusted before somebody at the server says so.
    assert!(scene.refused(&[], 1, "no-release-key").contains("No release key"));
    let automatic = ["settings", "set", "--upgrade", "automatically"];
    assert_eq!(scene.server.run(automatic).expect_code(1).error_code(), "no-release-key");
    scene.trust(&key());
    let name = path.file_name().unwrap().to_str().unwrap();
    let found = scene.upgrade(&["--check"]).done().last();
    assert_eq!((&found["installed"], &found["package"]), (&json!(NOW), &json!(name)));
    assert_eq!((&found["upgraded"], scene.installed().as_str()), (&json!(false), NOW));
    // While a job runs there is no upgrade; a job holds this lock.
    let job = fs::File::options().write(true).open(scene.server.home().join("lock")).unwrap();
    job.lock().unwrap();
    scene.refused(&[], 11, "busy");
    job.unlock().unwrap();
    let done = scene.upgrade(&[]).done().last();
    assert_eq!((&done["before"], &done["installed"]), (&json!(NOW), &json!(NEWER)));
    assert_eq!((&done["upgraded"], scene.installed().as_str()), (&json!(true), NEWER));
    let again = scene.upgrade(&[]).done().last();
    assert_eq!((&again["installed"], &again["package"]), (&json!(NEWER), &json!(null)));
    assert!(!scene.server.home().join("packages").exists());
}

#[test]
fn a_package_that_nobody_trusted_signed_is_not_installed() {
    let scene = Scene::new();
    scene.trust(&key());
    let unsigned = scene.deb(NEWER);
    scene.packages(&["add", "--json"], &[&unsigned]).done();
    assert!(scene.refused(&[], 1, "package-not-trusted").contains("not signed"));
    // Another key's; then the right key's over another file, which the vault's own command takes no more.
    sign(&unsigned, &SigningKey::from_seed([6; 32]));
    scene.packages(&["add"], &[&unsigned]).done();
    assert!(scene.refused(&[], 1, "package-not-trusted").contains("not trusted here"));
    let old = scene.deb(OLDER);
    sign(&old, &key());
    fs::copy(format!("{}.sig", old.display()), format!("{}.sig", unsigned.display())).unwrap();
    scene.packages(&["add"], &[&unsigned]).expect_code(1);
    // A vault that means harm has its own index: the signature of the old package under the name of the new one.
    let index = scene.vault.data().join("packages/index.json");
    let mut text: Value = serde_json::from_slice(&fs::read(&index).unwrap()).unwrap();
    text["packages"][0]["signature"] = json!(key().sign_package(statement(&old)).to_string());
    fs::write(&index, text.to_string()).unwrap();
    assert!(scene.refused(&[], 1, "package-not-trusted").contains("another file"));
}

#[test]
fn what_came_otherwise_than_it_was_signed_is_not_installed() {
    let scene = Scene::new();
    scene.trust(&key());
    scene.offer(NEWER, &key());
    let kept = scene.kept(NEWER);
    let good = fs::read(&kept).unwrap();
    let mut altered = good.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    fs::write(&kept, &altered).unwrap();
    assert!(scene.refused(&[], 1, "package-damaged").contains("SHA-256"));
    // The vault sees that it has less than it should, and gives nothing.
    fs::write(&kept, &good[..good.len() - 7]).unwrap();
    scene.refused(&[], 1, "vault-failed");
    fs::write(&kept, &good).unwrap();
    scene.upgrade(&[]).done();
    assert_eq!(scene.installed(), NEWER);
}

#[test]
fn an_older_version_is_installed_only_by_so_many_words() {
    let scene = Scene::new();
    scene.trust(&key());
    scene.offer(OLDER, &key());
    let nothing = scene.upgrade(&[]).done().last();
    assert_eq!((&nothing["upgraded"], scene.installed().as_str()), (&json!(false), NOW));
    scene.refused(&["--version", OLDER], 1, "downgrade-refused");
    scene.refused(&["--version", "7.0.0"], 1, "package-not-offered");
    scene.upgrade(&["--version", "../../etc"]).expect_code(2);
    scene.upgrade(&["--version", OLDER, "--allow-downgrade"]).done();
    assert_eq!(scene.installed(), OLDER);
}

/// Where `rpm` has its database is set in the user's home; a package without files changes nothing else.
#[test]
fn an_agent_that_came_in_an_rpm_is_upgraded_by_one() {
    if !["rpm", "rpmbuild"].into_iter().all(is_installed) {
        eprintln!("LEFT OUT: no rpm and rpmbuild");
        return;
    }
    let scene = Scene::new();
    scene.trust(&key());
    let folder = scene.folder.path().join("rpm");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(".rpmmacros"), format!("%_dbpath {}\n", folder.join("db").display())).unwrap();
    let at_home = |mut command: Command| {
        // There, nothing was installed by dpkg.
        command.env("HOME", &folder).env("DPKG_ROOT", &folder).env("DPKG_ADMINDIR", folder.join("none"));
        run(command)
    };
    let rpm = |version: &str| {
        let text = format!(
            "Name: stateward\nVersion: {version}\nRelease: 1\nSummary: test\nLicense: MIT\n%description\ntest\n%files\n"
        );
        fs::write(folder.join("spec"), text).unwrap();
        let mut build = Command::new("rpmbuild");
        build.arg("-bb").arg("--define").arg(format!("_topdir {}", folder.display()));
        build.args(["--define", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm"]);
        build.arg(folder.join("spec"));
        at_home(build).done();
        let mut built = fs::read_dir(folder.join("RPMS")).unwrap().map(|entry| entry.unwrap().path());
        built.find(|path| path.to_string_lossy().contains(version)).unwrap()
    };
    let mut install = Command::new("rpm");
    install.arg("--upgrade").arg(rpm("0.1.0"));
    at_home(install).done();
    let newer = rpm("99.0.0");
    sign(&newer, &key());
    scene.packages(&["add", "--json"], &[&newer]).done();
    let done = at_home(scene.server.command(["agent", "upgrade"])).done().last();
    assert_eq!((&done["before"], &done["installed"]), (&json!(NOW), &json!(NEWER)));
}

#[test]
fn a_running_agent_upgrades_itself_if_it_was_told_to() {
    let scene = Scene::new();
    scene.trust(&key());
    scene.offer(NEWER, &key());
    let shown = scene.server.run(["settings", "show"]).done().last();
    assert_eq!(shown["upgrade"], "on-command");
    scene.server.run(["settings", "set", "--upgrade", "automatically"]).done();
    let agent = Running::start(scene.below_root(scene.server.command(["agent", "run"])));
    wait_until("the agent is upgraded", DEADLINE, || agent.stdout().contains("\"upgraded\"").then_some(()));
    assert_eq!(scene.installed(), NEWER);
    agent.signal(Signal::TERM);
    let outcome = agent.wait().done();
    assert!(!outcome.stdout.contains("not_upgraded"), "{outcome:#?}");
}

#[test]
fn administrators_list_and_download_packages_and_prove_their_checksums() {
    let scene = Scene::new();
    let path = scene.offer(NEWER, &key());
    let unsigned = scene.deb(OLDER);
    let added = scene.packages(&["add", "--json"], &[&unsigned]).done().last();
    assert_eq!((&added["version"], &added["signed"]), (&json!(OLDER), &json!(false)));
    for hostile in ["../vault.json", "stateward_1.0.0-1_amd64.exe"] {
        scene.packages(&["remove"], &[Path::new(hostile)]).expect_code(1);
    }
    let listed = scene.server.run(["vault", "packages", "vault"]).done().json();
    let (first, expected) = (&listed[0], statement(&path));
    assert_eq!(
        (listed.len(), &first["sha256"], &first["signed"]),
        (2, &json!(expected.sha256), &json!(true))
    );
    let name = first["name"].as_str().unwrap();
    let out = scene.server.path("package.deb");
    let download = |name: &str| {
        let mut command = scene.server.command(["vault", "download-package", "vault", name, "--out"]);
        command.arg(&out);
        run(command)
    };
    assert_eq!(download(name).done().last()["sha256"], json!(expected.sha256));
    assert_eq!(fs::read(&out).unwrap(), fs::read(&path).unwrap());
    assert_eq!(download(name).expect_code(1).error_code(), "output-exists");
    fs::remove_file(&out).unwrap();
    assert_eq!(download("stateward_7.0.0-1_amd64.deb").expect_code(1).error_code(), "no-such-thing");
    download("../vault.json").expect_code(2);
    let mut altered = fs::read(&path).unwrap();
    altered[100] ^= 1;
    fs::write(scene.kept(NEWER), altered).unwrap();
    assert_eq!(download(name).expect_code(1).error_code(), "package-damaged");
    let left: Vec<_> =
        fs::read_dir(scene.server.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("package.deb")), "{left:?}");
    scene.packages(&["remove"], &[Path::new(name)]).done();
    assert_eq!(scene.server.run(["vault", "packages", "vault"]).done().json().len(), 1);
}

#[test]
fn a_vault_takes_no_backups_of_agents_below_its_minimum_and_gives_back_all_it_has() {
    let scene = Scene::new();
    let source = scene.server.path("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "kept").unwrap();
    scene.server.protect(&source);
    scene.server.backup();
    let list = || scene.server.run(["server", "list", "--vault", "vault"]).done().last();
    assert_eq!(list()["outdated"], false);
    let set = |version: &str| {
        scene.server.run(["vault", "update", "vault", "--minimum-agent-version", version]).done().last()
    };
    assert_eq!(set("98.0.0")["minimum_agent_version"], "98.0.0");
    assert_eq!(list()["outdated"], true);
    let refused = run(scene.server.backup_command()).expect_code(1);
    assert_eq!(refused.error_code(), "agent-too-old", "{refused:#?}");
    assert!(refused.stdout.contains("from version 98.0.0 on"), "{refused:#?}");
    let target = scene.server.path("target");
    scene.server.restore(&scene.server.points()[0], &target, &[]).done();
    assert_eq!(fs::read(stateward_e2e::server::restored(&target, &source.join("file"))).unwrap(), b"kept");
    scene.server.run(["verify"]).done();
    assert_eq!(set("none")["minimum_agent_version"], json!(null));
    scene.server.backup();
}
