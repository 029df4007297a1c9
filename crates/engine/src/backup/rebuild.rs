//! A lost parent, made again from the newest recovery point of the item.
//!
//! What cannot be read of it is left out: it then counts as changed.

use super::BackupRequest;
use crate::cache::parent::{Parent, ParentWriter};
use crate::fetch::ChunkFetcher;
use crate::index::ChunkIndex;
use crate::points::{self, TrustedPoint};
use crate::records::{Item, RecordStream, list_of};
use crate::vault_store::PointSummary;
use crate::{EngineError, Tools};
use stateward_format::manifest::Component;
use stateward_format::wire::Writer;
use stateward_format::{EntryKind, Record};

/// How many recovery points are looked at, from the newest on, for one of the item.
const POINTS_LOOKED_AT: usize = 64;

pub(super) fn parent(
    request: &BackupRequest<'_>,
    tools: &Tools<'_>,
    head: Option<PointSummary>,
    index: &ChunkIndex,
) -> Result<Option<Parent>, EngineError> {
    let Some(point) = newest_of_item(request, head)? else { return Ok(None) };
    let mut fetcher = ChunkFetcher::new(request.vault, request.keys, index);
    let mut writer = ParentWriter::begin(request.cache, request.item)?;
    for component in &point.manifest.components {
        write_component(component, &mut fetcher, &mut writer, tools)?;
    }
    let components = &point.manifest.components;
    let files = components.iter().map(|component| component.files).sum();
    let bytes = components.iter().map(|component| component.bytes).sum();
    writer.finish(point.summary, point.manifest.started_at, files, bytes)?;
    Ok(Parent::open(request.cache, request.item))
}

fn newest_of_item(
    request: &BackupRequest<'_>,
    head: Option<PointSummary>,
) -> Result<Option<TrustedPoint>, EngineError> {
    let mut next = head;
    for _ in 0..POINTS_LOOKED_AT {
        let Some(summary) = next else { return Ok(None) };
        let header = match points::open_header(request.vault, request.trust, summary) {
            Ok(header) => header,
            Err(error) => return no_parent(error),
        };
        if header.item == request.item && header.epoch == request.keys.epoch() {
            let keys = std::slice::from_ref(request.keys);
            return match points::open_point(request.vault, request.trust, keys, summary) {
                Ok(point) => Ok(Some(point)),
                Err(error) => no_parent(error),
            };
        }
        next = header.previous.map(|hash| PointSummary { sequence: header.sequence - 1, hash });
    }
    Ok(None)
}

/// A point that is gone (its retention may have ended), damaged or sealed by others' keys only means that there is no
/// parent: to tell of it is verify's.
fn no_parent(error: EngineError) -> Result<Option<TrustedPoint>, EngineError> {
    match error {
        EngineError::Point(_) => Ok(None),
        EngineError::Vault(error) if error.damage().is_some() => Ok(None),
        error => Err(error),
    }
}

fn write_component(
    component: &Component,
    fetcher: &mut ChunkFetcher<'_>,
    writer: &mut ParentWriter,
    tools: &Tools<'_>,
) -> Result<(), EngineError> {
    writer.begin_component(&component.name)?;
    let mut records = RecordStream::open(fetcher, &component.stream)?;
    while let Some(item) = records.next(fetcher)? {
        if tools.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let (record, list) = match item {
            Item::Leave => (Record::Leave, None),
            // The walk finds it as if it were new.
            Item::Refused(..) => continue,
            // After a gap the order of folders is no longer certain: the parent ends here.
            Item::Gap(_) | Item::LostFolder(_) => break,
            Item::Entry(entry) => {
                let list = match &entry.kind {
                    EntryKind::File { content, .. } => match list_of(fetcher, content) {
                        Ok(list) => list,
                        Err(error) => {
                            error.damage()?;
                            break;
                        }
                    },
                    _ => None,
                };
                (Record::Entry(entry), list)
            }
        };
        let mut bytes = Writer::default();
        if record.encode(&mut bytes).is_err() {
            break;
        }
        writer.add(&bytes.0, list.as_deref())?;
    }
    Ok(writer.end_component()?)
}
