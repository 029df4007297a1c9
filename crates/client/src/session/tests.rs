//! Sessions and reads of one server against a real TLS server that answers as the contract says.

use super::*;
use crate::http_vault::HttpVault;
use crate::sign_in::Identity;
use crate::test_server::{Asked, Authority, TestServer, connect, json, refused, token};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use stateward_api::ErrorCode;
use stateward_api::agent::{KnownPack, ServerInfo};
use stateward_engine::{VaultRead, VaultStore};
use stateward_model::{JobKind, ServerId, Timestamp, VaultId};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex};

/// A home that remembers in memory.
#[derive(Default)]
struct Memory {
    held: Mutex<Vec<(SessionId, String)>>,
}

impl SessionKeeper for Memory {
    fn previous(&self) -> Vec<Replaces> {
        let held = self.held.lock().unwrap();
        held.iter()
            .rev()
            .map(|(session, secret)| Replaces { session: *session, secret: secret.clone() })
            .collect()
    }

    fn opening(&self, session: SessionId, secret: &str) {
        self.held.lock().unwrap().push((session, secret.to_owned()));
    }

    fn opened(&self, session: SessionId) {
        self.held.lock().unwrap().retain(|(held, _)| *held == session);
    }

    fn closed(&self, session: SessionId) {
        self.held.lock().unwrap().retain(|(held, _)| *held != session);
    }
}

const VAULT: VaultId = VaultId([1; 16]);
const NOW: Timestamp = Timestamp(1_795_000_000_000_000_000);
const PACK: PackReference = PackReference { id: PackId([3; 32]), length: 3 << 20 };

fn lease() -> Lease {
    Lease { lease_seconds: 60, heartbeat_seconds: 1, time: NOW }
}

fn sign_in(request: &Asked) -> Option<Response> {
    match request.line.as_str() {
        "POST /tenant/oauth2/v2.0/token" => token("token"),
        "GET /agent/v1/server" => json(&ServerInfo {
            server: ServerId([2; 16]),
            label: "server".parse().unwrap(),
            vault: VAULT,
            vault_name: "vault".parse().unwrap(),
            time: NOW,
        }),
        _ => None,
    }
}

fn open(server: &TestServer, authority: &Authority, keeper: Arc<dyn SessionKeeper>) -> HttpVault {
    let identity = Identity::Server { server: ServerId([2; 16]), login_seed: [7; 32].into() };
    let connection = connect(authority, &server.url(), Some(identity), 0, &Cancellation::default());
    HttpVault::connect(connection, VAULT, keeper).unwrap()
}

fn request() -> SessionRequest {
    SessionRequest { kind: JobKind::Backup, item: None, packs_digest: None, on_demand: None }
}

#[test]
fn another_vault_is_told_apart_before_anything_is_sent() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |request| sign_in(&request));
    let identity = Identity::Server { server: ServerId([2; 16]), login_seed: [7; 32].into() };
    let connection = connect(&authority, &server.url(), Some(identity), 0, &Cancellation::default());
    let outcome = HttpVault::connect(connection, VaultId([9; 16]), Arc::new(Memory::default()));
    assert!(matches!(outcome.err(), Some(VaultError::WrongVault(_))));
}

#[test]
fn a_session_is_written_down_before_it_is_opened_and_forgotten_when_it_is_closed() {
    let authority = Authority::new();
    let keeper = Arc::new(Memory::default());
    let server = TestServer::start(&authority, {
        let keeper = keeper.clone();
        move |request| {
            if let Some(answer) = sign_in(&request) {
                return Some(answer);
            }
            match request.line.as_str() {
                "POST /agent/v1/sessions" => {
                    let asked: OpenSessionRequest = serde_json::from_slice(&request.body).unwrap();
                    let held = keeper.held.lock().unwrap();
                    assert!(held.contains(&(asked.session, asked.secret)));
                    let packs = [5, 4].map(|i| KnownPack { id: PackId([i; 32]), length: 9 });
                    json(&SessionOpened {
                        session: asked.session,
                        lease: lease(),
                        head: None,
                        packs: Some(packs.to_vec()),
                    })
                }
                line if line.ends_with("/close") => Some(StatusCode::NO_CONTENT.into_response()),
                line => panic!("{line}"),
            }
        }
    });
    let session = open(&server, &authority, keeper.clone()).open_session(&request()).unwrap();
    let sorted = [4, 5].map(|i| PackReference { id: PackId([i; 32]), length: 9 });
    assert_eq!(session.opened().packs, PacksKnown::Listed(sorted.to_vec()));
    assert_eq!(keeper.held.lock().unwrap().len(), 1);
    session.close().unwrap();
    assert!(keeper.held.lock().unwrap().is_empty());
}

#[test]
fn each_session_of_this_home_that_may_be_the_living_one_is_offered_for_replacement() {
    let authority = Authority::new();
    let keeper = Arc::new(Memory::default());
    let [dead, never_opened] = [SessionId([8; 16]), SessionId([9; 16])];
    keeper.opening(dead, "dead");
    keeper.opening(never_opened, "never opened");
    let server = TestServer::start(&authority, move |request| {
        if let Some(answer) = sign_in(&request) {
            return Some(answer);
        }
        let asked: OpenSessionRequest = serde_json::from_slice(&request.body).unwrap();
        match asked.replaces {
            Some(Replaces { session, secret }) if (session, secret.as_str()) == (dead, "dead") => {
                json(&SessionOpened {
                    session: asked.session,
                    lease: lease(),
                    head: None,
                    packs: Some(Vec::new()),
                })
            }
            _ => refused(ErrorCode::SessionBusy, "Another session is alive"),
        }
    });
    let vault = open(&server, &authority, keeper.clone());
    let session = vault.open_session(&request()).unwrap();
    let held: Vec<_> = keeper.held.lock().unwrap().iter().map(|(session, _)| *session).collect();
    assert_eq!(held, [session.opened().id]);
}

