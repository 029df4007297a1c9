//! Downloads against a real TLS server: whole, broken off, too long, refused.

use super::*;
use crate::test_server::{Authority, TestServer, connect, refused};
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use stateward_api::ErrorCode;
use stateward_engine::{Cancellation, VaultError};
use std::sync::atomic::{AtomicU32, Ordering};

fn whole() -> Vec<u8> {
    (0..1_000_000u32).map(|number| (number % 251) as u8).collect()
}

/// A body that says it is longer than what comes of it.
fn cut_short() -> Response {
    let pieces =
        stream::iter([Ok(Bytes::from(whole()[..600_000].to_vec())), Err(std::io::Error::other("cut"))]);
    ([("content-length", "1000000")], Body::from_stream(pieces)).into_response()
}

fn download(
    most: u64,
    answers: impl Fn(u32) -> Option<Response> + Send + Sync + 'static,
) -> (Result<u64, DownloadError>, Vec<u8>) {
    let authority = Authority::new();
    let tries = AtomicU32::new(0);
    let server = TestServer::start(&authority, move |_| answers(tries.fetch_add(1, Ordering::Relaxed)));
    let connection = connect(&authority, &server.url(), None, 2_000, &Cancellation::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let outcome = connection.download("/thing", most, File::create(&path).unwrap());
    (outcome, std::fs::read(&path).unwrap())
}

#[test]
fn a_download_that_breaks_off_begins_anew() {
    let (outcome, file) = download(1_000_000, |number| match number {
        0 => Some(cut_short()),
        _ => Some(whole().into_response()),
    });
    assert_eq!((outcome.unwrap(), file == whole()), (1_000_000, true));
}

#[test]
fn a_download_that_always_breaks_off_is_given_up() {
    let (outcome, _) = download(1_000_000, |_| Some(cut_short()));
    assert!(matches!(outcome, Err(DownloadError::Call(CallError::NoAnswer(VaultError::Unreachable(_))))));
}

#[test]
fn no_more_is_taken_than_was_announced() {
    let (outcome, file) = download(999_999, |_| {
        Some(Body::from_stream(stream::iter([Ok::<_, std::io::Error>(Bytes::from(whole()))])).into_response())
    });
    assert!(matches!(outcome, Err(DownloadError::Call(CallError::NoAnswer(VaultError::BadAnswer(_))))));
    assert!(file.len() < 1_000_000);
}

#[test]
fn a_refusal_is_told_and_not_written_into_the_file() {
    let (outcome, file) = download(1_000_000, |_| refused(ErrorCode::NotFound, "There is no package"));
    assert!(matches!(outcome, Err(DownloadError::Call(CallError::Refused(_)))));
    assert!(file.is_empty());
}

#[cfg(unix)]
#[test]
fn a_file_that_takes_nothing_ends_the_download_with_its_own_error() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |_| Some(whole().into_response()));
    let connection = connect(&authority, &server.url(), None, 2_000, &Cancellation::default());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "kept").unwrap();
    // Opened for reading only.
    let outcome = connection.download("/thing", 1_000_000, File::open(&path).unwrap());
    assert!(matches!(outcome, Err(DownloadError::File(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"kept");
}
