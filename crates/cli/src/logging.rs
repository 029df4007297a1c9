//! The program's log: the agent's log file in the home, if there is a home.

use stateward_agent::Home;
use stateward_agent::logs::LogFile;
use std::sync::Mutex;
use tracing_subscriber::EnvFilter;

/// What is logged if `STATEWARD_LOG` does not say otherwise.
const USUAL_LEVEL: &str = "info";

/// Begins to log. A log that can't be written stops no command: whatever matters is printed, too.
pub fn begin(home: &Home) {
    if !home.exists() {
        return;
    }
    let Ok(file) = LogFile::open(home) else { return };
    let filter = EnvFilter::try_from_env("STATEWARD_LOG").unwrap_or_else(|_| EnvFilter::new(USUAL_LEVEL));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_env_filter(filter)
        // Said on standard error otherwise, and a program that can't write there either would end.
        .log_internal_errors(false)
        .with_writer(Mutex::new(file))
        .finish();
    // Fails only when a subscriber is set already; then that one logs.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
