//! What is looked at before any handler: that the request was meant for this console, comes from its own page, and bears what the
//! session is known by.
//!
//! Another page in the same browser can send requests here, and a name of its own can lead here (DNS rebinding): its requests
//! name another host or another origin. Another user of the machine can send whatever he likes, and has neither token nor cookie.

use super::Console;
use super::answer::Refusal;
use super::gate::Denied;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use stateward_api::console::TOKEN_HEADER;
use std::sync::Arc;

/// Where the browser says that a request comes from.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Who may make a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Whoever has the one-time token, which is in the body.
    TokenHolder,
    /// Whoever is signed in.
    SignedIn,
}

/// Lets a request through, or says why not.
pub(super) async fn check(
    State((console, who)): State<(Arc<Console>, Who)>,
    request: Request,
    next: Next,
) -> Response {
    let judged = place(&console, &request).and_then(|()| match who {
        Who::TokenHolder => Ok(()),
        Who::SignedIn => session(&console, request.headers()),
    });
    match judged.and_then(|()| only_json(request.headers())) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

/// That it names this console, and comes from its own page.
fn place(console: &Console, request: &Request) -> Result<(), Refusal> {
    let headers = request.headers();
    let uri = request.uri().authority().map(|authority| authority.as_str());
    if one(headers, &header::HOST)? != Some(&console.authority)
        || uri.is_some_and(|named| named != console.authority)
    {
        return Err(Refusal::place("The request names another host than the console's address"));
    }
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match one(headers, &header::ORIGIN)? {
        Some(origin) if origin.strip_prefix("http://") == Some(&console.authority) => (),
        None if is_read => (),
        Some(_) => return Err(Refusal::place("The request comes from another page than the console's own")),
        None => return Err(Refusal::place("The request does not say from which page it comes (`Origin`)")),
    }
    match one(headers, &HeaderName::from_static(SEC_FETCH_SITE))? {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(Refusal::place("The request comes from another page than the console's own")),
    }
}

/// The value of a header that may be there once; twice could be read by each as it likes.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refusal::place(format!("The header `{name}` holds no plain text"))),
        },
        (Some(_), Some(_)) => Err(Refusal::place(format!("The header `{name}` is there twice"))),
    }
}

/// That it bears the cookie and the request token.
fn session(console: &Console, headers: &HeaderMap) -> Result<(), Refusal> {
    let name = cookie_name(console.port);
    let cookie = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value);
    let token = one(headers, &HeaderName::from_static(TOKEN_HEADER))?;
    console.gate.check(cookie, token).map_err(|denied| match denied {
        Denied::NotSignedIn => Refusal::sign_in("There is no session, or it is over"),
        Denied::TokenMissing => Refusal::token_missing(),
    })
}

/// Cookies of an address go to all its ports, so each console's has a name of its own.
pub(super) fn cookie_name(port: u16) -> String {
    format!("stateward-console-{port}")
}

/// A page of another origin can send a form or plain text without asking first, and JSON only after it was refused that.
fn only_json(headers: &HeaderMap) -> Result<(), Refusal> {
    match one(headers, &header::CONTENT_TYPE)? {
        None => Ok(()),
        Some(kind) if kind.split(';').next().unwrap_or_default().trim() == "application/json" => Ok(()),
        Some(_) => Err(Refusal::no_json("The console takes JSON (`Content-Type: application/json`) only")),
    }
}
