//! Recovery points: the commit.
//!
//! Its order is what makes it safe (design, "Commit and collection"): packs durable → point object durable → one SQL
//! transaction, which checks again all that the answer says → receipt object durable → the answer. After a crash
//! anywhere, the same call again gives the same receipt; a point object without a row is nobody's point yet.

use super::alerts::{NewAlert, Severity};
use super::tokens::ServerCaller;
use super::{App, Error, items, packs, recovery_points, sessions};
use crate::db::{self, Scope};
use bytes::Bytes;
use futures::stream::BoxStream;
use ring::signature::{ED25519, UnparsedPublicKey};
use stateward_api::agent::ListedPoint;
use stateward_format::layout;
use stateward_format::point::{self, POINT_BYTES_MAX, Point, PointHeader};
use stateward_model::{PackId, PointHash, Sequence, SessionId};
use std::sync::Arc;

/// The longest receipt object that is read back, in bytes.
const RECEIPT_BYTES_MAX: u64 = 4096;

impl App {
    /// Commits a point; gives its receipt.
    pub(crate) async fn commit_point(
        self: &Arc<Self>,
        caller: ServerCaller,
        session: SessionId,
        object: Bytes,
    ) -> Result<Bytes, Error> {
        let hash = point::hash(&object);
        let mut connection = self.database.read().await?;
        let known = db::points::find(&mut connection, caller.server, hash).await?;
        drop(connection);
        let app = Arc::clone(self);
        // A task of its own: a caller that hangs up must not leave it half done.
        let work = async move {
            match known {
                Some((listed, _)) => app.receipt_again(caller, &listed).await,
                None => app.commit_new(caller, session, hash, object).await,
            }
        };
        tokio::spawn(work).await?
    }

    async fn commit_new(
        &self,
        caller: ServerCaller,
        session: SessionId,
        hash: PointHash,
        object: Bytes,
    ) -> Result<Bytes, Error> {
        self.check_session(caller, session).await?;
        let (point, unsigned) = point::decode(&object).map_err(|error| Error::invalid(error.to_string()))?;
        self.check_point(caller, hash, &point, unsigned).await?;
        let damaged = self.damaged_packs(caller, &point.header.packs).await?;
        if !damaged.is_empty() {
            self.mark_lost(caller.domain, &damaged).await?;
            return Err(Error::PacksMissing(damaged));
        }
        let header = point.header;
        let name = Self::object(caller.vault, &layout::point(caller.server, header.sequence, hash));
        self.reserve.make_room();
        self.store.create(&name, vec![object]).await?;
        let listed = self.commit_in_database(caller, session, hash, &header).await?;
        tracing::info!(server = %caller.server, sequence = listed.sequence, point = %hash, "committed a recovery point");
        self.store_receipt(caller, &listed).await
    }

    /// The receipt of a point that is committed already.
    async fn receipt_again(&self, caller: ServerCaller, listed: &ListedPoint) -> Result<Bytes, Error> {
        let mut connection = self.database.read().await?;
        let found = db::points::find(&mut connection, caller.server, listed.hash).await?;
        drop(connection);
        match found {
            Some((listed, true)) => Ok(self.make_receipt(caller.vault, caller.server, &listed)),
            _ => self.store_receipt(caller, listed).await,
        }
    }

    /// Everything that can be known of a point before its object is stored.
    async fn check_point(
        &self,
        caller: ServerCaller,
        hash: PointHash,
        point: &Point,
        unsigned: &[u8],
    ) -> Result<(), Error> {
        let header = &point.header;
        if header.vault != caller.vault || header.server != caller.server {
            return Err(Error::invalid("The recovery point was made for another vault or by another server"));
        }
        let mut connection = self.database.read().await?;
        let server = db::servers::find(&mut connection, caller.server)
            .await?
            .ok_or_else(|| Error::not_found("such server"))?;
        UnparsedPublicKey::new(&ED25519, server.signing_key)
            .verify(&point::signed_message(unsigned), &point.signature)
            .map_err(|_| Error::invalid("The recovery point is not signed by this server's signing key"))?;
        if db::items::kind(&mut connection, caller.server, header.item).await? != Some(header.kind) {
            return Err(Error::invalid(format!(
                "This server has no protected item `{}` of that kind; make it known first",
                header.item
            )));
        }
        if let Err(error) = find_place(&mut connection, caller, header).await {
            // The same call, sent again while the first was still running, may have met the point itself.
            let known = db::points::find(&mut connection, caller.server, hash).await?;
            known.ok_or(error)?;
        }
        check_packs(&mut connection, caller, header).await
    }

