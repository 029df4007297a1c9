//! Who calls, and the token that proves it: got once, kept in memory, renewed before its end.

use crate::assertion;
use crate::call::{Answer, Body, Call, CallError};
use crate::connection::Connection;
use crate::retry::Manner;
use reqwest::StatusCode;
use stateward_api::ErrorCode;
use stateward_api::token::{ASSERTION_TYPE, TokenRequest, TokenResponse};
use stateward_engine::VaultError;
use stateward_model::ServerId;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::{Zeroize, Zeroizing};

/// Who calls.
pub enum Identity {
    /// An administrator's service principal.
    Administrator {
        /// Its id.
        client_id: String,
        /// Its secret.
        client_secret: Zeroizing<String>,
    },
    /// A registered server.
    Server {
        /// Its id.
        server: ServerId,
        /// The 32-byte seed of its login key (Ed25519).
        login_seed: Zeroizing<[u8; 32]>,
    },
}

/// A token is renewed when this much of its life is left, so that none ends under way.
const MARGIN: Duration = Duration::from_secs(60);

struct Token {
    text: Zeroizing<String>,
    renew_at: Instant,
}

/// An identity and its present token.
pub(crate) struct SignIn {
    identity: Identity,
    token: Mutex<Option<Token>>,
}

impl SignIn {
    pub(crate) fn new(identity: Identity) -> Self {
        Self { identity, token: Mutex::new(None) }
    }

    /// A token that is good for now. Of several threads that need one at the same time, one asks for it.
    pub(crate) fn token(
        &self,
        connection: &Connection,
        manner: &Manner,
    ) -> Result<Zeroizing<String>, CallError> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(present) = token.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(present.text.clone());
        }
        let new = self.ask(connection, manner)?;
        let text = new.text.clone();
        *token = Some(new);
        Ok(text)
    }

    /// Forgets a token that the vault refused, unless another thread already has a new one.
    pub(crate) fn forget(&self, refused: &str) {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if token.as_ref().is_some_and(|token| *token.text == refused) {
            *token = None;
        }
    }

    fn ask(&self, connection: &Connection, manner: &Manner) -> Result<Token, CallError> {
        let asked_at = Instant::now();
        // The vault takes an assertion once only, so each try makes its own.
        let answer = connection.exchange(manner, || self.request(connection))?;
        if !answer.status.is_success() {
            return Err(refusal(&answer, connection));
        }
        let TokenResponse { expires_in, mut access_token, .. } = answer.json()?;
        if access_token.is_empty() || !access_token.bytes().all(|c| c.is_ascii_graphic()) {
            access_token.zeroize();
            return Err(VaultError::BadAnswer("its token is none".to_owned()).into());
        }
        let life = Duration::from_secs(expires_in.min(24 * 3600));
        let renew_at = asked_at + life.saturating_sub(MARGIN.min(life / 2));
        Ok(Token { text: Zeroizing::new(access_token), renew_at })
    }

    fn request(&self, connection: &Connection) -> Call {
        let form = match &self.identity {
            Identity::Administrator { client_id, client_secret } => TokenRequest {
                grant_type: "client_credentials".to_owned(),
                client_id: client_id.clone(),
                client_secret: Some(client_secret.to_string()),
                client_assertion_type: None,
                client_assertion: None,
            },
            Identity::Server { server, login_seed } => TokenRequest {
                grant_type: "client_credentials".to_owned(),
                client_id: server.to_string(),
                client_secret: None,
                client_assertion_type: Some(ASSERTION_TYPE.to_owned()),
                client_assertion: Some(assertion::sign(
                    *server,
                    login_seed,
                    &connection.address(&connection.token_path()),
                    connection.clock().now(),
                    connection.random(),
                )),
            },
        };
        Call::post(connection.token_path()).without_token().body(Body::Form(form))
    }
}

/// Why the token endpoint said no.
fn refusal(answer: &Answer, connection: &Connection) -> CallError {
    match answer.detail() {
        Some(detail) if detail.code == ErrorCode::ClockSkew => {
            let seconds = answer.date.map_or(0, |vault| connection.clock().now().seconds() - vault.seconds());
            VaultError::ClockSkew { seconds }.into()
        }
        // Whoever answers does not know the tenant: it is another vault, or none.
        Some(detail) if detail.code == ErrorCode::NotFound => VaultError::WrongVault(detail.message).into(),
        None if answer.status == StatusCode::NOT_FOUND => {
            VaultError::WrongVault("there is no sign-in where it should be".to_owned()).into()
        }
        _ => answer.refusal(),
    }
}
