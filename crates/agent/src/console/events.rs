//! A job as it goes on: server-sent events.

use super::Console;
use super::answer::{Refusal, blocking};
use super::body::Part;
use super::jobs::find;
use crate::jobs::JobFolder;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::stream::{self, Stream};
use stateward_api::console::Job;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// How often the job's record is looked at: its process writes it twice a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What was told last, and whether that was the end.
struct Watch {
    console: Arc<Console>,
    job: String,
    told: Option<Job>,
    is_over: bool,
}

/// Tells of a job each time it is further, and of its end.
pub(super) async fn watch(
    State(console): State<Arc<Console>>,
    Part(job): Part,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let first = look(&console, job.clone()).await?;
    let begin = Watch { console, job: first.job.to_string(), told: None, is_over: false };
    Ok(Sse::new(stream::unfold(begin, next)).keep_alive(KeepAlive::default()))
}

async fn look(console: &Arc<Console>, job: String) -> Result<Job, Refusal> {
    blocking(Arc::clone(console), move |console| {
        Ok((&find(&JobFolder::of(console.agent.home()), &job)?).into())
    })
    .await
}

async fn next(mut watch: Watch) -> Option<(Result<Event, Infallible>, Watch)> {
    if watch.is_over {
        return None;
    }
    loop {
        if watch.console.ending.is_cancelled() {
            return None;
        }
        // A record that can't be read any more is no job that goes on.
        let job = look(&watch.console, watch.job.clone()).await.ok()?;
        // Whoever watches a job that goes on is there.
        watch.console.gate.touch();
        watch.is_over = job.status.is_ended();
        if watch.is_over || watch.told.as_ref() != Some(&job) {
            let name = if watch.is_over { "end" } else { "job" };
            let event = Event::default().event(name).json_data(&job).ok()?;
            watch.told = Some(job);
            return Some((Ok(event), watch));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
