//! Sessions: one open conversation of a server, with a lease, fenced off from those before it.
//!
//! While a session is open, all packs of its server's domain are pinned: whatever collects packs must, in the transaction
//! in which it condemns them, pass over domains of which a server has an open session (or end one whose lease ran out,
//! and so fence it).
//!
//! A lease that ran out ends nothing by itself. It lets the next session take the place; until then the holder may go
//! on, so that a vault that was down for a while does not cost an agent its run.

use super::recovery_points::check_retain_until;
use super::tokens::ServerCaller;
use super::{App, Error, items, secret};
use crate::db::packs::Pack;
use crate::db::sessions::{Ended, Session};
use crate::db::{self, Scope};
use stateward_api::agent::{KnownPack, Lease, OpenSessionRequest, Replaces, SessionOpened};
use stateward_api::credentials::decode_bytes;
use stateward_model::{JobKind, PackId, SessionId, Timestamp};

impl App {
    /// Opens a session, or finds it open when the request is repeated.
    pub(crate) async fn open_session(
        &self,
        caller: ServerCaller,
        request: &OpenSessionRequest,
    ) -> Result<SessionOpened, Error> {
        if decode_bytes(&request.secret).is_none_or(|bytes| bytes.len() != 32) {
            return Err(Error::invalid("The session's secret must be 32 bytes in base64url"));
        }
        let now = self.now();
        check_retain_until(request.on_demand.and_then(|on_demand| on_demand.retain_until), now)?;
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::servers::see(&mut transaction, caller.server, now).await?;
        self.note_agent(&mut transaction, caller, request.agent_version.as_deref()).await?;
        if let Some(refused) = self.too_old(&mut transaction, caller, request.kind).await? {
            // That it was heard of, and of which version it is, is known all the same.
            transaction.commit().await?;
            return Err(refused);
        }
        if let Some(item) = request.item.filter(|_| request.kind == JobKind::Backup) {
            items::check_takes_backups(&mut transaction, caller.server, item).await?;
        }
        let mut ended = None;
        if !self.renew_if_same(&mut transaction, caller, request).await? {
            ended = self.make_room(&mut transaction, caller, request, now).await?;
            let session = Session {
                id: request.session,
                server: caller.server,
                secret_hash: secret::hash(&request.secret),
                lease_until: self.lease_end(now),
                is_ended: false,
                on_demand: request.on_demand,
            };
            db::sessions::insert(&mut transaction, &session, request.kind, request.item, now).await?;
        }
        let head = db::points::head(&mut transaction, caller.server).await?;
        let packs = db::packs::list(&mut transaction, caller.domain).await?;
        transaction.commit().await?;
        if let Some(ended) = ended {
            self.assemblies.end(ended);
        }
        Ok(SessionOpened {
            session: request.session,
            lease: self.lease(now),
            head,
            packs: usable_packs(caller, &packs, request.packs_digest.as_deref()),
        })
    }

    /// Keeps a session alive.
    pub(crate) async fn heartbeat(&self, caller: ServerCaller, session: SessionId) -> Result<Lease, Error> {
        let now = self.now();
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        self.fence(&mut transaction, caller, session).await?;
        db::servers::see(&mut transaction, caller.server, now).await?;
        transaction.commit().await?;
        Ok(self.lease(now))
    }

