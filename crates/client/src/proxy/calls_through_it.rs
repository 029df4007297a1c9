//! Calls through a real proxy to a real TLS server: those that work, and each way in which they do not.

use super::Proxy;
use crate::call::{Call, CallError};
use crate::connection::Connection;
use crate::test_server::{Authority, TestServer, connect_through, json};
use stateward_engine::{Cancellation, Obstacle, VaultError};
use stateward_testing::{ConnectProxy, ProxyManner};
use std::net::TcpListener;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Longer than anything here takes when it is not tried again.
const LONG_MS: u64 = 60_000;

fn proxy(at: &ConnectProxy, user: &str, password: &str) -> Proxy {
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let parsed = Proxy::parse(&format!("http://{user}{}", at.address())).unwrap();
    parsed.with_password(Some(Zeroizing::new(password.to_owned())))
}

fn through(proxy: Proxy, authority: &Authority, url: &str, patience_ms: u64) -> Connection {
    connect_through(authority, url, Some(proxy), None, patience_ms, &Cancellation::default())
}

fn server(authority: &Authority) -> TestServer {
    TestServer::start(authority, |_| json(&"fine"))
}

/// What stands between, and in which words; told at once if it does not pass by itself.
fn blocked(connection: &Connection) -> (Obstacle, String) {
    let begin = Instant::now();
    let outcome = connection.call(&Call::get("/thing"));
    assert!(begin.elapsed() < Duration::from_millis(LONG_MS / 2), "it was tried again");
    match outcome {
        Err(CallError::NoAnswer(VaultError::Blocked(obstacle, words))) => (obstacle, words),
        Err(CallError::NoAnswer(error)) => panic!("{error}"),
        Err(CallError::Refused(detail)) => panic!("refused: {detail:?}"),
        Ok(_) => panic!("it was done"),
    }
}

#[test]
fn calls_go_through_the_proxy_which_learns_the_address_and_nothing_else() {
    let authority = Authority::new();
    let server = server(&authority);
    let between = ConnectProxy::with_login("jane", "geheim-7");
    // Nothing listens where the vault is said to be: only the proxy knows the way.
    between.set(ProxyManner::LeadTo(server.address));
    let connection = through(proxy(&between, "jane", "geheim-7"), &authority, "https://127.0.0.1:1", 0);
    assert!(connection.call(&Call::get("/thing?name=hidden")).is_ok());
    assert_eq!(between.led(), ["127.0.0.1:1"]);
    let heads = between.heads().concat();
    assert!(!heads.contains("hidden") && heads.contains("CONNECT 127.0.0.1:1 "), "{heads}");
}

#[test]
fn a_proxy_that_wants_to_know_who_calls_is_told_apart_from_one_that_does_not_believe_it() {
    let authority = Authority::new();
    let server = server(&authority);
    let between = ConnectProxy::with_login("jane", "geheim-7");
    let (obstacle, words) = blocked(&through(proxy(&between, "", ""), &authority, &server.url(), LONG_MS));
    assert!(obstacle == Obstacle::ProxyLogin && words.contains("none are set"), "{words}");
    let wrong = through(proxy(&between, "jane", "geheim-8"), &authority, &server.url(), LONG_MS);
    let (obstacle, words) = blocked(&wrong);
    assert!(obstacle == Obstacle::ProxyLogin && words.contains("`jane`"), "{words}");
    assert!(!words.contains("geheim"), "{words}");
    assert!(between.led().is_empty());
}

#[test]
fn a_proxy_that_refuses_or_shows_a_page_is_told_as_such() {
    let authority = Authority::new();
    let server = server(&authority);
    let between = ConnectProxy::start();
    let connection = through(proxy(&between, "", ""), &authority, &server.url(), LONG_MS);
    between.set(ProxyManner::Refuse(403));
    let (obstacle, words) = blocked(&connection);
    assert!(obstacle == Obstacle::ProxyRefusal && words.contains("403"), "{words}");
    assert!(
        words.contains(&format!("http://{}", between.address())) && words.contains(&server.url()),
        "{words}"
    );
    between.set(ProxyManner::Page);
    let (obstacle, words) = blocked(&connection);
    assert!(obstacle == Obstacle::Portal && words.contains("page"), "{words}");
    // What may pass by itself is tried until the patience ends.
    let impatient = through(proxy(&between, "", ""), &authority, &server.url(), 0);
    between.set(ProxyManner::Refuse(502));
    assert_eq!(blocked(&impatient).0, Obstacle::ProxyRefusal);
    between.set(ProxyManner::Lead);
    assert!(impatient.call(&Call::get("/thing")).is_ok());
}

#[test]
fn a_proxy_that_is_not_there_is_told_apart_from_a_vault_that_is_not_there() {
    let authority = Authority::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nowhere = Proxy::parse(&format!("http://127.0.0.1:{port}")).unwrap();
    let (obstacle, words) = blocked(&through(nowhere, &authority, "https://127.0.0.1:1", 0));
    assert!(obstacle == Obstacle::ProxyAway && words.contains("refused"), "{words}");
    let unnamed = Proxy::parse("http://proxy.invalid:3128").unwrap();
    let (obstacle, words) = blocked(&through(unnamed, &authority, "https://127.0.0.1:1", 0));
    assert!(obstacle == Obstacle::ProxyAway && words.contains("name"), "{words}");
    let between = ConnectProxy::start();
    let (obstacle, words) =
        blocked(&through(proxy(&between, "", ""), &authority, &format!("https://127.0.0.1:{port}"), 0));
    assert!(obstacle == Obstacle::ProxyRefusal && words.contains("502"), "{words}");
}

#[test]
fn one_who_opens_connections_is_named_by_his_authority() {
    let (authority, corporate) = (Authority::new(), Authority::named("Corp Inspection CA"));
    let inspecting = server(&corporate);
    let between = ConnectProxy::start();
    between.set(ProxyManner::LeadTo(inspecting.address));
    let connection = through(proxy(&between, "", ""), &authority, "https://127.0.0.1:1", LONG_MS);
    let (obstacle, words) = blocked(&connection);
    assert!(obstacle == Obstacle::Interception && words.contains("`Corp Inspection CA`"), "{words}");
    // Without a proxy of its own, too.
    let direct =
        connect_through(&authority, &inspecting.url(), None, None, LONG_MS, &Cancellation::default());
    assert_eq!(blocked(&direct).0, Obstacle::Interception);
}

#[test]
fn lanes_lead_through_it_too() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |_| json(&"fine"));
    let between = ConnectProxy::start();
    between.set(ProxyManner::LeadTo(server.address));
    let connection = through(proxy(&between, "", ""), &authority, "https://127.0.0.1:1", 0);
    let lanes = connection.lanes().clients().unwrap().to_vec();
    for lane in &lanes {
        assert!(connection.over(lane, &Call::get("/thing")).is_ok());
    }
    assert_eq!(between.led().len(), lanes.len());
}
