//! Settings: what is changed is seen again, and what is refused changes nothing.

use super::{Bears, TestConsole, code};
use axum::http::Method;
use serde_json::{Value, json};
use std::path::PathBuf;

const PATH: &str = "/console/v1/settings";

/// A console with its own page signed in.
struct SignedIn {
    console: TestConsole,
    page: Bears,
}

impl SignedIn {
    fn new() -> Self {
        let console = TestConsole::new();
        let page = console.signed_in();
        Self { console, page }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.console.folder.path().join(name)
    }

    /// The status and the answer of a change.
    async fn change(&self, wish: &Value) -> (u16, Value) {
        let body = serde_json::to_vec(wish).unwrap();
        let (status, answer) = self.console.call(&Method::PATCH, PATH, &self.page, body).await;
        (status.as_u16(), answer)
    }

    async fn shown(&self) -> Value {
        self.console.call(&Method::GET, PATH, &self.page, Vec::new()).await.1
    }
}

#[tokio::test]
async fn how_windows_system_state_is_staged_is_chosen_as_at_the_command_line() {
    let console = SignedIn::new();
    let of = |settings: &Value| {
        ["staging", "serverBackupTimeOut", "serverBackupRetries"].map(|name| settings[name].clone())
    };
    let usual = of(&console.shown().await);
    assert_eq!((&usual[0], &usual[2]), (&Value::Null, &json!(3)));
    assert!(usual[1].as_u64().unwrap() > 0);

    let staging = console.path("staging");
    std::fs::create_dir(&staging).unwrap();
    let wish = json!({ "staging": &staging, "serverBackupTimeOut": 7200, "serverBackupRetries": 0 });
    let (status, set) = console.change(&wish).await;
    assert_eq!((status, of(&set)), (200, of(&wish)), "{set}");
    let (_, other) = console.change(&json!({ "lowPriority": true })).await;
    assert_eq!(of(&other), of(&wish), "what is left out stays");

    let nowhere = console.path("nowhere");
    for (wrong, expected, named) in [
        (
            json!({ "staging": "relative" }),
            "console-request-invalid",
            "`relative` does not begin at the root",
        ),
        (json!({ "staging": &nowhere }), "input-unreadable", nowhere.to_str().unwrap()),
        (json!({ "serverBackupTimeOut": 0 }), "console-request-invalid", "`serverBackupTimeOut` must be"),
        (json!({ "serverBackupRetries": 11 }), "console-request-invalid", "a number from 0 to 10"),
    ] {
        let (status, answer) = console.change(&wrong).await;
        assert_eq!((status / 100, code(&answer).as_str()), (4, expected), "{wrong}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(named), "{answer}");
    }
    assert_eq!(of(&console.shown().await), of(&wish), "what is refused changes nothing");
    let (_, again) = console.change(&json!({ "staging": null })).await;
    assert_eq!(again["staging"], Value::Null);
}

#[tokio::test]
async fn settings_and_proxy_are_changed_together_or_not_at_all() {
    let console = SignedIn::new();
    let proxy = json!({ "address": "http://proxy.example:3128" });
    let before = console.shown().await;
    for wrong in [
        json!({ "lowPriority": true, "proxy": { "address": "ftp://proxy.example" } }),
        json!({ "lowPriority": true, "proxy": &proxy, "verifyEveryDays": 0 }),
        json!({ "lowPriority": true, "proxy": &proxy, "serverBackupRetries": 11 }),
        json!({ "lowPriority": true, "proxy": &proxy, "restoreRoot": console.path("nowhere") }),
    ] {
        let (status, answer) = console.change(&wrong).await;
        assert_eq!(status / 100, 4, "{wrong}: {answer}");
        assert_eq!(console.shown().await, before, "{wrong}");
    }

    // In the place of the proxy's file: settings can be written, it can't.
    let file = console.path("home/keys/proxy.json");
    std::fs::create_dir_all(file.join("in the way")).unwrap();
    let wish = json!({ "lowPriority": true, "proxy": &proxy });
    let (status, answer) = console.change(&wish).await;
    assert_eq!(status, 500, "{answer}");
    std::fs::remove_dir_all(&file).unwrap();
    assert_eq!(console.shown().await, before);
    let (status, set) = console.change(&wish).await;
    assert_eq!((status, &set["lowPriority"], &set["proxy"]), (200, &json!(true), &proxy["address"]), "{set}");
}
