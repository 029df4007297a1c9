//! Lists of chunks and pieces, read one after another: what a file holds, and what a metadata stream is made of.
//!
//! A list may be a stream whose own list is a stream, and who holds the keys can let a few kilobytes stand for more
//! pieces than any memory holds. So no list is ever put together: of each level, one chunk is in memory.

use crate::fetch::{ChunkFetcher, FetchError};
use stateward_format::wire::Reader;
use stateward_format::{ChunkReference, Content, Piece, StreamReference};
use std::vec;

/// More than any piece's encoding, in bytes: a length and an id.
const PIECE_BYTES_MAX: usize = 48;

/// The longest list that is put together after all, for the next run's parent, in bytes: that of some hundred gigabytes.
const WHOLE_LIST_BYTES_MAX: u64 = 64 << 20;

/// The chunks of a stream's lowest level, in order.
pub(crate) struct ListedChunks {
    top: vec::IntoIter<ChunkReference>,
    /// From the list that the topmost chunks hold down to that of the lowest level.
    lists: Vec<List>,
}

/// What is in memory of one list.
#[derive(Default)]
struct List {
    buffer: Vec<u8>,
    at: usize,
    is_at_end: bool,
}

impl ListedChunks {
    /// Nothing is read yet.
    pub(crate) fn of(stream: &StreamReference) -> Self {
        let lists = (0..stream.depth).map(|_| List::default()).collect();
        Self { top: stream.chunks.clone().into_iter(), lists }
    }

    /// The next one. After an error there is no next.
    pub(crate) fn next(
        &mut self,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<Option<ChunkReference>, FetchError> {
        self.next_above(self.lists.len(), fetcher)
    }

    /// Nothing more is wanted.
    pub(crate) fn end(&mut self) {
        (self.top, self.lists) = (Vec::new().into_iter(), Vec::new());
    }

    /// The next chunk that the list at `level` is written in; of the lowest level, past the last list.
    fn next_above(
        &mut self,
        level: usize,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<Option<ChunkReference>, FetchError> {
        let Some(above) = level.checked_sub(1) else { return Ok(self.top.next()) };
        match self.next_piece(above, fetcher)? {
            Some(Piece::Data(chunk)) => Ok(Some(chunk)),
            Some(Piece::Hole(_)) => Err(FetchError::Malformed),
            None => Ok(None),
        }
    }

    /// The next piece of the list at `level`. Pieces may lie across the borders of its chunks.
    fn next_piece(
        &mut self,
        level: usize,
        fetcher: &mut ChunkFetcher<'_>,
    ) -> Result<Option<Piece>, FetchError> {
        while self.lists[level].is_short() {
            match self.next_above(level, fetcher)? {
                Some(chunk) => self.lists[level].append(fetcher.chunk(chunk)?),
                None => self.lists[level].is_at_end = true,
            }
        }
        self.lists[level].take()
    }
}

impl List {
    fn left(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// Whether the next piece may not be here whole.
    fn is_short(&self) -> bool {
        self.left().len() < PIECE_BYTES_MAX && !self.is_at_end
    }

    fn append(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.at);
        self.at = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn take(&mut self) -> Result<Option<Piece>, FetchError> {
        let mut reader = Reader::new("list of pieces", self.left());
        if reader.is_at_end() {
            return Ok(None);
        }
        let piece = Piece::decode(&mut reader).map_err(|_| FetchError::Malformed)?;
        self.at = self.buffer.len() - reader.left();
        Ok(Some(piece))
    }
}

/// The pieces of a file, in order; they cover it.
pub(crate) struct Pieces<'a> {
    inline: std::slice::Iter<'a, Piece>,
    listed: Option<ListedChunks>,
    /// Bytes of the file that no piece has covered yet.
    left: u64,
}

impl<'a> Pieces<'a> {
    /// Of a file of `size` bytes; nothing is read yet.
    pub(crate) fn of(content: &'a Content, size: u64) -> Self {
        match content {
            Content::Inline(pieces) => Self { inline: pieces.iter(), listed: None, left: size },
            Content::Listed(stream) => {
                let mut listed = ListedChunks::of(stream);
                listed.lists.push(List::default());
                Self { inline: [].iter(), listed: Some(listed), left: size }
            }
        }
    }

    /// The next one; an error if they do not cover the file.
    pub(crate) fn next(&mut self, fetcher: &mut ChunkFetcher<'_>) -> Result<Option<Piece>, FetchError> {
        let piece = match &mut self.listed {
            None => self.inline.next().copied(),
            Some(listed) => listed.next_piece(listed.lists.len() - 1, fetcher)?,
        };
        let covered = piece.map_or(0, |piece| piece.length());
        match self.left.checked_sub(covered) {
            Some(left) if piece.is_some() || left == 0 => self.left = left,
            _ => return Err(FetchError::Malformed),
        }
        Ok(piece)
    }
}

/// The encoded list of a file's pieces, if they are listed.
pub(crate) fn whole_list(
    fetcher: &mut ChunkFetcher<'_>,
    content: &Content,
) -> Result<Option<Vec<u8>>, FetchError> {
    let Content::Listed(stream) = content else { return Ok(None) };
    let (mut chunks, mut list) = (ListedChunks::of(stream), Vec::new());
    while let Some(chunk) = chunks.next(fetcher)? {
        if list.len() as u64 + u64::from(chunk.length) > WHOLE_LIST_BYTES_MAX {
            return Err(FetchError::Malformed);
        }
        list.extend_from_slice(fetcher.chunk(chunk)?);
    }
    Ok(Some(list))
}
