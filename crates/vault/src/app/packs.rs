//! Packs: taken in, hashed, made durable; given out by ranges.
//!
//! A pack's row is `pending` before its object is made, and `stored` only after the object is durable. A crash in
//! between leaves a row that says so, and the same call again finishes it.

use super::pack_memory::HeldMemory;
use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db::packs::Pack;
use crate::db::{self, Scope};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use stateward_api::agent::PACK_BYTES_MAX;
use stateward_format::layout;
use stateward_format::point::PackReference;
use stateward_model::{PackId, ServerId, SessionId};
use stateward_store::StoreError;
use std::ops::Range;
use std::sync::Arc;

/// How much of an object is read from the store at once, in bytes.
const READ_BYTES: u64 = 1 << 20;

/// How many checks of objects in the store run at once.
const CHECKS: usize = 32;

/// A body as it came in: not copied together, hashed on its way.
pub(crate) struct Received {
    /// Its bytes, one part after another.
    pub(crate) parts: Vec<Bytes>,
    /// Their length in bytes.
    pub(crate) length: u64,
    /// Their BLAKE3.
    pub(crate) hash: [u8; 32],
    /// The memory that they hold.
    pub(crate) memory: HeldMemory,
}

impl App {
    /// Stores a pack, durably before this returns; tells whether it is new.
    pub(crate) async fn put_pack(
        self: &Arc<Self>,
        caller: ServerCaller,
        session: SessionId,
        id: PackId,
        pack: Received,
    ) -> Result<bool, Error> {
        if pack.hash != id.0 {
            return Err(Error::WrongContent(format!("The bytes that came are not those of the pack `{id}`")));
        }
        let length =
            u32::try_from(pack.length).ok().filter(|n| (1..=PACK_BYTES_MAX).contains(&(*n as usize)));
        let length = length.ok_or_else(|| Error::WrongContent("A pack can't be empty".to_owned()))?;
        let app = Arc::clone(self);
        // A task of its own: a caller that hangs up must not leave it half done.
        let reference = PackReference { id, length };
        tokio::spawn(async move { app.store_pack(caller, session, reference, pack).await }).await?
    }

    async fn store_pack(
        &self,
        caller: ServerCaller,
        session: SessionId,
        reference: PackReference,
        pack: Received,
    ) -> Result<bool, Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        self.fence(&mut transaction, caller, session).await?;
        if db::packs::announce(&mut transaction, caller.domain, caller.server, reference).await? {
            self.count_pack(&mut transaction, caller, reference.length).await?;
        }
        let known = db::packs::find(&mut transaction, caller.domain, reference.id).await?;
        transaction.commit().await?;
        if known.is_some_and(|known| known.is_usable_by(caller.server)) {
            return Ok(false);
        }
        self.check_space().await?;
        let name = Self::object(caller.vault, &layout::pack(reference.id));
        let pack_bytes = u64::from(reference.length);
        let _coming = self.admit(pack_bytes).await?;
        let Received { parts, memory: _held_until_stored, .. } = pack;
        match self.store.create(&name, parts.clone()).await {
            Err(StoreError::AlreadyExists(_)) => {
                // These bytes have the hash that the name says, so those in the store have not.
                tracing::warn!(pack = %reference.id, "a damaged pack in the store is put right");
                self.store.heal(&name, parts).await.map_err(|error| self.not_stored(error, pack_bytes))?;
            }
            other => drop(other.map_err(|error| self.not_stored(error, pack_bytes))?),
        }
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        db::packs::mark_stored(&mut transaction, caller.domain, reference.id).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// A pack that the server can read: of its domain, and no other server's that is not committed yet.
    pub(crate) async fn pack(&self, caller: ServerCaller, id: PackId) -> Result<PackReference, Error> {
        let mut connection = self.database.read().await?;
        let known = db::packs::find(&mut connection, caller.domain, id).await?;
        known
            .filter(|pack| pack.is_visible_to(caller.server))
            .map(|pack| pack.reference)
            .ok_or_else(|| Error::not_found(format!("pack `{id}`")))
    }

