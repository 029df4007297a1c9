//! Moves one pack in parts: claims ranges, keeps as many under way as there are lanes for, sends what broke off again.
//!
//! What this does not: know in which direction; [`Work`] does. A range that failed in a way that may pass is tried again,
//! and so is every other, while any of them succeeds within the caller's patience.

use crate::call::{Answer, Call, CallError, is_transient};
use crate::connection::{Connection, succeeded};
use crate::failure::Failure;
use crate::lanes::{Slot, Traffic};
use crate::retry::BackOff;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use std::ops::{ControlFlow, Range};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The ranges of a pack that are still to be moved, and those under way.
#[derive(Debug)]
pub(crate) struct Ranges {
    left: Vec<Range<u32>>,
    under_way: Vec<Range<u32>>,
}

impl Ranges {
    pub(crate) fn of(whole: Range<u32>) -> Self {
        Self { left: vec![whole], under_way: Vec::new() }
    }

    fn left_bytes(&self) -> u32 {
        self.left.iter().map(|range| range.end - range.start).sum()
    }

    /// Takes so many bytes, or fewer where a range ends.
    fn claim(&mut self, bytes: u32) -> Option<Range<u32>> {
        let first = self.left.first_mut()?;
        let end = first.end.min(first.start.saturating_add(bytes));
        let claimed = first.start..end;
        first.start = end;
        self.left.retain(|range| !range.is_empty());
        self.under_way.push(claimed.clone());
        Some(claimed)
    }

    fn forget(&mut self, range: &Range<u32>) {
        self.under_way.retain(|other| other != range);
    }

    /// These must be moved again.
    pub(crate) fn put_back(&mut self, ranges: impl IntoIterator<Item = Range<u32>>) {
        self.left.extend(ranges);
    }
}

/// What is moved.
pub(crate) trait Work {
    /// What is left of it.
    fn ranges(&mut self) -> &mut Ranges;
    /// The call that moves a range.
    fn call(&self, range: Range<u32>) -> Call;
    /// Takes the answer, which is a success; tells whether all is done.
    fn done(&mut self, range: Range<u32>, answer: &Answer) -> Result<ControlFlow<()>, CallError>;
    /// How many bytes were moved in this direction in all, as far as it is known.
    fn moved_bytes(&self) -> u64;
}

/// One part's end.
struct Ended<'a> {
    range: Range<u32>,
    slot: Slot<'a>,
    outcome: Result<Answer, Failure>,
}

/// Moves all of `work`'s ranges. What was under way when this fails can be moved by another call.
pub(crate) async fn drive(
    connection: &Connection,
    traffic: &Traffic,
    token: Option<&Zeroizing<String>>,
    work: &mut dyn Work,
) -> Result<(), CallError> {
    let clients = connection.lanes().clients()?;
    let broken_off = std::mem::take(&mut work.ranges().under_way);
    work.ranges().put_back(broken_off);
    let ticket = traffic.ticket();
    let round_trip = connection.round_trip().if_distant().unwrap_or(Duration::ZERO);
    let mut back_off = BackOff::new(connection.manner().patience);
    let mut rested_until = Instant::now();
    let mut under_way = FuturesUnordered::new();
    loop {
        let left = work.ranges().left_bytes();
        if left == 0 && under_way.is_empty() {
            return Ok(());
        }
        tokio::select! {
            biased;
            Some(ended) = under_way.next() => match conclude(connection, ended, work)? {
                Conclusion::Whole => return Ok(()),
                Conclusion::Moved => {
                    back_off = BackOff::new(connection.manner().patience);
                    traffic.note(work.moved_bytes(), round_trip);
                }
                // One cause breaks many parts at once; it is waited for once.
                Conclusion::Broken { begin, .. } if begin < rested_until => {}
                Conclusion::Broken { error, .. } => {
                    let wait = back_off.wait(Instant::now(), connection.random()).ok_or(error)?;
                    connection.rest(connection.manner(), wait).await?;
                    rested_until = Instant::now();
                }
            },
            slot = ticket.slot(), if left > 0 => {
                let Some(range) = work.ranges().claim(slot.part_bytes(left)) else { continue };
                let call = work.call(range.clone());
                let call = match token {
                    Some(token) => call.with_token(token),
                    None => call,
                };
                let client = &clients[slot.lane];
                under_way.push(part(connection, client, slot, range, call));
            }
        }
    }
}

async fn part<'a>(
    connection: &Connection,
    client: &reqwest::Client,
    slot: Slot<'a>,
    range: Range<u32>,
    call: Call,
) -> Ended<'a> {
    let outcome = connection.attempt(client, connection.manner(), call).await;
    Ended { range, slot, outcome }
}

/// What a part's end comes to.
enum Conclusion {
    /// Nothing more is needed.
    Whole,
    Moved,
    /// It must be moved again; when it began, and the reason, should that be one time too many.
    Broken {
        begin: Instant,
        error: CallError,
    },
}

fn conclude(connection: &Connection, ended: Ended<'_>, work: &mut dyn Work) -> Result<Conclusion, CallError> {
    let Ended { range, slot, outcome } = ended;
    work.ranges().forget(&range);
    let error = match outcome {
        Ok(answer) if is_transient(answer.status) => answer.refusal(),
        Ok(answer) => {
            let answer = succeeded(answer).inspect_err(|_| work.ranges().put_back([range.clone()]))?;
            slot.succeeded(range.end - range.start);
            connection.lanes().note_carried();
            return Ok(match work.done(range, &answer)? {
                ControlFlow::Break(()) => Conclusion::Whole,
                ControlFlow::Continue(()) => Conclusion::Moved,
            });
        }
        Err(failure) if failure.is_of_protocol && connection.lanes().note_protocol() => {
            return Err(connection.told(failure).into());
        }
        Err(failure) if failure.is_transient => connection.told(failure).into(),
        Err(failure) => return Err(connection.told(failure).into()),
    };
    tracing::debug!(%error, "a part broke off and is moved again");
    let begin = slot.begin;
    slot.failed();
    work.ranges().put_back([range]);
    Ok(Conclusion::Broken { begin, error })
}
