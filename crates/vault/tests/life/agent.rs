//! A server and an administrator as the vault sees them: keys, sign-in, calls. Nothing of ours but the contract.

#![allow(dead_code, reason = "each test program uses a part of it")]

use reqwest::{Client, ClientBuilder, Method, Response};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use stateward_api::agent::{PartTaken, Registered};
use stateward_api::credentials::encode_bytes;
use stateward_api::error::ErrorBody;
use stateward_api::token::{ASSERTION_TYPE, TokenError, TokenResponse};
use stateward_api::{ErrorCode, VaultCredentials};
use stateward_format::point::{self, PackReference, PointHeader};
use stateward_model::{Clock, ItemId, ItemKind, PackId, PointHash, Sequence, SlotHash};
use stateward_vault::Initialised;
use std::sync::Arc;

/// The address of what stands in the vault `prod` of the group `default`.
pub fn in_vault(made: &Initialised, rest: &str) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/default/providers/Microsoft.RecoveryServices/vaults/prod{rest}\
         ?api-version=2024-04-01",
        made.subscription
    )
}

/// How a refused call is read: its code and its words.
pub type Refused = (ErrorCode, String);

/// Calls the vault with one token.
#[derive(Clone)]
pub struct Caller {
    http: Client,
    url: String,
    token: Option<String>,
}

impl Caller {
    /// A client that trusts the vault's authority and nobody else.
    pub fn new(made: &Initialised) -> Self {
        Self { http: client(made, |builder| builder), url: made.url.clone(), token: None }
    }

