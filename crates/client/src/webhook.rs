//! A webhook: JSON is posted to a server that is no vault, for whoever wants to hear of jobs there.
//!
//! It goes the ways that all calls go: by HTTPS alone, through the home's proxy if there is one, with no redirect followed. Its
//! address may be a secret in itself (whoever knows it can post there), so no text of ours shows more of it than the host.

use crate::connection::{built, http_builder};
use crate::failure::Failure;
use crate::probe::{self, Place};
use crate::proxy::Proxy;
use crate::retry::{BackOff, Manner};
use crate::tls;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use stateward_engine::{Obstacle, VaultError};
use stateward_model::Random;
use std::fmt;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long one try may take.
const TRY_WITHIN: Duration = Duration::from_secs(15);

/// So much of an answer is read, and so much of it shown.
const ANSWER_BYTES_MAX: usize = 4096;
const ANSWER_CHARS_MAX: usize = 200;

/// Where to post, and what to sign in with there. Its texts show the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    url: Url,
    token: Option<Zeroizing<String>>,
}

/// Why a text is no webhook's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookAddressError {
    /// It is none.
    #[error("The webhook's address is none of the form `https://host/path`")]
    NoAddress,
    /// Others could read what is sent.
    #[error("A webhook is reached by `https://` only")]
    NoTls,
    /// It holds a user or a password.
    #[error("User and password must not stand in the webhook's address; a token has a file of its own")]
    SignIn,
    /// The token can't be sent.
    #[error("The webhook's token must be one word of visible letters, digits and signs")]
    Token,
}

/// Whose certificates are believed.
#[derive(Debug, Clone, Copy)]
pub enum Trusted<'a> {
    /// Those of one authority, as PEM.
    Only(&'a str),
    /// Those that this machine trusts, as PEM.
    List(&'a str),
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookAnswer {
    /// The status, a success.
    pub status: u16,
    /// The beginning of what was said, on one line.
    pub words: String,
}

/// Why nothing was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// There is no way to it now, or it fails; later there may be one.
    #[error("{0}")]
    Away(String),
    /// It will not be taken, however often it is tried.
    #[error("{0}")]
    Refused(String),
}

impl Webhook {
    /// From an address.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, WebhookAddressError> {
        let url = Url::parse(text.trim()).map_err(|_| WebhookAddressError::NoAddress)?;
        if url.scheme() != "https" {
            return Err(WebhookAddressError::NoTls);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(WebhookAddressError::SignIn);
        }
        match url.host_str().is_some_and(|host| !host.is_empty()) && url.fragment().is_none() {
            true => Ok(Self { url, token: None }),
            false => Err(WebhookAddressError::NoAddress),
        }
    }

    /// The same, signed in to with a bearer token.
    ///
    /// # Errors
    /// [`WebhookAddressError::Token`].
    pub fn with_token(self, token: Option<Zeroizing<String>>) -> Result<Self, WebhookAddressError> {
        let is_fit = |token: &str| {
            !token.is_empty() && token.len() <= 4096 && token.bytes().all(|c| c.is_ascii_graphic())
        };
        match token.as_ref().is_none_or(|token| is_fit(token)) {
            true => Ok(Self { token, ..self }),
            false => Err(WebhookAddressError::Token),
        }
    }

    /// The whole address, which may be a secret.
    pub fn address(&self) -> &str {
        self.url.as_str()
    }

    /// What is signed in with.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    /// Posts JSON there. What may pass by itself is tried again for `patience`.
    ///
    /// # Errors
    /// What the last try came to.
    pub fn post(
        &self,
        body: &[u8],
        (trusted, proxy): (Trusted<'_>, Option<&Proxy>),
        patience: Duration,
        random: &dyn Random,
    ) -> Result<WebhookAnswer, WebhookError> {
        let manner = Manner { patience, cancellation: stateward_engine::Cancellation::default() };
        let tls = match trusted {
            Trusted::Only(pem) => tls::trusting_only(pem),
            Trusted::List(pem) => tls::trusting_list(pem),
        };
        let tls = tls.map_err(WebhookError::Refused)?;
        let http = http_builder(tls, &manner, proxy)
            .and_then(|builder| built(builder.http1_only().timeout(TRY_WITHIN)))
            .map_err(|error| WebhookError::Away(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| WebhookError::Away(error.to_string()))?;
        let mut back_off = BackOff::new(patience);
        runtime.block_on(async {
            loop {
                let error = match self.attempt(&http, body, proxy, &manner).await {
                    Err(error @ WebhookError::Away(_)) => error,
                    done => return done,
                };
                let Some(wait) = back_off.wait(Instant::now(), random) else { return Err(error) };
                tracing::debug!(%error, ?wait, "a webhook is tried again");
                tokio::time::sleep(wait).await;
            }
        })
    }

    async fn attempt(
        &self,
        http: &reqwest::Client,
        body: &[u8],
        proxy: Option<&Proxy>,
        manner: &Manner,
    ) -> Result<WebhookAnswer, WebhookError> {
        let mut request =
            http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body.to_vec());
        if let Some(token) = &self.token
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", **token))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(told(self.why(&error, proxy, manner).await)),
        };
        let status = response.status();
        let mut said = Vec::new();
        // An answer that breaks off was one all the same.
        while let Ok(Some(bytes)) = response.chunk().await {
            said.extend_from_slice(&bytes[..bytes.len().min(ANSWER_BYTES_MAX - said.len())]);
            if said.len() == ANSWER_BYTES_MAX {
                break;
            }
        }
        let words = shown(&said);
        let told = || match words.is_empty() {
            true => format!("It answered with the status {status}"),
            false => format!("It answered with the status {status}: {words}"),
        };
        match status {
            _ if status.is_success() => Ok(WebhookAnswer { status: status.as_u16(), words }),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(WebhookError::Away(told())),
            _ if status.is_server_error() => Err(WebhookError::Away(told())),
            _ => Err(WebhookError::Refused(told())),
        }
    }

    /// Why a try came to no answer. What a proxy says of it, only the proxy can tell.
    async fn why(&self, error: &reqwest::Error, proxy: Option<&Proxy>, manner: &Manner) -> Failure {
        let way = proxy.cloned().zip(Place::of(self.url.as_str()));
        if let Some((proxy, to)) = way.filter(|_| Failure::may_be_the_way(error)) {
            let limit = manner.connect_timeout();
            let asked = tokio::task::spawn_blocking(move || probe::why_no_way(&proxy, &to, limit));
            if let Ok(Some(failure)) = asked.await {
                return failure;
            }
        }
        Failure::transport(error)
    }
}

fn told(Failure { error, is_transient, .. }: Failure) -> WebhookError {
    let words = match error {
        VaultError::Unreachable(words) => format!("It can't be reached: {words}"),
        VaultError::NotTrusted(words) => format!("Its certificate is not trusted: {words}"),
        VaultError::Blocked(Obstacle::Interception, _) => {
            "Its certificate is of an authority that this machine does not trust".to_owned()
        }
        other => other.to_string(),
    };
    match is_transient {
        true => WebhookError::Away(words),
        false => WebhookError::Refused(words),
    }
}

/// Foreign words on one line.
fn shown(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(ANSWER_CHARS_MAX).collect()
}

/// The host alone.
impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}", self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({self})")
    }
}

#[cfg(test)]
mod tests;
