//! Packs in parts against a real TLS server that is told to be far.

use super::*;
use crate::test_server::{Asked, Authority, TestServer, connect, json, refused};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use stateward_api::ErrorCode;
use stateward_engine::Cancellation;
use std::time::{Duration, Instant};

const LONG_MS: u64 = 60_000;
const PACK: usize = 3 << 20;

/// A vault that puts parts together, as far as a test lets it.
#[derive(Default)]
struct Parts {
    bytes: Vec<u8>,
    filled: Vec<bool>,
    calls: u32,
    assembly: u32,
}

impl Parts {
    fn forget(&mut self) {
        self.filled.clear();
        self.assembly += 1;
    }

    fn take(&mut self, request: &Asked) -> Option<Response> {
        assert_eq!(request.line, "PUT /parts");
        let place = request.header("content-range").unwrap().strip_prefix("bytes ").unwrap();
        let (ends, length) = place.split_once('/').unwrap();
        let (first, last) = ends.split_once('-').unwrap();
        let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
        let length: usize = length.parse().unwrap();
        self.bytes.resize(length, 0);
        self.filled.resize(length, false);
        assert_eq!(request.body.len(), last + 1 - first);
        self.bytes[first..=last].copy_from_slice(&request.body);
        self.filled[first..=last].fill(true);
        let is_whole = self.filled.iter().all(|filled| *filled);
        let assembly = (!is_whole).then(|| self.assembly.to_string());
        let status = if is_whole { StatusCode::CREATED } else { StatusCode::ACCEPTED };
        Some((status, axum::Json(PartTaken { assembly, received_bytes: 1 })).into_response())
    }
}

/// A server whose parts `change` may answer for, by the number of the call; `None` leaves it to the parts.
fn server(
    authority: &Authority,
    parts: &Arc<Mutex<Parts>>,
    change: impl Fn(u32, &mut Parts) -> Option<Response> + Send + Sync + 'static,
) -> TestServer {
    let parts = Arc::clone(parts);
    TestServer::start(authority, move |request| {
        let mut parts = parts.lock().unwrap();
        parts.calls += 1;
        let number = parts.calls;
        change(number, &mut parts).or_else(|| parts.take(&request))
    })
}

fn pack() -> Bytes {
    (0..PACK).map(|at| (at / 1000) as u8).collect::<Vec<_>>().into()
}

fn far(authority: &Authority, server: &TestServer, cancellation: &Cancellation) -> Connection {
    let connection = connect(authority, &server.url(), None, LONG_MS, cancellation);
    connection.round_trip().note(Duration::from_millis(20));
    connection
}

fn send_to(authority: &Authority, server: &TestServer) -> Result<bool, CallError> {
    send(&far(authority, server, &Cancellation::default()), "/parts".to_owned(), pack())
}

#[test]
fn only_a_distant_vault_gets_parts() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |_| json(&()));
    let connection = connect(&authority, &server.url(), None, 0, &Cancellation::default());
    assert!(!is_worth_it(&connection, PACK), "nothing is known yet");
    connection.round_trip().note(Duration::from_millis(20));
    assert!(is_worth_it(&connection, PACK));
    assert!(!is_worth_it(&connection, 1000));
    connection.round_trip().note(Duration::from_millis(2));
    assert!(!is_worth_it(&connection, PACK), "one call was slow by chance");
}

/// Something before the vault may speak HTTP/1.1 only; seen first in the tests of vaults that lie, on a slow machine.
#[test]
fn where_no_lane_can_be_made_packs_travel_whole_from_then_on() {
    let authority = Authority::new();
    let server = TestServer::start_old(&authority, |_| json(&()));
    let connection = far(&authority, &server, &Cancellation::default());
    assert!(is_worth_it(&connection, PACK));
    assert!(!send(&connection, "/parts".to_owned(), pack()).unwrap());
    assert!(!is_worth_it(&connection, PACK));
    let connection = far(&authority, &server, &Cancellation::default());
    assert_eq!(read(&connection, "/pack".to_owned(), 0..PACK as u32).unwrap(), None);
    assert!(!is_worth_sending(&connection, PACK));
}

