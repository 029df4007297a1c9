//! Tombstones: the vault's signed word on what became of a recovery point after its receipt, kept as objects beside it.
//!
//! The row is written in the transaction of the act, the object by the next run of the expiry, and then the row goes. A
//! tombstone is a function of its row and the vault's key, so whatever is left undone, also by another process, is done by
//! the next who comes by, and the object is the same.

use super::{App, Error};
use crate::db;
use crate::db::recovery_points::{KeptItem, KeptPoint};
use stateward_format::layout;
use stateward_format::tombstone::{self, Act, PointState, Tombstone};
use stateward_model::{ItemId, ServerId, Timestamp};

/// How many are made at once.
const AT_ONCE: u32 = 500;

/// Writes down that something is done to a point, in the transaction that does it.
pub(super) async fn note(
    transaction: &mut db::Write,
    item: &KeptItem,
    point: &KeptPoint,
    (act, before): (Act, PointState),
    at: Timestamp,
) -> Result<(), Error> {
    let tombstone = Tombstone {
        vault: item.whose.vault,
        server: item.whose.server,
        sequence: point.sequence,
        point: point.hash,
        number: point.tombstones + 1,
        act,
        before,
        at,
    };
    Ok(db::tombstones::insert(transaction, &tombstone).await?)
}

/// The same for all points of an item that are live.
pub(super) async fn note_live(
    transaction: &mut db::Write,
    (server, item): (ServerId, ItemId),
    done: (Act, PointState),
    at: Timestamp,
) -> Result<(), Error> {
    let Some(item) = db::recovery_points::item(transaction, server, item).await? else { return Ok(()) };
    let points = db::recovery_points::of_item(transaction, server, item.id).await?;
    for point in points.iter().filter(|point| point.for_retention().is_live) {
        note(transaction, &item, point, done, at).await?;
    }
    Ok(())
}

impl App {
    /// Makes the tombstones durable that were written down; gives how many.
    pub(crate) async fn store_tombstones(&self) -> Result<usize, Error> {
        let mut stored = 0;
        loop {
            let waiting = db::tombstones::list(&mut *self.database.read().await?, AT_ONCE).await?;
            if waiting.is_empty() {
                return Ok(stored);
            }
            for tombstone in &waiting {
                self.store_tombstone(tombstone).await?;
            }
            let mut transaction = self.write().await?;
            for tombstone in &waiting {
                db::tombstones::remove(&mut transaction, tombstone).await?;
            }
            transaction.commit().await?;
            stored += waiting.len();
        }
    }

    async fn store_tombstone(&self, tombstone: &Tombstone) -> Result<(), Error> {
        let unsigned = tombstone::encode_unsigned(tombstone);
        let signature = self.key.sign(&unsigned);
        let Tombstone { vault, server, sequence, point, number, .. } = *tombstone;
        let name = Self::object(vault, &layout::tombstone(server, sequence, point, number));
        self.reserve.make_room();
        self.store.create(&name, vec![tombstone::finish(unsigned, signature).into()]).await?;
        Ok(())
    }
}