    /// Ends a session. Ending it twice is no error.
    pub(crate) async fn close_session(&self, caller: ServerCaller, session: SessionId) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        let known = own_session(&mut transaction, caller, session).await?;
        if !known.is_ended {
            db::sessions::end(&mut transaction, session, Ended::Closed, self.now()).await?;
        }
        transaction.commit().await?;
        self.assemblies.end(session);
        Ok(())
    }

    /// Refuses a call of a session that is not the open one of its server, before anything is received.
    pub(crate) async fn check_session(&self, caller: ServerCaller, session: SessionId) -> Result<(), Error> {
        let known = own_session(&mut *self.database.read().await?, caller, session).await?;
        (!known.is_ended).then_some(()).ok_or(Error::SessionLost)
    }

    /// The same within the transaction whose effect hangs on it; renews the lease.
    pub(super) async fn fence(
        &self,
        connection: &mut db::Connection,
        caller: ServerCaller,
        session: SessionId,
    ) -> Result<(), Error> {
        let end = self.lease_end(self.now());
        match db::sessions::renew(connection, caller.server, session, end).await? {
            true => Ok(()),
            false => own_session(connection, caller, session).await.and(Err(Error::SessionLost)),
        }
    }

    async fn renew_if_same(
        &self,
        connection: &mut db::Connection,
        caller: ServerCaller,
        request: &OpenSessionRequest,
    ) -> Result<bool, Error> {
        let Some(known) = db::sessions::find(connection, request.session).await? else { return Ok(false) };
        if known.server != caller.server || !secret::matches(&request.secret, known.secret_hash) {
            return Err(Error::AlreadyExists("A session of this id exists already".to_owned()));
        }
        self.fence(connection, caller, request.session).await.map(|()| true)
    }

    /// Ends the session that is open now, if it may be ended; tells which that was.
    async fn make_room(
        &self,
        connection: &mut db::Connection,
        caller: ServerCaller,
        request: &OpenSessionRequest,
        now: Timestamp,
    ) -> Result<Option<SessionId>, Error> {
        let Some(open) = db::sessions::find_open(connection, caller.server).await? else { return Ok(None) };
        let is_holder = |replaces: &Replaces| {
            replaces.session == open.id && secret::matches(&replaces.secret, open.secret_hash)
        };
        let because = match &request.replaces {
            Some(replaces) if is_holder(replaces) => Ended::Replaced,
            _ if open.lease_until <= now => Ended::Expired,
            _ => return Err(Error::SessionBusy { lease_until: open.lease_until }),
        };
        tracing::info!(server = %caller.server, session = %open.id, ?because, "ended a session for the next one");
        db::sessions::end(connection, open.id, because, now).await?;
        Ok(Some(open.id))
    }

    fn lease_end(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(i64::from(self.config.lease_seconds))
    }

    fn lease(&self, now: Timestamp) -> Lease {
        Lease {
            lease_seconds: self.config.lease_seconds,
            heartbeat_seconds: self.config.heartbeat_seconds,
            time: now,
        }
    }
}

/// A session of this server, open or ended. Whether another server has one of that id is not told.
pub(super) async fn own_session(
    connection: &mut db::Connection,
    caller: ServerCaller,
    session: SessionId,
) -> Result<Session, Error> {
    let known = db::sessions::find(connection, session).await?;
    known
        .filter(|known| known.server == caller.server)
        .ok_or_else(|| Error::not_found(format!("session `{session}`")))
}

/// The packs that a point may refer to; `None` if the agent has just these already.
fn usable_packs(caller: ServerCaller, packs: &[Pack], digest: Option<&str>) -> Option<Vec<KnownPack>> {
    let usable = || packs.iter().filter(|pack| pack.is_usable_by(caller.server)).map(|pack| pack.reference);
    if digest.is_some_and(|digest| digest == packs_digest(usable().map(|pack| pack.id))) {
        return None;
    }
    Some(usable().map(|pack| KnownPack { id: pack.id, length: pack.length }).collect())
}

