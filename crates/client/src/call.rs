//! One call and its answer, as this room speaks of them.

use crate::body::{Place, Sink};
use crate::retry::Manner;
use bytes::Bytes;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stateward_api::ErrorBody;
use stateward_api::error::ErrorDetail;
use stateward_api::token::TokenError;
use stateward_api::token::TokenRequest;
use stateward_engine::VaultError;
use stateward_model::Timestamp;
use std::ops::Range;
use zeroize::Zeroizing;

/// Why a call of an administrator, or a registration, was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no answer that could be used: not reached, not trusted, another vault, clocks apart, cancelled.
    #[error(transparent)]
    NoAnswer(VaultError),
    /// The vault answered no; its code and its words.
    #[error("{}", .0.message)]
    Refused(Box<ErrorDetail>),
}

impl From<VaultError> for CallError {
    fn from(error: VaultError) -> Self {
        Self::NoAnswer(error)
    }
}

/// What a call sends. No `Debug`: it may be a secret.
#[derive(Clone)]
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    Form(TokenRequest),
    Object(Bytes),
}

/// One call. It may be sent several times.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Body,
    pub(crate) range: Option<Range<u32>>,
    /// Of a body that is a part of a pack: its place, and the pack's length.
    pub(crate) part: Option<(Range<u32>, u32)>,
    /// Where a part of an object that is asked for goes to, instead of into the answer's body.
    pub(crate) place: Option<Place>,
    /// The file that the answer's body goes to, if it is a success.
    pub(crate) sink: Option<Sink>,
    /// Whether it needs the caller's token.
    pub(crate) is_signed_in: bool,
    /// The token, when it is sent.
    pub(crate) token: Option<Zeroizing<String>>,
    /// The longest answer that is taken, in bytes.
    pub(crate) most: usize,
    /// Instead of the connection's own.
    pub(crate) manner: Option<Manner>,
    /// Whether it carries a pack, so that a limit on the rate holds for it.
    pub(crate) is_bulk: bool,
}

/// The longest JSON answer that is no list, in bytes.
const SMALL_BYTES_MAX: usize = 1 << 20;

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            body: Body::Empty,
            range: None,
            part: None,
            place: None,
            sink: None,
            is_signed_in: true,
            token: None,
            most: SMALL_BYTES_MAX,
            manner: None,
            is_bulk: false,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(body).expect("the contract's types always have a JSON form");
        self.body = Body::Json(bytes.into());
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn at_most(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    pub(crate) fn without_token(mut self) -> Self {
        self.is_signed_in = false;
        self
    }

    pub(crate) fn with_token(&self, token: &Zeroizing<String>) -> Self {
        Self { token: Some(token.clone()), ..self.clone() }
    }

    pub(crate) fn in_range(mut self, range: Range<u32>) -> Self {
        self.range = Some(range);
        self
    }

    pub(crate) fn in_bulk(mut self) -> Self {
        self.is_bulk = true;
        self
    }

    pub(crate) fn of_part(mut self, range: Range<u32>, length: u32) -> Self {
        self.part = Some((range, length));
        self
    }

    pub(crate) fn into_place(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    pub(crate) fn into_sink(mut self, sink: Sink) -> Self {
        self.sink = Some(sink);
        self
    }

    pub(crate) fn in_manner(mut self, manner: Manner) -> Self {
        self.manner = Some(manner);
        self
    }
}

/// What came back, good or bad. No `Debug`: it may be a token.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The vault's time, from the `Date` header.
    pub(crate) date: Option<Timestamp>,
    pub(crate) body: Vec<u8>,
    /// How many bytes went to the call's place or file.
    pub(crate) placed: usize,
    /// Where it is told how something goes on that the vault does after its answer (`Azure-AsyncOperation`).
    pub(crate) operation: Option<String>,
}

impl Answer {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, VaultError> {
        // The parser's message may quote what it read, a token for one; its place is enough.
        serde_json::from_slice(&self.body).map_err(|error| {
            VaultError::BadAnswer(format!(
                "it is not the JSON of the contract (line {}, column {})",
                error.line(),
                error.column()
            ))
        })
    }

    /// The vault's envelope, if this is one, or the token endpoint's.
    pub(crate) fn detail(&self) -> Option<ErrorDetail> {
        let envelope = serde_json::from_slice::<ErrorBody>(&self.body).map(|body| body.error);
        envelope.ok().or_else(|| {
            let refused: TokenError = serde_json::from_slice(&self.body).ok()?;
            Some(ErrorDetail::new(refused.code, refused.error_description))
        })
    }

    /// Of an answer that is no success: why.
    pub(crate) fn refusal(&self) -> CallError {
        match self.detail() {
            Some(detail) => CallError::Refused(Box::new(detail)),
            None if is_transient(self.status) => {
                VaultError::Unreachable(format!("it answers {}", self.status)).into()
            }
            None => VaultError::BadAnswer(format!("it is {} without a reason", self.status)).into(),
        }
    }
}

/// Whether a status means that the vault is starting, stopping or behind a proxy that does not reach it.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}