    /// A range of a pack's bytes, as they come from the store. The beginning of a pack that was cut short is still
    /// given out: what is in it can be restored.
    pub(crate) async fn read_pack(
        self: &Arc<Self>,
        caller: ServerCaller,
        pack: PackReference,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        let name = Self::object(caller.vault, &layout::pack(pack.id));
        self.read_object(name, range, &format!("pack `{}`", pack.id)).await
    }

    /// A range of an object, in pieces; refused before the first byte if the object does not have it.
    pub(super) async fn read_object(
        self: &Arc<Self>,
        name: String,
        range: Range<u64>,
        what: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, Error>>, Error> {
        match self.store.length(&name).await {
            Ok(length) if length >= range.end => {}
            Ok(_) => return Err(Error::not_found(format!("whole {what}: it was cut short"))),
            Err(StoreError::NotFound(_)) => return Err(Error::not_found(what)),
            Err(error) => return Err(error.into()),
        }
        let app = Arc::clone(self);
        let starts = (range.start..range.end).step_by(READ_BYTES as usize);
        let pieces = stream::iter(starts).map(move |start| {
            let (app, name, end) = (Arc::clone(&app), name.clone(), (start + READ_BYTES).min(range.end));
            async move { Ok(app.store.read_range(&name, start..end).await?) }
        });
        // One piece is read while the one before it is sent.
        Ok(pieces.buffered(2).boxed())
    }

    /// Which of these packs the store does not hold with the right length. Asking for the length alone is quick, and
    /// finds what was deleted or cut short; contents are proven by scrub and verify.
    pub(super) async fn damaged_packs(
        &self,
        caller: ServerCaller,
        packs: &[PackReference],
    ) -> Result<Vec<PackId>, Error> {
        let checks = stream::iter(packs.iter().copied()).map(|pack| async move {
            let name = Self::object(caller.vault, &layout::pack(pack.id));
            match self.store.length(&name).await {
                Ok(length) if length == u64::from(pack.length) => Ok(None),
                Ok(_) | Err(StoreError::NotFound(_)) => Ok(Some(pack.id)),
                Err(error) => Err(Error::from(error)),
            }
        });
        let mut checks = checks.buffered(CHECKS);
        let mut damaged = Vec::new();
        while let Some(check) = checks.next().await {
            damaged.extend(check?);
        }
        Ok(damaged)
    }

    /// Remembers that packs are not there as they should be, so that agents of their domain stop counting on them.
    pub(super) async fn mark_lost(&self, domain: ServerId, packs: &[PackId]) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::Domain(domain)).await?;
        for id in packs {
            tracing::error!(%domain, pack = %id, "a pack is gone from the store or cut short");
            db::packs::mark_lost(&mut transaction, domain, *id).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// Which of the packs that a server's point names it may not refer to; both lists are sorted by id.
pub(super) fn unusable(server: ServerId, named: &[PackReference], known: &[Pack]) -> Vec<PackId> {
    let is_usable = |pack: &PackReference| {
        known
            .binary_search_by(|known| known.reference.id.cmp(&pack.id))
            .is_ok_and(|at| known[at].is_usable_by(server) && known[at].reference.length == pack.length)
    };
    named.iter().filter(|pack| !is_usable(pack)).map(|pack| pack.id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, open_request};
    use stateward_store::ByteStore as _;
    use stateward_store::faulty::Fault;
    use stateward_store::recording::Call;

    const SESSION: SessionId = SessionId([1; 16]);

    #[tokio::test]
    async fn a_pack_is_stored_once_and_read_by_ranges() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        let bytes: Vec<u8> = (0..3 << 20).map(|n: u32| n as u8).collect();
        assert!(test.try_put(&server, SESSION, &bytes).await.unwrap());
        assert!(!test.try_put(&server, SESSION, &bytes).await.unwrap());
        assert_eq!(test.store.count(Call::Create), 1);
        let pack = test.put_pack(&server, SESSION, &bytes).await;
        assert_eq!(test.app.pack(server.caller, pack.id).await.unwrap(), pack);
        for range in [0..3 << 20, 5..6, (1 << 20)..(2 << 20) + 1] {
            let stream = test.app.read_pack(server.caller, pack, range.clone()).await.unwrap();
            let read: Vec<_> = stream.map(|piece| piece.unwrap()).collect().await;
            assert_eq!(read.concat(), bytes[range.start as usize..range.end as usize]);
        }
    }

    #[tokio::test]
    async fn wrong_bytes_leave_nothing_behind() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        for bytes in [&b"other"[..], b""] {
            let received = test.received(bytes).await;
            let refused = test.app.put_pack(server.caller, SESSION, PackId([3; 32]), received).await;
            assert!(matches!(refused, Err(Error::WrongContent(_))));
        }
        let empty = test.try_put(&server, SESSION, b"").await;
        assert!(matches!(empty, Err(Error::WrongContent(_))));
        assert_eq!(test.store.count(Call::Create), 0);
        assert!(matches!(test.app.pack(server.caller, PackId([3; 32])).await, Err(Error::NotFound(_))));
    }

