//! The agent's log: `logs/agent.log` in the home, for its owner only, with a few older ones beside it.
//!
//! Names and paths may stand in it, for it never leaves the server; secrets never do. Several processes may write: each
//! line is one write at the file's end.

use crate::{AgentError, Home, platform};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A log that grew to this many bytes becomes an older one.
const LOG_BYTES_MAX: u64 = 4 << 20;

/// So many older ones are kept.
const OLDER_LOGS: u32 = 4;

/// The log, open for writing.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl LogFile {
    /// Opens the home's log.
    pub fn open(home: &Home) -> Result<Self, AgentError> {
        let path = home.logs().join("agent.log");
        Self::open_at(&path).map_err(|cause| AgentError::HomeUnusable { path, cause })
    }

    fn open_at(path: &Path) -> io::Result<Self> {
        let file = platform::make_private_options().append(true).create(true).open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, length })
    }

    fn older(&self, number: u32) -> PathBuf {
        self.path.with_extension(format!("{number}.log"))
    }

    fn rotate(&mut self) -> io::Result<()> {
        // Another process may have done it already; then only the new file is opened.
        if fs::metadata(&self.path).is_ok_and(|found| found.len() >= LOG_BYTES_MAX) {
            for number in (1..OLDER_LOGS).rev() {
                rename_if_there(&self.older(number), &self.older(number + 1))?;
            }
            rename_if_there(&self.path, &self.older(1))?;
        }
        *self = Self::open_at(&self.path)?;
        Ok(())
    }
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length >= LOG_BYTES_MAX {
            self.rotate()?;
        }
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_becomes_an_older_one_and_only_a_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let mut log = LogFile::open(&home).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..6 * LOG_BYTES_MAX / line.len() as u64 {
            log.write_all(&line).unwrap();
        }
        let mut names: Vec<String> = fs::read_dir(home.logs())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["agent.1.log", "agent.2.log", "agent.3.log", "agent.4.log", "agent.log"]);
    }
}
