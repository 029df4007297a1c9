//! Telling the vault how a job stands: at its start, every few seconds, at its end. Best effort: a job does not depend
//! on it.

use stateward_api::agent::{JobAnswer, JobReport};
use stateward_client::HttpVault;
use stateward_engine::Cancellation;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

const REPORT_EVERY: Duration = Duration::from_secs(5);

/// A job's reports to its vault.
pub struct Reporter {
    vault: OnceLock<Arc<HttpVault>>,
    wake: Mutex<Option<Sender<()>>>,
    woken: Mutex<Receiver<()>>,
}

impl Default for Reporter {
    fn default() -> Self {
        let (wake, woken) = mpsc::channel();
        Self { vault: OnceLock::new(), wake: Mutex::new(Some(wake)), woken: Mutex::new(woken) }
    }
}

impl Reporter {
    /// The vault is there. The second time changes nothing: a job has one vault.
    pub fn connected(&self, vault: Arc<HttpVault>) {
        if self.vault.set(vault).is_ok() {
            self.wake();
        }
    }

    /// Has the vault told now, and not some seconds later.
    pub fn wake(&self) {
        if let Some(wake) = &*self.wake.lock().unwrap_or_else(PoisonError::into_inner) {
            // Fails only when nobody reports.
            let _ = wake.send(());
        }
    }

    /// Reports until [`Self::stop`]; whoever asked the vault for the job's end is heard.
    pub fn report_while_running(&self, report: impl Fn() -> JobReport, cancellation: &Cancellation) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while woken.recv_timeout(REPORT_EVERY) != Err(RecvTimeoutError::Disconnected) {
            if self.say(&report()).is_some_and(|answer| answer.cancel_requested) {
                cancellation.cancel();
            }
        }
    }

    /// Ends [`Self::report_while_running`].
    pub fn stop(&self) {
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Reports the end.
    pub fn last_word(&self, report: &JobReport) {
        // There is nothing left to cancel.
        let _ = self.say(report);
    }

    fn say(&self, report: &JobReport) -> Option<JobAnswer> {
        let answer = self.vault.get()?.report_job(report);
        answer.inspect_err(|error| tracing::warn!(%error, "the vault can't be told how the job stands")).ok()
    }
}
