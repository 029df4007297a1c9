//! `stateward.exe` under Wine against a vault on Linux, over TLS: what it protects comes back, to itself and to Linux, and what
//! Linux protects comes back to it.
//!
//! `scripts/test-windows.sh` runs these; they need what it makes.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use stateward_e2e::process::{DEADLINE, run, wait_until};
use stateward_e2e::server::restored;
use stateward_e2e::wine::{windows_path, wine};
use stateward_e2e::{Outcome, TestServer, TestVault, WindowsServer};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What a test plants: contents, names that Windows has difficulties with, times, a file with two names.
fn plant(root: &Path) {
    let long = "a folder with a long name, one of many".to_owned();
    let deep = (0..12).fold(root.join("deep"), |path, number| path.join(format!("{long} {number}")));
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("at the end.txt"), "a path of more than 260 characters").unwrap();
    fs::create_dir_all(root.join("empty folder")).unwrap();
    for (name, content) in [
        ("empty", ""),
        ("grüße 你好 😀.txt", "text"),
        ("trailing space ", "x"),
        ("ends in a dot.", "y"),
        ("con", "z"),
    ] {
        fs::write(root.join(name), content).unwrap();
    }
    let noise: Vec<u8> =
        (0..6_000_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(root.join("large.bin"), noise).unwrap();
    for number in 0..200 {
        fs::create_dir_all(root.join(format!("many/{}", number % 7))).unwrap();
        fs::write(root.join(format!("many/{}/{number}.txt", number % 7)), format!("file {number}")).unwrap();
    }
    fs::hard_link(root.join("large.bin"), root.join("large, other name.bin")).unwrap();
    let holes = File::create(root.join("holes.bin")).unwrap();
    holes.write_all_at(b"begin", 0).unwrap();
    holes.write_all_at(b"end", 3 << 20).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::new(1_000_000_000, 123_456_700);
    File::options().append(true).open(root.join("empty")).unwrap().set_modified(old).unwrap();
}

/// What must come back: each path with its content (a folder has none), when it was changed, and how many names it has.
type Seen = BTreeMap<PathBuf, (Option<Vec<u8>>, i64, i64, u64)>;

fn look(root: &Path) -> Seen {
    let (mut seen, mut open) = (Seen::new(), vec![PathBuf::new()]);
    while let Some(path) = open.pop() {
        let whole = root.join(&path);
        let meta = fs::symlink_metadata(&whole).unwrap();
        let content = if meta.is_dir() { None } else { Some(fs::read(&whole).unwrap()) };
        if meta.is_dir() {
            open.extend(fs::read_dir(&whole).unwrap().map(|entry| path.join(entry.unwrap().file_name())));
        }
        // Windows counts in hundreds of nanoseconds.
        let names = if meta.is_dir() { 1 } else { meta.nlink() };
        seen.insert(path, (content, meta.mtime(), meta.mtime_nsec() / 100, names));
    }
    seen
}

/// Panics with the first differences.
#[track_caller]
fn assert_same(source: &Path, restored: &Path) {
    let (source, restored) = (look(source), look(restored));
    let paths: Vec<_> = source.keys().chain(restored.keys()).collect();
    for path in paths {
        let (left, right) = (source.get(path), restored.get(path));
        let shown = |seen: Option<&(Option<Vec<u8>>, i64, i64, u64)>| {
            seen.map(|(content, seconds, ticks, names)| {
                (content.as_ref().map(Vec::len), *seconds, *ticks, *names)
            })
        };
        assert!(left == right, "`{}`: {:?} became {:?}", path.display(), shown(left), shown(right));
    }
}

/// Where a restore lays what has that path under Wine.
fn below(target: &Path, source: &Path) -> PathBuf {
    target.join("Z").join(source.strip_prefix("/").unwrap())
}

