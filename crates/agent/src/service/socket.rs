//! What the running agent is asked at its socket, `agent.sock` in the home: how it stands, and to stop.
//!
//! One question a connection, a line of JSON, answered by another. Only the home's owner and root are answered; who asks is told
//! by the operating system, not by who asks. A command that finds nobody there does without.

use super::{Event, LOOK_EVERY};
use crate::platform::{self, Listener};
use crate::{Agent, AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_engine::Cancellation;
use stateward_model::{JobId, Timestamp};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long an agent that is asked to stop may take: it ends a call that waits, and nothing else.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// What may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How it stands.
    Status,
    /// To stop; a job that runs goes on.
    Stop,
}

/// How a running agent stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStatus {
    /// Its process.
    pub pid: u32,
    /// The program's name and version: an older one runs on after an upgrade until it is started anew.
    pub program: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether its vault answers.
    pub vault: VaultState,
    /// The job that it has begun and waits for.
    pub job: Option<JobId>,
}

/// Whether a running agent's vault answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum VaultState {
    /// It was not asked yet.
    Unknown,
    /// It does.
    Answers,
    /// It does not; it is asked again.
    Away {
        /// The error's code.
        code: String,
        /// What happened.
        message: String,
    },
}

/// How this process stands, for whoever asks.
pub(super) struct Board {
    status: Mutex<ServiceStatus>,
    ended: AtomicBool,
}

impl Board {
    pub(super) fn new(agent: &Agent) -> Self {
        let status = ServiceStatus {
            pid: std::process::id(),
            program: agent.program().to_owned(),
            since: agent.now(),
            vault: VaultState::Unknown,
            job: None,
        };
        Self { status: Mutex::new(status), ended: AtomicBool::new(false) }
    }

    /// Takes note of what happens.
    pub(super) fn note(&self, event: &Event<'_>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Serving
            | Event::Scheduled(_)
            | Event::Upgrading(_)
            | Event::Upgraded(_)
            | Event::NotUpgraded(_) => (),
            Event::Waiting => status.vault = VaultState::Answers,
            Event::Away(error) => {
                let (code, message) = (error.code().to_string(), error.to_string());
                status.vault = VaultState::Away { code, message };
            }
            Event::Begun(job, _) => status.job = Some(*job),
            Event::NotBegun(..) | Event::Ended(_) => status.job = None,
        }
    }

    /// Answers until [`Self::end`]. Without a socket the agent serves all the same.
    pub(super) fn answer(&self, home: &Home, stop: &Cancellation) {
        let path = path(home);
        let listener = match Listener::bind(&path) {
            Ok(listener) => listener,
            Err(cause) => {
                tracing::warn!(path = %path.display(), %cause, "nobody can ask this agent how it stands");
                return;
            }
        };
        while !self.ended.load(Relaxed) {
            if let Err(cause) = listener.answer_next(|question| self.answer_to(question, stop)) {
                tracing::debug!(%cause, "a question at the socket was not answered");
            }
        }
        // The next agent of this home would do it otherwise.
        let _ = std::fs::remove_file(path);
    }

    fn answer_to(&self, question: &str, stop: &Cancellation) -> Option<String> {
        let question: Question = serde_json::from_str(question).ok()?;
        if question == Question::Stop {
            stop.cancel();
        }
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_string(&*status).ok()
    }

    /// Nothing is answered from now on.
    pub(super) fn end(&self) {
        self.ended.store(true, Relaxed);
    }
}

fn path(home: &Home) -> PathBuf {
    home.path().join("agent.sock")
}

/// Asks the agent that serves a home; `None` if none answers.
pub fn ask(home: &Home, question: Question) -> Option<ServiceStatus> {
    let asked = || -> io::Result<ServiceStatus> {
        let question = serde_json::to_string(&question)?;
        Ok(serde_json::from_str(&platform::ask(&path(home), &question)?)?)
    };
    asked().inspect_err(|cause| tracing::debug!(%cause, "no agent answers")).ok()
}

/// Asks the agent that serves a home to stop, and waits until it has.
///
/// # Errors
/// [`AgentError::NotServed`] if there is none, [`AgentError::ServiceStays`] if it does not hear or does not end in time.
pub fn stop(home: &Home) -> Result<(), AgentError> {
    if !home.is_served() {
        return Err(AgentError::NotServed);
    }
    let begin = Instant::now();
    while begin.elapsed() < STOP_WITHIN {
        ask(home, Question::Stop);
        if !home.is_served() {
            return Ok(());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Err(AgentError::ServiceStays)
}
