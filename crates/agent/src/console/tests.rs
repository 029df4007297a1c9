//! Every call by every kind of caller: what the table says is what happens.

mod settings;

use super::gate::Gate;
use super::guard::Who;
use super::{Console, routes};
use crate::{Agent, Code, Home, Surroundings};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use stateward_api::calls;
use stateward_api::console::{BODY_BYTES_MAX, ErrorBody, TOKEN_HEADER};
use stateward_engine::Cancellation;
use stateward_model::SystemRandom;
use stateward_testing::FakeClock;
use std::collections::BTreeSet;
use std::sync::Arc;
use tower::ServiceExt as _;

/// The table as it was decided: a new call needs a line here.
const DECIDED: &str = include_str!("decided.txt");

const PLACE: &str = "127.0.0.1:7";

/// A console that nobody signed in to yet, over a home that is not registered.
struct TestConsole {
    router: Router,
    console: Arc<Console>,
    clock: Arc<FakeClock>,
    token: String,
    folder: tempfile::TempDir,
}

/// What a request bears.
#[derive(Clone)]
struct Bears {
    host: Option<&'static str>,
    origin: Option<&'static str>,
    site: Option<&'static str>,
    kind: Option<&'static str>,
    cookie: Option<String>,
    token: Option<String>,
}

impl TestConsole {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(&folder.path().join("home"))).unwrap();
        home.prepare().unwrap();
        let clock = Arc::new(FakeClock::default());
        let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let (gate, token) = Gate::new(clock.clone(), Arc::new(SystemRandom), 600);
        let console = Arc::new(Console {
            agent: Agent::new(home, surroundings, "stateward test"),
            gate,
            authority: PLACE.to_owned(),
            port: 7,
            ending: Cancellation::default(),
        });
        let router = routes::router(Arc::clone(&console));
        Self { router, console, clock, token: token.to_string(), folder }
    }

    /// As the console's own page bears it that has signed in.
    fn signed_in(&self) -> Bears {
        let opened = self.console.gate.open(&self.token).unwrap();
        Bears {
            cookie: Some(format!("other=1; stateward-console-7={}", *opened.cookie)),
            token: Some(opened.request_token.to_string()),
            ..stranger()
        }
    }

    async fn call(&self, method: &Method, path: &str, bears: &Bears, body: Vec<u8>) -> (StatusCode, Value) {
        let response = self.response(method, path, bears, body).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(response.headers()[name], value, "{method} {path}");
        }
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!response.headers().contains_key("access-control-allow-origin"));
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 16 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn response(&self, method: &Method, path: &str, bears: &Bears, body: Vec<u8>) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        let headers = [
            ("host", bears.host.map(str::to_owned)),
            ("origin", bears.origin.map(str::to_owned)),
            ("sec-fetch-site", bears.site.map(str::to_owned)),
            ("content-type", bears.kind.map(str::to_owned)),
            ("cookie", bears.cookie.clone()),
            (TOKEN_HEADER, bears.token.clone()),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
    }
}

/// A page of the console's own that has not signed in.
fn stranger() -> Bears {
    Bears {
        host: Some(PLACE),
        origin: Some("http://127.0.0.1:7"),
        site: Some("same-origin"),
        kind: Some("application/json"),
        cookie: None,
        token: None,
    }
}

/// The code of a refusal, which must be whole.
fn code(answer: &Value) -> String {
    let body: ErrorBody = serde_json::from_value(answer.clone()).unwrap_or_else(|e| panic!("{answer}: {e}"));
    let known: Code = body.error.code.parse().unwrap_or_else(|()| panic!("{answer}"));
    assert_eq!(body.error.meaning, known.meaning());
    assert_eq!(body.error.recommendation, known.remedy());
    assert!(!body.error.message.is_empty() && !body.error.message.ends_with('.'), "{answer}");
    body.error.code
}

/// A path with something in the place of its variable parts.
fn filled(path: &str) -> String {
    path.replace(['{', '}'], "x")
}

