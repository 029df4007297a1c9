//! Lays entries at the target, in the order of the metadata streams.

use super::select::{Place, Selection};
use super::window::{FilePlan, Window};
use super::{RestoreOutcome, RestoreRequest};
use crate::fetch::ChunkFetcher;
use crate::index::ChunkIndex;
use crate::progress::Advance;
use crate::records::{Item, RecordStream, pieces_of};
use crate::target::TargetError;
use crate::{EngineError, Tools};
use stateward_format::manifest::Warning;
use stateward_format::{Entry, EntryKind, FileName, Piece};
use std::collections::HashMap;

/// How much content a window plans, in bytes …
const WINDOW_BYTES: u64 = 1 << 30;
/// … and how many files.
const WINDOW_FILES: usize = 1 << 15;

/// A hard-linked file's identity within the item.
type LinkId = (u64, u64);

/// What all passes keep.
pub(super) struct Layer<'a> {
    request: &'a RestoreRequest<'a>,
    tools: &'a Tools<'a>,
    index: &'a ChunkIndex,
    selection: Selection,
    window: Window,
    /// The first name of each hard-linked file, and the others that were made.
    links: HashMap<LinkId, Vec<Vec<u8>>>,
    outcome: RestoreOutcome,
}

/// Where a pass is in the tree: the names of the open folders, below the topmost.
#[derive(Default)]
struct Position {
    names: Vec<FileName>,
    is_in_root: bool,
    last: Vec<u8>,
}

impl Position {
    /// The path of a name in the folder that is open; empty for the topmost folder itself.
    fn path(&self) -> Vec<u8> {
        let names: Vec<_> = self.names.iter().map(FileName::as_bytes).collect();
        names.join(&b'/')
    }

    fn enter(&mut self, name: &FileName) {
        match self.is_in_root {
            true => self.names.push(name.clone()),
            false => self.is_in_root = true,
        }
    }

    fn leave(&mut self) {
        if self.names.pop().is_none() {
            self.is_in_root = false;
        }
    }

    /// Calls `with` while `name` is open, as a file is.
    fn at<T>(&mut self, name: &FileName, with: impl FnOnce(&Self) -> T) -> T {
        self.enter(name);
        let done = with(self);
        self.last = self.path();
        self.leave();
        done
    }
}

impl<'a> Layer<'a> {
    pub(super) fn new(request: &'a RestoreRequest<'a>, tools: &'a Tools<'a>, index: &'a ChunkIndex) -> Self {
        let outcome =
            RestoreOutcome { files: 0, bytes: 0, moved_bytes: 0, warnings: Vec::new(), lost: Vec::new() };
        let selection = Selection::new(request.paths);
        Self { request, tools, index, selection, window: Window::default(), links: HashMap::new(), outcome }
    }

