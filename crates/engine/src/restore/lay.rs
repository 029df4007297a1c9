//! Lays entries at the target, in the order of the metadata streams.

use super::flush::Flush;
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
use std::collections::BTreeMap;

/// How much content a window plans, in bytes …
const WINDOW_BYTES: u64 = 4 << 30;
/// … and how many files.
const WINDOW_FILES: usize = 1 << 15;

/// A hard-linked file's identity within the item.
type LinkId = (u64, u128);

/// The names of a hard-linked file.
struct Links {
    first: Vec<u8>,
    others: Vec<Vec<u8>>,
    /// The size of a file, in bytes; `None` for anything else.
    size: Option<u64>,
    /// Why it is lost.
    lost: Option<String>,
}

/// What all passes keep.
pub(super) struct Layer<'a> {
    request: &'a RestoreRequest<'a>,
    tools: &'a Tools<'a>,
    index: &'a ChunkIndex,
    flush: Flush,
    selection: Selection,
    window: Window,
    /// Files with several names: the first is laid like any file, the others are made when all content is there.
    links: BTreeMap<LinkId, Links>,
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
    pub(super) fn new(
        request: &'a RestoreRequest<'a>,
        tools: &'a Tools<'a>,
        index: &'a ChunkIndex,
        flush: Flush,
    ) -> Self {
        let outcome =
            RestoreOutcome { files: 0, bytes: 0, moved_bytes: 0, warnings: Vec::new(), lost: Vec::new() };
        let selection = Selection::new(request.paths);
        Self {
            request,
            tools,
            index,
            flush,
            selection,
            window: Window::default(),
            links: BTreeMap::new(),
            outcome,
        }
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
                Item::Refused(name, why) => self.refuse(&mut position, &name, &why),
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
        if let Some(id) = link_id(&entry) {
            if let Some(links) = self.links.get_mut(&id) {
                links.others.push(path);
                return Ok(());
            }
            let size = match entry.kind {
                EntryKind::File { size, .. } => Some(size),
                _ => None,
            };
            self.links.insert(id, Links { first: path.clone(), others: Vec::new(), size, lost: None });
        }
        match &entry.kind {
            EntryKind::File { size, content } => {
                let pieces = match pieces_of(fetcher, content, *size) {
                    Ok(pieces) => pieces,
                    Err(error) => {
                        let why = error.damage()?;
                        self.lose_file(&entry, &path, &why);
                        return Ok(());
                    }
                };
                self.lay_file(path, entry, &pieces)
            }
            _ => {
                let made = self.request.target.make_special(&path, &entry);
                match self.or_lost(made, &path)? {
                    Some(warnings) => self.warn(warnings),
                    None => self.lose_links(&entry),
                }
                Ok(())
            }
        }
    }

    /// The other names of what could not be made cannot be made either.
    fn lose_links(&mut self, entry: &Entry) {
        if let Some(links) = link_id(entry).and_then(|id| self.links.get_mut(&id)) {
            links.lost = Some("its first name could not be made".to_owned());
        }
    }

    fn lay_file(&mut self, path: Vec<u8>, entry: Entry, pieces: &[Piece]) -> Result<(), EngineError> {
        let plan = FilePlan::new(path, entry);
        let mut offset = 0;
        for piece in pieces {
            if let Piece::Data(chunk) = piece {
                self.window.want(&plan, offset, *chunk, self.index)?;
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
        let (moved_bytes, done, open) = window.fetch(self.request, self.index, &self.flush, self.tools)?;
        self.outcome.moved_bytes += moved_bytes;
        self.window = open;
        for (plan, finished) in done {
            match finished {
                Ok(warnings) => {
                    self.count(plan.size());
                    self.warn(warnings);
                }
                Err(why) => self.lose_file(&plan.entry, &plan.path, &why),
            }
        }
        Ok(())
    }

    /// After the last component: what is still planned, then the other names of hard-linked files.
    pub(super) fn finish_files(&mut self) -> Result<(), EngineError> {
        self.fetch_window()?;
        for links in std::mem::take(&mut self.links).into_values() {
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
                Item::Entry(_) | Item::Gap(_) | Item::Refused(..) => {}
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

    /// An entry that cannot be made is lost; a target that is full or fails ends the restore.
    fn or_lost<T>(&mut self, made: Result<T, TargetError>, path: &[u8]) -> Result<Option<T>, EngineError> {
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
    fn lose_file(&mut self, entry: &Entry, path: &[u8], why: &str) {
        if let Some(links) = link_id(entry).and_then(|id| self.links.get_mut(&id)) {
            links.lost = Some(why.to_owned());
        }
        match self.request.target.remove_file(path) {
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
        self.lose_as("file-lost", path, format!("It is lost: {why}"));
    }

    fn lose_as(&mut self, code: &str, path: &[u8], message: String) {
        let lost = Warning { code: code.to_owned(), path: absolute(path), message };
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
