//! The verify job: asked for, and done.

mod slots;

use crate::head::PinnedHead;
use crate::history::VerifyHistory;
use crate::items::Items;
use crate::jobs::run::{RunningJob, Worked};
use crate::jobs::{ItemReference, JobOutcome, JobRequest, PlannedJob, VerifyExtent};
use crate::proofs::Proofs;
use crate::settings::PaceWish;
use crate::{Agent, AgentError, RegisteredServer, Registration, points};
use stateward_engine::points::open_point;
use stateward_engine::{PointSummary, Tools, VaultRead as _, VerifyOutcome, VerifyRequest, VerifyShare};
use stateward_format::manifest::Warning;
use stateward_model::JobKind;

/// What verify reads if nobody says otherwise, in percent of all bytes.
pub const USUAL_PERCENT: f64 = 5.0;

/// What a person wants of a verify.
#[derive(Debug, Clone, Copy)]
pub struct VerifyWish<'a> {
    /// Only what this recovery point needs, as [`points::choose`] takes it.
    pub recovery_point: Option<&'a str>,
    /// The item, where that does not say which is meant.
    pub item: Option<&'a str>,
    /// How much of it.
    pub extent: VerifyExtent,
    /// Restore the newest recovery point of this item on trial instead.
    pub trial_restore: Option<&'a str>,
    /// How much of the machine and of the line it may take.
    pub pace: PaceWish,
}

/// The job that a person asks for.
pub fn plan(agent: &Agent, wish: &VerifyWish<'_>) -> Result<PlannedJob, AgentError> {
    Registration::load(agent.home())?;
    if let Some(asked) = wish.trial_restore {
        let items = Items::load(agent.home())?;
        let item = items.find(asked)?;
        let item = Some(ItemReference { id: item.id, label: item.label.clone() });
        let pace = wish.pace.of_job(agent.home(), JobKind::Restore)?;
        return Ok(PlannedJob { request: JobRequest::Trial { point: None }, item, pace });
    }
    let point = match wish.recovery_point {
        None => None,
        Some(text) => {
            let listed = points::list_own(agent)?;
            let point = points::choose(&listed, text, wish.item)?;
            Some((point.sequence, point.recovery_point))
        }
    };
    let pace = wish.pace.of_job(agent.home(), JobKind::Verify)?;
    Ok(PlannedJob { request: JobRequest::Verify { point, extent: wish.extent }, item: None, pace })
}

/// Proves what the vault holds. Whatever is found wrong makes the job fail.
pub(crate) fn work(
    agent: &Agent,
    point: Option<PointSummary>,
    extent: VerifyExtent,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Worked {
    match prove(agent, point, extent, job, tools) {
        Ok(found) => {
            let problems = found.problems.len() as u64;
            Worked {
                outcome: Some(JobOutcome::Verify {
                    recovery_points: found.points,
                    packs: found.packs,
                    packs_in_all: found.packs_in_all,
                    bytes: found.bytes,
                    bytes_in_all: found.bytes_in_all,
                    problems,
                }),
                error: (problems > 0).then_some(AgentError::DamageFound { problems }),
            }
        }
        Err(error) => Err(error).into(),
    }
}

fn prove(
    agent: &Agent,
    point: Option<PointSummary>,
    extent: VerifyExtent,
    job: &RunningJob<'_>,
    tools: &Tools<'_>,
) -> Result<VerifyOutcome, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    let vault = job.connect(agent, &server)?;
    let (trust, keys) = (server.trust(), server.epoch_keys());
    let keys = [keys];
    let point = point.map(|summary| open_point(&*vault, &trust, &keys, summary)).transpose()?;
    let history = VerifyHistory::load(agent.home())?;
    let [keys] = &keys;
    let request = VerifyRequest {
        vault: &*vault,
        trust: &trust,
        keys,
        point: point.as_ref(),
        share: match extent {
            VerifyExtent::Full => VerifyShare::Full,
            VerifyExtent::Percent(percent) => VerifyShare::Share(percent / 100.0),
        },
        history: &history.packs,
        threads: 0,
    };
    let mut problems = slots::check(&*vault, &server.keys.slots)?;
    problems.extend(PinnedHead::missing_from(agent.home(), &vault.chain()?)?);
    problems.iter().for_each(|problem| tools.progress.warning(problem));
    let mut found = stateward_engine::verify(request, tools)?;
    found.problems.extend(problems);
    if found.problems.is_empty() {
        let now = agent.now();
        Proofs::change(agent.home(), |proofs| {
            (proofs.verify.proven, proofs.verify.hindered) = (Some(now), None);
        })?;
    }
    // What was found counts, whatever becomes of this.
    if let Err(error) = (VerifyHistory { packs: found.history.clone() }).save(agent.home()) {
        tools.progress.warning(&Warning {
            code: "history-not-kept".to_owned(),
            path: Vec::new(),
            message: format!("When these packs were verified could not be noted: {error}"),
        });
    }
    Ok(found)
}
