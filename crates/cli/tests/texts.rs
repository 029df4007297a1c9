//! What the program prints and how it ends, word by word where scripts and people rely on it.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

use serde_json::Value;
use std::process::{Command, Output};

fn stateward(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stateward"));
    command.args(arguments).env("COLUMNS", "100").env_remove("STATEWARD_LOG");
    command.output().unwrap()
}

/// Runs with a home that is not there.
fn without_home(arguments: &[&str]) -> (Output, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let output = stateward(&[&["--home", home.to_str().unwrap()], arguments].concat());
    (output, home)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn last_line(output: &Output) -> Value {
    serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap()
}

#[test]
fn help_names_every_command_and_goes_to_standard_output() {
    let output = stateward(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    let commands = [
        "status",
        "register",
        "protect",
        "item",
        "backup",
        "console",
        "job",
        "recovery-point",
        "restore",
        "verify",
        "recover",
        "system-state",
        "recovery-code",
        "domain",
        "login",
        "vault",
        "group",
        "policy",
        "alert",
        "audit",
        "principal",
        "approval",
        "pin",
        "quota",
        "server",
        "settings",
        "explain",
        "completion",
    ];
    for command in commands {
        assert!(help.contains(&format!("\n  {command} ")), "{command}");
    }
    assert!(help.contains("Exit codes: 0 done"));
    assert!(!help.contains("job run"));
}

#[test]
fn wrong_usage_ends_with_2_and_is_told_in_json_too() {
    for arguments in [&["backup", "soon"][..], &["restore"], &[], &["recover", "--store", "/"]] {
        assert_eq!(stateward(arguments).status.code(), Some(2), "{arguments:?}");
    }
    let output = stateward(&["--json", "restore", "--target", "/x"]);
    let line = last_line(&output);
    assert_eq!(
        (output.status.code(), &line["type"], &line["code"]),
        (Some(2), &"error".into(), &"usage".into())
    );
    assert!(line["message"].as_str().unwrap().contains("required"), "{line}");
}

#[test]
fn a_home_that_is_not_registered_is_told_with_a_hint_and_is_not_made() {
    let (output, home) = without_home(&["backup", "now", "--wait"]);
    assert_eq!(output.status.code(), Some(13));
    assert_eq!(text(&output.stdout), "");
    let expected = format!(
        "Error: The home `{}` is not registered with a vault [not-registered]\n\
         Hint: Have vault credentials made (`stateward vault credentials NAME --out FILE`), then run \
         `stateward register --credentials FILE`\n",
        home.display()
    );
    assert_eq!(text(&output.stderr), expected);
    assert!(!home.exists());
}

#[test]
fn an_error_in_json_is_the_last_line_with_code_message_and_remedy() {
    for arguments in [
        &["--json", "restore", "--recovery-point", "latest", "--target", "/nowhere"][..],
        &["--json", "verify"],
    ] {
        let (output, _) = without_home(arguments);
        let line = last_line(&output);
        assert_eq!(output.status.code(), Some(13));
        assert_eq!((&line["type"], &line["code"]), (&"error".into(), &"not-registered".into()));
        assert!(line["message"].is_string() && line["remedy"].is_string());
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn an_administrators_command_without_sign_in_says_how_to_sign_in() {
    let (output, _) = without_home(&["vault", "list"]);
    assert_eq!(output.status.code(), Some(13));
    assert!(text(&output.stderr).contains("[not-signed-in]\nHint: Run `stateward login "));
}

#[test]
fn every_listed_code_is_explained() {
    let output = stateward(&["--json", "explain"]);
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.len() > 60);
    for line in lines {
        let code = line["code"].as_str().unwrap();
        let explained = stateward(&["explain", code]);
        assert_eq!(explained.status.code(), Some(0), "{code}");
        assert!(text(&explained.stdout).starts_with(&format!("{code}: ")), "{code}");
    }
    let unknown = stateward(&["explain", "no-such-code"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).starts_with("Error: There is no code `no-such-code` [unknown-code]\n"));
}

#[test]
fn registering_without_a_terminal_needs_a_passphrase_file_and_damaged_credentials_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    std::fs::write(&file, "{}").unwrap();
    let (output, home) = without_home(&["--json", "register", "--credentials", file.to_str().unwrap()]);
    assert_eq!(
        (output.status.code(), &last_line(&output)["code"]),
        (Some(13), &"credentials-damaged".into())
    );
    assert!(!home.join("registration.json").exists());
}

#[test]
fn a_store_that_is_none_is_refused_before_the_secret_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().to_str().unwrap();
    let output = stateward(&["--json", "recover", "--store", store, "--list"]);
    assert_eq!((output.status.code(), &last_line(&output)["code"]), (Some(10), &"no-vault-folder".into()));
}

#[test]
fn status_and_lists_of_an_empty_home_are_no_errors() {
    for arguments in [&["status"][..], &["item", "list"], &["job", "list"]] {
        let (output, home) = without_home(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(text(&output.stderr).contains("Next: `stateward "), "{arguments:?}");
        assert!(!home.exists());
    }
}

#[test]
fn completion_and_the_manual_come_from_the_same_table() {
    let completion = text(&stateward(&["completion", "bash"]).stdout);
    assert!(completion.contains("recovery-point") && completion.contains("--passphrase-file"));
    let manual = text(&stateward(&["man"]).stdout);
    assert!(manual.contains("stateward") && manual.contains("recovery\\-point"));
}

#[test]
fn settings_are_the_usual_ones_until_they_are_set_and_only_what_is_named_changes() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let settings = |arguments: &[&str]| {
        let home = ["--json", "--home", home.to_str().unwrap(), "settings"];
        stateward(&[&home, arguments].concat())
    };
    let told = |output: Output| {
        let line = last_line(&output);
        (output.status.code(), line["low_priority"].clone(), line["limit_rate"].clone())
    };
    assert_eq!(told(settings(&["show"])), (Some(0), false.into(), Value::Null));
    settings(&["set", "--low-priority=on"]);
    assert_eq!(told(settings(&["set", "--limit-rate", "10MB"])), (Some(0), true.into(), 10_000_000.into()));
    settings(&["set", "--limit-rate", "off"]);
    assert_eq!(told(settings(&["show"])), (Some(0), true.into(), Value::Null));
    assert_eq!(settings(&["set"]).status.code(), Some(2));
}

#[test]
fn a_rate_that_is_none_is_wrong_usage_and_says_what_would_be_one() {
    for (rate, hint) in [("0", "1KB"), ("fast", "10MB"), ("-5MB", "10MB"), ("10 Mbit", "10MB")] {
        let flag = format!("--limit-rate={rate}");
        let output = stateward(&["--json", "backup", "now", &flag]);
        let line = last_line(&output);
        assert_eq!((output.status.code(), &line["code"]), (Some(2), &"usage".into()), "{rate}");
        assert!(line["message"].as_str().unwrap().contains(hint), "{line}");
    }
}
