//! What every command is handed: the agent of its home, and a way to speak.

use crate::arguments::Global;
use crate::output::Output;
use stateward_agent::{Agent, AgentError, Home, Surroundings};
use stateward_model::{SystemClock, SystemRandom};
use std::sync::Arc;

/// The program and its version, as recovery points and vaults are told it.
pub const PROGRAM: &str = concat!("stateward ", env!("CARGO_PKG_VERSION"));

/// What every command is handed.
pub struct Context {
    agent: Agent,
    output: Output,
}

impl Context {
    /// For the home that the flags name, or the usual one. This is where the program's clock and random source are
    /// chosen.
    pub fn new(global: &Global, output: Output) -> Result<Self, AgentError> {
        let surroundings = Surroundings { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
        let home = Home::at(global.home.as_deref())?;
        Ok(Self { agent: Agent::new(home, surroundings, PROGRAM), output })
    }

    /// The agent.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The way to speak.
    pub fn output(&self) -> &Output {
        &self.output
    }
}