    #[tokio::test]
    async fn after_a_failure_or_a_full_disk_the_same_call_finishes() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        test.faults.fail(Call::Create, 0, 1, Fault::Full);
        assert!(matches!(test.try_put(&server, SESSION, b"pack").await, Err(Error::NoSpace(_))));
        let id = PackId(*blake3::hash(b"pack").as_bytes());
        assert!(test.app.pack(server.caller, id).await.is_err(), "a pending pack is no pack yet");
        test.faults.fail(Call::Create, 0, 1, Fault::LostAnswer);
        assert!(matches!(test.try_put(&server, SESSION, b"pack").await, Err(Error::Internal(_))));
        assert!(test.try_put(&server, SESSION, b"pack").await.unwrap());
        assert!(test.app.pack(server.caller, id).await.is_ok());
    }

    #[tokio::test]
    async fn another_servers_pack_is_not_found_and_a_lost_session_puts_none() {
        let test = TestApp::new().await;
        let (server, other) = (test.server("web-01").await, test.server("web-02").await);
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        let pack = test.put_pack(&server, SESSION, b"pack").await;
        assert!(matches!(test.app.pack(other.caller, pack.id).await, Err(Error::NotFound(_))));
        assert!(matches!(test.try_put(&other, SESSION, b"pack").await, Err(Error::NotFound(_))));
        test.app.close_session(server.caller, SESSION).await.unwrap();
        assert!(matches!(test.try_put(&server, SESSION, b"new").await, Err(Error::SessionLost)));
        assert_eq!(test.store.count(Call::Create), 1);
    }

    #[tokio::test]
    async fn a_pack_that_was_cut_short_is_put_right_by_putting_it_again() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        let pack = test.put_pack(&server, SESSION, b"whole pack").await;
        let name = App::object(server.caller.vault, &layout::pack(pack.id));
        test.store.heal(&name, vec![Bytes::from_static(b"whole")]).await.unwrap();
        assert!(test.app.read_pack(server.caller, pack, 0..5).await.is_ok());
        assert!(matches!(test.app.read_pack(server.caller, pack, 0..6).await, Err(Error::NotFound(_))));
        let damaged = test.app.damaged_packs(server.caller, &[pack]).await.unwrap();
        assert_eq!(damaged, [pack.id]);
        test.app.mark_lost(server.caller.domain, &damaged).await.unwrap();
        assert!(test.try_put(&server, SESSION, b"whole pack").await.unwrap());
        assert!(test.app.damaged_packs(server.caller, &[pack]).await.unwrap().is_empty());
        assert!(test.app.read_pack(server.caller, pack, 0..10).await.is_ok());
    }
}
