//! The entries of recovery points: does each file still have all of its chunks?
//!
//! Gone through for each point are only the segments in which something is lost ([`super::segments`]).

use super::chain::problem;
use super::packs::Proof;
use super::{VerifyRequest, segments};
use crate::fetch::{Catalogue, ChunkFetcher};
use crate::index::ChunkIndex;
use crate::lists::Pieces;
use crate::points::TrustedPoint;
use crate::records::{Item, RecordStream};
use crate::{EngineError, Tools};
use stateward_format::manifest::Warning;
use stateward_format::point::PackReference;
use stateward_format::{ChunkReference, Entry, EntryKind, FileName, Piece};
use std::collections::HashSet;

/// Goes through the entries of all points and names what is affected.
pub(super) fn check(
    request: &VerifyRequest<'_>,
    points: &[TrustedPoint],
    needed: &[PackReference],
    proof: &mut Proof,
    problems: &mut Vec<Warning>,
    tools: &Tools<'_>,
) -> Result<(), EngineError> {
    let index = index_of(request, needed, proof, problems, tools)?;
    let doubtful = segments::doubtful(request, points, &index, proof, tools)?;
    for point in points {
        let mut check = Check { request, point, proof, index: &index, problems, tools };
        check.point(doubtful.as_ref())?;
    }
    Ok(())
}

/// All packs that can be read: those that were, and the others by their tables.
fn index_of(
    request: &VerifyRequest<'_>,
    needed: &[PackReference],
    proof: &mut Proof,
    problems: &mut Vec<Warning>,
    tools: &Tools<'_>,
) -> Result<ChunkIndex, EngineError> {
    let mut catalogue = Catalogue::of(std::mem::take(&mut proof.index));
    for pack in needed {
        if tools.cancellation.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        if !proof.read.contains(&pack.id) && !proof.lost.contains(&pack.id) {
            catalogue.learn(request.vault, request.keys, *pack)?;
        }
    }
    for (pack, why) in &catalogue.unreadable {
        problems.push(problem("pack-damaged", format!("Pack {} can't be read: {why}", pack.id)));
    }
    Ok(catalogue.index)
}

struct Check<'a> {
    request: &'a VerifyRequest<'a>,
    point: &'a TrustedPoint,
    proof: &'a Proof,
    index: &'a ChunkIndex,
    problems: &'a mut Vec<Warning>,
    tools: &'a Tools<'a>,
}

impl Check<'_> {
    fn point(&mut self, doubtful: Option<&HashSet<ChunkReference>>) -> Result<(), EngineError> {
        let mut fetcher = ChunkFetcher::new(self.request.vault, self.request.keys, self.index);
        for component in &self.point.manifest.components {
            let mut records = RecordStream::open(&component.stream).only(doubtful);
            let mut names: Vec<FileName> = Vec::new();
            while let Some(item) = records.next(&mut fetcher)? {
                if self.tools.cancellation.is_cancelled() {
                    return Err(EngineError::Cancelled);
                }
                match item {
                    Item::Leave => {
                        names.pop();
                    }
                    Item::LostFolder(name) => names.push(name),
                    Item::Gap(why) => {
                        let message = format!("an unknown number of entries is lost below it: {why}");
                        self.lost("entries-lost", &names, &message);
                    }
                    Item::Refused(name, why) => {
                        names.push(name);
                        self.lost("entry-refused", &names, &why);
                        names.pop();
                    }
                    Item::Entry(entry) => {
                        names.push(entry.name.clone());
                        self.entry(&entry, &names, &mut fetcher)?;
                        if entry.kind != EntryKind::Folder {
                            names.pop();
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        entry: &Entry,
        names: &[FileName],
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        for (size, content) in entry.contents() {
            let mut pieces = Pieces::of(content, size);
            let (mut count, mut lost) = (0u64, 0u64);
            let why = loop {
                if self.tools.cancellation.is_cancelled() {
                    return Err(EngineError::Cancelled);
                }
                match pieces.next(fetcher) {
                    Err(error) => break Some(error.damage()?),
                    Ok(None) if lost > 0 => {
                        break Some(format!("{lost} of its {count} pieces are in damaged or missing packs"));
                    }
                    Ok(None) => break None,
                    Ok(Some(Piece::Data(chunk))) => lost += u64::from(!self.proof.holds(chunk, self.index)?),
                    Ok(Some(Piece::Hole(_))) => {}
                }
                count += 1;
            };
            if let Some(why) = why {
                self.lost("file-lost", names, &why);
            }
        }
        Ok(())
    }

    fn lost(&mut self, code: &str, names: &[FileName], why: &str) {
        let names: Vec<_> = names.iter().skip(1).map(FileName::as_bytes).collect();
        let path = [b"/", names.join(&b'/').as_slice()].concat();
        let message = format!("In recovery point {}: {why}", self.point.summary.hash);
        self.problems.push(Warning { code: code.to_owned(), path, message });
    }
}
