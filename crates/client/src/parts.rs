//! Packs that travel to and from a distant vault in parts, over several connections into one buffer: what a call of each
//! direction is, and what its answer means.
//!
//! Invariants: a pack that was sent counts only when the vault says that all of it is durable · what the vault lost of it
//! is sent again · what was read is complete or an error.

use crate::body::Place;
use crate::call::{Answer, Body, Call, CallError};
use crate::connection::Connection;
use crate::lanes::PART_BYTES_MIN;
use crate::transfer::{Ranges, Work};
use bytes::Bytes;
use stateward_api::agent::PartTaken;
use stateward_engine::VaultError;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How often a vault may lose what it had of a pack before it must come whole: its calls may reach several processes, of
/// which none gets all parts.
const LOSSES_MAX: u32 = 8;

/// Whether a pack of so many bytes is better sent in parts.
pub(crate) fn is_worth_sending(connection: &Connection, bytes: usize) -> bool {
    is_worth_it(connection, bytes) && !connection.lanes().lose_parts.load(Ordering::Relaxed)
}

/// Whether so many bytes are better moved in parts.
pub(crate) fn is_worth_it(connection: &Connection, bytes: usize) -> bool {
    let is_distant = connection.round_trip().if_distant().is_some();
    bytes > PART_BYTES_MIN as usize && is_distant && !connection.lanes().are_refused()
}

/// A pack on its way to the vault.
struct Sending {
    path: String,
    bytes: Bytes,
    ranges: Ranges,
    /// What the vault puts the parts into, and which are in it.
    assembly: Option<String>,
    taken: Vec<Range<u32>>,
    losses: u32,
    is_stored: bool,
    moved_bytes: u64,
}

/// Sends a pack; true when it is durable, false when its parts do not stay together or lanes can't be used: then it must be
/// sent whole, as all that come after it.
///
/// # Errors
/// What any call may fail with.
pub(crate) fn send(connection: &Connection, path: String, bytes: Bytes) -> Result<bool, CallError> {
    let mut sending = Sending {
        path,
        ranges: Ranges::of(0..bytes.len() as u32),
        bytes,
        assembly: None,
        taken: Vec::new(),
        losses: 0,
        is_stored: false,
        moved_bytes: 0,
    };
    match connection.transfer(&connection.lanes().up, &mut sending) {
        Err(_) if connection.lanes().are_refused() => return Ok(false),
        moved => moved?,
    }
    match sending.is_stored {
        true => Ok(true),
        false if sending.losses > LOSSES_MAX => {
            tracing::info!("the vault does not keep parts of packs together; packs are sent whole");
            connection.lanes().lose_parts.store(true, Ordering::Relaxed);
            Ok(false)
        }
        false => Err(bad_answer("it took all parts of a pack and did not store it".to_owned())),
    }
}

fn bad_answer(words: String) -> CallError {
    VaultError::BadAnswer(words).into()
}

impl Work for Sending {
    fn ranges(&mut self) -> &mut Ranges {
        &mut self.ranges
    }

    fn call(&self, range: Range<u32>) -> Call {
        let part = self.bytes.slice(range.start as usize..range.end as usize);
        Call::put(self.path.clone())
            .body(Body::Object(part))
            .of_part(range, self.bytes.len() as u32)
            .in_bulk()
    }

    fn done(&mut self, range: Range<u32>, answer: &Answer) -> Result<ControlFlow<()>, CallError> {
        let PartTaken { assembly, received_bytes } = answer.json()?;
        self.moved_bytes = received_bytes;
        let Some(assembly) = assembly else {
            self.is_stored = true;
            return Ok(ControlFlow::Break(()));
        };
        if self.assembly.as_ref().is_some_and(|known| *known != assembly) {
            self.losses += 1;
            if self.losses > LOSSES_MAX {
                return Ok(ControlFlow::Break(()));
            }
            tracing::debug!("the vault lost what it had of a pack; it is sent again");
            self.ranges.put_back(self.taken.drain(..));
        }
        self.assembly = Some(assembly);
        self.taken.push(range);
        Ok(ControlFlow::Continue(()))
    }

    fn moved_bytes(&self) -> u64 {
        self.moved_bytes
    }
}

/// A range of a pack on its way from the vault.
struct Reading {
    path: String,
    start: u32,
    ranges: Ranges,
    buffer: Arc<Mutex<Vec<u8>>>,
    moved_bytes: Arc<AtomicU64>,
}

/// Reads a range of a pack; `None` when lanes can't be used: then it must be read whole, as all that come after it.
///
/// # Errors
/// What any call may fail with.
pub(crate) fn read(
    connection: &Connection,
    path: String,
    range: Range<u32>,
) -> Result<Option<Vec<u8>>, CallError> {
    let traffic = &connection.lanes().down;
    let mut reading = Reading {
        path,
        start: range.start,
        buffer: Arc::new(Mutex::new(vec![0; range.len()])),
        ranges: Ranges::of(range),
        moved_bytes: Arc::clone(&traffic.received_bytes),
    };
    match connection.transfer(traffic, &mut reading) {
        Err(_) if connection.lanes().are_refused() => return Ok(None),
        moved => moved?,
    }
    let mut buffer = reading.buffer.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Some(std::mem::take(&mut *buffer)))
}

impl Work for Reading {
    fn ranges(&mut self) -> &mut Ranges {
        &mut self.ranges
    }

    fn call(&self, range: Range<u32>) -> Call {
        let place = Place {
            buffer: Arc::clone(&self.buffer),
            range: (range.start - self.start) as usize..(range.end - self.start) as usize,
            moved_bytes: Arc::clone(&self.moved_bytes),
        };
        Call::get(self.path.clone()).in_range(range).into_place(place).in_bulk()
    }

    fn done(&mut self, range: Range<u32>, answer: &Answer) -> Result<ControlFlow<()>, CallError> {
        if answer.placed != range.len() {
            let Range { start, end } = range;
            let words = format!("{} bytes came for bytes {start} to {end} of a pack", answer.placed);
            return Err(bad_answer(words));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn moved_bytes(&self) -> u64 {
        self.moved_bytes.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
