//! A file that is being put back, with its streams.

use super::made::Place;
use super::streams::{Filled, NewStream};
use super::{encrypted, failed, metadata};
use stateward_engine::{TargetError, TargetFile};
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Metadata, wtf8};
use stateward_windows::handle::Handle;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The bit of file attributes that says that a file may have holes.
const SPARSE: u32 = 0x200;

/// A file that is being put back.
#[derive(Debug)]
pub(super) struct NewFile {
    handle: Handle,
    place: Place,
    path: Box<[u8]>,
    filled: Filled,
    streams: Mutex<BTreeMap<Vec<u8>, Arc<NewStream>>>,
    /// What EFS made of what was written, if that is raw content.
    encrypted: OnceLock<Handle>,
}

impl NewFile {
    /// What was just made at a place.
    pub fn new(handle: Handle, place: Place, path: &[u8]) -> Self {
        Self {
            handle,
            place,
            path: path.into(),
            filled: Filled::default(),
            streams: Mutex::default(),
            encrypted: OnceLock::new(),
        }
    }

    /// The file itself.
    pub fn handle(&self) -> &Handle {
        self.encrypted.get().unwrap_or(&self.handle)
    }

    fn fail(&self, error: io::Error) -> TargetError {
        failed(&self.path, error)
    }

    /// The stream of that name, made if it is not there yet.
    fn stream(&self, name: &[u8]) -> io::Result<Arc<NewStream>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = streams.get(name) {
            return Ok(Arc::clone(stream));
        }
        let stream = Arc::new(NewStream::make(&self.place, name)?);
        streams.insert(name.to_vec(), Arc::clone(&stream));
        Ok(stream)
    }

    /// Gives each stream its length. One that is not seen afterwards became something else than a stream, and is taken
    /// away; that it is missing is told with the rest.
    fn finish_streams(&self, metadata: &Metadata) -> io::Result<()> {
        let mut made = Vec::new();
        for attribute in &metadata.attributes {
            let Attribute::Stream(stream) = attribute else { continue };
            // One that can't be made is missing; all else of the file is right.
            match self.stream(&stream.name) {
                Ok(new) => {
                    new.finish(stream.size)?;
                    made.push((&stream.name, new));
                }
                Err(cause) => tracing::debug!(%cause, "a stream can't be made"),
            }
        }
        if made.is_empty() {
            return Ok(());
        }
        let found: Vec<_> = self.handle.streams()?.iter().map(|found| wtf8::encode(&found.name)).collect();
        for (_, new) in made.iter().filter(|(name, _)| !found.contains(name)) {
            new.remove()?;
        }
        self.streams.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Whether it may have holes is one of its attributes; what comes from elsewhere keeps them if it has some.
    fn settle_sparse(&self, metadata: &Metadata) {
        let wanted = metadata.attributes.iter().find_map(|attribute| match attribute {
            Attribute::FileAttributes(bits) => Some(bits & SPARSE != 0),
            _ => None,
        });
        let is = self.filled.may_have_holes();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != is)
            && let Err(cause) = self.handle.set_sparse(wanted)
        {
            tracing::debug!(%cause, "whether a file may have holes can't be set");
        }
    }
}

impl TargetFile for NewFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        self.filled.write(&self.handle, offset, bytes).map_err(|error| self.fail(error))
    }

    fn write_stream_at(&self, name: &[u8], offset: u64, bytes: &[u8]) -> Result<(), TargetError> {
        let written = match self.stream(name) {
            Ok(stream) => stream.write(offset, bytes),
            // That it is missing is told when the file is finished.
            Err(cause) => {
                tracing::debug!(%cause, "a stream can't be made");
                return Ok(());
            }
        };
        written.map_err(|error| self.fail(error))
    }

    fn finish(&self, size: u64, metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.filled.finish(&self.handle, size).map_err(|error| self.fail(error))?;
        if let Some(seen) = encrypted::size_seen(metadata) {
            let made = encrypted::give_back(&self.handle, &self.place, size, seen);
            let made = made.map_err(|error| self.fail(error))?;
            // Only who may write its content, which takes a key, can make it durable; whether it has holes came with it.
            return metadata::set(self.encrypted.get_or_init(|| made), &self.path, metadata);
        }
        self.finish_streams(metadata).map_err(|error| self.fail(error))?;
        self.settle_sparse(metadata);
        let mut warnings = Vec::new();
        if let Err(cause) = metadata::set_reparse_point(&self.handle, metadata) {
            warnings.push(metadata::not_made(&self.path, &format!("it is a plain file now: {cause}")));
        }
        self.handle.sync().map_err(|error| self.fail(error))?;
        warnings.extend(metadata::set(&self.handle, &self.path, metadata)?);
        Ok(warnings)
    }
}
