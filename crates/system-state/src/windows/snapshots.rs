//! Snapshots of all drives that are about to be read, made at once by VSS. One that can't be made costs the backup its moment, not the
//! backup.

use super::moments::{self, Moments, Reading, shown, volume_of};
use crate::server_backup::wbadmin::failure::Failure as Known;
use crate::snapshots::{HeldSnapshots, SnapshotLedger, SnapshotWish};
use crate::source_moment::no_snapshot;
use stateward_format::manifest::Precheck;
use stateward_model::Timestamp;
use stateward_windows::volume::is_remote;
use stateward_windows::volume_snapshots::{Cause, FailedWriter, Failure, VolumeSnapshots, prepare};
use stateward_windows::volumes;
use std::collections::BTreeMap;
use std::path::Path;

/// `VSS_E_VOLUME_NOT_SUPPORTED`, and the same of one provider.
const NOT_SUPPORTED: [u32; 2] = [0x8004_230c, 0x8004_230e];

/// `VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED`.
const TOO_MANY: u32 = 0x8004_2317;

/// `E_NOTIMPL`, which Windows never says and what stands for it does.
const NOT_BUILT: u32 = 0x8000_4001;

/// Makes a snapshot of each of these drives that can have one.
pub(super) fn freeze<'a>(
    drives: &[u8],
    wish: &SnapshotWish<'_>,
    ledger: &'a dyn SnapshotLedger,
) -> (Moments, HeldSnapshots<'a>) {
    let mut readings = BTreeMap::new();
    let volumes = find_volumes(drives, &mut readings);
    let (set, at) = make(&volumes, wish, &mut readings);
    let roots = set.iter().flat_map(|set| &set.roots);
    for (volume, root) in roots {
        for drive in volumes.iter().filter(|(_, id)| *id == volume).map(|(drive, _)| *drive) {
            readings.insert(drive, reading(root, at));
        }
    }
    let mut problems: Vec<Precheck> = readings.iter().filter_map(problem).collect();
    problems.extend(set.iter().filter_map(|set| failed_writers(&set.writers)));
    (Moments::of(readings), HeldSnapshots::of_set(ledger, set, problems))
}

/// A snapshot that can't be opened must not seem to be a drive on which nothing is left.
fn reading(root: &Path, at: Timestamp) -> Reading {
    match moments::open(root) {
        Ok(()) => Reading::Snapshot { root: root.to_owned(), at },
        Err(cause) => Reading::Live(format!("its snapshot can't be opened: {cause}")),
    }
}

/// That a drive never has a snapshot is for the recovery point to tell: a warning that comes with each backup is soon read by nobody.
fn problem((drive, reading): (&u8, &Reading)) -> Option<Precheck> {
    match reading {
        Reading::Live(why) => Some(no_snapshot(&shown(*drive), why)),
        Reading::Snapshot { .. } | Reading::Always(_) => None,
    }
}

/// The volumes of drives by their ids. What is none is read live.
fn find_volumes(drives: &[u8], readings: &mut BTreeMap<u8, Reading>) -> BTreeMap<u8, String> {
    let listed = volumes::list();
    let mut found = BTreeMap::new();
    for drive in drives {
        let volume = listed.as_ref().map(|all| volume_of(all, *drive));
        let reading = match volume {
            Ok(Some(volume)) => {
                found.insert(*drive, volume.id.clone());
                continue;
            }
            Ok(None) if is_remote(&shown(*drive)) => {
                Reading::Always("it is a drive of the network".to_owned())
            }
            Ok(None) => {
                Reading::Always("it is no volume of its own, but stands for a folder or a device".to_owned())
            }
            Err(cause) => Reading::Live(format!("it can't be told which volume it is: {cause}")),
        };
        readings.insert(*drive, reading);
    }
    found
}

/// Has VSS make snapshots of volumes, all in one set; the moment is one before which nothing in them was written later.
fn make(
    volumes: &BTreeMap<u8, String>,
    wish: &SnapshotWish<'_>,
    readings: &mut BTreeMap<u8, Reading>,
) -> (Option<VolumeSnapshots>, Timestamp) {
    let mut ids: Vec<String> = volumes.values().cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return (None, wish.clock.now());
    }
    let mut refuse = |id: &String, failure: &Failure| {
        for drive in volumes.iter().filter(|(_, volume)| *volume == id).map(|(drive, _)| *drive) {
            readings.insert(drive, live(failure));
        }
    };
    let is_stopped = || wish.cancellation.is_cancelled();
    let (prepared, refused) = prepare(ids, &is_stopped);
    refused.iter().for_each(|(id, failure)| refuse(id, failure));
    // What is written from now on may be in them or not: for the rule of what is unchanged it counts as later.
    let at = wish.clock.now();
    let Some(prepared) = prepared else { return (None, at) };
    let ids = prepared.volumes().to_vec();
    match prepared.make(&is_stopped) {
        Ok(set) => (Some(set), at),
        Err(failure) => {
            ids.iter().for_each(|id| refuse(id, &failure));
            (None, at)
        }
    }
}

