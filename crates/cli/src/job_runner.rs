//! Running jobs for a command: inside this process, or in one of their own.

use crate::context::Context;
use crate::job_screen::{JobScreen, Kept};
use crate::output::Output;
use crate::result_lines::print_result;
use stateward_agent::jobs::{self, JobFolder, JobRecord, PlannedJob, detach};
use stateward_agent::platform::{self, Signal};
use stateward_agent::{AgentError, Cancellation, Exit, HeldLock};
use std::path::PathBuf;
use std::sync::Arc;

/// Whether a command waits for its jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// They run inside this process.
    Inside,
    /// They run in a process of their own, which goes on when this one ends.
    Detached,
}

impl From<bool> for Wait {
    fn from(waits: bool) -> Self {
        if waits { Self::Inside } else { Self::Detached }
    }
}

/// Runs jobs one after another and prints what came out of each; gives the worst exit code. They are written down once it is
/// sure that no other job runs.
pub fn run_jobs(context: &Context, wait: Wait, planned: Vec<PlannedJob>) -> Result<Exit, AgentError> {
    let agent = context.agent();
    match wait {
        Wait::Inside => {
            agent.home().prepare()?;
            let lock = agent.home().lock_for_job()?;
            run_here(context, &lock, jobs::queue_all(agent, planned)?)
        }
        Wait::Detached => {
            let (queued, _) = detach::start(agent, || jobs::queue_all(agent, planned))?;
            print_begun(context, &queued)
        }
    }
}

fn print_begun(context: &Context, queued: &[JobRecord]) -> Result<Exit, AgentError> {
    let (folder, output) = (JobFolder::of(context.agent().home()), context.output());
    for job in queued {
        let job = folder.load(job.id)?;
        let kind = job.kind().to_string().to_lowercase();
        output.object(&serde_json::json!({
            "type": "result", "job": job.id, "kind": job.kind(), "status": job.state,
            "item": job.item.as_ref().map(|item| item.label.as_str()),
        }));
        output.line(format_args!("{}: {kind}, job {}", job.state, job.id));
    }
    output.hint("It goes on in the background: `stateward job list` shows how it stands");
    Ok(Exit::Done)
}

/// Runs queued jobs in this process, which was started for them alone: leaves the terminal first. The process that
/// started it may end from then on, so the jobs are this one's before.
pub fn run_detached(context: &Context, mut queued: Vec<JobRecord>) -> Result<Exit, AgentError> {
    let lock = context.agent().home().lock_for_job()?;
    let folder = JobFolder::of(context.agent().home());
    folder.take_over(&mut queued)?;
    if let Some(first) = queued.first() {
        detach::leave_terminal(&folder.log_path(first.id))?;
    }
    jobs::lower_priority(queued.iter().map(|job| &job.pace));
    let watched = Watched::begin(context.output(), Kept::Record, None)?;
    watched.screen.leave_terminal();
    run_watched(context, &lock, queued, &watched)
}

fn run_here(context: &Context, lock: &HeldLock, queued: Vec<JobRecord>) -> Result<Exit, AgentError> {
    let log = queued.first().map(|job| JobFolder::of(context.agent().home()).log_path(job.id));
    // Before this process has any other thread. The shell that started it is none of its children and stays as it is.
    jobs::lower_priority(queued.iter().map(|job| &job.pace));
    let watched = Watched::begin(context.output(), Kept::Record, log)?;
    run_watched(context, lock, queued, &watched)
}

fn run_watched(
    context: &Context,
    lock: &HeldLock,
    queued: Vec<JobRecord>,
    watched: &Watched,
) -> Result<Exit, AgentError> {
    let mut worst = Exit::Done;
    for job in queued {
        let done = match watched.cancellation.is_cancelled() {
            true => jobs::abandon(context.agent(), job, &AgentError::cancelled()),
            false => jobs::execute(context.agent(), lock, job, &*watched.screen, &watched.cancellation),
        };
        watched.screen.end();
        print_result(context.output(), &done, Kept::Record);
        worst = worst.worse(done.exit());
    }
    Ok(worst)
}

/// A screen for jobs and a wish to stop, both tied to the signals of this process.
pub struct Watched {
    /// Shows the jobs.
    pub screen: Arc<JobScreen>,
    /// Stops them.
    pub cancellation: Cancellation,
}

impl Watched {
    /// From now on Ctrl-C stops the job, and a terminal that is closed does not: output goes to `log` then, if there is
    /// one.
    pub fn begin(output: &Output, kept: Kept, log: Option<PathBuf>) -> Result<Self, AgentError> {
        let (screen, cancellation) = (Arc::new(JobScreen::new(output, kept)), Cancellation::default());
        let (seen, stop, is_json) = (Arc::clone(&screen), cancellation.clone(), output.is_json());
        let told = move |signal| match signal {
            Signal::Stop => {
                stop.cancel();
                if !is_json {
                    seen.talk("Stopping. Press Ctrl-C again to end at once");
                }
            }
            Signal::TerminalClosed => {
                seen.leave_terminal();
                tracing::info!("the terminal was closed, the job goes on");
                if let Some(Err(error)) = log.as_deref().map(detach::move_output) {
                    tracing::warn!(%error, "output can't be moved");
                }
            }
        };
        platform::signals(told).map_err(AgentError::JobNotStarted)?;
        Ok(Self { screen, cancellation })
    }
}
