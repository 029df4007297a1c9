//! Content that goes by functions that are called back: EFS tells an encrypted file's content, and takes it back, that way only.
//!
//! [`RawReader`] makes something to read from of a function that hands content over: that runs on a thread of its own, a few parts
//! ahead at most. When the reader is dropped, the function's next part is refused, so that it ends, and the drop waits for that.
//! [`RawGiver`] is the other way: it gives content to a function that asks for it piece by piece.
//!
//! Nothing of it needs Windows. An error on the way is never an end: what is cut short must not pass for content.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

/// No part that waits to be read is longer, in bytes: longer ones are cut.
const PART_BYTES_MAX: usize = 256 << 10;

/// So many parts wait at most.
const PARTS_MAX: usize = 4;

/// What a function that hands content over has to say.
#[derive(Debug)]
enum Told {
    /// What comes next; never empty.
    Part(Vec<u8>),
    /// It has ended.
    End(io::Result<()>),
}

/// Where a function puts the content that it hands over.
#[derive(Debug)]
pub struct Parts(SyncSender<Told>);

impl Parts {
    /// Takes what comes next, once there is room for it.
    ///
    /// # Errors
    /// If nobody reads any more: the function is to end.
    pub fn put(&mut self, part: &[u8]) -> io::Result<()> {
        for piece in part.chunks(PART_BYTES_MAX) {
            let told = Told::Part(piece.to_vec());
            self.0
                .send(told)
                .map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "Nobody reads any more"))?;
        }
        Ok(())
    }
}

/// What a function hands over, to be read from its beginning to its end.
#[derive(Debug)]
pub struct RawReader {
    /// `None` only while it is dropped.
    told: Option<Receiver<Told>>,
    thread: Option<JoinHandle<()>>,
    part: Vec<u8>,
    /// How much of the part was read.
    taken: usize,
    /// How much was read in all.
    offset: u64,
    is_at_end: bool,
}

impl RawReader {
    /// Has a function hand content over; waits until the first part is there.
    ///
    /// # Errors
    /// Those of the function, if it fails before that; also if it hands nothing over at all: a success without content is
    /// what a function answers that does nothing.
    pub fn start(export: impl FnOnce(&mut Parts) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (sender, told) = sync_channel(PARTS_MAX);
        let run = move || {
            let mut parts = Parts(sender);
            let ended = export(&mut parts);
            // Whoever has read enough does not hear it.
            let _ = parts.0.send(Told::End(ended));
        };
        let thread = thread::Builder::new().name("raw content".to_owned()).spawn(run)?;
        let (part, thread) = (Vec::new(), Some(thread));
        let mut reader = Self { told: Some(told), thread, part, taken: 0, offset: 0, is_at_end: false };
        reader.next_part()?;
        match reader.is_at_end {
            true => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "There was no content")),
            false => Ok(reader),
        }
    }

    /// Fetches the next part, or the end. After an error there is no end to be fetched, only errors.
    fn next_part(&mut self) -> io::Result<()> {
        match self.told.as_ref().and_then(|told| told.recv().ok()) {
            Some(Told::Part(part)) => (self.part, self.taken) = (part, 0),
            Some(Told::End(ended)) => {
                ended?;
                self.is_at_end = true;
            }
            None => return Err(io::Error::other("What hands the content over has broken off")),
        }
        Ok(())
    }

    /// Reads into `buffer` what comes next, which must be what lies at `offset`; fewer bytes than asked only at the end.
    ///
    /// # Errors
    /// Those of the function, and for an offset at which it is not.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset != self.offset {
            let why = "It can be read from its beginning to its end only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut filled = 0;
        while filled < buffer.len() && !self.is_at_end {
            let rest = &self.part[self.taken..];
            if rest.is_empty() {
                self.next_part()?;
                continue;
            }
            let length = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + length].copy_from_slice(&rest[..length]);
            self.taken += length;
            filled += length;
        }
        self.offset += filled as u64;
        Ok(filled)
    }
}

impl Drop for RawReader {
    fn drop(&mut self) {
        // First, so that the function is not waited for while it waits for room.
        self.told = None;
        if let Some(thread) = self.thread.take() {
            // One that panicked has ended, too.
            let _ = thread.join();
        }
    }
}

/// Content of a known size that is given piece by piece to a function that asks for it.
#[derive(Debug)]
pub struct RawGiver<R> {
    read_at: R,
    offset: u64,
    size: u64,
}

impl<R: FnMut(u64, &mut [u8]) -> io::Result<usize>> RawGiver<R> {
    /// Gives `size` bytes, which `read_at` reads.
    pub fn new(size: u64, read_at: R) -> Self {
        Self { read_at, offset: 0, size }
    }

