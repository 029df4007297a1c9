//! A real TLS server for tests: its own authority, any answers, stopped and started again on one port.

use crate::connection::{Connection, Endpoint, Surroundings};
use crate::proxy::Proxy;
use crate::retry::Manner;
use crate::sign_in::Identity;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use stateward_api::error::{ErrorBody, ErrorCode, ErrorDetail};
use stateward_engine::Cancellation;
use stateward_model::{SystemClock, SystemRandom};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A private certificate authority. All of vaults have the same name, so that only their keys tell them apart.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named(&format!("{} of tests", stateward_api::AUTHORITY_NAME))
    }

    /// Somebody else's.
    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, host: &str, change: impl FnOnce(&mut CertificateParams)) -> rustls::ServerConfig {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config =
            rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config
    }
}

/// What was asked.
pub(crate) struct Asked {
    /// `GET /path`.
    pub(crate) line: String,
    /// What follows the `?`.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn form(&self, field: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        text.split('&').find_map(|pair| pair.strip_prefix(field)?.strip_prefix('=').map(str::to_owned))
    }
}

/// `None`: no answer, ever.
type Answers = dyn Fn(Asked) -> Option<Response> + Send + Sync;

/// A running server; ends when it is dropped.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    handle: Handle<SocketAddr>,
    thread: Option<JoinHandle<()>>,
}

impl TestServer {
    /// A server for `127.0.0.1` on a free port.
    pub(crate) fn start(
        authority: &Authority,
        answers: impl Fn(Asked) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::start_as(authority, "127.0.0.1", |_| {}, 0, answers)
    }

    /// A server that speaks HTTP/1.1 only.
    pub(crate) fn start_old(
        authority: &Authority,
        answers: impl Fn(Asked) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let mut config = authority.issue("127.0.0.1", |_| {});
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self::serve(config, 0, answers)
    }

    /// A server whose certificate names `host`, on that port (0: a free one).
    pub(crate) fn start_as(
        authority: &Authority,
        host: &str,
        change: impl FnOnce(&mut CertificateParams),
        port: u16,
        answers: impl Fn(Asked) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::serve(authority.issue(host, change), port, answers)
    }

    fn serve(
        config: rustls::ServerConfig,
        port: u16,
        answers: impl Fn(Asked) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let config = RustlsConfig::from_config(Arc::new(config));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Answers> = Arc::new(answers);
        let handle = Handle::new();
        let thread = std::thread::spawn({
            let handle = handle.clone();
            move || {
                let app = axum::Router::new().fallback(move |request| answer(answers.clone(), request));
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                runtime.unwrap().block_on(async {
                    axum_server::from_tcp_rustls(listener, config)
                        .unwrap()
                        .handle(handle)
                        .serve(app.into_make_service())
                        .await
                        .unwrap();
                });
            }
        });
        Self { address, handle, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn answer(answers: Arc<Answers>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 1 << 30).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let line = format!("{} {}", parts.method, parts.uri.path());
    let query = parts.uri.query().unwrap_or_default().to_owned();
    match answers(Asked { line, query, headers: parts.headers, body }) {
        Some(response) => response,
        None => std::future::pending().await,
    }
}

/// The vault's envelope.
pub(crate) fn refused(code: ErrorCode, message: &str) -> Option<Response> {
    let detail = ErrorDetail::new(code, message.to_owned());
    let status = StatusCode::from_u16(code.status()).unwrap();
    Some((status, axum::Json(ErrorBody { error: detail })).into_response())
}

/// A JSON answer.
pub(crate) fn json(value: &impl serde::Serialize) -> Option<Response> {
    Some(axum::Json(value).into_response())
}

/// A token's answer.
pub(crate) fn token(text: &str) -> Option<Response> {
    json(&stateward_api::token::TokenResponse {
        token_type: "Bearer".to_owned(),
        expires_in: 3600,
        access_token: text.to_owned(),
    })
}

/// A connection that trusts `authority`, with that many milliseconds of patience.
pub(crate) fn connect(
    authority: &Authority,
    url: &str,
    identity: Option<Identity>,
    patience_ms: u64,
    cancellation: &Cancellation,
) -> Connection {
    connect_through(authority, url, None, identity, patience_ms, cancellation)
}

/// The same through a proxy.
pub(crate) fn connect_through(
    authority: &Authority,
    url: &str,
    proxy: Option<Proxy>,
    identity: Option<Identity>,
    patience_ms: u64,
    cancellation: &Cancellation,
) -> Connection {
    let endpoint = endpoint(authority, url, proxy);
    let manner = Manner { patience: Duration::from_millis(patience_ms), cancellation: cancellation.clone() };
    Connection::new(endpoint, identity, manner, surroundings()).unwrap()
}

/// Where a vault of that authority is.
pub(crate) fn endpoint(authority: &Authority, url: &str, proxy: Option<Proxy>) -> Endpoint {
    Endpoint { url: url.to_owned(), ca_pem: authority.pem(), tenant: "tenant".to_owned(), proxy }
}

/// The system's.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) }
}

/// An administrator.
pub(crate) fn administrator() -> Option<Identity> {
    Some(Identity::Administrator {
        client_id: "admin".to_owned(),
        client_secret: "the-secret".to_owned().into(),
    })
}
