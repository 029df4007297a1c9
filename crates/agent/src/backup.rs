//! The backup job: asked for, and done.

use crate::head::PinnedHead;
use crate::items::{Item, Items};
use crate::jobs::run::{RunningJob, Worked};
use crate::jobs::{ItemReference, JobOutcome, JobRequest, PlannedJob};
use crate::offered::{self, Noting};
use crate::prechecks::{Reached, clock, reach};
use crate::server_backup::Staging;
use crate::settings::{PaceWish, Settings};
use crate::snapshots::Ledger;
use crate::source::{self, Opened, OpenedSource};
use crate::{Agent, AgentError, RegisteredServer, Registration, cache};
use stateward_engine::{BackupOptions, BackupRequest, EngineError, Progress, Source, Tools};
use stateward_format::manifest::Warning;
use stateward_model::{JobKind, OnDemand, Phase, Timestamp};
use stateward_system_state::snapshots::HeldSnapshots;

/// What a person wants of a backup now.
#[derive(Debug, Clone, Copy, Default)]
pub struct BackupWish<'a> {
    /// Only the item of that name or id; `None`: all, one after another.
    pub item: Option<&'a str>,
    /// Until when the recovery points are to be kept at least.
    pub retain_until: Option<Timestamp>,
    /// Whether they are made though what is found before would block it.
    pub despite_prechecks: bool,
    /// How much of the machine and of the line it may take.
    pub pace: PaceWish,
}

/// The jobs that a person asks for with *Back Up Now*.
pub fn plan(agent: &Agent, wish: &BackupWish<'_>) -> Result<Vec<PlannedJob>, AgentError> {
    Registration::load(agent.home())?;
    let pace = wish.pace.of_job(agent.home(), JobKind::Backup)?;
    let on_demand = Some(OnDemand { retain_until: wish.retain_until });
    let request = JobRequest::Backup { on_demand, despite_prechecks: wish.despite_prechecks };
    let planned = |item: Item| PlannedJob {
        request: request.clone(),
        item: Some(ItemReference { id: item.id, label: item.label }),
        pace: pace.clone(),
    };
    let items = Items::load(agent.home())?;
    match wish.item {
        None if items.items.is_empty() => Err(AgentError::NoItems),
        None => Ok(items.items.into_iter().map(planned).collect()),
        Some(name) => Ok(vec![planned(items.find(name)?.clone())]),
    }
}

/// Makes a recovery point of an item; `asked` says whether it was asked for now, and whether it is made though prechecks would
/// block it. The head is pinned before the job is told done; where it can't be, that is told,
/// too.
pub(crate) fn work(
    agent: &Agent,
    item: &Item,
    asked: (Option<OnDemand>, bool),
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Worked {
    back_up(agent, item, asked, job, tools).into()
}

fn back_up(
    agent: &Agent,
    item: &Item,
    (on_demand, despite_prechecks): (Option<OnDemand>, bool),
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Result<JobOutcome, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let settings = Settings::load(agent.home())?.prechecks;
    let Reached { vault, mut found } = reach(agent, &server, (&settings, despite_prechecks), job)?;
    vault.put_item(item.id, &item.label, item.selection.kind())?;
    offered::settle(agent.home(), &*vault)?;
    let ledger = Ledger::of(agent.home());
    // What is dropped last stands first: a snapshot goes when nothing reads it any more.
    let OpenedSource { snapshots, mut prechecks, source } =
        source::open(agent, &ledger, &server.registration, &item.selection, (job.id(), tools.cancellation))?;
    prechecks.push(clock(vault.clock_ahead_seconds()));
    let blocked = settings.judge(&mut prechecks, despite_prechecks);
    job.prechecked(&prechecks);
    if let Some(why) = blocked {
        return Err(why);
    }
    prechecks.append(&mut found);
    // Dropped after what reads it, however this ends: what is open can't be removed on Windows.
    let mut cleared = Clearing { staging: None, progress: tools.progress };
    let (source, staging) = staged(source, job, tools)?;
    cleared.staging = staging;
    let cache = cache::open(&server.registration.cache).map_err(EngineError::from)?;
    let keys = server.epoch_keys();
    let request = BackupRequest {
        item: item.id,
        item_label: &item.label,
        kind: item.selection.kind(),
        source: &*source,
        vault: &*vault,
        trust: &server.trust(),
        keys: &keys,
        signing_key: &server.keys.signing,
        slots: &server.keys.slots,
        cache: &cache,
        pinned_head: PinnedHead::find(agent.home())?.map(|head| head.summary()),
        on_demand,
        prechecks,
        made_by: agent.program(),
        options: BackupOptions::default(),
    };
    let noting = Noting::begin(tools.progress, agent.home())?;
    let made = stateward_engine::backup(request, &Tools { progress: &noting, ..*tools });
    drop(source);
    drop(cleared);
    for why in snapshots.map(HeldSnapshots::release).unwrap_or_default() {
        let message = format!("The snapshot {why}");
        tools.progress.warning(&Warning { code: "snapshot-left".to_owned(), path: Vec::new(), message });
    }
    let made = match noting.into_failure() {
        Some(error) => return Err(error),
        None => made?,
    };
    let head =
        PinnedHead { sequence: made.point.sequence, point: made.point.hash, received_at: made.received_at };
    // The recovery point is there, whatever becomes of this.
    if let Err(error) = head.save(agent.home()).and_then(|()| offered::forget(agent.home())) {
        tools.progress.warning(&Warning {
            code: "head-not-kept".to_owned(),
            path: Vec::new(),
            message: format!("The vault holds the recovery point, but this home could not note it: {error}"),
        });
    }
    Ok(JobOutcome::Backup {
        recovery_point: made.point.hash,
        sequence: made.point.sequence,
        received_at: made.received_at,
        files: made.files,
        bytes: made.bytes,
        bytes_uploaded: made.uploaded_bytes,
        files_unchanged: made.unchanged_files,
    })
}

/// What is read; made first, where it has to be.
fn staged<'a>(
    opened: Opened<'a>,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Result<(Box<dyn Source>, Option<Staging<'a>>), AgentError> {
    match opened {
        Opened::Ready(source) => Ok((source, None)),
        Opened::Wanted(wanted) => {
            tools.progress.phase(Phase::Estimating);
            let staged = wanted.stage(&mut |percent| job.staged(Some(percent)), tools.cancellation);
            job.staged(None);
            staged.map(|(source, staging)| -> (Box<dyn Source>, _) { (Box::new(source), Some(staging)) })
        }
    }
}

/// Clears away what is staged when the backup is over, whatever became of it.
struct Clearing<'a, 'b> {
    staging: Option<Staging<'a>>,
    progress: &'b dyn Progress,
}

impl Drop for Clearing<'_, '_> {
    fn drop(&mut self) {
        if let Some(warning) = self.staging.take().and_then(Staging::clear) {
            self.progress.warning(&warning);
        }
    }
}
