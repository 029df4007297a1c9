//! The program itself: its exit codes, its lock, how it ends, and what it writes down.

#![expect(clippy::unwrap_used, reason = "a test: a failure is a panic")]
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn program(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateward-vault"));
    command.args(arguments).arg("--data").arg(data).env("STATEWARD_LOG", "trace");
    command
}

fn init(data: &Path) -> Output {
    program(&["init", "--listen", "127.0.0.1:0", "--json"], data).output().unwrap()
}

/// Starts `serve` and waits until it says that it listens.
fn serve(data: &Path, log: &Path) -> Child {
    let mut child =
        program(&["serve"], data).arg("--log-file").arg(log).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("listening on https://127.0.0.1:"), "{line}");
    child
}

fn stop(mut child: Child) -> Option<i32> {
    let process = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    child.wait().unwrap().code()
}

#[test]
fn init_says_all_that_is_needed_and_runs_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("vault");
    let made: serde_json::Value = serde_json::from_slice(&init(&data).stdout).unwrap();
    for field in ["url", "ca_file", "tenant", "subscription", "client_id", "client_secret", "data"] {
        assert!(made[field].as_str().is_some_and(|text| !text.is_empty()), "{field}");
    }
    let again = init(&data);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("There is a vault in the folder"));
}

#[test]
fn serve_ends_cleanly_by_sigterm_and_holds_its_folder_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("vault"), folder.path().join("log"));
    let none = program(&["serve"], &data).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&none.stderr).contains("There is no vault"));
    let made: serde_json::Value = serde_json::from_slice(&init(&data).stdout).unwrap();
    let first = serve(&data, &log);
    let second = program(&["serve"], &data).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("Another process uses the vault"));
    assert_eq!(stop(first), Some(0));
    assert_eq!(stop(serve(&data, &log)), Some(0));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("serving") && log.contains("stopping"), "{log}");
    assert!(!log.contains(made["client_secret"].as_str().unwrap()));
}

#[test]
fn a_vault_whose_words_cannot_be_written_serves_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("vault");
    let made: serde_json::Value = serde_json::from_slice(&init(&data).stdout).unwrap();
    let address = made["url"].as_str().unwrap().trim_start_matches("https://").to_owned();
    // A device on which every write fails as on a full disk.
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = program(&["serve"], &data).stderr(full).spawn().unwrap();
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "it does not listen");
        std::thread::yield_now();
    }
    assert_eq!(stop(child), Some(0));
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let silent = program(&["init", "--listen", "127.0.0.1:0"], &folder.path().join("other"))
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(silent.status.code(), Some(1));
    let told = String::from_utf8_lossy(&silent.stderr).into_owned();
    assert!(told.contains("Can't print") && told.contains("run `init` again"), "{told}");
}

/// Runs a command that succeeds; gives what it printed.
fn done(arguments: &[&str], data: &Path) -> String {
    let output = program(arguments, data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn principals_are_looked_after_while_the_vault_serves() {
    let folder = tempfile::tempdir().unwrap();
    let (data, log) = (folder.path().join("vault"), folder.path().join("log"));
    init(&data);
    let serving = serve(&data, &log);
    let create = [
        "principal",
        "create",
        "--json",
        "--name",
        "watcher",
        "--role",
        "BackupReader",
        "--group",
        "default",
    ];
    let made: serde_json::Value = serde_json::from_str(&done(&create, &data)).unwrap();
    let client_id = made["client_id"].as_str().unwrap();
    assert!(made["client_secret"].as_str().is_some_and(|secret| secret.len() >= 40));
    let listed = done(&["principal", "list"], &data);
    assert!(listed.contains(&format!("{client_id}  watcher  BackupReader in default")), "{listed}");
    let create = ["principal", "create", "--name", "x", "--role", "BackupReader", "--vault", "main"];
    let groupless = program(&create, &data).output().unwrap();
    assert_eq!(groupless.status.code(), Some(2), "a vault needs its group");
    let file = folder.path().join("no-certificate.pem");
    std::fs::write(&file, "none").unwrap();
    let refused = program(&["principal", "add-certificate", client_id, file.to_str().unwrap()], &data)
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Can't use the certificate"));
    done(&["principal", "delete", client_id], &data);
    assert!(!done(&["principal", "list"], &data).contains(client_id));
    let again = program(&["principal", "delete", client_id], &data).output().unwrap();
    assert_eq!(again.status.code(), Some(1));
    let entries = done(&["audit"], &data);
    for act in ["principal.create", "principal.delete"] {
        assert!(entries.lines().any(|line| line.contains("  console  ") && line.contains(act)), "{entries}");
    }
    assert!(!entries.contains(made["client_secret"].as_str().unwrap()));
    assert!(done(&["audit", "--verify"], &data).contains("each of which fits the one before"));
    assert_eq!(stop(serving), Some(0));
}