    /// The one transaction by which a point comes to be.
    async fn commit_in_database(
        &self,
        caller: ServerCaller,
        session: SessionId,
        hash: PointHash,
        header: &PointHeader,
    ) -> Result<ListedPoint, Error> {
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        if let Some((listed, _)) = db::points::find(&mut transaction, caller.server, hash).await? {
            return Ok(listed);
        }
        self.fence(&mut transaction, caller, session).await?;
        items::check_not_deleted(&mut transaction, caller.server, header.item).await?;
        let place = find_place(&mut transaction, caller, header).await?;
        check_packs(&mut transaction, caller, header).await?;
        let before = db::points::newest_of_item(&mut transaction, caller.server, header.item).await?;
        let listed = ListedPoint {
            sequence: header.sequence,
            hash,
            item: header.item,
            received_at: self.now(),
            gone_at: None,
        };
        let bytes = header.packs.iter().map(|pack| u64::from(pack.length)).sum();
        db::points::insert(&mut transaction, caller.server, &listed, bytes).await?;
        let on_demand = sessions::own_session(&mut transaction, caller, session).await?.on_demand;
        let of = (header.item, hash);
        recovery_points::keep(&mut transaction, caller, of, on_demand, listed.received_at).await?;
        if place == Place::Beside {
            db::points::widen_references(&mut transaction, caller.server, header.item, header.sequence)
                .await?;
            db::servers::note_fork(&mut transaction, caller.server, listed.received_at).await?;
            self.tell_of_fork(&mut transaction, caller).await?;
        }
        refer(&mut transaction, caller, header, before).await?;
        transaction.commit().await?;
        if place == Place::Beside {
            tracing::warn!(server = %caller.server, sequence = header.sequence, point = %hash,
                "the chain of recovery points forked: two agents make backups as this server");
        }
        Ok(listed)
    }

    /// Raises an alert: whoever has a copy of a server's home may be somebody who should not.
    async fn tell_of_fork(&self, transaction: &mut db::Write, caller: ServerCaller) -> Result<(), Error> {
        let alert = NewAlert {
            vault: caller.vault,
            severity: Severity::Critical,
            kind: "home-forked",
            subject: &caller.server.to_string(),
            message:
                "Two agents make backups as this server: its home was copied, or put back from an older copy"
                    .to_owned(),
        };
        self.raise(transaction, alert).await
    }

    /// All points of the calling server.
    pub(crate) async fn points(&self, caller: ServerCaller) -> Result<Vec<ListedPoint>, Error> {
        Ok(db::points::list(&mut *self.database.read().await?, caller.server).await?)
    }

    /// A point's object, in pieces, and its length in bytes.
    pub(crate) async fn point_object(
        self: &Arc<Self>,
        caller: ServerCaller,
        sequence: Sequence,
        hash: PointHash,
    ) -> Result<(u64, BoxStream<'static, Result<Bytes, Error>>), Error> {
        self.committed(caller, sequence, hash).await?;
        let name = Self::object(caller.vault, &layout::point(caller.server, sequence, hash));
        let length =
            self.store.length(&name).await.map_err(|error| missing(error, "recovery point", hash))?;
        // What was damaged into something longer is cut off: the reader sees by its hash that it is not the point.
        let length = length.min(POINT_BYTES_MAX as u64);
        Ok((length, self.read_object(name, 0..length, "recovery point").await?))
    }

