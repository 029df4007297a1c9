//! Before the first byte is read: session, index, chain, parent.

use super::walk::Unchanged;
use super::{BackupRequest, rebuild};
use crate::cache::packs::{Journaled, PackJournal};
use crate::cache::parent::Parent;
use crate::index::{ChunkIndex, IndexedPack};
use crate::pack_reader::{self, PackError};
use crate::points;
use crate::vault_store::{PacksKnown, PointSummary, SessionRequest, VaultError, VaultSession, packs_digest};
use crate::{EngineError, Tools};
use stateward_crypto::EpochKeys;
use stateward_format::manifest::Warning;
use stateward_format::point::PackReference;
use stateward_model::{JobKind, PackId, Sequence};
use std::collections::HashSet;
use std::sync::Arc;

/// What a backup begins with.
pub(super) struct Prepared {
    pub(super) session: Box<dyn VaultSession>,
    pub(super) index: ChunkIndex,
    pub(super) journal: Arc<PackJournal>,
    pub(super) parent: Option<Parent>,
    /// The point that the new one follows.
    pub(super) head: Option<PointSummary>,
    /// What the chain says that a person must know.
    pub(super) warnings: Vec<Warning>,
}

impl Prepared {
    /// The unchanged rule of this run, if there is a parent.
    pub(super) fn unchanged(&self, request: &BackupRequest<'_>) -> Option<Unchanged> {
        self.parent.as_ref().map(|parent| Unchanged {
            parent_started_at: parent.head.started_at,
            sequence: self.next_sequence(),
            reread_every: request.options.reread_every,
        })
    }

    /// The place of the new point.
    pub(super) fn next_sequence(&self) -> u64 {
        self.head.map_or(1, |head| head.sequence + 1)
    }

    /// Forgets packs that the vault turned out to lack.
    pub(super) fn forget(&mut self, missing: &[PackId], keys: &EpochKeys) -> Result<(), EngineError> {
        let missing: HashSet<_> = missing.iter().copied().collect();
        let packs = self.index.journaled();
        let kept = packs.iter().map(|pack| pack.reference.id).filter(|id| !missing.contains(id)).collect();
        let kept = self.journal.retain(packs, &kept)?;
        self.index = index_of(&self.journal, kept, keys)?;
        Ok(())
    }
}

pub(super) fn prepare(request: &BackupRequest<'_>, tools: &Tools<'_>) -> Result<Prepared, EngineError> {
    let (journal, cached) = PackJournal::open(request.cache)?;
    let journal = Arc::new(journal);
    let session = request.vault.open_session(&SessionRequest {
        kind: JobKind::Backup,
        item: Some(request.item),
        packs_digest: Some(packs_digest(cached.iter().map(|pack| pack.reference.id))),
        on_demand: request.on_demand,
    })?;
    let prepared = prepare_in_session(request, tools, &*session, &journal, cached);
    match prepared {
        Ok(Learned { index, parent, head, warnings }) => {
            Ok(Prepared { session, index, journal, parent, head, warnings })
        }
        Err(error) => {
            let _ = session.close();
            Err(error)
        }
    }
}

/// What the session tells, and what it comes to.
struct Learned {
    index: ChunkIndex,
    parent: Option<Parent>,
    head: Option<PointSummary>,
    warnings: Vec<Warning>,
}

fn prepare_in_session(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    session: &dyn VaultSession,
    journal: &Arc<PackJournal>,
    cached: Vec<Journaled>,
) -> Result<Learned, EngineError> {
    let (head, warnings) = choose_head(request, session.opened().head)?;
    if head.is_some_and(|head| head.sequence == Sequence::MAX) {
        let words = "its newest recovery point has the last number that there is";
        return Err(VaultError::BadAnswer(words.to_owned()).into());
    }
    warnings.iter().for_each(|warning| tools.progress.warning(warning));
    let held = match &session.opened().packs {
        PacksKnown::AsDigested => cached,
        PacksKnown::Listed(listed) => reconcile(request, tools, journal, cached, listed)?,
    };
    let index = index_of(journal, held, request.keys)?;
    let parent = Parent::open(request.cache, request.item);
    let parent = match parent {
        Some(parent) => Some(parent),
        None => rebuild::parent(request, tools, head, &index)?,
    };
    let expected = parent.as_ref().map(|parent| (parent.head.files, parent.head.bytes));
    if let Some((files, bytes)) = expected.or_else(|| request.source.estimate()) {
        tools.progress.expected(files, bytes);
    }
    Ok(Learned { index, parent, head, warnings })
}

