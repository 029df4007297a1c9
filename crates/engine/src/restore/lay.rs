//! Lays entries at the target, in the order of the metadata streams.

use super::flush::Flush;
use super::held::{Kept, metadata_bytes};
use super::links::HardLinks;
use super::position::Position;
use super::select::{Place, Selection};
use super::window::{FilePlan, Window};
use super::{RestoreOutcome, RestoreRequest, same};
use crate::fetch::ChunkFetcher;
use crate::index::ChunkIndex;
use crate::lists::Pieces;
use crate::progress::Advance;
use crate::records::{Item, RecordStream};
use crate::target::{ContentOf, ExistingFile, Judgement, TargetError};
use crate::{EngineError, Tools};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Entry, EntryKind, FileName, Metadata, Piece};
use std::sync::Arc;

/// How much content a window plans, in bytes …
const WINDOW_BYTES: u64 = 4 << 30;
/// … how many files …
const WINDOW_FILES: usize = 1 << 15;
/// … how many pieces of them …
const WINDOW_PIECES: usize = 1 << 18;
/// … and with how much metadata, in bytes.
const WINDOW_METADATA_BYTES: usize = 32 << 20;

/// What all passes keep.
pub(super) struct Layer<'a> {
    pub(super) request: &'a RestoreRequest<'a>,
    pub(super) tools: &'a Tools<'a>,
    index: &'a ChunkIndex,
    flush: Flush,
    pub(super) selection: Selection,
    window: Window,
    /// Files with several names: the first is laid like any file, the others are made when all content is there.
    links: HardLinks,
    outcome: RestoreOutcome,
    warnings_kept: Kept,
    lost_kept: Kept,
    /// Where the last gap was told of: gaps with nothing between them are one.
    last_gap: Option<Vec<u8>>,
}

impl<'a> Layer<'a> {
    pub(super) fn new(
        request: &'a RestoreRequest<'a>,
        tools: &'a Tools<'a>,
        index: &'a ChunkIndex,
        flush: Flush,
    ) -> Self {
        let outcome = RestoreOutcome {
            files: 0,
            bytes: 0,
            moved_bytes: 0,
            warnings: Vec::new(),
            lost: Vec::new(),
            lost_in_all: 0,
            paths_not_found: Vec::new(),
        };
        let selection = Selection::new(request.paths);
        Self {
            request,
            tools,
            index,
            flush,
            selection,
            window: Window::default(),
            links: HardLinks::default(),
            outcome,
            warnings_kept: Kept::default(),
            lost_kept: Kept::default(),
            last_gap: None,
        }
    }

