//! What administrators ask of this server at its vault: waited for, taken, and run as jobs.
//!
//! Each runs in a process of its own, as `stateward backup now` starts one: it goes on when this process ends, and takes of
//! the machine what the settings say. One job of a home runs at a time, so nothing is taken while one does: what waits at
//! the vault is seen there, and what was taken too early would only fail.

use crate::items::Items;
use crate::jobs::{self, ItemReference, JobRecord, JobRequest, detach};
use crate::settings::Settings;
use crate::{Agent, AgentError, Code, RegisteredServer};
use stateward_api::agent::{Command, CommandRequest, JobReport};
use stateward_client::{HttpVault, Manner};
use stateward_engine::{Cancellation, VaultError};
use stateward_model::{ItemId, JobId, Label, OnDemand};
use std::process::Child;
use std::time::Duration;

/// For how long one call waits for a command. A call that rests for a minute counts as broken.
const WAIT_SECONDS: u32 = 50;

/// How soon a wish to stop is heard.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a job that somebody else runs is left alone before it is looked for again.
const BUSY_REST: Duration = Duration::from_secs(2);

/// The first and the longest rest after the vault could not be asked.
const AWAY_REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What happens while commands are waited for.
#[derive(Debug)]
pub enum Event<'a> {
    /// The vault answers, and what it asks for is waited for.
    Waiting,
    /// The vault can't be asked; it is tried again.
    Away(&'a AgentError),
    /// A job was begun.
    Begun(JobId, &'a Label),
    /// A job could not be begun; the vault was told.
    NotBegun(JobId, &'a AgentError),
    /// A job's process has ended.
    Ended(JobId),
}

/// Does what the vault asks for until it is stopped. A vault that is away is waited for.
///
/// # Errors
/// If this home is not registered, or the vault does not know it any more.
pub fn serve(agent: &Agent, stop: &Cancellation, told: &dyn Fn(Event<'_>)) -> Result<(), AgentError> {
    let (mut vault, mut rest) = (None, AWAY_REST.0);
    while !stop.is_cancelled() {
        match serve_once(agent, stop, &mut vault, told) {
            Ok(()) => rest = AWAY_REST.0,
            Err(_) if stop.is_cancelled() => break,
            Err(error) if matches!(error.code(), Code::NotRegistered | Code::ServerRefused) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(%error, "the vault can't be asked for commands");
                told(Event::Away(&error));
                vault = None;
                pause(stop, rest);
                rest = (rest * 2).min(AWAY_REST.1);
            }
        }
    }
    Ok(())
}

fn serve_once(
    agent: &Agent,
    stop: &Cancellation,
    vault: &mut Option<HttpVault>,
    told: &dyn Fn(Event<'_>),
) -> Result<(), AgentError> {
    if is_busy(agent)? {
        pause(stop, BUSY_REST);
        return Ok(());
    }
    let vault = match vault {
        Some(vault) => vault,
        None => {
            let server = RegisteredServer::load(agent.home())?;
            let connected = server.connect(agent, Manner::job(stop.clone()), None)?;
            told(Event::Waiting);
            vault.insert(connected)
        }
    };
    let Some(command) = vault.commands(WAIT_SECONDS)?.into_iter().next() else { return Ok(()) };
    // Somebody may have begun a job meanwhile.
    if is_busy(agent)? {
        return Ok(());
    }
    match vault.take_command(command.id) {
        Ok(command) => run(agent, vault, &command, stop, told),
        Err(VaultError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_busy(agent: &Agent) -> Result<bool, AgentError> {
    match agent.home().lock_for_job() {
        Ok(_) => Ok(false),
        Err(AgentError::Busy { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Runs a command to its end, or tells the vault why it can't be begun.
fn run(
    agent: &Agent,
    vault: &HttpVault,
    command: &Command,
    stop: &Cancellation,
    told: &dyn Fn(Event<'_>),
) -> Result<(), AgentError> {
    let CommandRequest::Backup { item, retain_until } = command.request;
    let request = JobRequest::Backup { on_demand: Some(OnDemand { retain_until }) };
    match begin(agent, command.job, item, request) {
        Ok((label, child)) => {
            told(Event::Begun(command.job, &label));
            if wait_for(child, stop) {
                told(Event::Ended(command.job));
            }
        }
        Err((record, error)) => {
            let report = JobReport { item: Some(item), ..record.report() };
            vault.report_job(&report)?;
            told(Event::NotBegun(command.job, &error));
        }
    }
    Ok(())
}

fn begin(
    agent: &Agent,
    job: JobId,
    item: ItemId,
    request: JobRequest,
) -> Result<(Label, Child), (Box<JobRecord>, AgentError)> {
    let queued = queue(agent, job, item, request.clone());
    let (record, label) = queued.map_err(|error| {
        let record = JobRecord::queued(job, request, None, agent.now());
        (Box::new(jobs::failed(agent, record, &error)), error)
    })?;
    match detach::spawn(agent.home(), &[job]) {
        Ok(child) => Ok((label, child)),
        Err(error) => Err((Box::new(jobs::abandon(agent, record, &error)), error)),
    }
}

fn queue(
    agent: &Agent,
    job: JobId,
    item: ItemId,
    request: JobRequest,
) -> Result<(JobRecord, Label), AgentError> {
    let items = Items::load(agent.home())?;
    let item = items.by_id(item).ok_or_else(|| AgentError::UnknownItem {
        name: item.to_string(),
        known: items.items.iter().map(|item| item.label.to_string()).collect(),
    })?;
    let reference = ItemReference { id: item.id, label: item.label.clone() };
    let pace = Settings::load(agent.home())?.pace;
    let record = jobs::queue_as(agent, job, request, Some(reference), pace)?;
    Ok((record, item.label.clone()))
}

/// Waits for a job's process; false if this one is to stop before it ends.
fn wait_for(mut child: Child, stop: &Cancellation) -> bool {
    while !stop.is_cancelled() {
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
fn pause(stop: &Cancellation, time: Duration) {
    let mut left = time;
    while !left.is_zero() && !stop.is_cancelled() {
        let next = left.min(LOOK_EVERY);
        std::thread::sleep(next);
        left -= next;
    }
}
