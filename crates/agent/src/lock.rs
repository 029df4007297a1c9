//! Locks between processes: the operating system lets go of them when their holder dies, however it dies.

use crate::platform;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

/// A process's number in a lock's file takes so many bytes, and a line break.
const NUMBER_BYTES: usize = 20;

/// A lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub struct HeldLock {
    _file: File,
}

/// Who only looks whether a lock is held holds it for an instant himself: it counts as held if it is at each of these tries.
const TRIES: u32 = 6;

/// How long lies between two of them.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Takes the lock at `path` now, or gives the number of the process that holds it (0 if it can't be told).
pub fn acquire(path: &Path) -> io::Result<Result<HeldLock, u32>> {
    let mut file = open(path)?;
    let mut taken = file.try_lock();
    for _ in 1..TRIES {
        if !matches!(taken, Err(TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(BETWEEN_TRIES);
        taken = file.try_lock();
    }
    match taken {
        Ok(()) => {
            // Always as long, so that a full disk takes it in place. Only for people: without it the lock holds as well.
            if let Err(cause) = writeln!(file, "{:<NUMBER_BYTES$}", std::process::id()) {
                tracing::debug!(%cause, "the holder's number can't be written into a lock");
            }
            Ok(Ok(HeldLock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            // Where a lock keeps others from reading too, who holds it can't be told.
            let mut text = String::new();
            let read = file.rewind().and_then(|()| (&file).take(32).read_to_string(&mut text));
            Ok(Err(read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0)))
        }
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

/// Waits until the lock at `path` is free and takes it.
pub fn wait(path: &Path) -> io::Result<HeldLock> {
    let file = open(path)?;
    file.lock()?;
    Ok(HeldLock { _file: file })
}

fn open(path: &Path) -> io::Result<File> {
    platform::make_private_options().read(true).create(true).truncate(false).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_who_looks_is_not_taken_for_one_who_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let looking = open(&path).unwrap();
        looking.lock().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(BETWEEN_TRIES);
                looking.unlock().unwrap();
            });
            assert!(acquire(&path).unwrap().is_ok());
        });
        let held = acquire(&path).unwrap().unwrap();
        assert_eq!(acquire(&path).unwrap().unwrap_err(), std::process::id());
        drop(held);
        assert!(acquire(&path).unwrap().is_ok());
    }
}
