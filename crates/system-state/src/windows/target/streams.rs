//! Alternate streams that are being put back, and how far something is written.

use super::made::Place;
use super::{failed, is_there};
use stateward_engine::{GiveStream, TargetError};
use stateward_format::{Attribute, Metadata, wtf8};
use stateward_windows::handle::{Expected, Handle, Wish, rights};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a stream is opened with.
const WRITE: u32 = rights::LOOK | rights::WRITE | rights::DELETE;

/// How far something is written, and whether it may have holes by now.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// The byte after the last that was written.
    end: AtomicU64,
    is_sparse: AtomicBool,
}

impl Filled {
    /// Writes; what is left out before `offset` becomes a hole, where the file system has such.
    pub fn write(&self, handle: &Handle, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset > self.end.load(Ordering::Relaxed) {
            self.let_have_holes(handle);
        }
        handle.write_at(offset, bytes)?;
        self.end.fetch_max(offset + bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Must happen before anything lies behind a hole. Where it can't be, zeros are written: the content is the same.
    fn let_have_holes(&self, handle: &Handle) {
        if !self.is_sparse.swap(true, Ordering::AcqRel)
            && let Err(cause) = handle.set_sparse(true)
        {
            tracing::debug!(%cause, "no holes here");
        }
    }

    /// Makes it as long as that.
    pub fn finish(&self, handle: &Handle, size: u64) -> io::Result<()> {
        let end = self.end.load(Ordering::Relaxed);
        if end < size {
            self.let_have_holes(handle);
        }
        if end != size { handle.set_size(size) } else { Ok(()) }
    }

    /// Whether it was let have holes.
    pub fn may_have_holes(&self) -> bool {
        self.is_sparse.load(Ordering::Acquire)
    }
}

/// A stream that is being written.
#[derive(Debug)]
pub(super) struct NewStream {
    handle: Handle,
    filled: Filled,
}

impl NewStream {
    /// Makes a stream of what lies at a place.
    pub fn make(place: &Place, name: &[u8]) -> io::Result<Self> {
        let wish = Wish::to(WRITE).making(Expected::File, None);
        let handle = place.folder.open_at(&name_of(place, name)?, wish)?;
        Ok(Self { handle, filled: Filled::default() })
    }

    /// The same, emptied if it is there already.
    fn make_anew(place: &Place, name: &[u8]) -> io::Result<Self> {
        match Self::make(place, name) {
            Err(error) if is_there(&error) => {
                let handle = place.folder.open_at(&name_of(place, name)?, Wish::to(WRITE).in_any_case())?;
                handle.set_size(0)?;
                Ok(Self { handle, filled: Filled::default() })
            }
            made => made,
        }
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.filled.write(&self.handle, offset, bytes)
    }

    /// Makes it as long as that.
    pub fn finish(&self, size: u64) -> io::Result<()> {
        self.filled.finish(&self.handle, size)
    }

    /// Takes it away, once it is closed.
    pub fn remove(&self) -> io::Result<()> {
        self.handle.delete()
    }
}

/// A stream's name behind that of what has it.
fn name_of(place: &Place, name: &[u8]) -> io::Result<Vec<u16>> {
    let units = wtf8::decode(name).map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
    Ok([place.name.as_slice(), &[u16::from(b':')], &units].concat())
}

/// Writes the streams of the folder that lies at a place and is open. What is there already of such a name is written anew.
/// What is not whole then, or became something else than a stream, is taken away; that it is missing is told with the rest.
pub(super) fn write_all(
    folder: &Handle,
    place: &Place,
    path: &[u8],
    metadata: &Metadata,
    give: &mut GiveStream<'_>,
) -> Result<(), TargetError> {
    let fail = |error| failed(path, error);
    for attribute in &metadata.attributes {
        let Attribute::Stream(stream) = attribute else { continue };
        let new = match NewStream::make_anew(place, &stream.name) {
            Ok(new) => new,
            Err(cause) => match fail(cause) {
                error if error.ends_restore() => return Err(error),
                error => {
                    tracing::debug!(%error, "a stream of a folder can't be made");
                    continue;
                }
            },
        };
        let given = give(stream, &mut |offset, bytes| new.write(offset, bytes).map_err(fail));
        let done = given.and_then(|is_whole| {
            if is_whole {
                new.finish(stream.size).map_err(fail)?;
            }
            let found = folder.streams().map_err(fail)?;
            Ok(is_whole && found.iter().any(|found| wtf8::encode(&found.name) == stream.name))
        });
        if !matches!(done, Ok(true)) {
            new.remove().map_err(fail)?;
        }
        done?;
    }
    Ok(())
}
