//! The agent as a process of its own: started, asked how it stands, stopped, whatever became of those before it.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::{TestServer, TestVault, is_root};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

/// What it says of itself once its vault has answered.
fn status(server: &TestServer) -> Value {
    wait_until("the agent's vault answers", DEADLINE, || {
        let told = server.run(["agent", "status"]).done().last()["status"].clone();
        (told["vault"]["state"] == "answers").then_some(told)
    })
}

#[test]
fn an_agent_is_started_once_tells_how_it_stands_and_is_stopped() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let away = server.run(["agent", "status"]).expect_code(1).last();
    assert_eq!(away["code"], "service-not-running");
    server.run(["agent", "stop"]).expect_code(1);
    server.run(["agent", "start"]).done();
    server.run(["agent", "start"]).expect_code(11);
    let told = status(&server);
    assert!(told["program"].as_str().unwrap().starts_with("stateward "), "{told:#}");
    let text = server.as_person(["agent", "status"]).done().stdout;
    assert!(text.contains("answers") && text.contains("no service"), "{text}");
    server.run(["agent", "stop"]).done();
    server.run(["agent", "status"]).expect_code(1);
    assert!(!server.home().join("agent.sock").exists());
}

#[test]
fn a_server_that_is_registered_is_left_alone_where_that_is_asked_for() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let before = std::fs::read(server.home().join("registration.json")).unwrap();
    let refused = server.register("credentials", &[]).expect_code(1).last();
    assert_eq!(refused["code"], "already-registered");
    // Not even the file need be there: an installer names it at each upgrade.
    let left = server.register("no such file", &["--unless-registered"]).done().last();
    assert_eq!(left["was_registered"], true);
    assert_eq!(std::fs::read(server.home().join("registration.json")).unwrap(), before);
}

#[test]
fn an_agent_that_was_killed_is_started_anew_over_what_it_left() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    server.run(["agent", "start"]).done();
    let pid = i32::try_from(status(&server)["pid"].as_i64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    wait_until("it is gone", DEADLINE, || {
        (server.run(["agent", "status"]).status.code() == Some(1)).then_some(())
    });
    server.run(["agent", "start"]).done();
    assert_ne!(status(&server)["pid"], pid);
    server.run(["agent", "stop"]).done();
}

#[test]
fn an_agent_whose_vault_is_away_says_so_and_answers_nonsense_with_nothing() {
    let mut vault = TestVault::start();
    let server = TestServer::registered(&vault);
    vault.stop();
    server.run(["agent", "start"]).done();
    let away = wait_until("the vault is missed", DEADLINE, || {
        let told = server.run(["agent", "status"]).done().last()["status"].clone();
        (told["vault"]["state"] == "away").then_some(told)
    });
    assert_eq!(away["vault"]["code"], "vault-unreachable", "{away:#}");
    for nonsense in ["", "{}", "\"destroy\"", &"x".repeat(100_000)] {
        let mut socket = UnixStream::connect(server.home().join("agent.sock")).unwrap();
        // It may hang up before it has read all of it.
        let _ = writeln!(socket, "{nonsense}");
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer);
        assert_eq!(answer, "", "{nonsense}");
    }
    server.run(["agent", "stop"]).done();
}

#[test]
fn another_user_is_not_answered() {
    if !is_root() {
        stateward_e2e::disk::not_tried("a socket asked by another user, for only root can be another");
        return;
    }
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    server.run(["agent", "start"]).done();
    // Whoever comes past the folder's rights is asked who he is all the same.
    for path in [server.folder().to_owned(), server.home(), server.home().join("agent.sock")] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    }
    let ask = format!(
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{}'); s.sendall(b'\"stop\"\\n'); print(s.recv(9))",
        server.home().join("agent.sock").display()
    );
    let mut other = Command::new("setpriv");
    other.args(["--reuid=65534", "--regid=65534", "--clear-groups", "python3", "-c", &ask]);
    let said = stateward_e2e::process::run(other).stdout;
    assert!(!said.contains("pid"), "{said}");
    status(&server);
    server.run(["agent", "stop"]).done();
}
