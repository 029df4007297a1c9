//! The recovery point itself: manifest, signature, commit, receipt, and the next run's parent.

use super::assemble::Assembled;
use super::prepare::Prepared;
use super::{BackupOutcome, BackupRequest};
use crate::cache::parent::ParentWriter;
use crate::vault_store::{PointSummary, VaultError};
use crate::{EngineError, Tools};
use stateward_crypto::verify_signature;
use stateward_format::manifest::{self, Manifest, PRECHECKS_MAX, Precheck, Warning};
use stateward_format::point::{self, PointHeader};
use stateward_format::receipt;
use stateward_model::Timestamp;

/// How many warnings a recovery point keeps …
const WARNINGS_MAX: usize = 10_000;
const _: () = assert!(WARNINGS_MAX < manifest::WARNINGS_MAX);
/// … and how many bytes of them: a point's object has a longest length, and a path may be a megabyte long.
const WARNINGS_BYTES_MAX: usize = 8 << 20;

/// What a pass made.
pub(super) struct Made {
    pub(super) assembled: Assembled,
    pub(super) parent_writer: ParentWriter,
    pub(super) started_at: Timestamp,
    pub(super) uploaded_bytes: u64,
}

pub(super) fn commit(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    prepared: &Prepared,
    made: Made,
) -> Result<BackupOutcome, EngineError> {
    request.source.still_there()?;
    let Assembled { components, mut warnings, unchanged_files } = made.assembled;
    warnings.splice(0..0, prepared.warnings.iter().cloned());
    let description = request.source.description();
    let manifest = Manifest {
        item_label: request.item_label.clone(),
        kind: request.kind,
        names: description.names,
        domain: request.keys.domain(),
        host_name: description.host_name,
        operating_system: description.operating_system,
        made_by: request.made_by.to_owned(),
        started_at: made.started_at,
        finished_at: tools.clock.now(),
        components,
        warnings: bounded(&warnings),
        prechecks: bounded_prechecks([request.prechecks.clone(), request.source.remarks()].concat()),
    };
    let header = header(request, prepared, made.started_at);
    let object = seal(request, tools, &header, &manifest);
    let summary = PointSummary { sequence: header.sequence, hash: point::hash(&object) };
    if tools.progress.offering(summary).is_break() {
        return Err(EngineError::Cancelled);
    }
    let receipt = prepared.session.commit(&object)?;
    let received_at = check_receipt(request, summary, &receipt)?;
    let files = manifest.components.iter().map(|component| component.files).sum();
    let bytes = manifest.components.iter().map(|component| component.bytes).sum();
    // The point is committed: that the cache could not keep up only makes the next run slower.
    if let Err(error) = made.parent_writer.finish(summary, made.started_at, files, bytes) {
        tracing::warn!(%error, "The cached parent could not be renewed");
    }
    Ok(BackupOutcome {
        point: summary,
        received_at,
        files,
        bytes,
        uploaded_bytes: made.uploaded_bytes,
        unchanged_files,
        components: manifest.components,
        warnings,
    })
}

/// As many warnings as a recovery point keeps; the number of the others is the last one. (The job tells them all.)
fn bounded(warnings: &[Warning]) -> Vec<Warning> {
    let mut bytes = 0;
    let fits = |warning: &&Warning| {
        bytes += warning.code.len() + warning.path.len() + warning.message.len();
        bytes <= WARNINGS_BYTES_MAX
    };
    let mut kept: Vec<_> = warnings.iter().take(WARNINGS_MAX).take_while(fits).cloned().collect();
    if kept.len() < warnings.len() {
        kept.push(Warning {
            code: "more-warnings".to_owned(),
            path: Vec::new(),
            message: format!(
                "{} more warnings are not kept here; the job's log has them",
                warnings.len() - kept.len()
            ),
        });
    }
    kept
}

