//! The agent as a service of the machine: installed and started by what starts services there. Where nothing does, or for a user
//! who is not root, it is started as a process of its own, which lasts until the machine ends.

use super::{LOOK_EVERY, socket};
use crate::codes::Code;
use crate::jobs::detach;
use crate::{Agent, AgentError, Home, Registration, platform};
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How the agent stands with what starts services on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceState {
    /// The file that says how it is started, if there is one.
    pub unit: Option<PathBuf>,
    /// Whether a package brought it.
    pub is_packaged: bool,
    /// Whether it is for the home that was asked about.
    pub is_of_home: bool,
    /// Whether that which starts services runs at all.
    pub is_managed: bool,
}

/// Why the agent could not be made a service, or started or stopped as one.
#[derive(Debug, thiserror::Error)]
pub enum ServiceProblem {
    /// Only root may.
    #[error("Only root may change which services this machine starts")]
    NotRoot,
    /// This machine starts services in another way.
    #[error("This machine has no systemd that could start the agent")]
    NoManager,
    /// There is nothing to uninstall.
    #[error("The agent is not installed as a service")]
    NotInstalled,
    /// One is, for another home.
    #[error("`{}` makes the agent of another home a service", .0.display())]
    OtherHome(PathBuf),
    /// The unit's file.
    #[error("The unit of the service can't be written or removed: {0}")]
    Unwritable(io::Error),
    /// What was said when it was asked.
    #[error("The service could not be changed: {0}")]
    Failed(String),
}

impl ServiceProblem {
    /// Its code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NotRoot => Code::NeedsRoot,
            Self::NoManager => Code::NoServiceManager,
            Self::NotInstalled => Code::ServiceNotInstalled,
            Self::OtherHome(_) => Code::ServiceOfAnotherHome,
            Self::Unwritable(_) | Self::Failed(_) => Code::ServiceFailed,
        }
    }
}

/// What starts the agent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Starter {
    /// That which starts services; it starts it with the machine too.
    Manager,
    /// Nobody: it is a process that was started once.
    Process,
}

/// How long the service may take until it serves the home.
const START_WITHIN: Duration = Duration::from_secs(30);

/// How a home's agent stands with what starts services.
pub fn state(home: &Home) -> ServiceState {
    platform::service_state(home.path())
}

/// Has the agent of a home started with the machine, by this very program, and now if that is wished for and the home is
/// registered.
pub fn install(agent: &Agent, starts: bool) -> Result<ServiceState, AgentError> {
    let program = std::env::current_exe().map_err(AgentError::JobNotStarted)?;
    let state = platform::install_service(&program, agent.home().path())?;
    if starts && state.is_managed && Registration::find(agent.home())?.is_some() && !agent.home().is_served()
    {
        start(agent)?;
    }
    Ok(state)
}

/// Takes back what [`install`] did; an agent that was started so is stopped. Home and recovery points stay.
pub fn uninstall(agent: &Agent) -> Result<ServiceState, AgentError> {
    Ok(platform::uninstall_service(agent.home().path())?)
}

/// Starts the agent of a home, and waits until it serves it.
pub fn start(agent: &Agent) -> Result<Starter, AgentError> {
    let home = agent.home();
    Registration::load(home)?;
    drop(home.lock_for_service()?);
    let state = state(home);
    if !(state.is_managed && state.is_of_home) {
        // It says itself when it has begun. It need not be waited for.
        detach::spawn_service(home)?;
        return Ok(Starter::Process);
    }
    platform::start_service()?;
    let begin = Instant::now();
    while !home.is_served() {
        if begin.elapsed() > START_WITHIN {
            let why = "it was started, and does not serve this home".to_owned();
            return Err(ServiceProblem::Failed(why).into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(Starter::Manager)
}

/// Stops the service, of whichever home, and waits until its program is free: for whatever replaces that.
pub fn stop_service() -> Result<(), AgentError> {
    Ok(platform::stop_service()?)
}

/// Stops the agent of a home, however it was started. A job that runs goes on; what is planned is caught up with later.
pub fn stop(agent: &Agent) -> Result<(), AgentError> {
    socket::stop(agent.home())
}