    /// The same caller with a connection of its own.
    pub fn reconnect(&self, made: &Initialised, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        Self { http: client(made, change), ..self.clone() }
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
        kind: &str,
    ) -> Response {
        let mut request =
            self.http.request(method, format!("{}{path}", self.url)).body(body).header("content-type", kind);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    pub async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<T, Refused> {
        let response = self.send(method, path, body.to_string(), "application/json").await;
        answer(response)
            .await
            .map(|bytes| serde_json::from_slice(if bytes.is_empty() { b"null" } else { &bytes }).unwrap())
    }

    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refused> {
        let bytes = self.get_bytes(path, None).await?;
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    pub async fn get_bytes(&self, path: &str, range: Option<&str>) -> Result<Vec<u8>, Refused> {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(range) = range {
            request = request.header("range", range);
        }
        answer(request.send().await.unwrap()).await
    }

    pub async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Result<Vec<u8>, Refused> {
        answer(self.send(method, path, body, "application/octet-stream").await).await
    }

    /// Sends a part of a pack, whose place `range` tells as `bytes a-b/length`.
    pub async fn part(&self, path: &str, range: &str, bytes: Vec<u8>) -> Result<PartTaken, Refused> {
        let mut request =
            self.http.put(format!("{}{path}", self.url)).header("content-range", range).body(bytes);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(serde_json::from_slice(&answer(request.send().await.unwrap()).await?).unwrap())
    }

    /// Signs in with a form.
    pub async fn sign_in(&self, tenant: &str, form: &str) -> Result<Self, Refused> {
        let path = stateward_api::token::path(tenant);
        let response =
            self.send(Method::POST, &path, form.to_owned(), "application/x-www-form-urlencoded").await;
        let token: TokenResponse = serde_json::from_slice(&answer(response).await?).unwrap();
        Ok(Self { token: Some(token.access_token), ..self.clone() })
    }

    /// Signs in as the administrator that `init` made.
    pub async fn administrator(made: &Initialised) -> Self {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            made.client_id, made.client_secret
        );
        Self::new(made).sign_in(&made.tenant, &form).await.unwrap()
    }
}

fn client(made: &Initialised, change: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(&std::fs::read(&made.ca_file).unwrap()).unwrap();
    change(Client::builder().tls_certs_only([ca]).no_proxy()).build().unwrap()
}

async fn answer(response: Response) -> Result<Vec<u8>, Refused> {
    let status = response.status();
    let bytes = response.bytes().await.unwrap().to_vec();
    if status.is_success() {
        return Ok(bytes);
    }
    // The token endpoint says no in OAuth's words.
    let (code, message) = match serde_json::from_slice::<ErrorBody>(&bytes) {
        Ok(body) => (body.error.code, body.error.message),
        Err(_) => {
            let body: TokenError = serde_json::from_slice(&bytes).unwrap();
            (body.code, body.error_description)
        }
    };
    assert_eq!(code.status(), status.as_u16());
    Err((code, message))
}

/// A registered server.
pub struct Server {
    pub call: Caller,
    pub registered: Registered,
    pub item: ItemId,
    login: Ed25519KeyPair,
    signing: Ed25519KeyPair,
    clock: Arc<dyn Clock>,
    tenant: String,
}

fn key(number: u8, which: u8) -> Ed25519KeyPair {
    let mut seed = [number; 32];
    seed[0] = which;
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

/// The body of a registration.
pub fn registration(file: &VaultCredentials, label: &str, number: u8) -> Value {
    json!({
        "credential": file.credential, "secret": file.secret, "label": label,
        "loginPublicKey": encode_bytes(key(number, 1).public_key().as_ref()),
        "signingPublicKey": encode_bytes(key(number, 2).public_key().as_ref()),
        "operatingSystem": "Debian GNU/Linux 12 (bookworm)", "agentVersion": "0.1.0",
    })
}

impl Server {
    /// Registers server number so and so, signs it in and makes its item known.
    pub async fn register(
        made: &Initialised,
        file: &VaultCredentials,
        number: u8,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Refused> {
        let caller = Caller::new(made);
        let body = registration(file, &format!("web-{number}"), number);
        let registered = caller.json(Method::POST, "/agent/v1/register", &body).await?;
        let mut server = Self {
            call: caller,
            registered,
            item: ItemId([number; 16]),
            login: key(number, 1),
            signing: key(number, 2),
            clock,
            tenant: made.tenant.clone(),
        };
        server.sign_in().await?;
        let item = json!({"label": "System-State", "kind": "SystemState"});
        server.call.json::<Value>(Method::PUT, &format!("/agent/v1/items/{}", server.item), &item).await?;
        Ok(server)
    }

    /// Gets a token by an assertion.
    pub async fn sign_in(&mut self) -> Result<(), Refused> {
        let (id, now) = (self.registered.server.to_string(), self.clock.now());
        let audience = format!("{}{}", self.call.url, stateward_api::token::path(&self.tenant));
        let claims = json!({
            "iss": id, "sub": id, "aud": audience, "iat": now.seconds(), "exp": now.seconds() + 300,
            "jti": now.0.to_string(),
        });
        let body = format!(
            "{}.{}",
            encode_bytes(br#"{"alg":"EdDSA","typ":"JWT"}"#),
            encode_bytes(claims.to_string().as_bytes())
        );
        let signature = encode_bytes(self.login.sign(body.as_bytes()).as_ref());
        let kind = ASSERTION_TYPE.replace(':', "%3A");
        let form = format!(
            "grant_type=client_credentials&client_id={id}&client_assertion_type={kind}\
             &client_assertion={body}.{signature}"
        );
        self.call = self.call.sign_in(&self.tenant, &form).await?;
        Ok(())
    }

    /// A signed point object.
    pub fn point(&self, sequence: Sequence, previous: Option<PointHash>, packs: &[PackReference]) -> Vec<u8> {
        let mut packs = packs.to_vec();
        packs.sort();
        let header = PointHeader {
            vault: self.registered.vault,
            server: self.registered.server,
            item: self.item,
            kind: ItemKind::SystemState,
            sequence,
            previous,
            epoch: 1,
            agent_time: self.clock.now(),
            slots: vec![SlotHash([1; 32])],
            packs,
        };
        let unsigned = point::encode_unsigned(&header, b"sealed");
        let mut signature = [0; 64];
        signature.copy_from_slice(self.signing.sign(&point::signed_message(&unsigned)).as_ref());
        point::finish(unsigned, signature)
    }

    /// Opens session number so and so; `more` is added to the request.
    pub async fn open(&self, number: u8, more: Value) -> Result<Value, Refused> {
        let mut body = json!({
            "session": session(number), "secret": encode_bytes(&[number; 32]), "kind": "Backup", "item": self.item,
        });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.call.json(Method::POST, "/agent/v1/sessions", &body).await
    }

    /// Puts a pack under its own name.
    pub async fn put(&self, number: u8, bytes: &[u8]) -> Result<PackReference, Refused> {
        let id = PackId(*blake3::hash(bytes).as_bytes());
        let path = format!("/agent/v1/sessions/{}/packs/{id}", session(number));
        self.call.bytes(Method::PUT, &path, bytes.to_vec()).await?;
        Ok(PackReference { id, length: bytes.len() as u32 })
    }

    /// Commits a point; gives its receipt.
    pub async fn commit(&self, number: u8, object: &[u8]) -> Result<Vec<u8>, Refused> {
        let path = format!("/agent/v1/sessions/{}/commit", session(number));
        self.call.bytes(Method::POST, &path, object.to_vec()).await
    }
}

/// The id of session number so and so.
pub fn session(number: u8) -> stateward_model::SessionId {
    stateward_model::SessionId([number; 16])
}