#[test]
fn somebody_elses_session_is_left_alone() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |request| {
        sign_in(&request).or_else(|| refused(ErrorCode::SessionBusy, "Another session is alive"))
    });
    let vault = open(&server, &authority, Arc::new(Memory::default()));
    let error = vault.open_session(&request()).err();
    assert_eq!(error, Some(VaultError::Busy("Another session is alive".to_owned())));
}

/// Issue 4: a vault that repeats an old answer led the agent into an old session.
#[test]
fn an_answer_for_another_session_is_refused() {
    let authority = Authority::new();
    let keeper = Arc::new(Memory::default());
    let server = TestServer::start(&authority, |request| {
        let opened = SessionOpened {
            session: SessionId([8; 16]),
            lease: lease(),
            head: None,
            packs: Some(Vec::new()),
        };
        sign_in(&request).or_else(|| json(&opened))
    });
    let error = open(&server, &authority, keeper.clone()).open_session(&request()).err().unwrap();
    assert!(matches!(&error, VaultError::BadAnswer(words) if words.contains("it opened session")), "{error}");
    assert_eq!(keeper.held.lock().unwrap().len(), 1, "the session that was asked for may be open");
}

/// Issue 4: a quarter of a gigabyte of empty key slots took the agent several gigabytes.
#[test]
fn a_list_of_slots_has_an_end() {
    let authority = Authority::new();
    let slots = |count: usize| stateward_api::agent::SlotList { slots: vec![String::new(); count] };
    let server =
        TestServer::start(&authority, move |request| sign_in(&request).or_else(|| json(&slots(2 << 20))));
    let error = open(&server, &authority, Arc::new(Memory::default())).slots().err();
    assert_eq!(error, Some(VaultError::BadAnswer("it is longer than 4194304 bytes".to_owned())));
}

#[test]
fn the_lease_is_kept_by_heartbeats_until_the_session_is_dropped() {
    let authority = Authority::new();
    let beats = Arc::new((Mutex::new(0u32), Condvar::new()));
    let server = TestServer::start(&authority, {
        let beats = beats.clone();
        move |request| {
            if let Some(answer) = sign_in(&request) {
                return Some(answer);
            }
            if request.line.ends_with("/heartbeat") {
                *beats.0.lock().unwrap() += 1;
                beats.1.notify_all();
                return json(&lease());
            }
            let asked: OpenSessionRequest = serde_json::from_slice(&request.body).unwrap();
            json(&SessionOpened {
                session: asked.session,
                lease: lease(),
                head: None,
                packs: Some(Vec::new()),
            })
        }
    });
    let vault = open(&server, &authority, Arc::new(Memory::default()));
    let session = vault.open_session(&request()).unwrap();
    let deadline = Duration::from_secs(30);
    let waited = beats.1.wait_timeout_while(beats.0.lock().unwrap(), deadline, |beats| *beats < 2).unwrap();
    assert!(!waited.1.timed_out());
    drop(waited);
    // Joins the thread, so no beat can come after it.
    drop(session);
}

#[test]
fn reading_a_pack_gives_just_the_bytes_asked_for_or_an_error() {
    let authority = Authority::new();
    let lie = Arc::new(AtomicU32::new(0));
    let server = TestServer::start(&authority, {
        let lie = lie.clone();
        move |request| {
            if let Some(answer) = sign_in(&request) {
                return Some(answer);
            }
            assert_eq!(request.header("range"), Some("bytes=1048576-2097151"));
            let full = 1 << 20;
            Some(match lie.load(Ordering::SeqCst) {
                0 => (StatusCode::PARTIAL_CONTENT, vec![6u8; full]).into_response(),
                1 => (StatusCode::PARTIAL_CONTENT, vec![6u8; full - 1]).into_response(),
                2 => (StatusCode::PARTIAL_CONTENT, vec![6u8; full + 1]).into_response(),
                3 => (StatusCode::OK, vec![6u8; full]).into_response(),
                _ => return refused(ErrorCode::NotFound, "There is no such pack"),
            })
        }
    });
    let vault = open(&server, &authority, Arc::new(Memory::default()));
    let read = || vault.read_pack(PACK, 1 << 20..2 << 20);
    assert_eq!(read().unwrap(), vec![6; 1 << 20]);
    for step in 1..=3 {
        lie.store(step, Ordering::SeqCst);
        assert!(matches!(read(), Err(VaultError::BadAnswer(_))), "{step}");
    }
    lie.store(4, Ordering::SeqCst);
    assert_eq!(read(), Err(VaultError::NotFound(format!("pack {}", PACK.id))));
}

#[test]
fn a_missing_receipt_is_none_and_a_missing_point_is_an_error() {
    let authority = Authority::new();
    let server = TestServer::start(&authority, |request| {
        sign_in(&request).or_else(|| refused(ErrorCode::NotFound, "There is none"))
    });
    let vault = open(&server, &authority, Arc::new(Memory::default()));
    let point = PointSummary { sequence: 1, hash: stateward_model::PointHash([1; 32]) };
    assert_eq!(vault.receipt(point), Ok(None));
    assert!(matches!(vault.point(point), Err(VaultError::NotFound(_))));
}
