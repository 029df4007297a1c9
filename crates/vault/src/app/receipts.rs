//! Receipts: the vault's signed word that it holds a point, kept as an object beside it.
//!
//! A receipt is a function of the committed row and the vault's key (Ed25519 signatures are deterministic, RFC 8032),
//! so that it can be made again after a crash and is the same.

use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db::{self, Scope};
use bytes::Bytes;
use stateward_api::agent::ListedPoint;
use stateward_format::{layout, receipt};
use stateward_model::{ServerId, VaultId};

impl App {
    /// A committed point's receipt.
    pub(super) fn make_receipt(&self, vault: VaultId, server: ServerId, point: &ListedPoint) -> Bytes {
        let unsigned = receipt::encode_unsigned(&receipt::Receipt {
            vault,
            server,
            sequence: point.sequence,
            point: point.hash,
            received_at: point.received_at,
        });
        let signature = self.key.sign(&unsigned);
        receipt::finish(unsigned, signature).into()
    }

    /// Makes a committed point's receipt durable; gives it.
    pub(super) async fn store_receipt(
        &self,
        whose: ServerCaller,
        point: &ListedPoint,
    ) -> Result<Bytes, Error> {
        let ServerCaller { server, vault, domain } = whose;
        let object = self.make_receipt(vault, server, point);
        let name = Self::object(vault, &layout::receipt(server, point.sequence, point.hash));
        self.reserve.make_room();
        self.store.create(&name, vec![object.clone()]).await?;
        let mut transaction = self.write_in(Scope::Domain(domain)).await?;
        db::points::mark_receipted(&mut transaction, server, point.hash).await?;
        transaction.commit().await?;
        Ok(object)
    }

    /// Makes the receipts that a crash left unmade; gives how many.
    pub(crate) async fn store_missing_receipts(&self) -> Result<usize, Error> {
        let missing = db::points::without_receipt(&mut *self.database.read().await?).await?;
        for (whose, point) in &missing {
            self.store_receipt(*whose, point).await?;
        }
        Ok(missing.len())
    }
}