    /// Puts what comes next into the front of `buffer`, and tells how much that is: 0 after the last.
    ///
    /// # Errors
    /// Those of reading; also if there is less to read than there should be.
    pub fn give(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = (self.size - self.offset).min(buffer.len() as u64) as usize;
        let mut filled = 0;
        while filled < room {
            match (self.read_at)(self.offset + filled as u64, &mut buffer[filled..room]) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    /// Whether all of it was asked for.
    pub fn is_at_end(&self) -> bool {
        self.offset == self.size
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    fn content(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    fn read_all(reader: &mut RawReader, piece: usize) -> io::Result<Vec<u8>> {
        let (mut all, mut buffer) = (Vec::new(), vec![0; piece]);
        loop {
            match reader.read_at(all.len() as u64, &mut buffer)? {
                0 => return Ok(all),
                read => all.extend(&buffer[..read]),
            }
        }
    }

    #[test]
    fn parts_of_any_length_are_read_in_pieces_of_any_length() {
        for parts in [&[1][..], &[5, 0, 3], &[0, 7], &[PART_BYTES_MAX, 1, 2 * PART_BYTES_MAX + 3]] {
            let whole = content(parts.iter().sum());
            for piece in [1000, 4096, 1 << 20] {
                let (lengths, to_put) = (parts.to_vec(), whole.clone());
                let mut reader = RawReader::start(move |parts| {
                    let mut rest = &to_put[..];
                    lengths.iter().try_for_each(|length| {
                        let part;
                        (part, rest) = rest.split_at(*length);
                        parts.put(part)
                    })
                })
                .unwrap();
                assert!(read_all(&mut reader, piece).unwrap() == whole, "{parts:?} {piece}");
                assert_eq!(reader.read_at(whole.len() as u64, &mut [0]).unwrap(), 0, "the end stays the end");
            }
        }
    }

    #[test]
    fn what_fails_on_the_way_is_an_error_and_never_an_end() {
        let mut reader = RawReader::start(|parts| {
            parts.put(b"begin")?;
            Err(io::Error::other("the disk fails"))
        })
        .unwrap();
        let mut buffer = [0; 5];
        assert_eq!(reader.read_at(0, &mut buffer).unwrap(), 5);
        assert_eq!(reader.read_at(5, &mut buffer).unwrap_err().to_string(), "the disk fails");
        assert!(reader.read_at(5, &mut buffer).is_err(), "asked again it is no end either");
    }

    #[test]
    fn a_function_that_fails_or_hands_nothing_over_is_refused_at_once() {
        let refused = RawReader::start(|_| Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        for times in [0, 1, 3] {
            let lie = RawReader::start(move |parts| (0..times).try_for_each(|_| parts.put(b"")));
            assert_eq!(lie.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }

    #[test]
    fn it_is_read_in_its_order_only() {
        let mut reader = RawReader::start(|parts| parts.put(b"content")).unwrap();
        assert!(reader.read_at(1, &mut [0]).is_err());
        assert_eq!(reader.read_at(0, &mut [0; 3]).unwrap(), 3);
        assert!(reader.read_at(0, &mut [0]).is_err());
        assert_eq!(reader.read_at(3, &mut [0; 9]).unwrap(), 4);
    }

    #[test]
    fn whoever_reads_no_more_ends_the_function_and_sees_it_ended() {
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        let mut reader = RawReader::start(move |parts| {
            let refused = loop {
                if let Err(error) = parts.put(&[7; 1000]) {
                    break error;
                }
            };
            ended.store(refused.kind() == io::ErrorKind::BrokenPipe, Ordering::SeqCst);
            Err(refused)
        })
        .unwrap();
        assert_eq!(reader.read_at(0, &mut [0; 10]).unwrap(), 10);
        drop(reader);
        assert!(has_ended.load(Ordering::SeqCst));
    }

    #[test]
    fn the_function_is_a_few_parts_ahead_at_most() {
        const PART: usize = 10;
        let put = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&put);
        let mut reader = RawReader::start(move |parts| {
            (0..100).try_for_each(|_| {
                parts.put(&[1; PART])?;
                count.fetch_add(1, Ordering::SeqCst);
                Ok::<(), io::Error>(())
            })
        })
        .unwrap();
        for part in 1..=100 {
            assert_eq!(reader.read_at((part - 1) * PART as u64, &mut [0; PART]).unwrap(), PART);
            let ahead = (put.load(Ordering::SeqCst) as u64).saturating_sub(part);
            assert!(ahead <= PARTS_MAX as u64 + 1, "{ahead} after {part}");
        }
    }

    #[test]
    fn content_is_given_whole_whatever_room_there_is_and_however_it_is_read() {
        let whole = content(1000);
        for (room, most) in [(1, 1), (7, 3), (64, 1000), (5000, 11)] {
            let read_at = |offset: u64, buffer: &mut [u8]| {
                let rest = &whole[offset as usize..];
                let length = rest.len().min(buffer.len()).min(most);
                buffer[..length].copy_from_slice(&rest[..length]);
                Ok(length)
            };
            let mut giver = RawGiver::new(whole.len() as u64, read_at);
            let (mut taken, mut buffer) = (Vec::<u8>::new(), vec![0; room]);
            loop {
                match giver.give(&mut buffer).unwrap() {
                    0 => break,
                    given => taken.extend(&buffer[..given]),
                }
                assert_eq!(giver.is_at_end(), taken.len() == whole.len());
            }
            assert!(taken == whole, "{room} {most}");
            assert_eq!(giver.give(&mut buffer).unwrap(), 0, "the end stays the end");
        }
    }

    #[test]
    fn content_that_is_too_short_or_cannot_be_read_is_not_given_as_whole() {
        let short = |offset: u64, buffer: &mut [u8]| Ok((4 - offset as usize).min(buffer.len()));
        let mut giver = RawGiver::new(6, short);
        assert_eq!(giver.give(&mut [0; 4]).unwrap(), 4);
        assert_eq!(giver.give(&mut [0; 4]).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(!giver.is_at_end());
        let mut giver = RawGiver::new(6, |_, _: &mut [u8]| Err(io::Error::other("the disk fails")));
        assert!(giver.give(&mut [0; 4]).is_err());
        assert!(RawGiver::new(0, |_, _: &mut [u8]| Ok(0)).is_at_end());
    }
}
