//! The steps against a real TLS server, direct and through a proxy.

use super::*;
use crate::proxy::Proxy;
use crate::test_server::{
    Authority, TestServer, administrator, endpoint, json, refused, surroundings, token,
};
use stateward_api::ErrorCode;
use stateward_engine::{Cancellation, Obstacle};
use stateward_model::{Clock as _, SystemClock, Timestamp};
use stateward_testing::{ConnectProxy, ProxyManner};
use std::net::TcpListener;

fn vault(authority: &Authority, ahead_seconds: i64) -> TestServer {
    TestServer::start(authority, move |asked| match asked.line.as_str() {
        "GET /health" => json(&Health {
            version: "9.9.9".to_owned(),
            time: SystemClock.now().plus_seconds(ahead_seconds),
            tenant: "tenant".to_owned(),
        }),
        line if line.starts_with("POST ") && asked.form("client_secret").as_deref() == Some("the-secret") => {
            token("good")
        }
        _ => refused(ErrorCode::InvalidClient, "No such client"),
    })
}

fn tested(endpoint: &Endpoint, identity: Option<Identity>) -> ConnectionTest {
    test_connection(endpoint, identity, &Manner::interactive(Cancellation::default()), &surroundings())
}

/// `passed`, `failed` or `skipped`, in the order of the steps.
fn outcomes(test: &ConnectionTest) -> Vec<(StepKind, char)> {
    let letter = |step: &Step| match &step.outcome {
        StepOutcome::Passed(_) => 'p',
        StepOutcome::Failed(_) => 'f',
        StepOutcome::Skipped(_) => 's',
    };
    test.steps.iter().map(|step| (step.kind, letter(step))).collect()
}

fn letters(test: &ConnectionTest) -> String {
    use StepKind::{Answer, Certificate, Clock, Name, Port, Proxy, SignIn};
    let all = outcomes(test);
    let kinds: Vec<StepKind> = all.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [Name, Port, Proxy, Certificate, Answer, Clock, SignIn]);
    all.iter().map(|(_, letter)| *letter).collect()
}

#[test]
fn all_steps_pass_with_a_vault_that_is_there_direct_and_through_a_proxy() {
    let authority = Authority::new();
    let server = vault(&authority, 0);
    let direct = tested(&endpoint(&authority, &server.url(), None), administrator());
    assert_eq!(letters(&direct), "ppspppp", "{direct:?}");
    assert_eq!(direct.health.unwrap().version, "9.9.9");
    assert!(direct.skew_seconds.unwrap().abs() < 5);
    let between = ConnectProxy::start();
    let proxy = Proxy::parse(&format!("http://{}", between.address())).unwrap();
    let through = tested(&endpoint(&authority, &server.url(), Some(proxy)), None);
    assert_eq!(letters(&through), "pppppps", "{through:?}");
}

#[test]
fn the_first_step_that_fails_is_told_and_those_after_it_are_skipped() {
    let (authority, other) = (Authority::new(), Authority::named("Corp Inspection CA"));
    let name = tested(&endpoint(&authority, "https://vault.invalid:7443", None), None);
    assert_eq!(letters(&name), "fssssss");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = tested(&endpoint(&authority, &format!("https://127.0.0.1:{port}"), None), None);
    assert_eq!(letters(&closed), "pfsssss");
    let inspecting = vault(&other, 0);
    let intercepted = tested(&endpoint(&authority, &inspecting.url(), None), None);
    assert_eq!(letters(&intercepted), "ppsfsss");
    let failure = intercepted.failure().unwrap().to_string();
    assert!(failure.contains("Corp Inspection CA"), "{failure}");
    let between = ConnectProxy::start();
    between.set(ProxyManner::Refuse(403));
    let proxy = Proxy::parse(&format!("http://{}", between.address())).unwrap();
    let refused = tested(&endpoint(&authority, &inspecting.url(), Some(proxy)), None);
    assert_eq!(letters(&refused), "ppfssss");
    assert!(matches!(refused.failure(), Some(VaultError::Blocked(Obstacle::ProxyRefusal, _))));
    let proxy = Proxy::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let away = tested(&endpoint(&authority, &inspecting.url(), Some(proxy)), None);
    assert_eq!(letters(&away), "pfsssss");
    assert!(matches!(away.failure(), Some(VaultError::Blocked(Obstacle::ProxyAway, _))));
}

#[test]
fn a_clock_that_differs_too_much_fails_and_a_wrong_secret_does() {
    let authority = Authority::new();
    let server = vault(&authority, 900);
    let test = tested(&endpoint(&authority, &server.url(), None), None);
    assert_eq!(letters(&test), "ppsppfs");
    let seconds = test.skew_seconds.unwrap();
    assert!((-901..=-899).contains(&seconds), "{seconds}");
    let server = vault(&authority, 0);
    let stranger =
        Identity::Administrator { client_id: "a".to_owned(), client_secret: "wrong".to_owned().into() };
    let test = tested(&endpoint(&authority, &server.url(), None), Some(stranger));
    assert_eq!(letters(&test), "ppspppf");
}

#[test]
fn a_vault_of_the_same_moment_is_not_ahead() {
    let zero = Timestamp::default();
    assert_eq!(
        (zero.seconds(), clock(0).is_ok(), clock(-300).is_ok(), clock(301).is_err()),
        (0, true, true, true)
    );
}
