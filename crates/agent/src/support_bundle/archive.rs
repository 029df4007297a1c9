//! The file that a bundle is: tar, compressed with gzip, which every machine can open.

use flate2::Compression;
use flate2::write::GzEncoder;
use stateward_model::Timestamp;
use std::fs::File;
use std::io;
use tar::{Builder, Header};

/// All entries lie in this folder.
const FOLDER: &str = "stateward-support";

/// A bundle while it is written.
pub struct Archive {
    tar: Builder<GzEncoder<File>>,
    made_at: u64,
    entries: Vec<String>,
}

impl Archive {
    /// An empty one.
    pub fn new(file: File, made_at: Timestamp) -> Self {
        let tar = Builder::new(GzEncoder::new(file, Compression::default()));
        Self { tar, made_at: u64::try_from(made_at.seconds()).unwrap_or(0), entries: Vec::new() }
    }

    /// Adds a file.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(self.made_at);
        self.tar.append_data(&mut header, format!("{FOLDER}/{name}"), bytes)?;
        self.entries.push(name.to_owned());
        Ok(())
    }

    /// Ends it, durably. Gives the names of what is in it.
    pub fn finish(self) -> io::Result<Vec<String>> {
        self.tar.into_inner()?.finish()?.sync_all()?;
        Ok(self.entries)
    }
}
