//! Signing in by certificate, as it should be and as it should not.

use super::*;
use crate::app::audit::Actor;
use crate::app::certificates::testing::TestKey;
use crate::app::principals::{Assignment, Role};
use crate::app::testing::TestApp;
use crate::app::tokens::Caller;
use serde_json::{Value, json};
use stateward_api::credentials::{encode_base64, encode_bytes};
use stateward_api::token::{ASSERTION_TYPE, TokenRequest};

/// A principal that signs in by certificate.
struct Signer {
    key: TestKey,
    client_id: String,
    certificate: Certificate,
}

impl Signer {
    async fn new(test: &TestApp) -> Self {
        let key = TestKey::rsa();
        let certificate = Certificate::read(&key.certificate("ops", test.app.now())).unwrap();
        let role = Assignment::everywhere(Role::Operator);
        let made = test.app.create_principal_by_certificate(&Actor::Console, "ops", &role, &certificate);
        Self { key, client_id: made.await.unwrap(), certificate }
    }

    fn claims(&self, test: &TestApp, id: &str) -> Value {
        let now = test.app.now().seconds();
        json!({
            "iss": self.client_id, "sub": self.client_id, "jti": id, "iat": now, "exp": now + 600,
            "aud": "https://vault.example:7443/adfs/oauth2/v2.0/token",
        })
    }

    fn header(&self, algorithm: &str) -> Value {
        match algorithm {
            "PS256" => {
                json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": encode_bytes(&self.certificate.thumbprint) })
            }
            _ => {
                json!({ "alg": "RS256", "typ": "JWT", "x5t": encode_bytes(&self.certificate.old_thumbprint()) })
            }
        }
    }

    fn request(&self, assertion: String) -> TokenRequest {
        TokenRequest {
            grant_type: "client_credentials".to_owned(),
            client_id: self.client_id.clone(),
            client_secret: None,
            client_assertion_type: Some(ASSERTION_TYPE.to_owned()),
            client_assertion: Some(assertion),
        }
    }

    async fn sign_in(&self, test: &TestApp, header: &Value, claims: &Value) -> Result<String, Error> {
        let request = self.request(self.key.sign(header, claims));
        Ok(test.app.issue_token(&request).await?.access_token)
    }
}

#[tokio::test]
async fn both_signatures_give_a_token_and_each_assertion_is_taken_once() {
    let test = TestApp::new().await;
    let signer = Signer::new(&test).await;
    let padded = encode_base64(&signer.certificate.old_thumbprint());
    let headers = [
        signer.header("PS256"),
        signer.header("RS256"),
        json!({ "alg": "RS256", "x5t": padded }),
        json!({ "alg": "PS256" }),
    ];
    for (number, header) in headers.iter().enumerate() {
        let claims = signer.claims(&test, &number.to_string());
        let token = signer.sign_in(&test, header, &claims).await.unwrap();
        let Caller::Principal(principal) = test.app.authenticate(&token).await.unwrap() else {
            panic!("no principal")
        };
        assert_eq!(principal.client_id, signer.client_id);
        let again = signer.sign_in(&test, header, &claims).await;
        assert!(matches!(again, Err(Error::InvalidClient(why)) if why.contains("used before")));
    }
}