#[test]
fn a_pack_arrives_whole_in_several_parts_each_sent_once() {
    let authority = Authority::new();
    let parts = Arc::default();
    let server = server(&authority, &parts, |_, _| None);
    assert!(send_to(&authority, &server).unwrap());
    let parts = parts.lock().unwrap();
    assert_eq!(parts.bytes, pack());
    assert!((4..=48).contains(&parts.calls), "{}", parts.calls);
}

#[test]
fn a_part_that_fails_is_sent_again_alone() {
    let authority = Authority::new();
    let parts = Arc::default();
    let calls = {
        let server = server(&authority, &parts, |_, _| None);
        assert!(send_to(&authority, &server).unwrap());
        parts.lock().unwrap().calls
    };
    let parts = Arc::default();
    let server = server(&authority, &parts, |number, _| match number {
        3 => refused(ErrorCode::Unavailable, "Another call is sending these bytes"),
        _ => None,
    });
    assert!(send_to(&authority, &server).unwrap());
    let parts = parts.lock().unwrap();
    assert_eq!(parts.bytes, pack());
    assert!(parts.calls < 2 * calls, "{} calls, {calls} without a failure", parts.calls);
}

#[test]
fn what_the_vault_lost_is_sent_again() {
    let authority = Authority::new();
    let parts = Arc::default();
    let server = server(&authority, &parts, |number, parts| {
        if number == 5 {
            parts.forget();
        }
        None
    });
    assert!(send_to(&authority, &server).unwrap());
    assert_eq!(parts.lock().unwrap().bytes, pack());
}

#[test]
fn a_vault_that_never_stores_is_an_error() {
    let authority = Authority::new();
    let lazy = TestServer::start(&authority, |_| {
        let taken = PartTaken { assembly: Some("1".to_owned()), received_bytes: 1 };
        Some((StatusCode::ACCEPTED, axum::Json(taken)).into_response())
    });
    let outcome = send_to(&authority, &lazy);
    assert!(matches!(outcome, Err(CallError::NoAnswer(VaultError::BadAnswer(_)))), "{outcome:?}");
}

/// As several processes behind one name, of which each gets some of the parts.
#[test]
fn where_parts_do_not_stay_together_packs_are_sent_whole_from_then_on() {
    let authority = Authority::new();
    let parts = Arc::default();
    let forgetful = server(&authority, &parts, |_, parts| {
        parts.forget();
        None
    });
    let connection = far(&authority, &forgetful, &Cancellation::default());
    assert!(is_worth_sending(&connection, PACK));
    assert!(!send(&connection, "/parts".to_owned(), pack()).unwrap());
    assert!(!is_worth_sending(&connection, PACK) && is_worth_it(&connection, PACK));
}

#[test]
fn what_the_vault_counts_may_be_anything() {
    let authority = Authority::new();
    let parts: Arc<Mutex<Parts>> = Arc::default();
    let calls = AtomicU64::new(0);
    let server = TestServer::start(&authority, {
        let parts = Arc::clone(&parts);
        move |request| {
            let taken = parts.lock().unwrap().take(&request).unwrap();
            let whole = taken.status() == StatusCode::CREATED;
            let received_bytes =
                [u64::MAX, 0, 7, u64::MAX - 1][calls.fetch_add(1, Ordering::SeqCst) as usize % 4];
            let assembly = (!whole).then(|| "0".repeat(100_000));
            Some((taken.status(), axum::Json(PartTaken { assembly, received_bytes })).into_response())
        }
    });
    assert!(send_to(&authority, &server).unwrap());
    assert_eq!(parts.lock().unwrap().bytes, pack());
    for body in ["", "[]", r#"{"receivedBytes":-1}"#, r#"{"assembly":7,"receivedBytes":1}"#] {
        let server =
            TestServer::start(&authority, move |_| Some((StatusCode::ACCEPTED, body).into_response()));
        let outcome = send_to(&authority, &server);
        assert!(matches!(outcome, Err(CallError::NoAnswer(VaultError::BadAnswer(_)))), "{body}: {outcome:?}");
    }
}

