//! The wizards, by keys at a terminal of 80 columns and 24 lines: what they ask, what comes of it, and that who leaves has changed
//! nothing.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use serde_json::Value;
use stateward_e2e::server::{VAULT, restored};
use stateward_e2e::terminal::keys::{BACKSPACE, CTRL_C, DOWN, ENTER, ESCAPE};
use stateward_e2e::{Dice, Terminal, TestServer, TestVault, assert_same, tree};
use std::process::Command;

/// A registered server that protects nothing, with an administrator's sign-in.
fn rig() -> (TestVault, TestServer) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    tree::plant_large(&server.path("source"), 100_000, &mut Dice::new(3));
    (vault, server)
}

/// A command as a person types it.
fn typed(server: &TestServer, args: &[&str]) -> Command {
    let mut command = Command::new(server.command([""; 0]).get_program());
    command.arg("--home").arg(server.home()).args(args);
    command
}

fn items(server: &TestServer) -> Value {
    server.run(["status"]).done().last()["items"].clone()
}

/// Answers up to the question what is to be backed up, and that.
fn choose_source(server: &TestServer, terminal: &mut Terminal) {
    terminal.wait_for("What is to be backed up?");
    terminal.press(DOWN);
    terminal.press(ENTER);
    terminal.answer("Which files and folders", server.path("source").to_str().unwrap());
    terminal.answer("What of them is left out", "*.mp3");
    terminal.answer("When?", "");
}

#[test]
fn schedule_asks_for_everything_and_writes_it_into_the_vault() {
    let (_vault, server) = rig();
    let mut terminal = Terminal::start(&typed(&server, &["schedule"]));
    choose_source(&server, &mut terminal);
    // What can't be is said, and asked for again.
    terminal.answer("At which times", "2");
    terminal.wait_for("is no time of day");
    terminal.press(BACKSPACE);
    terminal.press("02:30,14:30");
    terminal.press(ENTER);
    terminal.answer("In which time zone?", "Europe/Berlin");
    terminal.answer("for how many days?", "");
    terminal.answer("Keep some of them for weeks?", "y");
    terminal.answer("Those of which days of the week?", "");
    terminal.answer("For how many weeks?", "8");
    terminal.answer("Keep some of them for months?", "");
    terminal.answer("Keep some of them for years?", "");
    terminal.answer("What is the policy to be called?", "nightly");
    terminal.wait_for("Write this into the vault?");
    assert_eq!(items(&server), Value::Array(Vec::new()), "nothing is protected before the last answer");
    terminal.press("y");
    terminal.press(ENTER);
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("is backed up by the policy nightly"), "{screen}");
    let policy = server.run(["policy", "show", "nightly", "--vault", VAULT]).done().stdout;
    assert!(policy.contains("02:30") && policy.contains("14:30"), "{policy}");
    assert_eq!(items(&server).as_array().unwrap().len(), 1);
}

#[test]
fn who_leaves_a_wizard_has_changed_nothing() {
    let (_vault, server) = rig();
    for key in [ESCAPE, CTRL_C] {
        let mut terminal = Terminal::start(&typed(&server, &["schedule"]));
        choose_source(&server, &mut terminal);
        terminal.wait_for("At which times");
        terminal.press(key);
        let (code, screen) = terminal.end();
        assert_eq!(code, Some(130), "{screen}");
        assert_eq!(items(&server), Value::Array(Vec::new()));
    }
}

#[test]
fn register_asks_for_everything_and_shows_the_recovery_code_once() {
    let vault = TestVault::start();
    let server = TestServer::fresh();
    server.prepare_registration(&vault);
    let mut terminal = Terminal::start(&typed(&server, &["register"]));
    terminal.answer("Which vault credentials file?", "/nowhere");
    terminal.wait_for("is no file");
    terminal.press(&BACKSPACE.repeat("/nowhere".len()));
    terminal.press(server.path("credentials").to_str().unwrap());
    terminal.press(ENTER);
    terminal.wait_for("Vault: vault at https://");
    terminal.answer("What is this server to be called", "");
    terminal.answer("Where is the cache folder to be?", server.path("fast cache").to_str().unwrap());
    terminal.answer("Where does the passphrase come from?", "");
    terminal.answer("Register this server?", "y");
    terminal.answer("Passphrase (16 characters or more)", "a passphrase of some length");
    terminal.answer("The same again", "a passphrase of some length");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("It is not shown again"), "{screen}");
    let status = server.run(["status"]).done().last();
    assert_eq!(status["vault"], "vault");
    assert!(server.path("fast cache").is_dir());
}

#[test]
fn register_without_a_terminal_names_the_flag() {
    let server = TestServer::fresh();
    let refused = server.run(["register"]).expect_code(2).last();
    assert_eq!(refused["code"], "no-terminal", "{refused:#}");
}

#[test]
fn restore_asks_for_the_day_the_place_and_the_rule() {
    let (_vault, server) = rig();
    let source = server.path("source");
    server.protect(&source);
    server.run(["backup", "now", "--wait"]).done();
    let target = server.path("restored");
    std::fs::create_dir(&target).unwrap();
    std::fs::write(target.join("somebody's"), "file").unwrap();
    let mut terminal = Terminal::start(&typed(&server, &["restore"]));
    terminal.answer("Of which day?", "");
    terminal.answer("How much of it?", "");
    terminal.answer("Where to?", "");
    terminal.answer("Which folder?", target.to_str().unwrap());
    terminal.answer("Something lies there already.", "");
    terminal.answer("Restore owners, modes and access lists, too?", "");
    terminal.wait_for("What: everything");
    terminal.answer("Restore this?", "");
    let (code, screen) = terminal.end();
    assert_eq!(code, Some(0), "{screen}");
    assert_same(&source, &restored(&target, &source));
    assert_eq!(std::fs::read_to_string(target.join("somebody's")).unwrap(), "file");
}
