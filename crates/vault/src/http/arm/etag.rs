//! ETags: a resource's count of changes, and the one that a client expects (RFC 9110, sections 8.8.3 and 13.1.1).

use crate::app::Error;
use axum::extract::FromRequestParts;
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use stateward_api::ErrorCode;

/// The ETag of a count of changes.
pub(super) fn etag(revision: u64) -> String {
    format!("W/\"{revision}\"")
}

/// The revision that a client wants to change, if it says one.
pub(in crate::http) struct Expected(pub(super) Option<u64>);

impl<S: Sync> FromRequestParts<S> for Expected {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if parts.headers.contains_key(IF_NONE_MATCH) {
            return Err(Error::invalid(
                "`If-None-Match` is not taken here; use `If-Match` to change what was read",
            ));
        }
        let Some(value) = parts.headers.get(IF_MATCH) else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        let number = text.trim_start_matches("W/").trim_matches('"').parse();
        number.map(|number| Self(Some(number))).map_err(|_| {
            Error::refused(ErrorCode::PreconditionFailed, "`If-Match` is no `etag` that was given out here")
        })
    }
}