#[test]
fn a_pack_that_is_there_already_or_a_refusal_ends_it_at_once() {
    let authority = Authority::new();
    let stored = TestServer::start(&authority, |_| json(&PartTaken { assembly: None, received_bytes: 0 }));
    assert!(send_to(&authority, &stored).unwrap());
    let lost = TestServer::start(&authority, |_| refused(ErrorCode::SessionLost, "It is over"));
    match send_to(&authority, &lost) {
        Err(CallError::Refused(detail)) => assert_eq!(detail.code, ErrorCode::SessionLost),
        other => panic!("{other:?}"),
    }
}

#[test]
fn cancelling_ends_parts_that_get_no_answer() {
    let authority = Authority::new();
    let cancellation = Cancellation::default();
    let server = TestServer::start(&authority, {
        let cancellation = cancellation.clone();
        move |_| {
            cancellation.cancel();
            None
        }
    });
    let begin = Instant::now();
    let outcome = send(&far(&authority, &server, &cancellation), "/parts".to_owned(), pack());
    assert!(matches!(outcome, Err(CallError::NoAnswer(VaultError::Cancelled))), "{outcome:?}");
    assert!(begin.elapsed() < Duration::from_millis(LONG_MS / 2));
}

#[test]
fn a_vault_that_comes_back_between_parts_gets_the_pack() {
    let authority = Authority::new();
    let parts: Arc<Mutex<Parts>> = Arc::default();
    let first = server(&authority, &parts, |number, _| {
        if number > 2 { Some(StatusCode::BAD_GATEWAY.into_response()) } else { None }
    });
    let port = first.address.port();
    let connection = far(&authority, &first, &Cancellation::default());
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| send(&connection, "/parts".to_owned(), pack()));
        let deadline = Instant::now() + Duration::from_secs(30);
        while parts.lock().unwrap().calls < 3 {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        drop(first);
        parts.lock().unwrap().forget();
        let again = Arc::clone(&parts);
        let _second = TestServer::start_as(
            &authority,
            "127.0.0.1",
            |_| {},
            port,
            move |request| again.lock().unwrap().take(&request),
        );
        sent.join().unwrap().unwrap();
    });
    assert_eq!(parts.lock().unwrap().bytes, pack());
}

#[test]
fn a_range_is_read_in_parts_into_its_place() {
    let authority = Authority::new();
    let lie = Arc::new(AtomicU64::new(0));
    let server = TestServer::start(&authority, {
        let lie = Arc::clone(&lie);
        move |request| {
            let range = request.header("range").unwrap().strip_prefix("bytes=").unwrap().to_owned();
            let (first, last) = range.split_once('-').unwrap();
            let (first, last): (usize, usize) = (first.parse().unwrap(), last.parse().unwrap());
            let body = pack().slice(first..=last);
            Some(match lie.load(Ordering::SeqCst) {
                0 => (StatusCode::PARTIAL_CONTENT, body).into_response(),
                1 => (StatusCode::PARTIAL_CONTENT, body.slice(1..)).into_response(),
                2 => (StatusCode::PARTIAL_CONTENT, [&body[..], b"x"].concat()).into_response(),
                3 => (StatusCode::OK, body).into_response(),
                _ => return refused(ErrorCode::NotFound, "There is no such pack"),
            })
        }
    });
    let connection = far(&authority, &server, &Cancellation::default());
    let ask = || read(&connection, "/pack".to_owned(), 1 << 20..PACK as u32);
    assert_eq!(ask().unwrap().unwrap(), pack()[1 << 20..]);
    for step in 1..=3 {
        lie.store(step, Ordering::SeqCst);
        assert!(matches!(ask(), Err(CallError::NoAnswer(VaultError::BadAnswer(_)))), "{step}");
    }
    lie.store(4, Ordering::SeqCst);
    assert!(matches!(ask(), Err(CallError::Refused(detail)) if detail.code == ErrorCode::NotFound));
}
