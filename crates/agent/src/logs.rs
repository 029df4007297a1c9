//! The agent's log: `logs/agent.log` in the home, for its owner only, with a few older ones beside it.
//!
//! Names and paths may stand in it, for it never leaves the server as it is; secrets never do. Several processes may write: each
//! line is one write at the file's end. All of them together have a bounded size, however many write: each looks before a
//! line how long the file is that it has open, and one at a time makes it an older one.

use crate::{AgentError, Home, lock, platform};
use stateward_model::counted;
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
    /// Lines that could not be written: told when one can be again.
    lost: u64,
}

impl LogFile {
    /// Opens the home's log.
    pub fn open(home: &Home) -> Result<Self, AgentError> {
        let path = home.logs().join("agent.log");
        Self::open_at(&path).map_err(|cause| home.unusable(&path, cause))
    }

    fn open_at(path: &Path) -> io::Result<Self> {
        let file = platform::make_private_options().append(true).create(true).open(path)?;
        Ok(Self { path: path.to_owned(), file, lost: 0 })
    }

    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        // Of a file that another process made an older one, too: then the new one is opened.
        if self.file.metadata()?.len() >= LOG_BYTES_MAX {
            self.rotate()?;
        }
        let gap = match self.lost {
            0 => String::new(),
            lost => format!(
                "\n{} before this one could not be written, for the disk was full or failed\n",
                counted(lost, "line")
            ),
        };
        let bytes = [gap.as_bytes(), line].concat();
        self.file.write_all(&bytes)
    }

    fn older(&self, number: u32) -> PathBuf {
        self.path.with_extension(format!("{number}.log"))
    }

    fn rotate(&mut self) -> io::Result<()> {
        let _alone = lock::wait(&self.path.with_extension("lock"))?;
        // Another process may have done it already; then only the new file is opened.
        if fs::metadata(&self.path).is_ok_and(|found| found.len() >= LOG_BYTES_MAX) {
            for number in (1..OLDER_LOGS).rev() {
                rename_if_there(&self.older(number), &self.older(number + 1))?;
            }
            rename_if_there(&self.path, &self.older(1))?;
        }
        *self = Self { lost: self.lost, ..Self::open_at(&self.path)? };
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
        // Whole lines, whatever the disk: what is cut off or lost is counted.
        match self.append(bytes) {
            Ok(()) => self.lost = 0,
            Err(_) => self.lost += 1,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_could_not_be_written_are_counted_in_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let mut log = LogFile::open(&home).unwrap();
        log.write_all(b"before\n").unwrap();
        // A device that is always full.
        let file = std::mem::replace(&mut log.file, File::options().write(true).open("/dev/full").unwrap());
        log.write_all(b"lost\n").unwrap();
        log.write_all(b"lost, too\n").unwrap();
        log.file = file;
        log.write_all(b"after\n").unwrap();
        log.write_all(b"end\n").unwrap();
        let text = fs::read_to_string(&log.path).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[0] == "before" && lines[1].starts_with("2 lines before") && lines[2..] == ["after", "end"]
        );
    }

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
        names.retain(|name| name != "agent.lock");
        assert_eq!(names, ["agent.1.log", "agent.2.log", "agent.3.log", "agent.4.log", "agent.log"]);
    }

    #[test]
    fn however_many_write_the_logs_have_a_bounded_size() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let line = vec![b'x'; 1 << 20];
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut log = LogFile::open(&home).unwrap();
                    (0..20).for_each(|_| log.write_all(&line).unwrap());
                });
            }
        });
        let files = fs::read_dir(home.logs()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
        let (count, bytes) = files.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length));
        // Each of the four may have looked just before the line of another.
        let most = (u64::from(OLDER_LOGS) + 1) * (LOG_BYTES_MAX + 4 * line.len() as u64);
        assert!(count <= OLDER_LOGS + 2 && bytes <= most, "{count} files with {bytes} bytes");
    }
}
