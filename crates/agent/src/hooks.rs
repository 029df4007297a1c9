//! Hooks: programs of the administrator's that run before and after each backup, such as one that dumps a database into
//! a folder that is protected.
//!
//! They are the executable files of two folders, `before.d` and `after.d` below the hooks' folder, run one after another
//! in the order of their names. What they say goes to the job's log. Those after a backup run whatever became of it:
//! also when it failed or was stopped, or a hook before it failed. A hook runs with the agent's rights, so one that
//! another user could change is refused.

mod process;

use crate::items::{Item, StoredPath};
use crate::jobs::run::{RunningJob, Worked};
use crate::settings::Settings;
use crate::{Agent, AgentError, platform};
use serde::{Deserialize, Serialize};
use stateward_engine::{Cancellation, Progress as _};
use stateward_format::manifest::Warning;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a hook may take unless the settings say otherwise.
const TIME_OUT_SECONDS: u64 = 60 * 60;

/// Ends of names that editors and package managers give to files that are not meant any more.
const SET_ASIDE: [&str; 8] =
    ["~", ".bak", ".disabled", ".dpkg-dist", ".dpkg-old", ".orig", ".rpmnew", ".rpmsave"];

/// What holds for hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookSettings {
    /// The folder that holds `before.d` and `after.d`; the usual one if it is not set.
    pub folder: Option<StoredPath>,
    /// What a hook that fails before a backup does to it.
    pub failure: HookFailure,
    /// How long each may take.
    pub time_out_seconds: u64,
}

impl Default for HookSettings {
    fn default() -> Self {
        Self { folder: None, failure: HookFailure::default(), time_out_seconds: TIME_OUT_SECONDS }
    }
}

/// What a hook that fails before a backup does to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HookFailure {
    /// The backup is made, with a warning.
    #[default]
    Warn,
    /// The backup is not made.
    Block,
}

impl HookSettings {
    /// The folder that holds `before.d` and `after.d`, if this user has one.
    pub fn folder(&self) -> Option<PathBuf> {
        self.folder.as_ref().map(|folder| folder.0.clone()).or_else(platform::default_hooks)
    }
}

/// When hooks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

impl Moment {
    fn folder(self) -> &'static str {
        match self {
            Self::Before => "before.d",
            Self::After => "after.d",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Runs a backup between its hooks.
pub(crate) fn around(
    agent: &Agent,
    item: &Item,
    job: &RunningJob<'_>,
    cancellation: &Cancellation,
    work: impl FnOnce() -> Worked,
) -> Worked {
    let settings = match Settings::load(agent.home()) {
        Ok(settings) => settings.hooks,
        Err(error) => return Err(error).into(),
    };
    // Dropped when the backup panics, too: then the hooks after it run all the same.
    let mut hooks = Hooks { settings, item, job, result: None };
    let worked = match hooks.before(cancellation) {
        Ok(()) => work(),
        Err(error) => Err(error).into(),
    };
    hooks.result = Some(word(job.state_after(worked.error.as_ref())));
    worked
}

struct Hooks<'a> {
    settings: HookSettings,
    item: &'a Item,
    job: &'a RunningJob<'a>,
    /// How the backup ended, once that is known.
    result: Option<String>,
}

impl Drop for Hooks<'_> {
    fn drop(&mut self) {
        // Nothing stops these but their time: they may have to undo what those before did.
        let never = Cancellation::default();
        for hook in self.found(Moment::After) {
            if let Err(failure) = self.run(Moment::After, &hook, &never) {
                self.warn(&hook, &failure);
            }
        }
    }
}

impl Hooks<'_> {
    fn before(&self, cancellation: &Cancellation) -> Result<(), AgentError> {
        for hook in self.found(Moment::Before) {
            match self.run(Moment::Before, &hook, cancellation) {
                Ok(()) => {}
                Err(process::Failure::Cancelled) => return Err(AgentError::cancelled()),
                Err(failure) if self.settings.failure == HookFailure::Block => {
                    return Err(AgentError::HookBlocked { path: hook, failure: failure.to_string() });
                }
                Err(failure) => self.warn(&hook, &failure),
            }
        }
        Ok(())
    }

    /// The hooks of a moment, in the order of their names. A folder that can't be read is told.
    fn found(&self, moment: Moment) -> Vec<PathBuf> {
        let Some(folder) = self.settings.folder().map(|folder| folder.join(moment.folder())) else {
            return Vec::new();
        };
        list(&folder).unwrap_or_else(|cause| {
            self.warn(&folder, &process::Failure::Unusable(cause));
            Vec::new()
        })
    }

    fn run(&self, moment: Moment, hook: &Path, cancellation: &Cancellation) -> Result<(), process::Failure> {
        if let Some(why) = platform::why_not_to_run(hook).map_err(process::Failure::Unusable)? {
            return Err(process::Failure::Refused(why));
        }
        let environment = [
            ("STATEWARD_MOMENT", moment.word().to_owned()),
            ("STATEWARD_JOB", self.job.id().to_string()),
            ("STATEWARD_ITEM", self.item.label.to_string()),
            ("STATEWARD_KIND", word(self.item.selection.kind())),
            ("STATEWARD_RESULT", self.result.clone().unwrap_or_default()),
        ];
        tracing::info!(hook = %hook.display(), moment = moment.word(), "hook begins");
        process::run(process::Hook {
            path: hook,
            environment: &environment,
            time_out: Duration::from_secs(self.settings.time_out_seconds),
            log: self.job.log_path().as_deref(),
            cancellation,
        })
    }

    fn warn(&self, hook: &Path, failure: &process::Failure) {
        let code = match failure {
            process::Failure::Refused(_) => "hook-refused",
            _ => "hook-failed",
        };
        let path = platform::path_bytes(hook).to_vec();
        self.job.warning(&Warning { code: code.to_owned(), path, message: failure.to_string() });
    }
}

/// The word that stands for it in JSON, too: people's words may change.
fn word(of: impl Serialize) -> String {
    let word = serde_json::to_value(of).ok();
    word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The files of a folder that are hooks by their names, in order. There need be no such folder.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        !name.starts_with('.') && !SET_ASIDE.iter().any(|end| name.ends_with(end)) && !path.is_dir()
    });
    paths.sort_unstable();
    Ok(paths)
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
