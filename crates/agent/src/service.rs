//! The agent as a service: backs items up as their policies say, and does what administrators ask of this server at its vault.
//!
//! Each job runs in a process of its own, as `stateward backup now` starts one: it goes on when this process ends, and takes of
//! the machine what the settings say. One job of a home runs at a time, so nothing is begun while one does: what waits at
//! the vault is seen there, and what was taken too early would only fail.
//!
//! Nothing is begun either while the vault can't be asked: a run whose time passes meanwhile is caught up. A planned backup that
//! failed, or was lost with its machine, is begun again after some minutes.

pub mod manager;
pub mod socket;
mod telling;
mod upgrades;

use crate::commands::{begin, reference, start, start_of_item};
use crate::jobs::{JobRequest, TrialPoint, VerifyExtent};
use crate::proofs::{self, DueProof};
use crate::settings::Settings;
use crate::timetable::{DueRun, KeptTimetable};
use crate::{Agent, AgentError, Code, RegisteredServer, USUAL_PERCENT};
use socket::Board;
use stateward_api::agent::{Command, JobReport};
use stateward_client::{HttpVault, Manner, Proxy};
use stateward_engine::{Cancellation, VaultError};
use stateward_model::{ItemId, JobId, JobKind, JobState, Label, PackageStatement, Timestamp};
use std::process::Child;
use std::time::{Duration, Instant};
use telling::Telling;
use upgrades::Upgrades;

/// For how long one call waits for a command. A call that rests for a minute counts as broken.
const WAIT_SECONDS: u32 = 50;

/// How soon a wish to stop is heard, and what is waited for seen.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// So long takes one look for something to do at least.
const LEAST_TURN: Duration = Duration::from_secs(1);

/// How long a job that somebody else runs is left alone before it is looked for again.
const BUSY_REST: Duration = Duration::from_secs(2);