    /// The first pass over one component.
    pub(super) fn lay(
        &mut self,
        records: &mut RecordStream<'_>,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        let mut position = Position::default();
        while let Some(item) = records.next(fetcher)? {
            if self.tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            match item {
                Item::Leave => position.leave(),
                Item::Gap(why) => self.lose_gap(&position, &why),
                Item::Refused(name, why) => self.refuse(&mut position, &name, &why),
                Item::LostFolder(name) => {
                    position.enter(&name);
                    self.make_folder(&position, None)?;
                }
                Item::Entry(entry) if entry.kind == EntryKind::Folder => {
                    position.enter(&entry.name);
                    position.last = position.path();
                    self.make_folder(&position, Some(&entry.metadata))?;
                }
                Item::Entry(entry) => {
                    let (path, place) =
                        position.at(&entry.name, |at| (at.path(), self.selection.place(&at.names)));
                    if place == Place::Inside {
                        self.lay_entry(path, *entry, fetcher)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Makes a folder; of one whose record is lost, nothing is known.
    fn make_folder(&mut self, position: &Position, metadata: Option<&Metadata>) -> Result<(), EngineError> {
        if position.names.is_empty() || self.selection.place(&position.names) == Place::Outside {
            return Ok(());
        }
        let path = position.path();
        let target = self.request.target;
        let made = target
            .make_folder(&path)
            .and_then(|()| metadata.map_or(Ok(()), |metadata| target.begin_folder(&path, metadata)));
        self.or_lost(made, &path).map(|_| ())
    }

    fn lay_entry(
        &mut self,
        path: Vec<u8>,
        entry: Entry,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        if let Some(warning) = self.left(&path, &entry, fetcher)? {
            self.leave(&path, &entry, warning);
            return Ok(());
        }
        let (is_another_name, not_linked) = self.links.meet(&path, &entry);
        self.warn(Vec::from_iter(not_linked));
        if is_another_name {
            return Ok(());
        }
        if matches!(entry.kind, EntryKind::File { .. }) {
            return self.lay_file(FilePlan::new(path, entry), fetcher);
        }
        let made = self.request.target.make_special(&path, &entry);
        match self.or_lost(made, &path)? {
            Some(warnings) => self.warn(warnings),
            None => self.links.lose(&entry, "its first name could not be made"),
        }
        Ok(())
    }

    /// Whether what lies at the target already stays in place of an entry, and with which warning. If that can't be
    /// told, making the entry meets the same obstacle and says so.
    fn left(
        &self,
        path: &[u8],
        entry: &Entry,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<Option<Option<Warning>>, EngineError> {
        let (keys, cancellation) = (self.request.keys, self.tools.cancellation);
        let mut is_same = |which: ContentOf<'_>, existing: &dyn ExistingFile| {
            let content = content_of(entry, which);
            content.is_some_and(|pieces| same::is_same(existing, pieces, keys, fetcher, cancellation))
        };
        match self.request.target.judge(path, entry, &mut is_same) {
            Ok(Judgement::Leave(warning)) => Ok(Some(warning)),
            Err(error) if error.ends_restore() => Err(error.into()),
            Ok(Judgement::Make) | Err(_) => Ok(None),
        }
    }

    /// An entry that is not made.
    fn leave(&mut self, path: &[u8], entry: &Entry, warning: Option<Warning>) {
        let is_same = warning.is_none();
        self.warn(Vec::from_iter(warning));
        let not_linked = self.links.leave(path, entry, is_same);
        self.warn(Vec::from_iter(not_linked));
        if let Some(bytes) = size_of(entry) {
            self.tools.progress.advanced(Advance { files: 1, bytes, moved_bytes: 0 });
        }
    }

    /// Plans a file's pieces, as far as it is not lost already.
    fn lay_file(&mut self, plan: Arc<FilePlan>, fetcher: &mut ChunkFetcher<'_>) -> Result<(), EngineError> {
        let kept = if self.request.target.keeps_streams() { usize::MAX } else { 1 };
        for (stream, (size, content)) in plan.entry.contents().take(kept).enumerate() {
            self.plan_content(&plan, stream as u32, Pieces::of(content, size), fetcher)?;
        }
        self.window.metadata_bytes += plan.path.len() + metadata_bytes(&plan.entry);
        self.window.planned(plan);
        let is_full =
            self.window.files() >= WINDOW_FILES || self.window.metadata_bytes >= WINDOW_METADATA_BYTES;
        if is_full { self.fetch_window() } else { Ok(()) }
    }

    /// Plans the pieces of a file's own content (stream 0), or of its nth stream.
    fn plan_content(
        &mut self,
        plan: &Arc<FilePlan>,
        stream: u32,
        mut pieces: Pieces<'_>,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        let mut offset = 0;
        while !plan.is_lost() {
            if self.tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            let piece = match pieces.next(fetcher) {
                Ok(Some(piece)) => piece,
                Ok(None) => break,
                Err(error) => {
                    plan.lose(&error.damage()?);
                    break;
                }
            };
            if let Piece::Data(chunk) = piece {
                self.window.want(plan, (stream, offset), chunk, self.index)?;
                if self.window.bytes >= WINDOW_BYTES || self.window.pieces() >= WINDOW_PIECES {
                    self.fetch_window()?;
                }
            }
            offset += piece.length();
        }
        Ok(())
    }

    /// Fetches what is planned, and finishes the files that are whole.
    fn fetch_window(&mut self) -> Result<(), EngineError> {
        let window = std::mem::take(&mut self.window);
        let (moved_bytes, done, open) = window.fetch(self.request, self.index, &self.flush, self.tools)?;
        self.outcome.moved_bytes += moved_bytes;
        self.window = open;
        for (plan, finished) in done {
            match finished {
                Ok(warnings) => {
                    self.count(plan.size());
                    self.warn(warnings);
                }
                Err(why) => self.lose_file(&plan, &why),
            }
        }
        Ok(())
    }

    /// After the last component: what is still planned, then the other names of hard-linked files.
    pub(super) fn finish_files(&mut self) -> Result<(), EngineError> {
        self.fetch_window()?;
        for links in std::mem::take(&mut self.links).into_all() {
            if self.tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            for name in &links.others {
                if let Some(why) = &links.lost {
                    self.lose(name, why);
                    continue;
                }
                let made = self.request.target.make_hard_link(&links.first, name);
                if let (Some(()), Some(size)) = (self.or_lost(made, name)?, links.size) {
                    self.count(size);
                }
            }
        }
        Ok(())
    }

    pub(super) fn outcome(self) -> RestoreOutcome {
        RestoreOutcome { paths_not_found: self.selection.not_found(), ..self.outcome }
    }

    /// An entry that cannot be made is lost; a target that is full or fails ends the restore.
    pub(super) fn or_lost<T>(
        &mut self,
        made: Result<T, TargetError>,
        path: &[u8],
    ) -> Result<Option<T>, EngineError> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(error) if error.ends_restore() => Err(error.into()),
            Err(error) => {
                self.lose(path, &error.to_string());
                Ok(None)
            }
        }
    }

    /// A file is lost with all of its names; nothing of it stays at the target.
    fn lose_file(&mut self, plan: &FilePlan, why: &str) {
        self.links.lose(&plan.entry, why);
        let (target, path) = (self.request.target, &plan.path);
        // What was not made here is somebody else's and stays; but not what an interrupted restore left of it, which making
        // it anew takes the place of.
        let is_ours = plan.was_made() || target.make_file(path).is_ok();
        let removed = if is_ours { target.remove_file(path) } else { Ok(()) };
        match removed {
            Ok(()) => self.lose(path, why),
            Err(error) => self.lose(path, &format!("{why}; what is at its place is not it: {error}")),
        }
    }

    /// An entry that this build cannot take for what it is: named, and nothing made of it (of a folder, a plain one).
    fn refuse(&mut self, position: &mut Position, name: &FileName, why: &str) {
        let (path, place) = position.at(name, |at| (at.path(), self.selection.place(&at.names)));
        if place != Place::Outside {
            self.lose_as("entry-refused", &path, format!("It is not restored as it was: {why}"));
        }
    }

    fn lose_gap(&mut self, position: &Position, why: &str) {
        let place = self.selection.place(&position.names);
        if place == Place::Outside || self.last_gap.as_ref() == Some(&position.last) {
            return;
        }
        self.last_gap = Some(position.last.clone());
        let message = format!("An unknown number of entries after this one is lost: {why}");
        self.lose_as("entries-lost", &position.last, message);
    }

    pub(super) fn lose(&mut self, path: &[u8], why: &str) {
        self.lose_as("file-lost", path, format!("It is lost: {why}"));
    }

    fn lose_as(&mut self, code: &str, path: &[u8], message: String) {
        let lost = Warning { code: code.to_owned(), path: absolute(path), message };
        self.tools.progress.warning(&lost);
        self.outcome.lost_in_all += 1;
        self.lost_kept.push(&mut self.outcome.lost, lost);
    }

    pub(super) fn warn(&mut self, warnings: Vec<Warning>) {
        for warning in warnings {
            self.tools.progress.warning(&warning);
            self.warnings_kept.push(&mut self.outcome.warnings, warning);
        }
    }

    fn count(&mut self, bytes: u64) {
        self.outcome.files += 1;
        // Holes cost nothing, so that a few files may have any size together.
        self.outcome.bytes = self.outcome.bytes.saturating_add(bytes);
        self.tools.progress.advanced(Advance { files: 1, bytes, moved_bytes: 0 });
    }
}

pub(super) fn absolute(path: &[u8]) -> Vec<u8> {
    [b"/", path].concat()
}

/// The size of a file, in bytes.
pub(super) fn size_of(entry: &Entry) -> Option<u64> {
    match entry.kind {
        EntryKind::File { size, .. } => Some(size),
        _ => None,
    }
}

/// What an entry holds; `None` if it has no such content.
fn content_of<'e>(entry: &'e Entry, which: ContentOf<'_>) -> Option<Pieces<'e>> {
    match (which, &entry.kind) {
        (ContentOf::File, EntryKind::File { size, content }) => Some(Pieces::of(content, *size)),
        (ContentOf::File, _) => None,
        (ContentOf::Stream(name), _) => {
            entry.metadata.attributes.iter().find_map(|attribute| match attribute {
                Attribute::Stream(stream) if stream.name == name => {
                    Some(Pieces::of(&stream.content, stream.size))
                }
                _ => None,
            })
        }
    }
}
