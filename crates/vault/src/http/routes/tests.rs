//! Every call by every kind of caller: what the table says is what happens.

use super::*;
use crate::app::audit::Actor;
use crate::app::principals::{Assignment, Role};
use crate::app::testing::{TestApp, TestServer, create_vault, register_request};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::Response;
use stateward_api::CredentialPurpose;
use stateward_api::arm::List;
use stateward_api::arm::credentials::CredentialsRequest;
use stateward_api::arm::vaults::Vault;
use stateward_api::calls;
use stateward_api::error::{ErrorBody, ErrorCode};
use stateward_api::token::{TokenError, TokenRequest};
use std::collections::BTreeSet;
use tower::ServiceExt as _;

/// The table as it was decided: a new call needs a line here. `{V}` is a vault's path, `{G}` a group's, `{S}` the
/// subscription's, `{P}` the provider's name.
const DECIDED: &str = include_str!("decided.txt");

const VAULT: &str = vault!("");
const GROUP: &str = group!("");
const SUBSCRIPTION: &str = subscription!("");

fn short(path: &str) -> String {
    let path = path.replace(VAULT, "{V}").replace(GROUP, "{G}").replace(SUBSCRIPTION, "{S}");
    path.replace("Microsoft.RecoveryServices", "{P}")
}

#[test]
fn no_call_is_added_or_opened_up_by_accident() {
    let table: String = table()
        .into_iter()
        .map(|r| r.guard)
        .map(|g| format!("{} {} {:?}\n", g.method, short(g.path), g.who))
        .collect();
    assert_eq!(table, DECIDED);
}

#[test]
fn the_contract_lists_the_same_calls() {
    let listed = calls::management().into_iter().chain(calls::agent());
    let listed: BTreeSet<String> = listed.map(|call| format!("{} {}", call.method, call.path)).collect();
    let guards = table().into_iter().map(|route| route.guard);
    let served: BTreeSet<String> = guards.map(|guard| format!("{} {}", guard.method, guard.path)).collect();
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| -> Vec<String> {
        these.difference(those).map(|call| short(call)).collect()
    };
    assert_eq!(
        only(&served, &listed),
        [""; 0],
        "not in `stateward_api::calls`; `cargo xtask openapi` writes them then"
    );
    assert_eq!(only(&listed, &served), [""; 0], "listed in `stateward_api::calls` and not served");
}

async fn principal(test: &TestApp, role: Role, group: &str, vault: &str) -> Option<String> {
    let assignment = Assignment { role, group: group.to_owned(), vault: vault.to_owned() };
    let made = test.app.create_principal(&Actor::Console, "test", &assignment).await.unwrap();
    let request = TokenRequest {
        grant_type: "client_credentials".to_owned(),
        client_id: made.client_id,
        client_secret: Some(made.client_secret),
        client_assertion_type: None,
        client_assertion: None,
    };
    Some(test.app.issue_token(&request).await.unwrap().access_token)
}

async fn server_token(test: &TestApp, server: &TestServer) -> Option<String> {
    let request = server.token_request(|_| {});
    Some(test.app.issue_token(&request).await.unwrap().access_token)
}

async fn restorer_token(test: &TestApp) -> Option<String> {
    let server = test.server("web-02").await.caller.server;
    let (purpose, server) = (CredentialPurpose::Restore, Some(server));
    let request = CredentialsRequest { purpose, server, ..register_request() };
    let file = test.credentials(&request).await.unwrap();
    let request = TokenRequest {
        grant_type: "client_credentials".to_owned(),
        client_id: file.credential.to_string(),
        client_secret: Some(file.secret),
        client_assertion_type: None,
        client_assertion: None,
    };
    Some(test.app.issue_token(&request).await.unwrap().access_token)
}

/// Something in the place of each variable part: what is there, or `x`.
fn filled(test: &TestApp, path: &str) -> String {
    let path = path.replace("{subscription}", &test.app.config.subscription);
    let path = path.replace("{group}", "default").replace("{vault}", test.vault.as_str());
    let path = path.replace(['{', '}'], "x");
    if path.starts_with("/subscriptions") || path.starts_with("/metadata") {
        return path + "?api-version=2024-04-01";
    }
    path
}

/// Makes a call; gives its error's code, if it was refused.
async fn outcome(router: &Router, method: &Method, path: &str, token: Option<&str>) -> Option<ErrorCode> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response: Response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    if response.status().is_success() || method == Method::HEAD {
        return match response.status().as_u16() {
            401 => Some(ErrorCode::InvalidToken),
            403 => Some(ErrorCode::Forbidden),
            _ => None,
        };
    }
    let status = response.status();
    let is_challenged = response.headers().contains_key("www-authenticate");
    assert_eq!(is_challenged, status.as_u16() == 401, "{method} {path}");
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    let code = serde_json::from_slice::<ErrorBody>(&body).map(|body| body.error.code);
    let code = code.or_else(|_| serde_json::from_slice::<TokenError>(&body).map(|body| body.code));
    let code = code.unwrap_or_else(|_| panic!("{method} {path}: {status}"));
    assert_eq!(status.as_u16(), code.status(), "{method} {path}");
    Some(code)
}