/// The first and the longest rest after the vault could not be asked.
const AWAY_REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What happens while the service runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// This process serves the home from now on, and no other does.
    Serving,
    /// The vault answers, and what it asks for is waited for.
    Waiting,
    /// The vault can't be asked; it is tried again.
    Away(&'a AgentError),
    /// When items are backed up was changed; the next run of any of them.
    Scheduled(Option<Timestamp>),
    /// A job was begun.
    Begun(JobId, &'a Label),
    /// A job could not be begun; the vault was told.
    NotBegun(JobId, &'a AgentError),
    /// A job's process has ended.
    Ended(JobId),
    /// A newer agent is being installed.
    Upgrading(&'a PackageStatement),
    /// It is installed. Where the package does not start the service anew, this process goes on as what it was.
    Upgraded(&'a PackageStatement),
    /// The agent could not be upgraded; it is tried again later.
    NotUpgraded(&'a AgentError),
}

/// Serves until it is stopped. A vault that is away is waited for.
///
/// # Errors
/// If this home is not registered, the vault does not know it any more, or another process serves it.
pub fn serve(agent: &Agent, stop: &Cancellation, told: &dyn Fn(Event<'_>)) -> Result<(), AgentError> {
    let _lock = agent.home().lock_for_service()?;
    let timetable = KeptTimetable::load(agent.home())?;
    told(Event::Serving);
    let board = Board::new(agent);
    let tell = |event: Event<'_>| {
        board.note(&event);
        told(event);
    };
    std::thread::scope(|scope| {
        scope.spawn(|| board.answer(agent.home(), stop));
        let service = Service {
            agent,
            stop,
            told: &tell,
            timetable,
            vault: None,
            upgrades: Upgrades::default(),
            telling: Telling::default(),
        };
        let served = service.serve();
        board.end();
        served
    })
}

struct Service<'a> {
    agent: &'a Agent,
    stop: &'a Cancellation,
    told: &'a dyn Fn(Event<'_>),
    timetable: KeptTimetable,
    vault: Option<(Option<Proxy>, HttpVault)>,
    upgrades: Upgrades,
    telling: Telling,
}

impl Service<'_> {
    fn serve(mut self) -> Result<(), AgentError> {
        let mut rest = AWAY_REST.0;
        while !self.stop.is_cancelled() {
            match self.turn() {
                Ok(()) => rest = AWAY_REST.0,
                Err(_) if self.stop.is_cancelled() => break,
                Err(error) if matches!(error.code(), Code::NotRegistered | Code::ServerRefused) => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::warn!(%error, "the vault can't be asked for commands");
                    (self.told)(Event::Away(&error));
                    self.vault = None;
                    self.pause(rest);
                    rest = (rest * 2).min(AWAY_REST.1);
                }
            }
        }
        Ok(())
    }

    /// Waits for one thing to do, and does it.
    fn turn(&mut self) -> Result<(), AgentError> {
        if is_busy(self.agent)? {
            self.pause(BUSY_REST);
            return Ok(());
        }
        self.telling.look(self.agent);
        self.timetable.settle(self.agent)?;
        let began = Instant::now();
        let until = self.timetable.next_look(self.agent.now());
        let wait = until.map_or(WAIT_SECONDS, |seconds| seconds.min(WAIT_SECONDS));
        let version = self.timetable.version().to_owned();
        let answer = self.connected()?.commands(wait, &version)?;
        if let Some(timetable) = answer.timetable {
            self.timetable.replace(self.agent, timetable)?;
            (self.told)(Event::Scheduled(self.timetable.next_run(self.agent.now())));
        }
        // Somebody may have begun a job meanwhile.
        if is_busy(self.agent)? {
            return Ok(());
        }
        if let Some(command) = answer.commands.into_iter().next() {
            return match self.connected()?.take_command(command.id) {
                Ok(command) => self.obey(&command),
                Err(VaultError::NotFound(_)) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        match self.timetable.due(self.agent.now()) {
            Some(run) => self.back_up(&run),
            None => {
                let settings = Settings::load(self.agent.home())?;
                if let Some(proof) = proofs::due(self.agent, &settings)? {
                    return self.prove(proof, &settings);
                }
                self.upgrade_if_due(settings.upgrade);
                // A vault that answers at once, for whatever reason, is not asked all the time.
                self.pause(LEAST_TURN.saturating_sub(began.elapsed()));
                Ok(())
            }
        }
    }

    fn connected(&mut self) -> Result<&HttpVault, AgentError> {
        let proxy = self.agent.proxy()?;
        // What was set meanwhile holds from now on.
        if self.vault.as_ref().is_some_and(|(through, _)| *through != proxy) {
            self.vault = None;
        }
        match self.vault {
            Some((_, ref vault)) => Ok(vault),
            None => {
                let server = RegisteredServer::load(self.agent.home())?;
                let manner = Manner::job(self.stop.clone());
                let connected = server.connect(self.agent, manner, None)?;
                (self.told)(Event::Waiting);
                Ok(&self.vault.insert((proxy, connected)).1)
            }
        }
    }

    fn obey(&mut self, command: &Command) -> Result<(), AgentError> {
        let of = (command.request.kind(), Some(command.request.item()));
        self.run(command.job, of, begin(self.agent, command))
    }

    /// Makes the backup of a run that is due.
    fn back_up(&mut self, run: &DueRun) -> Result<(), AgentError> {
        let job = JobId::new(&*self.agent.surroundings().random);
        let begun = reference(self.agent, run.item).and_then(|item| {
            let pace = Settings::load(self.agent.home())?.pace_of(JobKind::Backup);
            start_of_item(self.agent, job, JobRequest::backup(None), item, pace)
        });
        // After the job was written down: a crash in between makes a second backup, and not none.
        self.timetable.handled(self.agent.home(), run, job)?;
        self.run(job, (JobKind::Backup, Some(run.item)), begun)
    }

    /// Makes a proof whose time has come. One that has no room is not begun: nothing is wrong at the vault. While the vault
    /// can't be asked it is not tried at all.
    fn prove(&mut self, proof: DueProof, settings: &Settings) -> Result<(), AgentError> {
        let job = JobId::new(&*self.agent.surroundings().random);
        let found = match proof {
            DueProof::Verify => Ok(None),
            DueProof::Trial(item) => proofs::look_up(self.agent, item).map(Some),
        };
        let point = match found {
            Ok(point) => point,
            Err(error) if proofs::is_hindrance(&error) => {
                proof.tried(self.agent, Some(&error))?;
                tracing::warn!(%error, "no trial restore can be made");
                (self.told)(Event::NotBegun(job, &error));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        proof.tried(self.agent, None)?;
        let begun = self.begin_proof((proof, point), job, settings);
        let item = match proof {
            DueProof::Verify => None,
            DueProof::Trial(item) => Some(item),
        };
        self.run(job, (proof.kind(), item), begun)
    }

    fn begin_proof(
        &self,
        (proof, point): (DueProof, Option<TrialPoint>),
        job: JobId,
        settings: &Settings,
    ) -> Result<(Label, Child), AgentError> {
        let pace = proofs::pace(settings, proof);
        match proof {
            DueProof::Verify => {
                let label = RegisteredServer::load(self.agent.home())?.registration.label;
                let request =
                    JobRequest::Verify { point: None, extent: VerifyExtent::Percent(USUAL_PERCENT) };
                Ok((label, start(self.agent, job, request, None, pace)?))
            }
            DueProof::Trial(item) => {
                let request = JobRequest::Trial { point };
                start_of_item(self.agent, job, request, reference(self.agent, item)?, pace)
            }
        }
    }

    /// Waits for a job that was begun, or tells the vault why it was not.
    fn run(
        &mut self,
        job: JobId,
        of: (JobKind, Option<ItemId>),
        begun: Result<(Label, Child), AgentError>,
    ) -> Result<(), AgentError> {
        match begun {
            Ok((label, child)) => {
                (self.told)(Event::Begun(job, &label));
                if self.wait_for(child) {
                    (self.told)(Event::Ended(job));
                }
            }
            Err(error) => {
                let report = not_begun(job, of, &error, self.agent.now());
                self.connected()?.report_job(&report)?;
                (self.told)(Event::NotBegun(job, &error));
            }
        }
        Ok(())
    }

    /// Waits for a job's process; false if this one is to stop before it ends.
    fn wait_for(&self, mut child: Child) -> bool {
        while !self.stop.is_cancelled() {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(LOOK_EVERY),
                Ok(Some(_)) => return true,
                Err(cause) => {
                    tracing::warn!(%cause, "a job's process can't be waited for");
                    return true;
                }
            }
        }
        false
    }

    /// Rests for so long, or until it is to stop.
    fn pause(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.stop.is_cancelled() {
            let next = left.min(LOOK_EVERY);
            std::thread::sleep(next);
            left -= next;
        }
    }
}

fn is_busy(agent: &Agent) -> Result<bool, AgentError> {
    match agent.home().lock_for_job() {
        Ok(_) => Ok(false),
        Err(AgentError::Busy { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// What the vault is told of a job that could not be begun.
fn not_begun(
    job: JobId,
    (kind, item): (JobKind, Option<ItemId>),
    error: &AgentError,
    now: Timestamp,
) -> JobReport {
    JobReport {
        state: JobState::Failed,
        ended_at: Some(now),
        error_code: Some(error.code().to_string()),
        ..JobReport::queued(job, kind, item, now)
    }
}

#[cfg(test)]
mod tests;
