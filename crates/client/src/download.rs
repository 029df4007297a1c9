//! Bodies that go to a file: packages of the agent. What comes is proved by whoever asked.

use crate::body::Sink;
use crate::call::{Call, CallError};
use crate::connection::Connection;
use std::fs::File;
use std::io;

/// Why a file was not downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The vault, or the way to it.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The file here can't be written.
    #[error(transparent)]
    File(io::Error),
}

impl Connection {
    /// Downloads what is at an address into a file from its beginning, at most so many bytes; tells how many came. A body that
    /// breaks off is asked for again, as long as the connection's patience lasts.
    pub(crate) fn download(&self, address: &str, most: u64, file: File) -> Result<u64, DownloadError> {
        let sink = Sink::new(file);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let call = Call::get(address).at_most(most).into_sink(sink.clone());
        match self.call(&call) {
            Ok(answer) => Ok(answer.placed as u64),
            Err(error) => Err(sink.take_failure().map_or(DownloadError::Call(error), DownloadError::File)),
        }
    }
}

#[cfg(test)]
mod tests;