/// A drive that is read live, because of that.
fn live(failure: &Failure) -> Reading {
    let never_has_one = matches!(failure.cause, Cause::Code(code) if NOT_SUPPORTED.contains(&code));
    if never_has_one { Reading::Always(why(failure)) } else { Reading::Live(why(failure)) }
}

/// Why, and what helps. What Windows Server Backup fails by is the same VSS, so its codes are known there; where its words speak of its
/// own, these speak of the snapshot.
fn why(failure: &Failure) -> String {
    let Cause::Code(code) = failure.cause else { return failure.to_string() };
    let known = Known::of_code(code);
    let (cause, remedy) = match known {
        _ if NOT_SUPPORTED.contains(&code) => {
            ("Windows makes none of such a volume", "files that stay open can't be read there")
        }
        _ if code == TOO_MANY => (
            "It has as many as it may have",
            "see `vssadmin list shadows`, and remove old ones with `vssadmin delete shadows`",
        ),
        _ if code == NOT_BUILT => ("VSS isn't built here", "this is no Windows"),
        Known::Busy => ("Another program makes one just now", "give backups different times"),
        Known::ShadowSpace => (
            "There is no room for it",
            "make room on the volume, or raise the limit with `vssadmin resize shadowstorage`",
        ),
        Known::Denied => (
            "VSS doesn't let this user make one",
            "run the backup as an administrator or as the service, and give SYSTEM full control of `System Volume Information`",
        ),
        Known::WriterTransient | Known::WriterFailed | Known::ServiceDown | Known::ShadowCopy => {
            (known.cause(), known.remedy())
        }
        _ => ("VSS fails", Known::ShadowCopy.remedy()),
    };
    format!("{cause} ({failure}): {remedy}")
}

/// A writer that did not do its part leaves its own files as a power cut would. Those of all others are as they should be.
fn failed_writers(writers: &Result<Vec<FailedWriter>, Failure>) -> Option<Precheck> {
    let message = match writers {
        Ok(failed) if failed.is_empty() => return None,
        Ok(failed) => {
            let name = |writer: &FailedWriter| match writer.code {
                0 => format!("`{}`", writer.name),
                code => format!("`{}` ({code:#010x})", writer.name),
            };
            let names: Vec<String> = failed.iter().map(name).collect();
            format!(
                "These writers failed when the snapshot was made, so their files are as after a power cut: {}",
                names.join(", ")
            )
        }
        Err(failure) => {
            format!("It can't be told which writers failed when the snapshot was made: {failure}")
        }
    };
    Some(super::warn("writers", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_cause_a_code_and_a_remedy() {
        for (code, words) in [
            (0x8004_230c, "none of such a volume"),
            (0x8004_2317, "as many as it may have"),
            (0x8000_4001, "isn't built here"),
            (0x8004_2316, "Another program"),
            (0x8004_231f, "shadowstorage"),
            (0x8007_0005, "administrator"),
            (0x8004_2314, "did not answer in time"),
            (0x8004_23f4, "will fail again"),
            (0x8004_0154, "aren't disabled"),
            (0x8004_2306, "The shadow copy failed"),
            (0x8765_4321, "VSS fails"),
        ] {
            let said = why(&Failure { step: "DoSnapshotSet", cause: Cause::Code(code) });
            assert!(
                said.contains(words) && said.contains(&format!("`DoSnapshotSet` answers {code:#010x}")),
                "{said}"
            );
            assert!(!said.ends_with('.') && !said.contains("Windows Server Backup"), "{said}");
        }
        let of = |code| live(&Failure { step: "AddToSnapshotSet", cause: Cause::Code(code) });
        assert!(matches!(of(0x8004_230c), Reading::Always(_)) && matches!(of(0x8004_231f), Reading::Live(_)));
        let late = Failure { step: "DoSnapshotSet", cause: Cause::TimedOut };
        assert_eq!(why(&late), "`DoSnapshotSet` takes too long");
    }

    #[test]
    fn writers_that_failed_are_named_with_their_codes() {
        assert_eq!(failed_writers(&Ok(Vec::new())), None);
        let writer = |name: &str, code| FailedWriter { name: name.to_owned(), code };
        let said = failed_writers(&Ok(vec![writer("A", 0x8004_23f2), writer("B", 0)])).unwrap();
        assert_eq!((said.code.as_str(), said.outcome), ("writers", 1));
        assert!(said.message.ends_with("`A` (0x800423f2), `B`"), "{said:?}");
        let failure = Failure { step: "GatherWriterStatus", cause: Cause::Code(0x8004_2301) };
        assert!(failed_writers(&Err(failure)).unwrap().message.contains("0x80042301"));
    }
}