/// An index over these packs, as far as these keys open them: those of another epoch or domain stay in the journal, but
/// nothing of them is used again. A table that is not what it was is forgotten, and read from its pack by the next run.
fn index_of(
    journal: &Arc<PackJournal>,
    packs: Vec<Journaled>,
    keys: &EpochKeys,
) -> Result<ChunkIndex, EngineError> {
    let chunks = packs.iter().map(Journaled::about_chunks).sum();
    let index = ChunkIndex::over(Arc::clone(journal), chunks);
    let mut readable = HashSet::new();
    for journaled in &packs {
        match journal.read(journaled) {
            Ok(IndexedPack { contents, .. }) => {
                readable.insert(journaled.reference.id);
                if contents.is_of(keys) {
                    index.add_journaled(&contents, *journaled);
                }
            }
            Err(error) if error.is_damage() => {
                tracing::warn!(%error, "A pack's table in the cache folder is not used");
            }
            Err(error) => return Err(error.into()),
        }
    }
    if readable.len() < packs.len() {
        journal.retain(packs, &readable)?;
    }
    Ok(index)
}

/// Brings the cached tables in line with what the vault says it holds: packs that it no longer has are forgotten before
/// the first look-up, and tables that the cache lacks are read from the packs.
fn reconcile(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    journal: &PackJournal,
    cached: Vec<Journaled>,
    listed: &[PackReference],
) -> Result<Vec<Journaled>, EngineError> {
    let held: HashSet<PackId> = listed.iter().map(|pack| pack.id).collect();
    let mut known = journal.retain(cached, &held)?;
    let cached: HashSet<PackReference> = known.iter().map(|pack| pack.reference).collect();
    for reference in listed.iter().filter(|reference| !cached.contains(reference)) {
        if tools.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        match pack_reader::read_contents(request.vault, request.keys, *reference) {
            Ok(contents) => known.push(journal.append(&IndexedPack { reference: *reference, contents })?),
            Err(PackError::Vault(error)) if error.damage().is_none() => return Err(error.into()),
            // Of another epoch, damaged or withheld: nothing of it is used again, so what it held is stored anew.
            Err(error) => tracing::warn!(%error, "A pack's table is not used"),
        }
    }
    Ok(known)
}

/// Which point the new one follows, and what of the chain a person must know.
///
/// The vault's newest point must be this home's own. If it is not, the vault has lost or hidden what it had taken, and the
/// chain goes on from what it shows; or another agent signs as this server (a copy of the home, or the home was itself put
/// back from an older copy): then each goes on from its own newest point, on a branch of its own, and neither touches what
/// is the other's. The backup goes on in either case, so that the server stays protected.
fn choose_head(
    request: &BackupRequest<'_>,
    newest: Option<PointSummary>,
) -> Result<(Option<PointSummary>, Vec<Warning>), EngineError> {
    let own = match request.pinned_head {
        Some(own) if newest != Some(own) => own,
        _ => return Ok((newest, Vec::new())),
    };
    let told =
        |code: &str, message: String| vec![Warning { code: code.to_owned(), path: Vec::new(), message }];
    let place = format!("{} (number {})", own.hash, own.sequence);
    if !points::is_shown(request.vault, request.trust, own)? {
        let message = format!(
            "The vault no longer shows recovery point {place}, which it had acknowledged: it was rolled back, or shows \
             another history"
        );
        return Ok((newest, told("vault-rolled-back", message)));
    }
    if let Some(told_of) = newest
        && !points::is_shown(request.vault, request.trust, told_of)?
    {
        let message = format!(
            "The vault tells of {} (number {}) as the newest recovery point, and has none of this server's at that place; \
             the chain goes on from {place}",
            told_of.hash, told_of.sequence
        );
        return Ok((Some(own), told("point-missing", message)));
    }
    // An older point of one's own chain can't be the newest of anybody.
    let is_older = match newest {
        Some(newest) => points::follows(request.vault, request.trust, newest, Some(own))?,
        None => true,
    };
    if is_older {
        let message =
            format!("The vault shows recovery point {place}, but tells of an older one as the newest");
        return Ok((Some(own), told("vault-rolled-back", message)));
    }
    let message = format!(
        "Another agent has made recovery points as this server since this home made {place}: the home was copied or put \
         back from an older copy. This one goes on from its own, on a branch of its own"
    );
    Ok((Some(own), told("chain-forked", message)))
}