/// A restore that ended with everything there; metadata that can't be set may have been named.
#[track_caller]
fn laid(outcome: &Outcome) -> Value {
    assert!(matches!(outcome.code(), Some(0 | 3)), "{outcome:#?}");
    let last = outcome.last();
    for line in outcome.json().iter().filter(|line| line["type"] == "warning") {
        let code = line["code"].as_str().unwrap();
        assert!(matches!(code, "attribute-not-restored" | "owner-not-restored"), "{line}");
    }
    last
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn the_program_starts_and_says_what_it_is() {
    let server = WindowsServer::fresh();
    let mut command = wine(&PathBuf::from(std::env::var_os("STATEWARD_WINDOWS_PROGRAM").unwrap()));
    command.arg("--version").current_dir(server.path(""));
    let said = run(command).done();
    assert_eq!(said.stdout.trim(), format!("stateward {}", env!("CARGO_PKG_VERSION")));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_it_protects_comes_back_to_it_and_to_linux() {
    let vault = TestVault::start();
    let server = WindowsServer::registered(&vault.access);
    let source = server.path("source");
    plant(&source);
    server.run(["protect", "files", &server.named("source")]).done();
    let first = server.back_up();
    assert_eq!(first["status"], "Completed", "{first}");
    assert!(first["files"].as_u64().unwrap() >= 208, "{first}");

    laid(&server.restore("restored", &[]));
    assert_same(&source, &below(&server.path("restored"), &source));

    fs::write(source.join("new.txt"), "new").unwrap();
    fs::remove_file(source.join("many/0/0.txt")).unwrap();
    let second = server.back_up();
    assert!(second["bytes_uploaded"].as_u64().unwrap() < 1 << 20, "only what changed goes up: {second}");
    let listed = server.run(["recovery-point", "list"]).done().json();
    assert_eq!(listed.iter().filter(|line| line["type"] == "recovery-point").count(), 2, "{listed:?}");
    server.run(["verify", "--full"]).done();
    laid(&server.restore("restored again", &[]));
    assert_same(&source, &below(&server.path("restored again"), &source));

    let one = format!("{}\\many\\1", server.named("source"));
    laid(&server.restore("one folder", &["--path", &one]));
    let found = below(&server.path("one folder"), &source);
    assert_same(&source.join("many/1"), &found.join("many/1"));
    assert_eq!(fs::read_dir(found).unwrap().count(), 1, "nothing else comes back");

    // On Linux, from the vault's folder, with the passphrase and nothing else.
    let stranger = TestServer::fresh();
    let target = stranger.path("recovered");
    let mut recover = stranger.command(["recover", "--recovery-point", "latest", "--store"]);
    recover
        .arg(vault.data())
        .arg("--passphrase-file")
        .arg(server.path("passphrase"))
        .arg("--target")
        .arg(&target);
    laid(&run(recover));
    assert_same(&source, &below(&target, &source));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_linux_protects_comes_back_to_it() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    plant(&source);
    server.protect(&source);
    server.backup();
    let stranger = WindowsServer::fresh();
    let target = stranger.named("recovered");
    let store = windows_path(vault.data());
    let passphrase = windows_path(&server.passphrase_file());
    let point =
        ["recover", "--recovery-point", "latest", "--store", &store, "--passphrase-file", &passphrase];
    laid(&stranger.run(point.into_iter().chain(["--target", &target])));
    assert_same(&source, &restored(&stranger.path("recovered"), &source));
}

/// A server with a folder that is backed up and then changed, and that folder.
fn changed_server(vault: &TestVault) -> (WindowsServer, PathBuf) {
    let server = WindowsServer::registered(&vault.access);
    let source = server.path("source");
    fs::create_dir_all(source.join("sub")).unwrap();
    for (name, content) in [("same", "same"), ("changed.txt", "as it was"), ("sub/gone", "back again")] {
        fs::write(source.join(name), content).unwrap();
    }
    server.run(["protect", "files", &server.named("source")]).done();
    assert_eq!(server.back_up()["status"], "Completed");
    fs::write(source.join("changed.txt"), "as it became").unwrap();
    fs::write(source.join("own"), "nobody backed this up").unwrap();
    fs::remove_file(source.join("sub/gone")).unwrap();
    (server, source)
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
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn what_goes_back_to_where_it_came_from_meets_what_is_there_by_the_rule() {
    let vault = TestVault::start();
    let (server, source) = changed_server(&vault);
    let in_place = |more: &[&str]| {
        let restore = ["restore", "--wait", "--recovery-point", "latest", "--original"];
        server.run(restore.iter().chain(more))
    };
    let read = |name: &str| fs::read_to_string(source.join(name)).unwrap();
    in_place(&[]).expect_code(2);
    assert_eq!(read("changed.txt"), "as it became");

    let copied = laid(&in_place(&["--conflict", "copy"]));
    assert_eq!(copied["conflicts"], counts(1, 1, 0, 0), "{copied}");
    assert_eq!((read("changed.txt"), read("sub/gone")), ("as it became".into(), "back again".into()));
    let before = names(&source);
    let copy = before.iter().find(|name| name.starts_with("changed (restored ") && name.ends_with(").txt"));
    assert_eq!((before.len(), read(copy.unwrap())), (5, "as it was".to_owned()), "{before:?}");
    let again = laid(&in_place(&["--conflict", "copy"]));
    assert_eq!((&again["conflicts"], names(&source)), (&counts(3, 0, 0, 0), before), "{again}");
    fs::remove_file(source.join("sub/gone")).unwrap();

    let skipped = in_place(&["--conflict", "skip"]).expect_code(3);
    assert_eq!(skipped.last()["conflicts"], counts(1, 0, 0, 1), "{skipped:#?}");
    assert!(skipped.json().iter().any(|line| line["code"] == "conflict-skipped"), "{skipped:#?}");
    assert_eq!((read("changed.txt"), read("sub/gone")), ("as it became".into(), "back again".into()));

    let overwritten =
        laid(&in_place(&["--conflict", "overwrite", "--path", &server.named("source\\changed.txt")]));
    assert_eq!(overwritten["conflicts"], counts(0, 0, 1, 0), "{overwritten}");
    assert_eq!((read("changed.txt"), read("own")), ("as it was".into(), "nobody backed this up".into()));
    assert!(names(&source).iter().all(|name| !name.starts_with(".stateward")), "{:?}", names(&source));
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn a_restore_into_a_folder_that_holds_something_meets_it_by_the_rule() {
    let vault = TestVault::start();
    let (server, source) = changed_server(&vault);
    let there = below(&server.path("full"), &source);
    fs::create_dir_all(&there).unwrap();
    fs::write(there.join("changed.txt"), "mine").unwrap();
    server.restore("full", &[]).expect_code(1);
    let laid = laid(&server.restore("full", &["--conflict", "overwrite"]));
    assert_eq!(laid["conflicts"], counts(0, 0, 1, 0), "{laid}");
    for (name, content) in [("same", "same"), ("changed.txt", "as it was"), ("sub/gone", "back again")] {
        assert_eq!(fs::read_to_string(there.join(name)).unwrap(), content);
    }
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn hooks_run_around_a_backup_unless_others_could_have_written_them() {
    let vault = TestVault::start();
    let server = WindowsServer::registered(&vault.access);
    fs::create_dir(server.path("source")).unwrap();
    server.run(["protect", "files", &server.named("source")]).done();
    let (hooks, named) = server.on_system_drive("hooks");
    let hook = |name: &str, lines: &str| {
        fs::create_dir_all(hooks.join(name).parent().unwrap()).unwrap();
        fs::write(hooks.join(name), format!("@echo off\r\n{lines}\r\n")).unwrap();
        fs::set_permissions(hooks.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    let dump = format!("echo all rows>{}\r\necho dumped", server.named("source\\dump.sql"));
    hook("before.d/10-dump.cmd", &dump);
    hook("after.d/tell.cmd", &format!("echo %STATEWARD_RESULT%>>{}", server.named("results")));
    server.run(["settings", "set", "--hooks", &named]).done();

    let made = server.back_up();
    assert_eq!(made["status"], "Completed", "{made}");
    laid(&server.restore("restored", &[]));
    let restored = below(&server.path("restored"), &server.path("source"));
    assert_eq!(fs::read_to_string(restored.join("dump.sql")).unwrap().trim_end(), "all rows");

    hook("before.d/20-fails.cmd", "exit 1");
    let warned = server.run(["backup", "now", "--wait"]).expect_code(3);
    assert!(warned.json().iter().any(|line| line["code"] == "hook-failed"), "{warned:#?}");
    fs::set_permissions(hooks.join("before.d/20-fails.cmd"), fs::Permissions::from_mode(0o777)).unwrap();
    let refused = server.run(["backup", "now", "--wait"]).expect_code(3);
    assert!(refused.json().iter().any(|line| line["code"] == "hook-refused"), "{refused:#?}");
    assert!(refused.stdout.contains("S-1-1-0"), "who may write is named: {refused:#?}");
    let told = fs::read_to_string(server.path("results")).unwrap();
    let told: Vec<&str> = told.lines().map(str::trim).collect();
    assert_eq!(told, ["Completed", "CompletedWithWarnings", "CompletedWithWarnings"]);
}

/// What the agent says of itself once its vault has answered.
fn status(server: &WindowsServer) -> Value {
    wait_until("the agent's vault answers", DEADLINE, || {
        let told = server.run(["agent", "status"]).done().last();
        (told["status"]["vault"]["state"] == "answers").then_some(told)
    })
}

#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn it_serves_its_home_as_a_process_and_as_a_service() {
    let vault = TestVault::start();
    let server = WindowsServer::registered(&vault.access);
    // Services end with the last program that is not one.
    let _machine = server.keep_machine();
    server.run(["agent", "status"]).expect_code(1);
    server.run(["agent", "start"]).done();
    assert_eq!(status(&server)["unit"], Value::Null);
    server.run(["agent", "start"]).expect_code(11);
    server.run(["agent", "stop"]).done();
    server.run(["agent", "status"]).expect_code(1);

    assert_eq!(server.run(["agent", "install"]).done().last()["is_running"], true);
    let told = status(&server);
    assert!(told["unit"].as_str().unwrap().ends_with(r"Services\Stateward"), "{told}");
    let events = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Stateward";
    let source = || run(server.command_of("reg.exe", &["query", events, "/v", "EventMessageFile"]));
    assert!(source().done().stdout.contains("EventCreate.exe"));
    server.run(["agent", "stop"]).done();
    server.run(["agent", "status"]).expect_code(1);
    assert_eq!(server.run(["agent", "start"]).done().last()["is_service"], true);
    let before = status(&server)["status"]["pid"].clone();

    // Killed as by a person in the task manager, it serves again when it is started anew.
    let pid = before.to_string();
    run(server.command_of("taskkill.exe", &["/f", "/pid", &pid])).done();
    wait_until("it is gone", DEADLINE, || (server.run(["agent", "status"]).code() == Some(1)).then_some(()));
    wait_until("it is started again", DEADLINE, || {
        (server.run(["agent", "start"]).code() == Some(0)).then_some(())
    });
    assert_ne!(status(&server)["status"]["pid"], before);
    server.run(["agent", "uninstall"]).done();
    source().expect_code(1);
    wait_until("it has stopped", DEADLINE, || {
        (server.run(["agent", "status"]).code() == Some(1)).then_some(())
    });
    server.run(["agent", "uninstall"]).expect_code(1);
}

/// A recovery point that has all that the format knows of Windows, from the golden vault. What Wine can't have is named,
/// and nothing is made of it.
#[test]
#[ignore = "needs stateward.exe and Wine: scripts/test-windows.sh"]
fn all_that_the_format_has_of_windows_comes_back_or_is_named() {
    let server = WindowsServer::fresh();
    fs::write(server.path("secret"), "the passphrase of a Windows server").unwrap();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/vaults/0.1").canonicalize().unwrap();
    let (store, secret, target) = (windows_path(&golden), server.named("secret"), server.named("recovered"));
    let point = ["recover", "--server", "windows", "--recovery-point", "latest", "--store", &store];
    let outcome = server.run(point.into_iter().chain(["--passphrase-file", &secret, "--target", &target]));
    // Entries that this build must refuse are in it, and EFS' raw content.
    let lines = outcome.expect_code(1).json();
    let recovered = server.path("recovered");
    let text = |name: &str| fs::read_to_string(recovered.join(name)).unwrap();
    assert_eq!(text("alternate.txt"), "with streams");
    assert_eq!(text("sparse.dat"), "one\0\0\0\0\0last");
    assert_eq!(text("of-linux"), "flags and a project");
    assert_eq!(
        fs::metadata(recovered.join("same-1")).unwrap().ino(),
        fs::metadata(recovered.join("same-2")).unwrap().ino()
    );
    for absent in ["efs.doc", "unknown-kind", "unknown-critical", "alternate.txt:Zone.Identifier", "link"] {
        assert!(!recovered.join(absent).exists(), "{absent}");
    }
    let told = |path: &str, code: &str| {
        lines.iter().any(|line| line["type"] == "warning" && line["code"] == code && line["path"] == path)
    };
    for (path, code) in [
        ("/link", "link-not-restored"),
        ("/junction", "link-not-restored"),
        ("/app.exe", "link-not-restored"),
        ("/alternate.txt", "attribute-not-restored"),
        ("/efs.doc", "file-lost"),
        ("/unknown-kind", "entry-refused"),
    ] {
        assert!(told(path, code), "{path}: {code}\n{lines:#?}");
    }
    let streams =
        lines.iter().find(|line| line["path"] == "/alternate.txt").unwrap()["message"].as_str().unwrap();
    assert!(streams.contains("Zone.Identifier"), "{streams}");
}
