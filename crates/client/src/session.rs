//! An open session: packs go up, a point is committed, and a thread keeps the lease alive meanwhile.

use crate::AGENT;
use crate::call::{Body, Call};
use crate::connection::Connection;
use crate::http_vault::{LIST_BYTES_MAX, RECEIPT_BYTES_MAX, send};
use crate::parts;
use crate::retry::Manner;
use bytes::Bytes;
use stateward_api::agent::{ASSEMBLED_BYTES_MAX, Lease, OpenSessionRequest, Replaces, SessionOpened};
use stateward_api::credentials::encode_bytes;
use stateward_engine::{
    Buffer, Cancellation, OpenedSession, PacksKnown, PointSummary, SessionRequest, VaultError, VaultSession,
};
use stateward_format::point::PackReference;
use stateward_model::{PackId, SessionId};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Where a home remembers the session that it holds, so that its next process can replace it at once when this one
/// dies.
///
/// Asked and told by the thread that opens or closes. An implementation writes durably before it returns; if it can't,
/// nothing is lost but the time until the dead session's lease runs out.
pub trait SessionKeeper: Send + Sync {
    /// Sessions of this home that were opened, or were about to be, and that nobody has closed, newest first. Their
    /// processes are dead: whoever asks holds the home's lock.
    fn previous(&self) -> Vec<Replaces>;
    /// Such a session is about to be opened.
    fn opening(&self, session: SessionId, secret: &str);
    /// It was opened: all others of this home are over.
    fn opened(&self, session: SessionId);
    /// It was closed.
    fn closed(&self, session: SessionId);
}

/// An open session over HTTP. Dropping it ends its heartbeat, not the session.
pub struct HttpSession {
    connection: Arc<Connection>,
    keeper: Arc<dyn SessionKeeper>,
    opened: OpenedSession,
    heartbeat: Heartbeat,
}

impl HttpSession {
    pub(crate) fn open(
        connection: Arc<Connection>,
        keeper: Arc<dyn SessionKeeper>,
        request: &SessionRequest,
    ) -> Result<Self, VaultError> {
        let previous = keeper.previous();
        let session = SessionId::new(connection.random());
        let mut secret = [0; 32];
        connection.random().fill(&mut secret);
        let secret = encode_bytes(&secret);
        keeper.opening(session, &secret);
        let answer = ask(&connection, request, session, secret, previous)?;
        if answer.session != session {
            let words = format!("it opened session {}, and {session} was asked for", answer.session);
            return Err(VaultError::BadAnswer(words));
        }
        keeper.opened(session);
        let heartbeat = Heartbeat::start(connection.clone(), session, answer.lease)?;
        let opened = opened_session(answer, request)?;
        Ok(Self { connection, keeper, opened, heartbeat })
    }

    fn path(&self, rest: &str) -> String {
        format!("/agent/v1/sessions/{}{rest}", self.opened.id)
    }
}

/// Asks for the session. A dead session of this home may stand in the way; which one is not known for sure when a
/// process died between writing a new one down and opening it, so each is tried while the vault says that one is alive.
fn ask(
    connection: &Connection,
    request: &SessionRequest,
    session: SessionId,
    secret: String,
    previous: Vec<Replaces>,
) -> Result<SessionOpened, VaultError> {
    let mut body = OpenSessionRequest {
        session,
        secret,
        kind: request.kind,
        item: request.item,
        packs_digest: request.packs_digest.map(|digest| PackId(digest).to_string()),
        replaces: None,
        on_demand: request.on_demand,
        agent_version: Some(AGENT.to_owned()),
    };
    let mut previous = previous.into_iter();
    loop {
        body.replaces = previous.next();
        let call = Call::post("/agent/v1/sessions").json(&body).at_most(LIST_BYTES_MAX);
        match send(connection, &call, || "item of that id".to_owned()) {
            Err(VaultError::Busy(_)) if previous.len() > 0 => {}
            answer => return answer?.json(),
        }
    }
}

