//! A webhook against a real HTTPS server.

use super::*;
use crate::test_server::{Asked, Authority, TestServer};
use axum::response::{IntoResponse as _, Response};
use stateward_model::SystemRandom;
use stateward_testing::ConnectProxy;
use std::sync::{Arc, Mutex};

const NOW: Duration = Duration::ZERO;

fn answer(status: u16, words: &str) -> Option<Response> {
    Some((StatusCode::from_u16(status).unwrap(), words.to_owned()).into_response())
}

fn webhook(server: &TestServer, token: Option<&str>) -> Webhook {
    let webhook = Webhook::parse(&format!("{}/hook/secret-7?x=1", server.url())).unwrap();
    webhook.with_token(token.map(|token| token.to_owned().into())).unwrap()
}

#[test]
fn json_is_posted_with_the_token_and_what_comes_back_is_told() {
    let authority = Authority::new();
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let server = TestServer::start(&authority, {
        let asked = Arc::clone(&asked);
        move |question| {
            asked.lock().unwrap().push(question);
            answer(202, "taken,\n\u{1b}thank  you")
        }
    });
    let pem = authority.pem();
    for trusted in [Trusted::Only(&pem), Trusted::List(&pem)] {
        let told = webhook(&server, Some("word-8")).post(b"{\"a\":1}", (trusted, None), NOW, &SystemRandom);
        assert_eq!(told.unwrap(), WebhookAnswer { status: 202, words: "taken, thank you".to_owned() });
    }
    let asked = asked.lock().unwrap();
    assert_eq!((asked[0].line.as_str(), asked[0].query.as_str()), ("POST /hook/secret-7", "x=1"));
    assert_eq!(asked[0].header("authorization"), Some("Bearer word-8"));
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(&asked[0].body[..], b"{\"a\":1}");
}

#[test]
fn what_may_pass_is_tried_again_and_what_is_refused_is_not() {
    let authority = Authority::new();
    let statuses = Arc::new(Mutex::new(vec![204, 503, 429]));
    let server = TestServer::start(&authority, {
        let statuses = Arc::clone(&statuses);
        move |_| answer(statuses.lock().unwrap().pop().unwrap(), "no")
    });
    let pem = authority.pem();
    let post =
        |patience| webhook(&server, None).post(b"{}", (Trusted::Only(&pem), None), patience, &SystemRandom);
    assert_eq!(post(Duration::from_secs(60)).unwrap().status, 204);
    for (status, is_away) in [(500, true), (302, false), (401, false), (404, false)] {
        statuses.lock().unwrap().push(status);
        let error = post(NOW).unwrap_err();
        assert_eq!(matches!(error, WebhookError::Away(_)), is_away, "{error}");
        assert!(error.to_string().contains(&status.to_string()), "{error}");
    }
    drop(server);
}

#[test]
fn a_server_that_is_away_not_trusted_or_behind_a_proxy_is_told_so() {
    let (authority, other) = (Authority::new(), Authority::named("Somebody else"));
    let server = TestServer::start(&authority, |_| answer(200, "ok"));
    let pems = [authority.pem(), other.pem()];
    let hook = webhook(&server, None);
    let strange = hook.post(b"{}", (Trusted::Only(&pems[1]), None), NOW, &SystemRandom).unwrap_err();
    assert!(matches!(&strange, WebhookError::Refused(words) if words.contains("certificate")), "{strange}");
    let proxy = ConnectProxy::with_login("jane", "geheim-7");
    let through = Proxy::parse(&format!("http://jane@{}", proxy.address())).unwrap();
    let wrong = through.clone().with_password(Some("no".to_owned().into()));
    let refused = hook.post(b"{}", (Trusted::Only(&pems[0]), Some(&wrong)), NOW, &SystemRandom).unwrap_err();
    assert!(refused.to_string().contains("proxy"), "{refused}");
    let through = through.with_password(Some("geheim-7".to_owned().into()));
    hook.post(b"{}", (Trusted::Only(&pems[0]), Some(&through)), NOW, &SystemRandom).unwrap();
    drop(server);
    let away = hook.post(b"{}", (Trusted::Only(&pems[0]), None), NOW, &SystemRandom).unwrap_err();
    assert!(matches!(&away, WebhookError::Away(words) if words.starts_with("It can't be reached")), "{away}");
}

#[test]
fn an_address_is_https_without_a_sign_in_and_never_shown_whole() {
    for (text, error) in [
        ("nothing", WebhookAddressError::NoAddress),
        ("http://host/x", WebhookAddressError::NoTls),
        ("https://user:word@host/x", WebhookAddressError::SignIn),
        ("https://host/x#y", WebhookAddressError::NoAddress),
    ] {
        assert_eq!(Webhook::parse(text).unwrap_err(), error, "{text}");
    }
    let hook = Webhook::parse("https://hooks.example:8443/services/secret-7").unwrap();
    assert_eq!((hook.to_string().as_str(), hook.token()), ("https://hooks.example:8443", None));
    assert!(!format!("{hook:?}").contains("secret"), "{hook:?}");
    for token in ["", "two words", "line\nbreak"] {
        let refused = hook.clone().with_token(Some(token.to_owned().into())).unwrap_err();
        assert_eq!(refused, WebhookAddressError::Token, "{token}");
    }
}
