//! The second pass of a restore: folders get their streams and all that is known of them, when nothing is made in them any more.

use super::held::metadata_bytes;
use super::lay::Layer;
use super::position::Position;
use super::select::Place;
use crate::fetch::{ChunkFetcher, FetchError};
use crate::lists::Pieces;
use crate::records::{Item, RecordStream};
use crate::target::{TakePiece, TargetError};
use crate::{Cancellation, EngineError};
use stateward_format::{AlternateStream, Attribute, Entry, EntryKind, Piece};

/// How much metadata of open folders is held, in bytes.
const FOLDER_BYTES_MAX: usize = 32 << 20;

/// Why a stream is not given whole.
enum NotGiven {
    /// It can't be read from the vault.
    Unread(FetchError),
    /// Somebody stops the restore.
    Cancelled,
    /// It can't be written.
    Unwritten(TargetError),
}

impl Layer<'_> {
    /// The second pass over one component: folders, from the deepest up.
    pub(super) fn finish_folders(
        &mut self,
        records: &mut RecordStream<'_>,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        let mut position = Position::default();
        let mut open: Vec<Option<Box<Entry>>> = Vec::new();
        let mut open_bytes = 0;
        while let Some(item) = records.next(fetcher)? {
            if self.tools.cancellation.is_cancelled() {
                return Err(EngineError::Cancelled);
            }
            match item {
                Item::Entry(entry) if entry.kind == EntryKind::Folder => {
                    position.enter(&entry.name);
                    open_bytes += metadata_bytes(&entry);
                    if open_bytes > FOLDER_BYTES_MAX {
                        open_bytes -= metadata_bytes(&entry);
                        open.push(None);
                        self.lose(
                            &position.path(),
                            "the folders around it have more metadata than can be held",
                        );
                        continue;
                    }
                    open.push(Some(entry));
                }
                Item::LostFolder(name) => {
                    position.enter(&name);
                    open.push(None);
                }
                Item::Leave => {
                    if let Some(Some(entry)) = open.pop() {
                        open_bytes -= metadata_bytes(&entry);
                        self.finish_folder(&position, &entry, fetcher)?;
                    }
                    position.leave();
                }
                Item::Entry(_) | Item::Gap(_) | Item::Refused(..) => {}
            }
        }
        Ok(())
    }

    fn finish_folder(
        &mut self,
        position: &Position,
        entry: &Entry,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        // The topmost folder is the target itself: it stays as its owner made it.
        if position.names.is_empty() || self.selection.place(&position.names) == Place::Outside {
            return Ok(());
        }
        let path = position.path();
        let has_streams =
            entry.metadata.attributes.iter().any(|attribute| matches!(attribute, Attribute::Stream(_)));
        if has_streams && self.request.target.keeps_streams() {
            self.write_streams(&path, entry, fetcher)?;
        }
        let done = self.request.target.finish_folder(&path, &entry.metadata);
        let warnings = self.or_lost(done, &path)?;
        self.warn(warnings.unwrap_or_default());
        Ok(())
    }

    /// One after the other: folders with streams are few, and what they hold is small.
    fn write_streams(
        &mut self,
        path: &[u8],
        entry: &Entry,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<(), EngineError> {
        let cancellation = self.tools.cancellation;
        let (mut unread, mut cancelled) = (Vec::new(), false);
        let mut give = |stream: &AlternateStream, take: &mut TakePiece<'_>| {
            match give_stream(stream, fetcher, cancellation, take) {
                Ok(()) => return Ok(true),
                Err(NotGiven::Unwritten(error)) => return Err(error),
                Err(NotGiven::Unread(error)) => unread.push((stream.name.clone(), error)),
                Err(NotGiven::Cancelled) => cancelled = true,
            }
            Ok(false)
        };
        let written = self.request.target.write_folder_streams(path, &entry.metadata, &mut give);
        if cancelled {
            return Err(EngineError::Cancelled);
        }
        for (name, error) in unread {
            let (name, why) = (String::from_utf8_lossy(&name).into_owned(), error.damage()?);
            self.lose(path, &format!("its stream `{name}` can't be read: {why}"));
        }
        self.or_lost(written, path).map(|_| ())
    }
}

fn give_stream(
    stream: &AlternateStream,
    fetcher: &mut ChunkFetcher<'_>,
    cancellation: &Cancellation,
    take: &mut TakePiece<'_>,
) -> Result<(), NotGiven> {
    let (mut pieces, mut offset) = (Pieces::of(&stream.content, stream.size), 0);
    while let Some(piece) = pieces.next(fetcher).map_err(NotGiven::Unread)? {
        if cancellation.is_cancelled() {
            return Err(NotGiven::Cancelled);
        }
        if let Piece::Data(chunk) = piece {
            let bytes = fetcher.chunk(chunk).map_err(NotGiven::Unread)?;
            take(offset, bytes).map_err(NotGiven::Unwritten)?;
        }
        offset += piece.length();
    }
    Ok(())
}