    /// The first pass over one component.
    pub(super) fn lay(
        &mut self,
        records: &mut RecordStream,
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
                Item::LostFolder(name) => {
                    position.enter(&name);
                    self.make_folder(&position)?;
                }
                Item::Entry(entry) if entry.kind == EntryKind::Folder => {
                    position.enter(&entry.name);
                    position.last = position.path();
                    self.make_folder(&position)?;
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

    fn make_folder(&mut self, position: &Position) -> Result<(), EngineError> {
        if position.names.is_empty() || self.selection.place(&position.names) == Place::Outside {
            return Ok(());
        }
        let path = position.path();
        let made = self.request.target.make_folder(&path);
        self.or_lost(made, &path).map(|_| ())
    }

    fn lay_entry(
        &mut self,
        path: Vec<u8>,
        entry: Entry,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        if let Some(first) = link_id(&entry).and_then(|id| self.links.get(&id)).map(|paths| paths[0].clone())
        {
            let made = self.request.target.make_hard_link(&first, &path);
            let is_file = matches!(entry.kind, EntryKind::File { .. });
            if self.or_lost(made, &path)?.is_some() {
                if let Some(paths) = link_id(&entry).and_then(|id| self.links.get_mut(&id)) {
                    paths.push(path);
                }
                if let (EntryKind::File { size, .. }, true) = (&entry.kind, is_file) {
                    self.count(*size);
                }
            }
            return Ok(());
        }
        if let Some(id) = link_id(&entry) {
            self.links.insert(id, vec![path.clone()]);
        }
        match &entry.kind {
            EntryKind::File { size, content } => {
                let pieces = match pieces_of(fetcher, content, *size) {
                    Ok(pieces) => pieces,
                    Err(error) => {
                        let why = error.damage()?;
                        self.lose_file(&entry, path, &why);
                        return Ok(());
                    }
                };
                self.lay_file(path, entry, &pieces)
            }
            _ => {
                let made = self.request.target.make_special(&path, &entry);
                let warnings = self.or_lost(made, &path)?;
                self.warn(warnings.unwrap_or_default());
                Ok(())
            }
        }
    }

    fn lay_file(&mut self, path: Vec<u8>, entry: Entry, pieces: &[Piece]) -> Result<(), EngineError> {
        let is_hard_linked = entry.metadata.is_hard_linked;
        let plan = FilePlan::new(path, entry);
        if is_hard_linked {
            // Its other names are made before its content is there.
            let opened = plan.open(self.request.target).map(|_| ());
            if self.or_lost(opened, &plan.path)?.is_none() {
                return Ok(());
            }
        }
        let mut offset = 0;
        for piece in pieces {
            if let Piece::Data(chunk) = piece {
                self.window.want(&plan, offset, *chunk, self.index);
                if self.window.bytes >= WINDOW_BYTES {
                    self.fetch_window()?;
                }
            }
            offset += piece.length();
        }
        self.window.planned(plan);
        if self.window.files() >= WINDOW_FILES { self.fetch_window() } else { Ok(()) }
    }

    /// Fetches what is planned, and finishes the files that are whole.
    fn fetch_window(&mut self) -> Result<(), EngineError> {
        let window = std::mem::take(&mut self.window);
        let (moved_bytes, done, open) = window.fetch(self.request, self.index, self.tools)?;
        self.outcome.moved_bytes += moved_bytes;
        self.window = open;
        for (plan, finished) in done {
            match finished {
                Ok(warnings) => {
                    self.count(plan.size());
                    self.warn(warnings);
                }
                Err(why) => self.lose_file(&plan.entry, plan.path.clone(), &why),
            }
        }
        Ok(())
    }

    /// After the last component: what is still planned, and lost files' other names.
    pub(super) fn finish_files(&mut self) -> Result<(), EngineError> {
        self.fetch_window()
    }

    /// The second pass over one component: folders, from the deepest up.
    pub(super) fn finish_folders(
        &mut self,
        records: &mut RecordStream,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        let mut position = Position::default();
        let mut open: Vec<Option<Box<Entry>>> = Vec::new();
        while let Some(item) = records.next(fetcher)? {
            match item {
                Item::Entry(entry) if entry.kind == EntryKind::Folder => {
                    position.enter(&entry.name);
                    open.push(Some(entry));
                }
                Item::LostFolder(name) => {
                    position.enter(&name);
                    open.push(None);
                }
                Item::Leave => {
                    if let Some(Some(entry)) = open.pop() {
                        self.finish_folder(&position, &entry)?;
                    }
                    position.leave();
                }
                Item::Entry(_) | Item::Gap(_) => {}
            }
        }
        Ok(())
    }

    fn finish_folder(&mut self, position: &Position, entry: &Entry) -> Result<(), EngineError> {
        // The topmost folder is the target itself: it stays as its owner made it.
        if position.names.is_empty() || self.selection.place(&position.names) == Place::Outside {
            return Ok(());
        }
        let path = position.path();
        let done = self.request.target.finish_folder(&path, &entry.metadata);
        let warnings = self.or_lost(done, &path)?;
        self.warn(warnings.unwrap_or_default());
        Ok(())
    }

    pub(super) fn outcome(self) -> RestoreOutcome {
        self.outcome
    }

    /// An entry that cannot be made is lost; a target that is full ends the restore.
    fn or_lost<T>(&mut self, made: Result<T, TargetError>, path: &[u8]) -> Result<Option<T>, EngineError> {
        match made {
            Ok(made) => Ok(Some(made)),
            Err(TargetError::Full) => Err(TargetError::Full.into()),
            Err(error) => {
                self.lose(path, &error.to_string());
                Ok(None)
            }
        }
    }

    /// A file is lost with all of its names.
    fn lose_file(&mut self, entry: &Entry, path: Vec<u8>, why: &str) {
        let names = link_id(entry).and_then(|id| self.links.remove(&id)).unwrap_or_else(|| vec![path]);
        for name in names {
            match self.request.target.remove_file(&name) {
                Ok(()) => self.lose(&name, why),
                Err(error) => self.lose(&name, &format!("{why}; what is at its place is not it: {error}")),
            }
        }
    }

    fn lose_gap(&mut self, position: &Position, why: &str) {
        let place = self.selection.place(&position.names);
        if place != Place::Outside {
            let message = format!("An unknown number of entries after this one is lost: {why}");
            self.outcome.lost.push(Warning {
                code: "entries-lost".to_owned(),
                path: absolute(&position.last),
                message,
            });
        }
    }

    fn lose(&mut self, path: &[u8], why: &str) {
        let lost = Warning {
            code: "file-lost".to_owned(),
            path: absolute(path),
            message: format!("It is lost: {why}"),
        };
        self.tools.progress.warning(&lost);
        self.outcome.lost.push(lost);
    }

    fn warn(&mut self, warnings: Vec<Warning>) {
        warnings.iter().for_each(|warning| self.tools.progress.warning(warning));
        self.outcome.warnings.extend(warnings);
    }

    fn count(&mut self, bytes: u64) {
        self.outcome.files += 1;
        self.outcome.bytes += bytes;
        self.tools.progress.advanced(Advance { files: 1, bytes, moved_bytes: 0 });
    }
}

fn absolute(path: &[u8]) -> Vec<u8> {
    [b"/", path].concat()
}

fn link_id(entry: &Entry) -> Option<LinkId> {
    let identity = entry.metadata.identity.filter(|_| entry.metadata.is_hard_linked)?;
    Some((identity.file_system, identity.file_id))
}
