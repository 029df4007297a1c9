//! How a System State of Windows is put back once its files are: the plan for a recovery point, shown, written or run.

use crate::prechecks::PrecheckSettings;
use crate::settings::Settings;
use crate::{Agent, AgentError, platform, points, server_backup};
use stateward_engine::Cancellation;
use stateward_format::manifest::Manifest;
use stateward_model::Timestamp;
use stateward_system_state::OpenError;
use stateward_system_state::server_backup::backup::IMAGE_FOLDER;
use stateward_system_state::server_backup::plan::{self, Here};
use stateward_system_state::server_backup::staging;
use stateward_system_state::server_backup::wbadmin::version::parse_versions;
use stateward_system_state::server_backup::{Invocation, RegistryValue, Server};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

pub use stateward_system_state::server_backup::plan::{Line, Place, Plan, Point, Step, Wish};

/// What is written beside the image, or where a person says: the runbook and the script.
pub const FILES: [&str; 2] = ["stateward-runbook.txt", "stateward-restore.cmd"];

/// What a person wants of a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanWish<'a> {
    /// The recovery point, as [`points::choose`] takes it.
    pub recovery_point: &'a str,
    /// The item, where that does not say which is meant.
    pub item: Option<&'a str>,
    /// Where `WindowsImageBackup` lies, as `wbadmin` takes it.
    pub place: &'a str,
    /// Whether what comes back wins, and whether the machine restarts by itself.
    pub wish: Wish,
    /// How long the domain remembers deleted objects, if somebody knows.
    pub tombstone_days: Option<u32>,
}

/// A plan and what it is of.
#[derive(Debug, Clone)]
pub struct MadePlan {
    /// The recovery point.
    pub point: Point,
    /// Where its image lies.
    pub place: Place,
    /// What is done.
    pub plan: Plan,
    /// The line that puts it back.
    pub line: Line,
}

/// The plan for one of this server's recovery points: for this server if it runs Windows, else for the one that it is of.
pub fn make(agent: &Agent, wish: &PlanWish<'_>) -> Result<MadePlan, AgentError> {
    let place = Place::new(wish.place)?;
    let opened = points::open_own(agent, wish.recovery_point, wish.item)?;
    made(&opened.manifest, place, wish.wish, wish.tombstone_days, agent.now())
}

pub(crate) fn made(
    manifest: &Manifest,
    place: Place,
    wish: Wish,
    tombstone_days: Option<u32>,
    now: Timestamp,
) -> Result<MadePlan, AgentError> {
    let point = Point::of(manifest)?;
    let here = here(&point, tombstone_days, now)?;
    let plan = plan::plan(&point, &place, &here, wish)?;
    let line = plan::recovery_line(&point, &place, wish);
    Ok(MadePlan { point, place, plan, line })
}

/// This machine if it runs Windows; else one like that of the recovery point.
fn here(point: &Point, tombstone_days: Option<u32>, now: Timestamp) -> Result<Here, AgentError> {
    let server = server_backup::server()?;
    let version = plan::WindowsVersion::in_text(&platform::operating_system());
    Ok(match (server, version) {
        (Some(server), Some(windows)) => Here {
            machine: platform::host_name(),
            windows,
            is_in_directory_repair: is_in_directory_repair(&server),
            now,
            tombstone_days,
        },
        _ => Here {
            machine: point.machine.clone(),
            windows: point.windows,
            is_in_directory_repair: false,
            now,
            tombstone_days,
        },
    })
}

/// `OptionValue` of a start for the repair of the directory; 1 and 2 are the ordinary safe modes.
const DIRECTORY_REPAIR: u64 = 3;

fn is_in_directory_repair(server: &Server) -> bool {
    let key = r"HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Option";
    let found = server.registry.value(key, "OptionValue");
    matches!(found, Ok(Some(RegistryValue::Number(DIRECTORY_REPAIR))))
}