/// BLAKE3 of the sorted pack ids, one after another, in hexadecimal: just as `engine::vault_store::packs_digest`, which
/// this room may not use, since it stands among the ciphers.
pub(crate) fn packs_digest(sorted: impl Iterator<Item = PackId>) -> String {
    let mut hasher = blake3::Hasher::new();
    sorted.for_each(|id| {
        hasher.update(&id.0);
    });
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, open_request};

    #[tokio::test]
    async fn a_second_session_is_refused_until_the_lease_runs_out() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        let busy = test.app.open_session(server.caller, &open_request(2)).await;
        assert!(matches!(busy, Err(Error::SessionBusy { .. })));
        test.clock.advance(59);
        test.app.heartbeat(server.caller, SessionId([1; 16])).await.unwrap();
        test.clock.advance(59);
        assert!(test.app.open_session(server.caller, &open_request(2)).await.is_err());
        test.clock.advance(1);
        test.app.open_session(server.caller, &open_request(2)).await.unwrap();
        let lost = test.app.heartbeat(server.caller, SessionId([1; 16])).await;
        assert!(matches!(lost, Err(Error::SessionLost)));
    }

    #[tokio::test]
    async fn a_lease_that_ran_out_is_renewed_while_nobody_took_the_place() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        test.clock.advance(600);
        test.app.heartbeat(server.caller, SessionId([1; 16])).await.unwrap();
        assert!(test.app.open_session(server.caller, &open_request(2)).await.is_err());
    }

    #[tokio::test]
    async fn only_its_holder_replaces_a_living_session() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let first = open_request(1);
        test.app.open_session(server.caller, &first).await.unwrap();
        let replaces = |secret: &str| Some(Replaces { session: first.session, secret: secret.to_owned() });
        let thief = OpenSessionRequest { replaces: replaces(&open_request(3).secret), ..open_request(2) };
        let busy = test.app.open_session(server.caller, &thief).await;
        assert!(matches!(busy, Err(Error::SessionBusy { .. })));
        let holder = OpenSessionRequest { replaces: replaces(&first.secret), ..open_request(2) };
        test.app.open_session(server.caller, &holder).await.unwrap();
        assert!(matches!(test.app.open_session(server.caller, &first).await, Err(Error::SessionLost)));
    }

    #[tokio::test]
    async fn opening_and_closing_can_be_repeated() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let request = open_request(1);
        for _ in 0..2 {
            let opened = test.app.open_session(server.caller, &request).await.unwrap();
            assert_eq!(opened.session, request.session);
        }
        for _ in 0..2 {
            test.app.close_session(server.caller, request.session).await.unwrap();
        }
        test.app.open_session(server.caller, &open_request(2)).await.unwrap();
    }

    #[tokio::test]
    async fn another_servers_session_is_not_found_and_its_id_not_taken_over() {
        let test = TestApp::new().await;
        let (one, other) = (test.server("web-01").await, test.server("web-02").await);
        let request = open_request(1);
        test.app.open_session(one.caller, &request).await.unwrap();
        assert!(matches!(test.app.heartbeat(other.caller, request.session).await, Err(Error::NotFound(_))));
        assert!(matches!(
            test.app.close_session(other.caller, request.session).await,
            Err(Error::NotFound(_))
        ));
        let taken = test.app.open_session(other.caller, &request).await;
        assert!(matches!(taken, Err(Error::AlreadyExists(_))));
        test.app.open_session(other.caller, &open_request(2)).await.unwrap();
    }

    #[tokio::test]
    async fn packs_are_listed_unless_the_agent_has_just_these() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let first = open_request(1);
        let opened = test.app.open_session(server.caller, &first).await.unwrap();
        assert_eq!(opened.packs, Some(vec![]));
        let mut packs = [
            test.put_pack(&server, first.session, b"one").await,
            test.put_pack(&server, first.session, b"two").await,
        ];
        packs.sort();
        let listed = test.app.open_session(server.caller, &first).await.unwrap().packs.unwrap();
        assert_eq!(listed.iter().map(|pack| pack.id).collect::<Vec<_>>(), packs.map(|pack| pack.id));
        let digest = packs_digest(packs.iter().map(|pack| pack.id));
        let same = OpenSessionRequest { packs_digest: Some(digest), ..first };
        assert_eq!(test.app.open_session(server.caller, &same).await.unwrap().packs, None);
    }
}