/// Every kind of caller: its name, its token, and the rows that it may call.
async fn callers(test: &TestApp) -> Vec<(&'static str, Option<String>, Vec<Who>)> {
    use Who::{Anyone, Contributor, Operator, Principal, Reader, Restorer, Server};
    let all = || vec![Anyone, Principal, Reader, Operator, Contributor];
    let server = server_token(test, &test.server("web-01").await).await;
    vec![
        ("nobody", None, vec![Anyone]),
        ("server", server, vec![Anyone, Server, Restorer]),
        ("restorer", Box::pin(restorer_token(test)).await, vec![Anyone, Restorer]),
        ("reader", principal(test, Role::Reader, "", "").await, vec![Anyone, Principal, Reader]),
        (
            "operator",
            principal(test, Role::Operator, "", "").await,
            vec![Anyone, Principal, Reader, Operator],
        ),
        ("contributor", principal(test, Role::Contributor, "", "").await, all()),
        // These two have no role outside of what they were given.
        ("contributor of the vault", principal(test, Role::Contributor, "default", "prod").await, all()),
        ("contributor elsewhere", principal(test, Role::Contributor, "default", "other").await, all()),
    ]
}

/// Whether a caller whose roles are of one vault only is to be refused at this path.
fn is_out_of_reach(name: &str, path: &str, who: Who) -> bool {
    let by_role = matches!(who, Who::Reader | Who::Operator | Who::Contributor);
    match name {
        "contributor of the vault" => by_role && !path.starts_with(VAULT),
        "contributor elsewhere" => by_role,
        _ => false,
    }
}

#[tokio::test]
async fn each_call_admits_just_whom_its_row_names() {
    let test = TestApp::new().await;
    let router = router(Arc::clone(&test.app));
    let callers = Box::pin(callers(&test)).await;
    for row in table().into_iter().map(|route| route.guard) {
        for (name, token, admitted_to) in &callers {
            let path = filled(&test, row.path);
            let refused = outcome(&router, &row.method, &path, token.as_deref()).await;
            let is_admitted = admitted_to.contains(&row.who) && !is_out_of_reach(name, row.path, row.who);
            let expected = match (is_admitted, *name) {
                (true, _) => None,
                (false, "nobody") => Some(ErrorCode::InvalidToken),
                (false, _) => Some(ErrorCode::Forbidden),
            };
            // Whoever is admitted may still be told that the request is nonsense.
            let refused =
                refused.filter(|code| matches!(code, ErrorCode::InvalidToken | ErrorCode::Forbidden));
            assert_eq!(refused, expected, "{} {} by {name}", row.method, row.path);
        }
    }
}

#[tokio::test]
async fn other_tokens_and_other_calls_are_refused_in_the_contracts_words() {
    let test = TestApp::new().await;
    let token = principal(&test, Role::Contributor, "", "").await;
    let token = token.as_deref();
    let router = router(Arc::clone(&test.app));
    let list = filled(&test, subscription!("/providers/Microsoft.RecoveryServices/vaults"));
    let unversioned = list.split('?').next().unwrap();
    let (get, delete) = (Method::GET, Method::DELETE);
    for (method, path, token, expected) in [
        (&get, list.as_str(), token, None),
        (&get, &list.to_ascii_uppercase().replace("SUB-1", "sub-1"), token, None),
        (&get, &list, Some("x"), Some(ErrorCode::InvalidToken)),
        (&get, unversioned, token, Some(ErrorCode::MissingApiVersionParameter)),
        (&get, &format!("{unversioned}?api-version=1"), token, Some(ErrorCode::InvalidApiVersionParameter)),
        (&get, &list.replace("sub-1", "sub-2"), token, Some(ErrorCode::SubscriptionNotFound)),
        (&get, "/none", token, Some(ErrorCode::NotFound)),
        (&delete, &list, token, Some(ErrorCode::NotFound)),
    ] {
        assert_eq!(outcome(&router, method, path, token).await, expected, "{method} {path}");
    }
    test.clock.advance(3600);
    assert_eq!(outcome(&router, &get, &list, token).await, Some(ErrorCode::InvalidToken));
}

#[tokio::test]
async fn whoever_has_a_role_in_one_vault_sees_that_one_only() {
    let test = TestApp::new().await;
    create_vault(&test.app, "other").await.unwrap();
    let router = router(Arc::clone(&test.app));
    let list = filled(&test, subscription!("/providers/Microsoft.RecoveryServices/vaults"));
    for (group, vault, seen) in
        [("", "", &["other", "prod"][..]), ("default", "prod", &["prod"]), ("web", "", &[])]
    {
        let token = principal(&test, Role::Reader, group, vault).await.unwrap();
        let request = Request::builder().uri(&list).header("authorization", format!("Bearer {token}"));
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let body = to_bytes(answer.into_body(), 1 << 16).await.unwrap();
        let body: List<Vault> = serde_json::from_slice(&body).unwrap();
        let names: Vec<_> = body.value.iter().map(|vault| vault.name.as_str()).collect();
        assert_eq!(names, seen);
    }
}
