//! Every call by every kind of caller: what the table says is what happens.

use super::*;
use crate::app::principals::Role;
use crate::app::testing::{TestApp, TestServer};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::response::Response;
use stateward_api::error::{ErrorBody, ErrorCode};
use stateward_api::token::TokenRequest;
use tower::ServiceExt as _;

/// The table as it was decided: a new call needs a line here.
const DECIDED: &str = "\
GET /health Anyone
POST /{tenant}/oauth2/v2.0/token Anyone
POST /agent/v1/register Anyone
POST /agent/v1/register/slots Anyone
GET /admin/preview/vaults Reader
PUT /admin/preview/vaults/{name} Contributor
GET /admin/preview/vaults/{name} Reader
POST /admin/preview/vaults/{name}/credentials Contributor
GET /admin/preview/vaults/{name}/servers Reader
GET /admin/preview/vaults/{name}/recovery-points Reader
GET /admin/preview/vaults/{name}/jobs Reader
GET /agent/v1/server Server
PUT /agent/v1/items/{item} Server
POST /agent/v1/sessions Server
POST /agent/v1/sessions/{session}/heartbeat Server
PUT /agent/v1/sessions/{session}/packs/{pack} Server
PUT /agent/v1/sessions/{session}/packs/{pack}/parts Server
POST /agent/v1/sessions/{session}/commit Server
POST /agent/v1/sessions/{session}/close Server
GET /agent/v1/packs/{pack} Server
GET /agent/v1/points Server
GET /agent/v1/points/{sequence}/{hash} Server
GET /agent/v1/receipts/{sequence}/{hash} Server
GET /agent/v1/slots Server
PUT /agent/v1/slots/{epoch}/{hash} Server
PUT /agent/v1/jobs/{job} Server
";

#[test]
fn no_call_is_added_or_opened_up_by_accident() {
    let table: String = table()
        .into_iter()
        .map(|r| r.guard)
        .map(|g| format!("{} {} {:?}\n", g.method, g.path, g.who))
        .collect();
    assert_eq!(table, DECIDED);
}

/// What the calls of each kind of caller bear.
struct Callers {
    nobody: Option<String>,
    server: Option<String>,
    reader: Option<String>,
    contributor: Option<String>,
}

async fn principal(test: &TestApp, role: Role) -> Option<String> {
    let made = test.app.create_principal("test", role).await.unwrap();
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

async fn callers(test: &TestApp) -> Callers {
    Callers {
        nobody: None,
        server: server_token(test, &test.server("web-01").await).await,
        reader: principal(test, Role::BackupReader).await,
        contributor: principal(test, Role::BackupContributor).await,
    }
}

/// Makes a call with something in the place of each variable part; gives its error's code, if it was refused.
async fn outcome(router: &Router, method: &Method, path: &str, token: Option<&str>) -> Option<ErrorCode> {
    let path = path.replace(['{', '}'], "x");
    let mut request = Request::builder().method(method).uri(&path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response: Response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    if response.status().is_success() {
        return None;
    }
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    let body: ErrorBody =
        serde_json::from_slice(&body).unwrap_or_else(|_| panic!("{method} {path}: {status}"));
    assert_eq!(status.as_u16(), body.error.code.status(), "{method} {path}");
    Some(body.error.code)
}

#[tokio::test]
async fn each_call_admits_just_whom_its_row_names() {
    let test = TestApp::new().await;
    let callers = callers(&test).await;
    let router = router(Arc::clone(&test.app));
    for row in table().into_iter().map(|route| route.guard) {
        for (name, token, admitted_to) in [
            ("nobody", &callers.nobody, &[Who::Anyone][..]),
            ("server", &callers.server, &[Who::Anyone, Who::Server]),
            ("reader", &callers.reader, &[Who::Anyone, Who::Reader]),
            ("contributor", &callers.contributor, &[Who::Anyone, Who::Reader, Who::Contributor]),
        ] {
            let refused = outcome(&router, &row.method, row.path, token.as_deref()).await;
            let expected = match (admitted_to.contains(&row.who), name) {
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
    let callers = callers(&test).await;
    let router = router(Arc::clone(&test.app));
    let token = callers.contributor.as_deref();
    let get = Method::GET;
    assert_eq!(
        outcome(&router, &get, "/admin/preview/vaults", Some("x")).await,
        Some(ErrorCode::InvalidToken)
    );
    assert_eq!(outcome(&router, &get, "/none", token).await, Some(ErrorCode::NotFound));
    assert_eq!(
        outcome(&router, &Method::DELETE, "/admin/preview/vaults", token).await,
        Some(ErrorCode::NotFound)
    );
    test.clock.advance(3600);
    assert_eq!(outcome(&router, &get, "/admin/preview/vaults", token).await, Some(ErrorCode::InvalidToken));
}
