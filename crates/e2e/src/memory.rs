//! How much memory processes take, as the kernel tells it.

use crate::process::{Outcome, Running, wait_until};
use rustix::process::Pid;
use std::cell::Cell;
use std::process::Command;
use std::time::Duration;

/// The highest anonymous memory that was seen, in KiB.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Peak {
    /// Of the command.
    pub agent_kib: u64,
    /// Of the vault.
    pub vault_kib: u64,
}

/// Anonymous memory that lies in RAM, in KiB: what a process holds of its own, without pages of files, which the kernel
/// may drop. 0 if the process has ended.
pub fn anonymous_kib(process: Pid) -> u64 {
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

/// Lets a command run to its end, or calls `meanwhile` every 5 ms until it does; the highest anonymous memory of its
/// process in KiB. Panics after `deadline`.
#[track_caller]
pub fn watch(
    mut running: Running,
    deadline: Duration,
    mut meanwhile: impl FnMut(&Running),
) -> (Outcome, u64) {
    let process = running.pid();
    let mut peak_kib = 0;
    wait_until("the watched command ends", deadline, || {
        peak_kib = peak_kib.max(anonymous_kib(process));
        meanwhile(&running);
        (!running.is_alive()).then_some(())
    });
    (running.wait(), peak_kib)
}

/// Runs a command to its end and looks at its memory and at the vault's all the while: every 5 ms, so a peak shorter
/// than that may be missed.
#[track_caller]
pub fn run_measured(command: Command, vault: Pid) -> (Outcome, Peak) {
    let mut running = Running::start(command);
    let process = running.pid();
    let peak = Cell::new(Peak::default());
    wait_until("the measured command ends", crate::process::deadline(), || {
        let seen = peak.get();
        peak.set(Peak {
            agent_kib: seen.agent_kib.max(anonymous_kib(process)),
            vault_kib: seen.vault_kib.max(anonymous_kib(vault)),
        });
        (!running.is_alive()).then_some(())
    });
    (running.wait(), peak.get())
}