#[tokio::test]
async fn an_assertion_for_another_client_endpoint_or_time_is_refused() {
    let test = TestApp::new().await;
    let signer = Signer::new(&test).await;
    let now = test.app.now().seconds();
    let refused: [(&str, Value); 8] = [
        ("iss", json!("someone")),
        ("sub", json!("someone")),
        ("aud", json!("https://vault.example:7443/other/oauth2/v2.0/token")),
        ("aud", json!("http://vault.example:7443/adfs/oauth2/v2.0/token")),
        ("jti", json!("")),
        ("jti", json!("x".repeat(129))),
        ("exp", json!(now + 3601)),
        ("exp", json!(now)),
    ];
    for (name, value) in refused {
        let mut claims = signer.claims(&test, "id");
        claims[name] = value.clone();
        let error = signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap_err();
        assert!(matches!(error, Error::InvalidClient(_)), "{name} {value}: {error}");
    }
    for (made, end) in [(now + 301, now + 900), (now - 1500, now - 301)] {
        let mut claims = signer.claims(&test, "id");
        (claims["iat"], claims["exp"]) = (json!(made), json!(end));
        let error = signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap_err();
        assert!(matches!(error, Error::ClockSkew { .. }), "{error}");
        assert!(error.to_string().contains(&test.app.now().to_string()), "{error}");
    }
    // MSAL for Python gives fractions of seconds.
    let mut claims = signer.claims(&test, "fractions");
    (claims["iat"], claims["exp"]) = (json!(now as f64 + 0.25), json!(now as f64 + 600.75));
    signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap();
    for far in [json!(1e300), json!(-1e300)] {
        let mut claims = signer.claims(&test, "far");
        claims["exp"] = far;
        assert!(signer.sign_in(&test, &signer.header("PS256"), &claims).await.is_err());
    }
    // Some libraries name `nbf` and no `iat`.
    let mut claims = signer.claims(&test, "id");
    claims["nbf"] = claims.as_object_mut().unwrap().remove("iat").unwrap();
    signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap();
}

#[tokio::test]
async fn another_key_certificate_or_algorithm_is_a_guess_and_guesses_are_slowed_down() {
    let test = TestApp::new().await;
    let signer = Signer::new(&test).await;
    let claims = signer.claims(&test, "id");
    let unknown = json!({ "alg": "PS256", "x5t#S256": encode_bytes(&[1; 32]) });
    let secret = format!(
        "{}.{}.{}",
        encode_bytes(br#"{"alg":"HS256"}"#),
        encode_bytes(claims.to_string().as_bytes()),
        "x"
    );
    let none = secret.replace(&encode_bytes(br#"{"alg":"HS256"}"#), &encode_bytes(br#"{"alg":"none"}"#));
    for wrong in [
        TestKey::other_rsa().sign(&signer.header("PS256"), &claims),
        signer.key.sign(&unknown, &claims),
        secret,
        none,
        "no assertion".to_owned(),
    ] {
        let error = test.app.issue_token(&signer.request(wrong)).await.unwrap_err();
        assert!(matches!(error, Error::InvalidClient(_)), "{error}");
    }
    let blocked = signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap_err();
    assert!(blocked.to_string().contains("too many wrong"), "{blocked}");
    let kinds: Vec<_> = test.alerts().await.into_iter().map(|alert| alert.kind).collect();
    assert_eq!(kinds, ["failed-sign-ins"]);
    test.clock.advance(2);
    signer.sign_in(&test, &signer.header("PS256"), &claims).await.unwrap();
}

#[tokio::test]
async fn a_certificate_that_ended_or_was_removed_signs_nobody_in() {
    let test = TestApp::new().await;
    let signer = Signer::new(&test).await;
    let token = signer.sign_in(&test, &signer.header("PS256"), &signer.claims(&test, "1")).await.unwrap();
    let second = Certificate::read(&TestKey::other_rsa().certificate("ops", test.app.now())).unwrap();
    test.app.add_certificate(&Actor::Console, &signer.client_id, &second).await.unwrap();
    let thumbprint = signer.certificate.thumbprint;
    test.app.remove_certificate(&Actor::Console, &signer.client_id, thumbprint).await.unwrap();
    assert!(matches!(test.app.authenticate(&token).await, Err(Error::InvalidToken)));
    let removed = signer.sign_in(&test, &signer.header("PS256"), &signer.claims(&test, "2")).await;
    assert!(matches!(removed, Err(Error::InvalidClient(_))));
    let other =
        Signer { key: TestKey::other_rsa(), client_id: signer.client_id.clone(), certificate: second };
    other.sign_in(&test, &other.header("RS256"), &other.claims(&test, "3")).await.unwrap();
    test.clock.advance(3 * 86_400);
    let late = other.sign_in(&test, &other.header("RS256"), &other.claims(&test, "4")).await.unwrap_err();
    assert!(late.to_string().contains("good from"), "{late}");
}