/// As many prechecks as a recovery point holds; the last one says how many are left out, and the worst of their outcomes.
fn bounded_prechecks(mut prechecks: Vec<Precheck>) -> Vec<Precheck> {
    if prechecks.len() > PRECHECKS_MAX {
        let left_out = prechecks.split_off(PRECHECKS_MAX - 1);
        prechecks.push(Precheck {
            code: "more-prechecks".to_owned(),
            outcome: left_out.iter().map(|check| check.outcome).max().unwrap_or_default(),
            message: format!(
                "{} more prechecks are not kept here; the outcome is the worst of theirs",
                left_out.len()
            ),
        });
    }
    prechecks
}

fn header(request: &BackupRequest<'_>, prepared: &Prepared, started_at: Timestamp) -> PointHeader {
    let mut slots = request.slots.to_vec();
    slots.sort_unstable();
    slots.dedup();
    PointHeader {
        vault: request.trust.vault,
        server: request.trust.server,
        item: request.item,
        kind: request.kind,
        sequence: prepared.next_sequence(),
        previous: prepared.head.map(|head| head.hash),
        epoch: request.keys.epoch(),
        agent_time: started_at,
        slots,
        packs: prepared.index.used_packs(),
    }
}

fn seal(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    header: &PointHeader,
    manifest: &Manifest,
) -> Vec<u8> {
    let header_bytes = point::encode_header(header);
    let sealed = request.keys.seal_manifest(tools.random, &header_bytes, &manifest.encode());
    let unsigned = point::encode_unsigned(header, &sealed);
    let signature = request.signing_key.sign(&point::signed_message(&unsigned));
    point::finish(unsigned, signature)
}

/// The receipt must be the vault's, and for this point.
fn check_receipt(
    request: &BackupRequest<'_>,
    summary: PointSummary,
    object: &[u8],
) -> Result<Timestamp, EngineError> {
    let bad = |why: &str| EngineError::Vault(VaultError::BadAnswer(format!("the receipt {why}")));
    let (receipt, signed, signature) = receipt::decode(object).map_err(|_| bad("is malformed"))?;
    let is_ours = (receipt.vault, receipt.server) == (request.trust.vault, request.trust.server)
        && (receipt.sequence, receipt.point) == (summary.sequence, summary.hash);
    if !is_ours {
        return Err(bad("is for another recovery point"));
    }
    if let Some(key) = &request.trust.vault_public_key {
        verify_signature(key, signed, &signature).map_err(|_| bad("was not signed by this vault"))?;
    }
    Ok(receipt.received_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_warnings_are_counted_and_not_dropped_in_silence() {
        let one = Warning { code: "unreadable".to_owned(), path: b"/a".to_vec(), message: "No".to_owned() };
        assert_eq!(bounded(&vec![one.clone(); WARNINGS_MAX]).len(), WARNINGS_MAX);
        let kept = bounded(&vec![one; WARNINGS_MAX + 5]);
        assert_eq!(kept.len(), WARNINGS_MAX + 1);
        assert!(kept[WARNINGS_MAX].message.starts_with("5 more"));
    }

    #[test]
    fn too_many_prechecks_are_counted_and_the_worst_of_them_is_told() {
        let one = |outcome| Precheck { code: "space".to_owned(), outcome, message: "No".to_owned() };
        let most = vec![one(0); PRECHECKS_MAX];
        assert_eq!(bounded_prechecks(most.clone()), most);
        let kept = bounded_prechecks([most, vec![one(2), one(1), one(0)]].concat());
        assert_eq!(kept.len(), PRECHECKS_MAX);
        let last = &kept[PRECHECKS_MAX - 1];
        assert!((last.outcome, last.message.starts_with("4 more")) == (2, true), "{last:?}");
    }

    #[test]
    fn warnings_of_very_long_paths_leave_room_for_the_recovery_point() {
        let path = vec![b'd'; 1 << 20];
        let one = Warning { code: "too-deep".to_owned(), path, message: "No".to_owned() };
        let kept = bounded(&vec![one; 100]);
        assert_eq!(kept.len(), 7 + 1);
        assert!(kept[7].message.starts_with("93 more"));
    }
}
