//! Bodies on their way: sent in slices that share one buffer, received with a limit, both watched for standstill and
//! held to a rate where there is one.

use crate::failure::Failure;
use crate::throttle::Throttle;
use bytes::Bytes;
use futures::stream;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much is handed to the connection at once. Small enough to see a slow line move within the stall time (256 KiB
/// in a minute is 35 kbit/s), large enough to cost nothing.
pub(crate) const SLICE_BYTES: usize = 256 << 10;

/// A body that comes slower than this, in bytes a second, counts as standing still: 35 kbit/s are four times as many, and
/// a vault that lets a byte fall now and then would otherwise hold a job for years.
const LEAST_BYTES_PER_SECOND: u64 = (64 << 10) / 60;

/// When a call last moved.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    begin: Instant,
    last: Arc<AtomicU64>,
    /// So many bytes that came count as a move.
    least_bytes: u64,
    /// What has come since the last move.
    come_bytes: Arc<AtomicU64>,
}

impl Activity {
    /// Of a call that may stand still for so long.
    pub(crate) fn start(stall: Duration) -> Self {
        let least_bytes = stall.as_secs().saturating_mul(LEAST_BYTES_PER_SECOND);
        Self { begin: Instant::now(), last: Arc::default(), least_bytes, come_bytes: Arc::default() }
    }

    pub(crate) fn note(&self) {
        let since = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
        self.come_bytes.store(0, Ordering::Relaxed);
    }

    /// So many bytes came.
    pub(crate) fn note_come(&self, bytes: usize) {
        let bytes = bytes as u64;
        if self.come_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes >= self.least_bytes {
            self.note();
        }
    }

    pub(crate) fn idle_for(&self) -> Duration {
        self.begin.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }
}

/// A body that is sent without copying it, noting each slice that the connection takes.
pub(crate) fn outgoing(bytes: Bytes, activity: Activity, throttle: Option<Throttle>) -> reqwest::Body {
    let slices =
        stream::unfold((bytes, activity, throttle), move |(mut rest, activity, throttle)| async move {
            activity.note();
            if rest.is_empty() {
                return None;
            }
            let most = throttle.as_ref().map_or(SLICE_BYTES, Throttle::slice_bytes);
            let slice = rest.split_to(rest.len().min(most));
            if let Some(throttle) = &throttle {
                throttle.pass(slice.len(), &activity).await;
            }
            Some((Ok::<_, std::convert::Infallible>(slice), (rest, activity, throttle)))
        });
    reqwest::Body::wrap_stream(slices)
}

/// A place in a buffer that several calls fill at the same time.
#[derive(Clone)]
pub(crate) struct Place {
    /// The whole buffer, in its full length.
    pub(crate) buffer: Arc<Mutex<Vec<u8>>>,
    /// Where in it.
    pub(crate) range: Range<usize>,
    /// Counts what comes in, over all calls.
    pub(crate) moved_bytes: Arc<AtomicU64>,
}

impl Place {
    fn fill(&self, start: usize, piece: &[u8]) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer[start..start + piece.len()].copy_from_slice(piece);
    }
}

/// Receives a body into its place; tells its length.
pub(crate) async fn into_place(
    response: reqwest::Response,
    place: &Place,
    activity: &Activity,
    throttle: Option<&Throttle>,
) -> Result<usize, Failure> {
    let most = place.range.len();
    receive(response, most, activity, throttle, |received, piece| {
        place.fill(place.range.start + received, piece);
        place.moved_bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
    })
    .await
}

/// A file that a body goes to, one piece of it in memory at a time.
#[derive(Clone)]
pub(crate) struct Sink {
    file: Arc<Mutex<File>>,
    /// Why it could not be written.
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Sink {
    pub(crate) fn new(file: File) -> Self {
        Self { file: Arc::new(Mutex::new(file)), failure: Arc::default() }
    }

    /// Empties the file: each try of a call begins anew.
    fn begin(&self) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.set_len(0)?;
        file.rewind()
    }

    fn write(&self, piece: &[u8]) -> io::Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(piece)
    }

    fn keep(&self, result: io::Result<()>) {
        if let Err(error) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(error);
        }
    }

    /// Why the file could not be written, if it could not.
    pub(crate) fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn check(&self) -> Result<(), Failure> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.as_ref().map_or(Ok(()), |_| Err(Failure::unwritable()))
    }
}

/// Receives a body of at most `most` bytes into a file; tells its length. What a failed try left there is overwritten.
pub(crate) async fn into_file(
    response: reqwest::Response,
    sink: &Sink,
    most: usize,
    activity: &Activity,
) -> Result<usize, Failure> {
    sink.keep(sink.begin());
    sink.check()?;
    let received = receive(response, most, activity, None, |_, piece| sink.keep(sink.write(piece))).await?;
    sink.check()?;
    Ok(received)
}

/// Receives a body of at most `most` bytes.
pub(crate) async fn incoming(
    response: reqwest::Response,
    most: usize,
    activity: &Activity,
    throttle: Option<&Throttle>,
) -> Result<Vec<u8>, Failure> {
    let announced = response.content_length().unwrap_or(0);
    if announced > most as u64 {
        return Err(Failure::too_long(most));
    }
    let mut body = Vec::with_capacity(announced as usize);
    receive(response, most, activity, throttle, |_, piece| body.extend_from_slice(piece)).await?;
    Ok(body)
}

/// Gives a body's pieces to `take`, each with how much came before it; tells the body's length. A piece that has come is
/// waited for before the next is taken, so that the connection's windows fill and the sender waits too.
async fn receive(
    mut response: reqwest::Response,
    most: usize,
    activity: &Activity,
    throttle: Option<&Throttle>,
    mut take: impl FnMut(usize, &[u8]),
) -> Result<usize, Failure> {
    let mut received = 0;
    while let Some(piece) = response.chunk().await.map_err(|error| Failure::transport(&error))? {
        activity.note_come(piece.len());
        if received + piece.len() > most {
            return Err(Failure::too_long(most));
        }
        take(received, &piece);
        received += piece.len();
        if let Some(throttle) = throttle {
            throttle.pass(piece.len(), activity).await;
        }
    }
    Ok(received)
}
