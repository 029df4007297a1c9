//! Upgrades by the running agent: between jobs, if the settings say so.
//!
//! The upgrade runs in a process of its own, as jobs do: the package's own scripts start the service anew, and that must not
//! end the program that installs it.

use super::{Event, LOOK_EVERY, Service};
use crate::jobs::detach;
use crate::upgrade::{self, UpgradeMode, UpgradeWish};
use crate::{AgentError, disk, platform};
use serde_json::Value;
use stateward_model::PackageStatement;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// How often it is looked for a newer package; an upgrade that failed is tried again then, too.
const BETWEEN_LOOKS: Duration = Duration::from_secs(6 * 3600);

/// So much of what the process said is looked at.
const WORDS_BYTES_MAX: usize = 64 << 10;

/// When it is looked for a newer package.
#[derive(Debug, Default)]
pub(super) struct Upgrades {
    looked_at: Option<Instant>,
}

impl Upgrades {
    fn is_due(&self) -> bool {
        self.looked_at.is_none_or(|at| at.elapsed() >= BETWEEN_LOOKS)
    }
}

impl Service<'_> {
    /// Upgrades the agent if that is wished for, due and possible. What goes wrong is told, and keeps nobody from backing up.
    pub(super) fn upgrade_if_due(&mut self, mode: UpgradeMode) {
        // Looked at in each turn: whoever switches it on need not start the agent anew.
        if mode != UpgradeMode::Automatically || !self.upgrades.is_due() {
            return;
        }
        self.upgrades.looked_at = Some(Instant::now());
        let done = upgrade::look(self.agent, UpgradeWish::default(), self.stop)
            .and_then(|found| found.package.map_or(Ok(()), |package| self.upgrade_to(&package)));
        if let Err(error) = &done
            && !self.stop.is_cancelled()
        {
            tracing::warn!(%error, "the agent was not upgraded");
            (self.told)(Event::NotUpgraded(error));
        }
    }

    fn upgrade_to(&self, package: &PackageStatement) -> Result<(), AgentError> {
        (self.told)(Event::Upgrading(package));
        let log = self.agent.home().logs().join("upgrade-run.log");
        let output = platform::make_private_options().create(true).truncate(true).open(&log);
        let output = output.map_err(|cause| AgentError::JobNotStarted(disk::explained(&log, cause)))?;
        let mut command = detach::this_program(self.agent.home())?;
        // No other than what was looked at, should the vault offer something else meanwhile.
        command.args(["agent", "upgrade", "--version", &package.file.version.to_string()]);
        command.stdin(Stdio::null()).stdout(output.try_clone().map_err(AgentError::JobNotStarted)?);
        command.stderr(output);
        platform::begin_own_group(&mut command);
        let mut child = command.spawn().map_err(AgentError::JobNotStarted)?;
        let status = loop {
            match child.try_wait().map_err(AgentError::JobNotStarted)? {
                Some(status) => break status,
                // It goes on by itself, and is likely why this process is to stop.
                None if self.stop.is_cancelled() => return Ok(()),
                None => std::thread::sleep(LOOK_EVERY),
            }
        };
        match status.success() {
            true => {
                (self.told)(Event::Upgraded(package));
                Ok(())
            }
            false => Err(why(&log).unwrap_or(AgentError::JobLost)),
        }
    }
}

/// What the process said last, if it was why it failed.
fn why(log: &Path) -> Option<AgentError> {
    let text = std::fs::read(log).ok()?;
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(WORDS_BYTES_MAX)..]).into_owned();
    let failure = text.lines().rev().find_map(|line| {
        let said: Value = serde_json::from_str(line).ok()?;
        Some((said["code"].as_str()?.parse().ok()?, said["message"].as_str()?.to_owned()))
    });
    failure.map(|(code, message)| AgentError::NotBegun { code, message })
}
