//! A client of the whole router, for tests of single nouns.

use super::routes::router;
use crate::app::audit::Actor;
use crate::app::principals::{Assignment, Role};
use crate::app::testing::TestApp;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use stateward_api::token::TokenRequest;
use std::sync::Arc;
use tower::ServiceExt as _;

/// Somebody who is signed in.
pub(super) struct Client {
    router: Router,
    token: String,
    /// Its client id.
    pub(super) client_id: String,
    vault: String,
}

impl Client {
    /// One who may do everything.
    pub(super) async fn contributor(test: &TestApp) -> Self {
        Self::new(test, &Assignment::everywhere(Role::Contributor)).await
    }

    /// One with a role.
    pub(super) async fn new(test: &TestApp, assignment: &Assignment) -> Self {
        let made = test.app.create_principal(&Actor::Console, "test", assignment).await.unwrap();
        let request = TokenRequest {
            grant_type: "client_credentials".to_owned(),
            client_id: made.client_id.clone(),
            client_secret: Some(made.client_secret),
            client_assertion_type: None,
            client_assertion: None,
        };
        let token = test.app.issue_token(&request).await.unwrap().access_token;
        let vault = test.vault.to_string();
        Self { router: router(Arc::clone(&test.app)), token, client_id: made.client_id, vault }
    }

    /// Its token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// The path with `{V}` for the one vault and `{G}` for its group, and with a version.
    fn filled(&self, path: &str) -> String {
        let group = "/subscriptions/sub-1/resourceGroups/default";
        let vault = format!("{group}/providers/Microsoft.RecoveryServices/vaults/{}", self.vault);
        let path = path.replace("{V}", &vault).replace("{G}", group);
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}api-version=2024-04-01")
    }

    /// A call with this text as its body.
    pub(super) async fn text<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &str,
    ) -> (StatusCode, T) {
        let request = Request::builder().method(method).uri(self.filled(path));
        let request = request.header("authorization", format!("Bearer {}", self.token));
        let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
        let answer = self.router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let body = if body.is_empty() { b"null" } else { &body[..] };
        let read = serde_json::from_slice(body);
        (
            status,
            read.unwrap_or_else(|error| {
                panic!("{path}: {status} {error}: {}", String::from_utf8_lossy(body))
            }),
        )
    }

    /// A call with a JSON body.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> (StatusCode, T) {
        self.text(method, path, &body.to_string()).await
    }

    /// A call that succeeds.
    pub(super) async fn ok<T: DeserializeOwned>(&self, method: Method, path: &str, body: Value) -> T {
        let (status, answer) = self.call::<Value>(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        serde_json::from_value(answer).unwrap()
    }
}
