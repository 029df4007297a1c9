//! Reading requests, with the contract's envelope where they are wrong.

use super::short_body::{Object, in_time};
use crate::app::Error;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bytes::Bytes;
use serde::de::DeserializeOwned;

/// The longest JSON body and form, in bytes.
pub(super) const TEXT_BODY_MAX: usize = 64 << 10;

/// A JSON body.
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let parsed = in_time(axum::Json::<Object<T>>::from_request(request, state)).await?;
        parsed.map(|json| Self(json.0.0)).map_err(|rejection: JsonRejection| {
            match rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                true => Error::TooLarge(TEXT_BODY_MAX as u64),
                // Its text names the field and the place, never a value of ours.
                false => Error::invalid(rejection.body_text()),
            }
        })
    }
}

/// A JSON body that may be left out, or be `null`, whatever its type is said to be.
pub(super) struct MaybeJson<T>(pub(super) Option<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let bytes = in_time(Bytes::from_request(request, state)).await?;
        let bytes = bytes.map_err(|rejection| match rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            true => Error::TooLarge(TEXT_BODY_MAX as u64),
            false => Error::invalid("The body can't be read"),
        })?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(None));
        }
        serde_json::from_slice::<Option<Object<T>>>(&bytes)
            .map(|found| Self(found.map(|object| object.0)))
            .map_err(|error| {
                let (line, column) = (error.line(), error.column());
                Error::invalid(format!(
                    "The body is not the JSON that it should be at line {line}, column {column}"
                ))
            })
    }
}

/// The variable parts of a path.
pub(super) struct Segments<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Segments<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let parsed = Path::<T>::from_request_parts(parts, state).await;
        parsed
            .map(|path| Self(path.0))
            .map_err(|rejection: PathRejection| Error::invalid(rejection.body_text()))
    }
}

/// What follows the `?` of a call of the agent plane.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let parsed = Query::<T>::from_request_parts(parts, state).await;
        parsed
            .map(|query| Self(query.0))
            .map_err(|rejection: QueryRejection| Error::invalid(rejection.body_text()))
    }
}
