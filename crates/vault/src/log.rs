//! Where the log goes: a file or standard error, whose disk may be full. A log that can't be written stops nothing; how
//! many lines are missing is said when one can be written again.

use stateward_model::counted;
use std::io::{self, Write};

/// A log over what takes its lines.
pub struct Log<W> {
    below: W,
    lost: u64,
}

impl<W: Write> Log<W> {
    /// Over `below`.
    pub fn new(below: W) -> Self {
        Self { below, lost: 0 }
    }
}

impl<W: Write> Write for Log<W> {
    /// Takes one event, and never fails.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let gap = match self.lost {
            0 => String::new(),
            lost => format!(
                "\n{} before this one could not be written, for the disk was full or failed\n",
                counted(lost, "line")
            ),
        };
        let bytes = [gap.as_bytes(), line].concat();
        self.lost = match self.below.write_all(&bytes).and_then(|()| self.below.flush()) {
            Ok(()) => 0,
            Err(_) => self.lost + 1,
        };
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing while it is full.
    #[derive(Default)]
    struct Disk {
        is_full: bool,
        text: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.is_full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_are_missing_are_counted_and_nothing_fails() {
        let mut log = Log::new(Disk::default());
        log.write_all(b"one\n").unwrap();
        log.below.is_full = true;
        log.write_all(b"two\n").unwrap();
        log.write_all(b"three\n").unwrap();
        log.below.is_full = false;
        log.write_all(b"four\n").unwrap();
        log.write_all(b"five\n").unwrap();
        let text = String::from_utf8(log.below.text).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert!(lines[1].starts_with("2 lines before this one"), "{text}");
        assert_eq!((lines[0], &lines[2..]), ("one", &["four", "five"][..]));
    }
}