impl MadePlan {
    /// Writes runbook and script into a folder; gives their paths.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, AgentError> {
        let texts = [plan::runbook(&self.point, &self.place), plan::script(&self.plan)];
        let write = |(name, text): (&str, String)| -> Result<PathBuf, AgentError> {
            let path = folder.join(name);
            let written = fs::write(&path, text);
            written.map_err(|cause| AgentError::OutputUnwritable { path: path.clone(), cause })?;
            Ok(path)
        };
        FILES.into_iter().zip(texts).map(write).collect()
    }

    /// Runs the lines one after the other on this server, up to the first restart; that one too, if it restarts by itself. Each
    /// step is told before it begins, and what its program says as it comes. Gives how many steps were done.
    pub fn run(
        &self,
        agent: &Agent,
        restarts_by_itself: bool,
        begun: &mut dyn FnMut(&Step),
        heard: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, AgentError> {
        let server =
            server_backup::server()?.ok_or(OpenError::NotBuilt("Putting back Windows' System State"))?;
        self.run_on(&server, &Settings::load(agent.home())?.prechecks, restarts_by_itself, begun, heard)
    }

    fn run_on(
        &self,
        server: &Server,
        settings: &PrecheckSettings,
        restarts_by_itself: bool,
        begun: &mut dyn FnMut(&Step),
        heard: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, AgentError> {
        server_backup::check(server, settings)?;
        for (number, step) in self.plan.steps.iter().enumerate() {
            let is_restart = step.line.as_ref().is_some_and(|line| line.0[0] == "shutdown");
            if is_restart && !restarts_by_itself {
                return Ok(number);
            }
            begun(step);
            if let Some(line) = &step.line {
                self.run_line(server, line, heard)?;
            }
            if step.restarts {
                return Ok(number + 1);
            }
        }
        Ok(self.plan.steps.len())
    }

    fn run_line(&self, server: &Server, line: &Line, heard: &mut dyn FnMut(&[u8])) -> Result<(), AgentError> {
        let unknown = || AgentError::Internal(format!("the plan has a line that isn't known: {line}"));
        let program = PROGRAMS.into_iter().find(|known| *known == line.0[0]).ok_or_else(unknown)?;
        let arguments: Vec<&str> = line.0[1..].iter().map(String::as_str).collect();
        let invocation = Invocation::new(program, &arguments, LINE_TIME_OUT);
        // Nothing of it may be stopped half way.
        let ended = server.commands.run(&invocation, heard, &Cancellation::default());
        let ended = ended.map_err(stateward_system_state::server_backup::backup::ServerBackupError::from)?;
        let lists = line == &plan::listing_line(&self.point, &self.place);
        let is_listed = !lists || parse_versions(&ended.text()).contains(&self.point.version);
        match ended.code == Some(0) && is_listed {
            true => Ok(()),
            false => Err(AgentError::LineFailed { line: line.to_string(), exit_code: ended.code }),
        }
    }
}

/// The programs of plans.
const PROGRAMS: [&str; 4] = ["bcdedit", "repadmin", "shutdown", "wbadmin"];

/// A recovery may take as long as it takes; it is only not waited for until the end of days.
const LINE_TIME_OUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The root of a volume or a share that an image is laid to: by way of a folder on it, so that no half of it ever lies where
/// Windows Server Backup looks.
pub(crate) struct ImageRoot {
    root: PathBuf,
    /// The folder.
    pub folder: PathBuf,
}

impl ImageRoot {
    /// If a restore's target is a root, and its recovery point a System State of Windows, whole.
    ///
    /// # Errors
    /// If an image lies there already, or Windows does.
    pub fn of(target: &Path, manifest: &Manifest, name: &str) -> Result<Option<Self>, AgentError> {
        if !is_root(target) || Point::of(manifest).is_err() {
            return Ok(None);
        }
        if let Some(server) = server_backup::server()?
            && let Some(volume) = staging::volume_at(&*server.volumes, target)?
            && staging::holds_windows(&*server.volumes, &volume, &server.windows)?
        {
            return Err(AgentError::CriticalVolume { path: target.to_owned() });
        }
        let image = target.join(IMAGE_FOLDER);
        match image.exists() {
            true => Err(AgentError::OutputExists { path: image }),
            false => {
                let folder = target.join(format!("stateward-restore-{name}"));
                Ok(Some(Self { root: target.to_owned(), folder }))
            }
        }
    }

    /// Moves the image, which is whole now, to the root, and writes runbook and script beside it. Gives why these couldn't be.
    pub fn finish(self, manifest: &Manifest, now: Timestamp) -> Result<Option<AgentError>, AgentError> {
        let image = self.root.join(IMAGE_FOLDER);
        let failed = |cause| AgentError::TargetFailed { path: image.clone(), cause };
        fs::rename(self.folder.join(IMAGE_FOLDER), &image).map_err(failed)?;
        fs::remove_dir(&self.folder).map_err(failed)?;
        let written = || {
            let place = Place::new(&self.root.to_string_lossy())?;
            made(manifest, place, Wish::default(), None, now)?.write(&self.root)
        };
        Ok(written().err())
    }
}

/// Whether a path is a drive's or a share's root.
fn is_root(path: &Path) -> bool {
    let parts: Vec<Component<'_>> = path.components().collect();
    matches!(parts[..], [Component::Prefix(_), Component::RootDir])
}

#[cfg(test)]
mod tests;