fn opened_session(answer: SessionOpened, request: &SessionRequest) -> Result<OpenedSession, VaultError> {
    let packs = match answer.packs {
        None if request.packs_digest.is_some() => PacksKnown::AsDigested,
        None => return Err(VaultError::BadAnswer("it lists no packs, and none were told to it".to_owned())),
        Some(packs) => {
            let mut packs: Vec<_> =
                packs.iter().map(|pack| PackReference { id: pack.id, length: pack.length }).collect();
            packs.sort_unstable();
            packs.dedup();
            PacksKnown::Listed(packs)
        }
    };
    let head = answer.head.map(|head| PointSummary { sequence: head.sequence, hash: head.hash });
    Ok(OpenedSession { id: answer.session, head, packs })
}

impl VaultSession for HttpSession {
    fn opened(&self) -> &OpenedSession {
        &self.opened
    }

    fn put_pack(&self, id: PackId, bytes: Buffer) -> Result<(), VaultError> {
        // Tries after the first share what was handed over, and so do parts.
        let bytes = Bytes::from_owner(bytes);
        if parts::is_worth_sending(&self.connection, bytes.len()) && bytes.len() <= ASSEMBLED_BYTES_MAX {
            let path = self.path(&format!("/packs/{id}/parts"));
            let sent = parts::send(&self.connection, path, bytes.clone());
            if sent.map_err(|error| error.into_vault_error(&format!("session {}", self.opened.id)))? {
                return Ok(());
            }
        }
        let body = Body::Object(bytes);
        let call = Call::put(self.path(&format!("/packs/{id}"))).body(body).in_bulk();
        send(&self.connection, &call, || format!("session {}", self.opened.id)).map(drop)
    }

    fn commit(&self, object: &[u8]) -> Result<Vec<u8>, VaultError> {
        let body = Body::Object(Bytes::copy_from_slice(object));
        let call = Call::post(self.path("/commit")).body(body).at_most(RECEIPT_BYTES_MAX);
        Ok(send(&self.connection, &call, || format!("session {}", self.opened.id))?.body)
    }

    fn close(&self) -> Result<(), VaultError> {
        self.heartbeat.stop();
        // Also when the job was cancelled: the next one need not wait for the lease to run out.
        let call = Call::post(self.path("/close")).in_manner(Manner::parting());
        match send(&self.connection, &call, || format!("session {}", self.opened.id)) {
            // Ended already, by this call's first try or by another session: there is nothing left to end.
            Ok(_) | Err(VaultError::SessionLost(_) | VaultError::NotFound(_)) => {
                self.keeper.closed(self.opened.id);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// A thread that renews a session's lease until it is stopped or dropped.
struct Heartbeat {
    stop: Cancellation,
    wake: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Heartbeat {
    fn start(connection: Arc<Connection>, session: SessionId, lease: Lease) -> Result<Self, VaultError> {
        let every = Duration::from_secs(u64::from(lease.heartbeat_seconds.clamp(1, 3600)));
        let stop = Cancellation::default();
        let (wake, woken) = channel();
        let thread = std::thread::Builder::new().name("stateward-beat".to_owned()).spawn({
            let stop = stop.clone();
            move || beat(&connection, session, every, &stop, &woken)
        });
        let thread = thread
            .map_err(|error| VaultError::Failed(format!("no heartbeat thread can be started: {error}")))?;
        Ok(Self { stop, wake, thread: Some(thread) })
    }

    fn stop(&self) {
        self.stop.cancel();
        // Fails only when the thread has ended.
        let _ = self.wake.send(());
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic in it was reported where it happened; there is nothing to add while dropping.
            let _ = thread.join();
        }
    }
}

/// Calls at each interval. A beat that fails is made up for by the next, or by any other call; one that the vault
/// refuses ends the thread: the session is over, as the job's own next call will be told.
fn beat(
    connection: &Connection,
    session: SessionId,
    every: Duration,
    stop: &Cancellation,
    woken: &Receiver<()>,
) {
    let manner = Manner { patience: every / 2, cancellation: stop.clone() };
    let call = Call::post(format!("/agent/v1/sessions/{session}/heartbeat")).in_manner(manner);
    while woken.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        match send(connection, &call, || format!("session {session}")) {
            Ok(_) => {}
            Err(VaultError::SessionLost(_) | VaultError::NotFound(_)) => return,
            Err(error) => tracing::warn!(%error, "a session's heartbeat failed"),
        }
    }
}

#[cfg(test)]
mod tests;
