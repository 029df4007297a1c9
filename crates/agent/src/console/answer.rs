//! Answers: what came out, or why not, in the contract's envelope; and the headers that all of them have.

use super::Console;
use crate::{AgentError, Code, Exit};
use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use stateward_api::console::{ErrorBody, ErrorDetail};
use std::sync::Arc;

/// What a page of this address may do: run and show what comes from here, and talk to here. Nothing may be in its frame, and it may
/// be in none.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the headers of all answers.
pub(super) async fn with_headers(mut response: Response) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The longest message, in bytes: names that were sent may be in it.
const MESSAGE_BYTES_MAX: usize = 4096;

/// Why a call was not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The agent did not.
    Agent(AgentError),
    /// The request itself is not what it must be.
    Request {
        /// How HTTP says it.
        status: StatusCode,
        /// Which failure it is.
        code: Code,
        /// What happened.
        message: String,
    },
}

impl<E: Into<AgentError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Agent(error.into())
    }
}

impl Refusal {
    fn request(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        Self::Request { status, code, message: message.into() }
    }

    /// It was not meant for this console, or comes from another page.
    pub(super) fn place(message: impl Into<String>) -> Self {
        Self::request(StatusCode::FORBIDDEN, Code::ConsoleForeignRequest, message)
    }

    /// Nobody is signed in.
    pub(super) fn sign_in(message: &str) -> Self {
        Self::request(StatusCode::UNAUTHORIZED, Code::ConsoleNotSignedIn, message)
    }

    /// The request token is missing.
    pub(super) fn token_missing() -> Self {
        let message = "The request does not bear the session's request token, or bears another one";
        Self::request(StatusCode::FORBIDDEN, Code::ConsoleTokenMissing, message)
    }

    /// Its body or what follows the `?` is wrong.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::request(StatusCode::BAD_REQUEST, Code::ConsoleRequestInvalid, message)
    }

    /// Its body is of another kind.
    pub(super) fn no_json(message: &str) -> Self {
        Self::request(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::ConsoleRequestInvalid, message)
    }

    /// Its body is too long.
    pub(super) fn too_long(most: usize) -> Self {
        let message = format!("The body is longer than {most} bytes");
        Self::request(StatusCode::PAYLOAD_TOO_LARGE, Code::ConsoleRequestInvalid, message)
    }

    /// There is no such call.
    pub(super) fn no_call(status: StatusCode) -> Self {
        let message = match status {
            StatusCode::METHOD_NOT_ALLOWED => "The console's call is made by another method",
            _ => "The console has no such call",
        };
        Self::request(status, Code::ConsoleCallUnknown, message)
    }

    fn parts(&self) -> (StatusCode, Code, String) {
        match self {
            Self::Request { status, code, message } => (*status, *code, message.clone()),
            Self::Agent(error) => (status_of(error.code()), error.code(), error.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, mut message) = self.parts();
        if status.is_server_error() {
            tracing::warn!(code = code.as_str(), error = message, "a call of the console failed");
        }
        if message.len() > MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            message.push('…');
        }
        let error = ErrorDetail {
            code: code.as_str().to_owned(),
            message,
            meaning: code.meaning().to_owned(),
            recommendation: code.remedy().to_owned(),
        };
        (status, Json(ErrorBody { error })).into_response()
    }
}

/// How HTTP says a failure. Programs go by the code, which is finer.
fn status_of(code: Code) -> StatusCode {
    match code {
        Code::UnknownCode
        | Code::UnknownJob
        | Code::UnknownItem
        | Code::UnknownPolicy
        | Code::UnknownComponent
        | Code::UnknownRecoveryPoint
        | Code::NothingAtPaths
        | Code::NotFound => StatusCode::NOT_FOUND,
        Code::Internal
        | Code::JobNotStarted
        | Code::HomeUnusable
        | Code::HomeFull
        | Code::HomeDamaged
        | Code::HomeNewer
        | Code::DiskFailed => StatusCode::INTERNAL_SERVER_ERROR,
        code => match code.exit() {
            Exit::Usage => StatusCode::BAD_REQUEST,
            Exit::VaultNotFound => StatusCode::BAD_GATEWAY,
            _ => StatusCode::CONFLICT,
        },
    }
}

/// What a call gives.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// Does what blocks on a thread that may be blocked. It goes on to its end though the page that asked for it goes away.
pub(super) async fn blocking<T: Send + 'static>(
    console: Arc<Console>,
    work: impl FnOnce(&Console) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let worked = tokio::task::spawn_blocking(move || work(&console)).await;
    // A panic was told where it happened.
    worked.unwrap_or_else(|_| Err(AgentError::Internal("a call of the console broke off".to_owned()).into()))
}

/// The same, answered in JSON.
pub(super) async fn answered<T: Send + 'static>(
    console: Arc<Console>,
    work: impl FnOnce(&Console) -> Result<T, Refusal> + Send + 'static,
) -> Answer<T> {
    blocking(console, work).await.map(Json)
}
