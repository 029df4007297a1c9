//! A crew: threads that take work from one queue until it is empty, one of them fails, or the job is to stop.

use crate::{EngineError, Tools};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Shares `work` out among `threads`, in its order; each thread works with a worker of its own, which keeps its buffers
/// from one piece to the next. All threads have ended when this returns.
///
/// # Errors
/// The first of any worker, after which no new piece is begun; [`EngineError::Cancelled`].
pub(crate) fn share_out<T, I, W>(
    work: I,
    threads: usize,
    tools: &Tools<'_>,
    worker: impl Fn() -> W + Sync,
) -> Result<(), EngineError>
where
    I: Iterator<Item = T> + Send,
    W: FnMut(T) -> Result<(), EngineError>,
{
    let queue = Mutex::new(Some(work));
    let failure = Mutex::new(None);
    let run = || {
        let mut work = worker();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).as_mut().and_then(Iterator::next);
            let Some(piece) = next else { return };
            let done = match tools.cancellation.is_cancelled() {
                true => Err(EngineError::Cancelled),
                false => work(piece),
            };
            if let Err(error) = done {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                queue.lock().unwrap_or_else(PoisonError::into_inner).take();
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(run);
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