    /// A point's receipt object, as it lies in the store.
    pub(crate) async fn receipt_object(
        &self,
        caller: ServerCaller,
        sequence: Sequence,
        hash: PointHash,
    ) -> Result<Bytes, Error> {
        let (listed, is_receipted) = self.committed(caller, sequence, hash).await?;
        if !is_receipted {
            return self.store_receipt(caller, &listed).await;
        }
        let name = Self::object(caller.vault, &layout::receipt(caller.server, sequence, hash));
        let object = self.store.read(&name, RECEIPT_BYTES_MAX).await;
        object.map_err(|error| missing(error, "receipt of the recovery point", hash))
    }

    async fn committed(
        &self,
        caller: ServerCaller,
        sequence: Sequence,
        hash: PointHash,
    ) -> Result<(ListedPoint, bool), Error> {
        let known = db::points::find(&mut *self.database.read().await?, caller.server, hash).await?;
        known
            .filter(|(listed, _)| listed.sequence == sequence)
            .ok_or_else(|| Error::not_found(format!("recovery point `{hash}` with number {sequence}")))
    }
}

fn missing(error: stateward_store::StoreError, what: &str, hash: PointHash) -> Error {
    match error {
        stateward_store::StoreError::NotFound(_) => Error::not_found(format!("{what} `{hash}` in the store")),
        other => other.into(),
    }
}

/// Where a point stands among those of its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It follows the one that was committed last.
    Newest,
    /// It follows another, and so begins or goes on with a branch: a copy of the server's home goes on beside it. Both keep
    /// their data, and the fork is noted for whoever runs the vault.
    Beside,
}

async fn find_place(
    connection: &mut db::Connection,
    caller: ServerCaller,
    header: &PointHeader,
) -> Result<Place, Error> {
    let head = db::points::head(connection, caller.server).await?;
    let (sequence, previous) = match &head {
        Some(head) => (head.sequence + 1, Some(head.hash)),
        None => (1, None),
    };
    if (header.sequence, header.previous) == (sequence, previous) {
        return Ok(Place::Newest);
    }
    if let Some(previous) = header.previous
        && let Some((before, _)) = db::points::find(connection, caller.server, previous).await?
        && before.sequence + 1 == header.sequence
    {
        return Ok(Place::Beside);
    }
    Err(Error::WrongHead(match head {
        Some(head) => format!(
            "The recovery point has number {}, but the newest one here is `{}` with number {}",
            header.sequence, head.hash, head.sequence
        ),
        None => format!("The recovery point has number {}, but there is none here yet", header.sequence),
    }))
}

async fn check_packs(
    connection: &mut db::Connection,
    caller: ServerCaller,
    header: &PointHeader,
) -> Result<(), Error> {
    let known = db::packs::list(connection, caller.domain).await?;
    let unusable = packs::unusable(caller.server, &header.packs, &known);
    unusable.is_empty().then_some(()).ok_or(Error::PacksMissing(unusable))
}

/// Writes down which packs the new point needs, as what changed since the item's point before it.
async fn refer(
    connection: &mut db::Connection,
    caller: ServerCaller,
    header: &PointHeader,
    before: Option<Sequence>,
) -> Result<(), Error> {
    let (server, item) = (caller.server, header.item);
    let needed: Vec<PackId> = header.packs.iter().map(|pack| pack.id).collect();
    let referred = db::points::open_references(connection, server, item).await?;
    let ended: Vec<_> = only_in_first(&referred, &needed).collect();
    db::points::end_references(connection, (server, item, before.unwrap_or_default()), &ended).await?;
    let begun: Vec<_> = only_in_first(&needed, &referred).collect();
    db::points::begin_references(connection, caller.domain, (server, item, header.sequence), &begun).await?;
    Ok(db::packs::mark_live(connection, caller.domain).await?)
}

/// Both are sorted.
fn only_in_first(first: &[PackId], second: &[PackId]) -> impl Iterator<Item = PackId> {
    first.iter().copied().filter(|id| second.binary_search(id).is_err())
}

#[cfg(test)]
mod tests;
