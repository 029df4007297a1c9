//! A session of a vault in memory: packs come in, and a recovery point is committed.

use super::{LEASE_SECONDS, MemoryVault, State};
use crate::fault_plan::Call;
use crate::lock;
use stateward_crypto::verify_signature;
use stateward_engine::{Buffer, OpenedSession, PointSummary, VaultError, VaultSession};
use stateward_format::point::{self, Point};
use stateward_format::receipt::{self, Receipt};
use stateward_format::{FormatError, layout};
use stateward_model::{PackId, PointHash};

pub(super) fn pack_id(bytes: &[u8]) -> PackId {
    PackId(*blake3::hash(bytes).as_bytes())
}

pub(super) fn refused(what: &str, error: &FormatError) -> VaultError {
    VaultError::Failed(format!("The {what} is refused: {error}"))
}

/// An open session; let go of, it lives on for its lease.
pub(super) struct MemorySession {
    pub vault: MemoryVault,
    pub opened: OpenedSession,
}

impl VaultSession for MemorySession {
    fn opened(&self) -> &OpenedSession {
        &self.opened
    }

    fn put_pack(&self, id: PackId, bytes: Buffer) -> Result<(), VaultError> {
        let is_right = pack_id(&bytes) == id;
        let name = layout::pack(id);
        self.vault.call(Call::PutPack, name.clone(), bytes.len() as u64, |state| {
            state.check_session(self.opened.id)?;
            if !is_right {
                return Err(VaultError::Failed("The pack does not have the hash that names it".into()));
            }
            state.objects.insert(name, bytes.to_vec());
            Ok(())
        })
    }

    fn commit(&self, object: &[u8]) -> Result<Vec<u8>, VaultError> {
        let vault = &self.vault;
        let hash = point::hash(object);
        let name = format!("points/{}/{hash}", vault.server);
        vault.call(Call::Commit, name, object.len() as u64, |state| {
            state.check_session(self.opened.id)?;
            let (point, unsigned) =
                point::decode(object).map_err(|error| refused("recovery point", &error))?;
            vault.check_point(&point, unsigned)?;
            vault.commit(state, &point, hash, object)
        })
    }

    fn close(&self) -> Result<(), VaultError> {
        self.vault.call(Call::Close, String::new(), 0, |state| {
            state.check_session(self.opened.id)?;
            state.session = None;
            Ok(())
        })
    }
}

impl Drop for MemorySession {
    fn drop(&mut self) {
        let ends_at = self.vault.clock.now().plus_seconds(LEASE_SECONDS);
        let mut state = lock(&self.vault.state);
        if let Some(open) = state.session.as_mut().filter(|open| open.id == self.opened.id) {
            open.ends_at = Some(ends_at);
        }
    }
}

impl MemoryVault {
    fn check_point(&self, point: &Point, unsigned: &[u8]) -> Result<(), VaultError> {
        if (point.header.vault, point.header.server) != (self.vault, self.server) {
            return Err(VaultError::Failed("The recovery point is another vault's or server's".into()));
        }
        verify_signature(&self.server_public_key, &point::signed_message(unsigned), &point.signature)
            .map_err(|error| VaultError::Failed(format!("The recovery point is refused: {error}")))
    }

    fn commit(
        &self,
        state: &mut State,
        point: &Point,
        hash: PointHash,
        object: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let header = &point.header;
        let receipt_name = layout::receipt(self.server, header.sequence, hash);
        if let Some(receipt) = state.objects.get(&receipt_name) {
            return Ok(receipt.clone());
        }
        // Any point that is there may be followed: another than the newest begins a branch.
        let follows = match header.previous {
            None => state.points.is_empty() && header.sequence == 1,
            Some(hash) => {
                state.points.iter().any(|point| (point.sequence + 1, point.hash) == (header.sequence, hash))
            }
        };
        if !follows {
            return Err(VaultError::WrongHead);
        }
        let missing: Vec<PackId> = header
            .packs
            .iter()
            .filter(|pack| {
                state.objects.get(&layout::pack(pack.id)).map(Vec::len) != Some(pack.length as usize)
            })
            .map(|pack| pack.id)
            .collect();
        if !missing.is_empty() {
            return Err(VaultError::PacksMissing(missing));
        }
        let receipt = self.receipt_for(header.sequence, hash);
        state.objects.insert(layout::point(self.server, header.sequence, hash), object.to_vec());
        state.objects.insert(receipt_name, receipt.clone());
        state.points.push(PointSummary { sequence: header.sequence, hash });
        Ok(receipt)
    }

    fn receipt_for(&self, sequence: u64, point: PointHash) -> Vec<u8> {
        let unsigned = receipt::encode_unsigned(&Receipt {
            vault: self.vault,
            server: self.server,
            sequence,
            point,
            received_at: self.clock.now(),
        });
        let signature = self.signing_key.sign(&unsigned);
        receipt::finish(unsigned, signature)
    }
}