#[test]
fn no_call_is_added_or_opened_up_by_accident() {
    let rows = routes::table();
    let table: String = rows.iter().map(|r| format!("{} {} {:?}\n", r.method, r.path, r.who)).collect();
    assert_eq!(table, DECIDED);
    let open: Vec<&str> = rows.iter().filter(|r| r.who == Who::TokenHolder).map(|r| r.path).collect();
    assert_eq!(open, ["/console/v1/session"]);
}

#[test]
fn the_contract_lists_the_same_calls() {
    let listed: BTreeSet<String> =
        calls::console().iter().map(|call| format!("{} {}", call.method, call.path)).collect();
    let served: BTreeSet<String> =
        routes::table().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(served, listed);
    for call in calls::console() {
        assert_eq!(call.is_open, call.name == "openSession", "{}", call.name);
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so_by_every_call_and_by_what_is_no_call() {
    let console = TestConsole::new();
    let mut places: Vec<(Method, String)> = routes::table()
        .into_iter()
        .filter(|route| route.who == Who::SignedIn)
        .map(|route| (route.method, filled(route.path)))
        .collect();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        places.extend(
            ["/", "/index.html", "/console/v1/none", "/console/v1/backups"]
                .map(|path| (method.clone(), path.to_owned())),
        );
    }
    let with_token = Bears { token: Some(console.token.clone()), ..stranger() };
    for (method, path) in places {
        for bears in [&stranger(), &with_token] {
            let (status, answer) = console.call(&method, &path, bears, b"{}".to_vec()).await;
            assert_eq!(
                (status.as_u16(), code(&answer).as_str()),
                (401, "console-not-signed-in"),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_cookie_without_the_request_token_opens_nothing() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let wrong = page.token.clone().map(|token| token.replace(|_: char| true, "A"));
    for token in [None, wrong, Some(String::new())] {
        let bears = Bears { token, ..page.clone() };
        for route in routes::table().iter().filter(|route| route.who == Who::SignedIn) {
            let (status, answer) =
                console.call(&route.method, &filled(route.path), &bears, b"{}".to_vec()).await;
            assert_eq!(
                (status.as_u16(), code(&answer).as_str()),
                (403, "console-token-missing"),
                "{}",
                route.path
            );
        }
    }
    let other =
        Bears { cookie: page.cookie.clone().map(|cookie| cookie.replace("-7=", "-8=")), ..page.clone() };
    let (status, _) = console.call(&Method::GET, "/console/v1/items", &other, Vec::new()).await;
    assert_eq!(status, 401, "another console's cookie");
}

#[tokio::test]
async fn requests_for_another_host_or_of_another_page_are_refused_by_every_call() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let mut foreign: Vec<Bears> =
        [None, Some("localhost:7"), Some("127.0.0.1"), Some("127.0.0.1:8"), Some("evil.example:7")]
            .map(|host| Bears { host, ..page.clone() })
            .into();
    let origins = [
        "http://localhost:7",
        "http://127.0.0.1:8",
        "https://127.0.0.1:7",
        "http://evil.example",
        "null",
        "",
    ];
    foreign.extend(origins.map(|origin| Bears { origin: Some(origin), ..page.clone() }));
    foreign.extend(["cross-site", "same-site"].map(|site| Bears { site: Some(site), ..page.clone() }));
    for bears in &foreign {
        for route in routes::table() {
            let (status, answer) =
                console.call(&route.method, &filled(route.path), bears, b"{}".to_vec()).await;
            assert_eq!(
                (status.as_u16(), code(&answer).as_str()),
                (403, "console-foreign-request"),
                "{}",
                route.path
            );
        }
    }
    // A program that names no page may look, and not change anything.
    let unnamed = Bears { origin: None, site: None, ..page.clone() };
    for route in routes::table().iter().filter(|route| route.method != Method::GET) {
        let (status, answer) =
            console.call(&route.method, &filled(route.path), &unnamed, b"{}".to_vec()).await;
        assert_eq!(
            (status.as_u16(), code(&answer).as_str()),
            (403, "console-foreign-request"),
            "{}",
            route.path
        );
    }
    let (status, _) = console.call(&Method::GET, "/console/v1/items", &unnamed, Vec::new()).await;
    assert_eq!(status, 200);
    let absolute = "http://evil.example/console/v1/items";
    assert_eq!(console.call(&Method::GET, absolute, &page, Vec::new()).await.0, 403);
}

#[tokio::test]
async fn the_one_time_token_signs_in_once_and_the_cookie_is_for_this_page_alone() {
    let console = TestConsole::new();
    let open = |token: &str| serde_json::to_vec(&json!({ "token": token })).unwrap();
    let path = "/console/v1/session";
    let (status, answer) = console.call(&Method::POST, path, &stranger(), open("guessed")).await;
    assert_eq!((status.as_u16(), code(&answer).as_str()), (401, "console-not-signed-in"));
    assert!(!answer.to_string().contains("guessed"), "what was sent comes back: {answer}");
    let response = console.response(&Method::POST, path, &stranger(), open(&console.token)).await;
    assert_eq!(response.status(), 200);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["stateward-console-7=", "; Path=/", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{part}");
    }
    assert!(!cookie.contains("Domain") && !cookie.contains("Max-Age"));
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let opened: Value = serde_json::from_slice(&body).unwrap();
    let token = opened["requestToken"].as_str().unwrap().to_owned();
    assert!(!cookie.contains(&token) && opened["idleSeconds"] == 600);
    let again = console.call(&Method::POST, path, &stranger(), open(&console.token)).await;
    assert_eq!(again.0, 401, "used twice");

    let pair = cookie.split(';').next().unwrap().to_owned();
    let page = Bears { cookie: Some(pair), token: Some(token), ..stranger() };
    assert_eq!(console.call(&Method::GET, "/console/v1/jobs", &page, Vec::new()).await.0, 200);
    console.clock.advance_seconds(600);
    assert_eq!(console.call(&Method::GET, "/console/v1/jobs", &page, Vec::new()).await.0, 401, "idle");
    assert!(console.console.gate.is_over());
}

#[tokio::test]
async fn signing_out_ends_the_session_at_once() {
    let console = TestConsole::new();
    let page = console.signed_in();
    assert_eq!(console.call(&Method::DELETE, "/console/v1/session", &page, Vec::new()).await.0, 204);
    assert_eq!(console.call(&Method::GET, "/console/v1/items", &page, Vec::new()).await.0, 401);
    assert!(console.console.gate.is_over());
}

#[tokio::test]
async fn every_call_answers_in_the_envelope_while_nothing_is_registered() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let answers_all_the_same = [
        "/console/v1/overview",
        "/console/v1/items",
        "/console/v1/items/systemState",
        "/console/v1/jobs",
        "/console/v1/settings",
        "/console/v1/doctor",
        "/console/v1/codes",
        "/console/v1/supportBundle",
    ];
    for route in routes::table() {
        // Walks the whole machine; and ends the session.
        if route.path == "/console/v1/systemState" || route.method == Method::DELETE {
            continue;
        }
        let path = format!("{}?name=x", filled(route.path));
        let (status, answer) = console.call(&route.method, &path, &page, b"{}".to_vec()).await;
        match answers_all_the_same.contains(&route.path) {
            true => assert_eq!(status, 200, "{} {}: {answer}", route.method, route.path),
            false => {
                assert!(
                    !status.is_success() && status.as_u16() != 500,
                    "{} {}: {answer}",
                    route.method,
                    route.path
                );
                code(&answer);
            }
        }
    }
    let cases = [
        (Method::POST, "/console/v1/backups", json!({}), "not-registered"),
        (Method::POST, "/console/v1/verifies", json!({}), "not-registered"),
        (
            Method::POST,
            "/console/v1/restores",
            json!({ "recoveryPoint": "latest", "target": "/nowhere" }),
            "not-registered",
        ),
        (
            Method::POST,
            "/console/v1/restores",
            json!({ "recoveryPoint": "latest" }),
            "console-request-invalid",
        ),
        (
            Method::POST,
            "/console/v1/restores",
            json!({ "recoveryPoint": "latest", "target": "here" }),
            "console-request-invalid",
        ),
        (
            Method::POST,
            "/console/v1/restores",
            json!({ "recoveryPoint": "latest", "original": true }),
            "usage",
        ),
        (Method::POST, "/console/v1/schedule", json!({ "policy": "daily" }), "not-registered"),
        (Method::POST, "/console/v1/policies", json!({}), "not-registered"),
        (Method::POST, "/console/v1/recoveryCodes", json!({}), "not-registered"),
        (Method::POST, "/console/v1/passphrase", json!({ "securityPIN": "1" }), "not-registered"),
        (Method::POST, "/console/v1/connection/test", json!({}), "not-registered"),
        (Method::GET, "/console/v1/recoveryPoints", json!({}), "not-registered"),
        (Method::GET, "/console/v1/jobs/none", json!({}), "unknown-job"),
        (Method::GET, "/console/v1/codes/none", json!({}), "unknown-code"),
        (Method::GET, "/console/v1/none", json!({}), "console-call-unknown"),
        (Method::PUT, "/console/v1/backups", json!({}), "console-call-unknown"),
    ];
    for (method, path, body, expected) in cases {
        let (_, answer) = console.call(&method, path, &page, serde_json::to_vec(&body).unwrap()).await;
        assert_eq!(code(&answer), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn bodies_are_json_objects_of_a_bounded_length_and_nothing_of_them_comes_back() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let path = "/console/v1/registration";
    let long = format!("{{\"x\": \"{}\"}}", "a".repeat(BODY_BYTES_MAX)).into_bytes();
    let (status, answer) = console.call(&Method::POST, path, &page, long).await;
    assert_eq!((status.as_u16(), code(&answer).as_str()), (413, "console-request-invalid"));
    for kind in
        [Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp"), None]
    {
        let bears = Bears { kind, ..page.clone() };
        let (status, answer) = console.call(&Method::POST, path, &bears, b"{}".to_vec()).await;
        assert_eq!((status.as_u16(), code(&answer).as_str()), (415, "console-request-invalid"), "{kind:?}");
    }
    let secret = "correct horse battery staple";
    for body in [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("\"{secret}\""),
        format!("{{\"passphrase\": [\"{secret}\"]}}"),
        format!("{{\"credentials\": \"{secret}\"}}"),
        format!("{{\"{secret}\": 1}}"),
        format!("{{\"credentials\": {{\"content\": \"{secret}\", \"name\": 1}}}}"),
        format!(
            "{{\"credentials\": {{\"content\": \"{secret}\"}}, \"passphrase\": \"{secret}\", \"label\": \"{secret}\"}}"
        ),
    ] {
        let (status, answer) = console.call(&Method::POST, path, &page, body.clone().into_bytes()).await;
        assert_eq!((status.as_u16(), code(&answer).as_str()), (400, "console-request-invalid"), "{body}");
        assert!(!answer.to_string().contains(secret), "{answer}");
    }
    let misspelled = br#"{"credentials": {"content": "x"}, "passphase": "correct horse battery staple"}"#;
    let (status, answer) = console.call(&Method::POST, path, &page, misspelled.to_vec()).await;
    assert_eq!(status, 400);
    assert!(answer["error"]["message"].as_str().unwrap().contains("unknown field `passphase`"), "{answer}");
    let no_credentials =
        json!({ "credentials": { "content": secret, "name": "web-01" }, "passphrase": secret });
    let (_, answer) =
        console.call(&Method::POST, path, &page, serde_json::to_vec(&no_credentials).unwrap()).await;
    assert_eq!(code(&answer), "credentials-damaged");
    assert!(!answer.to_string().contains(secret), "{answer}");
}

#[tokio::test]
async fn what_is_protected_and_set_is_seen_again() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let source = console.folder.path().join("source");
    std::fs::create_dir(&source).unwrap();
    let send = async |method: Method, path: &str, body: Value| {
        console.call(&method, path, &page, serde_json::to_vec(&body).unwrap()).await
    };
    let (status, made) =
        send(Method::POST, "/console/v1/items/files", json!({ "paths": [&source], "name": "data" })).await;
    assert_eq!(
        (status.as_u16(), &made["change"], &made["item"]),
        (200, &json!("Added"), &json!("data")),
        "{made}"
    );
    let (_, overview) = send(Method::GET, "/console/v1/overview", json!({})).await;
    assert_eq!((&overview["items"][0]["item"], &overview["registration"]), (&json!("data"), &Value::Null));
    let (status, answer) =
        send(Method::POST, "/console/v1/items/files", json!({ "paths": ["source"] })).await;
    assert_eq!((status.as_u16(), code(&answer).as_str()), (400, "console-request-invalid"));

    let wish = json!({
        "limitRate": 5_000_000, "workLimitRate": 64_000, "restoreLimitRate": "off", "lowPriority": true,
        "workHours": { "days": ["Monday"], "from": "08:00", "until": "18:00", "zone": "Europe/Berlin" },
        "prechecks": { "pending-restart": "block" }, "verifyEveryDays": null, "trialRestoreEveryDays": 10,
        "restoreRoot": &source, "proxy": { "address": "http://jane@proxy.example:3128", "password": "geheim-7" },
    });
    let (status, set) = send(Method::PATCH, "/console/v1/settings", wish.clone()).await;
    assert_eq!(status, 200, "{set}");
    for name in ["limitRate", "workLimitRate", "restoreLimitRate", "lowPriority", "workHours", "restoreRoot"]
    {
        assert_eq!(set[name], wish[name], "{name}");
    }
    assert_eq!((&set["restoreWorkLimitRate"], &set["verifyEveryDays"]), (&json!("same"), &Value::Null));
    assert_eq!(set["prechecks"]["pending-restart"], "block");
    assert_eq!(set["proxy"], "http://jane@proxy.example:3128");
    assert!(!set.to_string().contains("geheim-7"));
    let (_, again) =
        send(Method::PATCH, "/console/v1/settings", json!({ "proxy": null, "workHours": null })).await;
    assert_eq!(
        (&again["proxy"], &again["workHours"], &again["limitRate"]),
        (&Value::Null, &Value::Null, &json!(5_000_000))
    );
    for wrong in [
        json!({ "limitRate": "same" }),
        json!({ "limitRate": 0 }),
        json!({ "prechecks": { "none": "warn" } }),
        json!({ "verifyEveryDays": 0 }),
        json!({ "hooks": "/tmp" }),
        json!({ "restoreRoot": "relative" }),
    ] {
        let (status, answer) = send(Method::PATCH, "/console/v1/settings", wrong.clone()).await;
        assert_eq!((status.as_u16(), code(&answer).as_str()), (400, "console-request-invalid"), "{wrong}");
    }
    assert_eq!(send(Method::GET, "/console/v1/settings", json!({})).await.1, again);
}

#[tokio::test]
async fn a_schedule_is_previewed_without_a_vault() {
    let console = TestConsole::new();
    let page = console.signed_in();
    let times = json!(["2026-11-23T02:00:00Z"]);
    let properties = json!({
        "backupManagementType": "MAB", "timeZone": "Europe/Berlin",
        "schedulePolicy": { "schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": times, "retentionDuration": { "count": 30, "durationType": "Days" } },
        },
    });
    let preview = async |body: Value| {
        let body = serde_json::to_vec(&body).unwrap();
        console.call(&Method::POST, "/console/v1/schedule/preview", &page, body).await
    };
    let (status, told) = preview(json!({ "properties": properties })).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["nextRuns"][0]["at"], "2026-11-23T01:00:00Z");
    let counts: Vec<u64> =
        told["kept"].as_array().unwrap().iter().map(|kept| kept["count"].as_u64().unwrap()).collect();
    assert!(counts.iter().all(|count| (29..=31).contains(count)), "{counts:?}");
    let far = json!({ "properties": properties, "moments": ["2090-01-01T00:00:00Z"] });
    assert_eq!(code(&preview(far).await.1), "wrong-policy");
    assert_eq!(code(&preview(json!({ "properties": {} })).await.1), "wrong-policy");
}
