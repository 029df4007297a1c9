//! A job that a person makes wait: what its vault shows meanwhile, and that it is not taken for lost.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::server::VAULT;
use stateward_e2e::{Dice, TestServer, TestVault, tree};

/// The server's one job, as its vault shows it.
fn at_vault(server: &TestServer, job: &str) -> Value {
    server.run(["job", "show", job, "--vault", VAULT]).done().last()
}

#[test]
fn the_vault_shows_a_job_as_paused_goes_on_hearing_of_it_and_shows_when_it_goes_on() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 24 << 20, &mut Dice::new(7));
    server.protect(&source);
    let job = server.run(["backup", "now", "--limit-rate", "2MB"]).done().last()["job"].clone();
    let job = job.as_str().unwrap().to_owned();
    wait_until("the vault hears of it", DEADLINE, || {
        let listed = server.run(["job", "list", "--vault", VAULT]).done().json();
        listed.iter().any(|line| line["job"] == job.as_str()).then_some(())
    });
    assert_eq!(at_vault(&server, &job)["is_paused"], false);
    server.run(["job", "pause", &job]).done();
    let paused = wait_until("the vault shows the pause", DEADLINE, || {
        let shown = at_vault(&server, &job);
        (shown["is_paused"] == true).then_some(shown)
    });
    assert_eq!(paused["status"], "InProgress");
    let text = server.as_person(["job", "list", "--vault", VAULT]).done().stdout;
    assert!(text.contains("Paused"), "{text}");
    let text = server.as_person(["job", "show", &job, "--vault", VAULT]).done().stdout;
    assert!(text.starts_with("Paused: backup of"), "{text}");
    let later = wait_until("the vault hears of it again", DEADLINE, || {
        let shown = at_vault(&server, &job);
        (shown["reported_at"] != paused["reported_at"]).then_some(shown)
    });
    assert_eq!((&later["is_paused"], &later["status"]), (&true.into(), &"InProgress".into()));
    server.run(["job", "resume", &job]).done();
    wait_until("the vault shows that it goes on", DEADLINE, || {
        (at_vault(&server, &job)["is_paused"] == false).then_some(())
    });
    wait_until("it is done", DEADLINE, || (at_vault(&server, &job)["status"] == "Completed").then_some(()));
}
