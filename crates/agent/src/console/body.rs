//! Reading requests, with the contract's envelope where they are wrong.

use super::answer::Refusal;
use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use stateward_api::console::BODY_BYTES_MAX;
use std::time::Duration;

/// How long a body may take as a whole.
const PATIENCE: Duration = Duration::from_secs(30);

/// A JSON object.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Err(Refusal::no_json(
                "The call needs a body, as JSON (`Content-Type: application/json`)",
            ));
        }
        let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if length.and_then(|text| text.parse::<u64>().ok()).is_some_and(|bytes| bytes > BODY_BYTES_MAX as u64)
        {
            return Err(Refusal::too_long(BODY_BYTES_MAX));
        }
        let read = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), BODY_BYTES_MAX + 1)).await;
        let bytes = match read {
            Ok(Ok(bytes)) if bytes.len() <= BODY_BYTES_MAX => bytes,
            Ok(Ok(_)) => return Err(Refusal::too_long(BODY_BYTES_MAX)),
            Ok(Err(error)) if is_too_long(&error) => return Err(Refusal::too_long(BODY_BYTES_MAX)),
            Ok(Err(_)) => return Err(Refusal::invalid("The body can't be read")),
            Err(_) => return Err(Refusal::invalid("The body did not come in time")),
        };
        // Derived code would take a list for an object, too, with its fields in their order in the source.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(Refusal::invalid("The body is no object in JSON"));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            // Its text may quote what was sent, which may be a secret: only the place is told, or the field that is missing.
            let place = format!("at line {}, column {}", error.line(), error.column());
            let text = error.to_string();
            let field = ["missing field", "unknown field"].iter().find_map(|what| {
                let name = text.strip_prefix(what)?.split('`').nth(1)?;
                name.bytes().all(|c| c.is_ascii_alphanumeric()).then(|| format!(" ({what} `{name}`)"))
            });
            let field = field.unwrap_or_default();
            Refusal::invalid(format!("The body is not the JSON that it should be {place}{field}"))
        })
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("length limit") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The variable part of a path.
pub(super) struct Part(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(part)) => Ok(Self(part)),
            Err(rejection) => Err(Refusal::invalid(rejection.body_text())),
        }
    }
}

/// What follows the `?`.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => Err(Refusal::invalid(rejection.body_text())),
        }
    }
}
