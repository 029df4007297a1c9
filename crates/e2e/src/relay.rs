//! A line between a server and its vault that can be cut: everything goes through it, and every connection over it can be broken
//! at any byte.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// What both sides of a line and its threads know.
#[derive(Debug, Default)]
struct Line {
    open: Mutex<Vec<TcpStream>>,
    is_down: AtomicBool,
    /// After how many more bytes all connections are cut, the next time and then on.
    cuts: Mutex<Vec<u64>>,
    moved: AtomicU64,
    cut: AtomicU64,
    refused: AtomicU64,
}

/// The line. Its threads end with their connections.
#[derive(Debug)]
pub struct Relay {
    address: String,
    line: Arc<Line>,
}

impl Relay {
    /// A line to `target`, host and port.
    #[track_caller]
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port can be had");
        let address = listener.local_addr().expect("it has an address").to_string();
        let (line, target) = (Arc::new(Line::default()), target.to_owned());
        let ours = Arc::clone(&line);
        std::thread::spawn(move || {
            for incoming in listener.incoming().flatten() {
                // Whoever comes while it is down finds nobody.
                let Ok(outgoing) = TcpStream::connect(&target) else { continue };
                if ours.is_down.load(Relaxed) {
                    ours.refused.fetch_add(1, Relaxed);
                } else {
                    // One that broke already is tried again by who made it.
                    let _ = ours.join(&incoming, &outgoing);
                }
            }
        });
        Self { address, line }
    }

    /// Where it begins, host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Cuts all connections after so many bytes of both directions, then again after so many, and so on.
    pub fn cut_after(&self, mut bytes: Vec<u64>) {
        bytes.reverse();
        *self.line.cuts.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
    }

    /// How often it was cut so far.
    pub fn cut(&self) -> u64 {
        self.line.cut.load(Relaxed)
    }

    /// How many bytes went over it so far, in both directions.
    pub fn moved(&self) -> u64 {
        self.line.moved.load(Relaxed)
    }

    /// How many connections were refused so far, for it was down.
    pub fn refused(&self) -> u64 {
        self.line.refused.load(Relaxed)
    }

    /// Takes it down, with all connections, or up again.
    pub fn set_down(&self, is_down: bool) {
        self.line.is_down.store(is_down, Relaxed);
        if is_down {
            self.line.cut_all();
        }
    }
}

impl Line {
    fn join(self: &Arc<Self>, incoming: &TcpStream, outgoing: &TcpStream) -> io::Result<()> {
        let copies = [incoming.try_clone()?, outgoing.try_clone()?];
        self.open.lock().unwrap_or_else(PoisonError::into_inner).extend(copies);
        for (from, to) in [(incoming, outgoing), (outgoing, incoming)] {
            let (line, mut from, mut to) = (Arc::clone(self), from.try_clone()?, to.try_clone()?);
            std::thread::spawn(move || {
                // A connection that breaks is what this is for.
                let _ = line.carry(&mut from, &mut to);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn carry(&self, from: &mut TcpStream, to: &mut TcpStream) -> io::Result<()> {
        let mut bytes = [0; 16 << 10];
        loop {
            let length = from.read(&mut bytes)?;
            if length == 0 {
                return Ok(());
            }
            self.moved.fetch_add(length as u64, Relaxed);
            match self.allowed(length as u64) {
                Some(left) => {
                    to.write_all(&bytes[..usize::try_from(left).unwrap_or(length)])?;
                    self.cut_all();
                }
                None => to.write_all(&bytes[..length])?,
            }
        }
    }

    /// How many of so many bytes still go before a cut, if one comes within them.
    fn allowed(&self, length: u64) -> Option<u64> {
        let mut cuts = self.cuts.lock().unwrap_or_else(PoisonError::into_inner);
        let next = cuts.last_mut()?;
        if *next > length {
            *next -= length;
            return None;
        }
        self.cut.fetch_add(1, Relaxed);
        cuts.pop()
    }

    fn cut_all(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
