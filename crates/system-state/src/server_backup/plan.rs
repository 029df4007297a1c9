//! How a System State is put back: from what a recovery point tells to the lines that are run, one after the other.
//!
//! Nothing is run here. The files come back first, as `WindowsImageBackup` at the root of a volume or a share, each proved
//! by the restore; then these steps. They can be shown, run, or written into a script.

mod domain_controller;
mod runbook;
mod windows_version;

pub use runbook::{runbook, script};
pub use windows_version::WindowsVersion;

use crate::server_backup::roles::{NTDS, writer};
use crate::server_backup::source::VERSION_REMARK;
use crate::server_backup::wbadmin::version::{VersionId, parse_versions};
use stateward_format::manifest::{ComponentResult, Manifest};
use stateward_model::Timestamp;
use std::fmt;

/// A recovery point of a System State, as far as putting it back needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// The machine that it is of.
    pub machine: String,
    /// Its version for `wbadmin`.
    pub version: VersionId,
    /// The Windows that it is of.
    pub windows: WindowsVersion,
    /// Whether the machine was a domain controller.
    pub is_domain_controller: bool,
}

/// Where `WindowsImageBackup` lies: the root of a volume or of a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

/// The machine that it is put back on.
#[derive(Debug, Clone)]
pub struct Here {
    /// Its name.
    pub machine: String,
    /// Its Windows.
    pub windows: WindowsVersion,
    /// Whether it was started for the repair of its directory (`safeboot` is `dsrepair`).
    pub is_in_directory_repair: bool,
    /// Now.
    pub now: Timestamp,
    /// How many days a deleted object of the directory is remembered, if it could be asked; 180 where nobody changed it.
    pub tombstone_days: Option<u32>,
}

/// What somebody wants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Whether what comes back wins over what other domain controllers have.
    pub is_authoritative: bool,
    /// Whether the machine restarts by itself when it is done.
    pub restarts_by_itself: bool,
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(pub Vec<String>);

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done, or what a person has to do.
    pub what: String,
    /// What is run for it.
    pub line: Option<Line>,
    /// Whether the machine restarts then: what follows is done afterwards.
    pub restarts: bool,
}

/// What is going to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In their order.
    pub steps: Vec<Step>,
    /// What should be known before.
    pub warnings: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It isn't such a recovery point.
    #[error("This recovery point holds no System State of Windows ({0}): choose another one")]
    NotSystemState(&'static str),
    /// The place isn't one.
    #[error(
        "`{0}` is neither a drive such as `E:`, nor a volume `\\\\?\\Volume{{…}}\\`, nor a share `\\\\SERVER\\SHARE`: Windows Server \
         Backup finds `WindowsImageBackup` only at the root of one"
    )]
    Place(String),
    /// A name can't be what a machine is called.
    #[error("`{0}` can't be a machine's name: letters, digits and hyphens, 15 at most")]
    Machine(String),
    /// The Windows here is older.
    #[error(
        "The recovery point is of Windows {point}, and {here} runs here: a System State never goes back to an older Windows. \
         Install {point} or a later one first"
    )]
    OlderWindows {
        /// What the recovery point is of.
        point: WindowsVersion,
        /// What runs here.
        here: WindowsVersion,
    },
    /// The directory has forgotten what was deleted since.
    #[error(
        "The recovery point is {days} days old, and the domain remembers deleted objects for {tombstone_days} days only: \
         restored, this domain controller would bring deleted objects back. Promote a new domain controller instead, or choose a \
         newer recovery point"
    )]
    Tombstoned {
        /// How old it is.
        days: i64,
        /// How long they are remembered.
        tombstone_days: u32,
    },
    /// It was made later than now.
    #[error("The recovery point was made in the future ({0}): set this machine's clock first")]
    Clock(VersionId),
    /// Only a domain controller has it.
    #[error("Only a domain controller is restored authoritatively, and `{0}` was none: leave that out")]
    NotDomainController(String),
}

impl Point {
    /// What a manifest tells.
    pub fn of(manifest: &Manifest) -> Result<Self, PlanError> {
        let remark = manifest.prechecks.iter().find(|remark| remark.code == VERSION_REMARK);
        let remark =
            remark.ok_or(PlanError::NotSystemState("no version of Windows Server Backup is named"))?;
        let version = parse_versions(&remark.message).pop_first();
        let version = version.ok_or(PlanError::NotSystemState("its version can't be read"))?;
        let windows = WindowsVersion::in_text(&manifest.operating_system)
            .ok_or(PlanError::NotSystemState("it doesn't say of which Windows it is"))?;
        let directory = writer(NTDS).map_or("", |writer| writer.component);
        let is_domain_controller = manifest.components.iter().any(|component| {
            component.name.as_str() == directory && component.result != ComponentResult::NotPresent
        });
        Ok(Self { machine: named(&manifest.host_name)?, version, windows, is_domain_controller })
    }
}

/// A machine's name that may stand on a command line.
fn named(machine: &str) -> Result<String, PlanError> {
    let fits = (1..=15).contains(&machine.len())
        && machine.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if fits { Ok(machine.to_owned()) } else { Err(PlanError::Machine(machine.to_owned())) }
}

impl Place {
    /// A place that `wbadmin` takes.
    pub fn new(text: &str) -> Result<Self, PlanError> {
        let refused = || PlanError::Place(text.to_owned());
        if text.chars().any(|c| c.is_control() || "\"%^&|<>*!/".contains(c)) {
            return Err(refused());
        }
        let trimmed = text.trim_end_matches('\\');
        let is_drive =
            trimmed.len() == 2 && trimmed.ends_with(':') && trimmed.as_bytes()[0].is_ascii_alphabetic();
        let volume = trimmed.strip_prefix(r"\\?\Volume{").and_then(|rest| rest.strip_suffix('}'));
        let is_volume = volume.is_some_and(|id| crate::server_backup::roles::WriterId::parse(id).is_some());
        let share: Option<Vec<&str>> = trimmed.strip_prefix(r"\\").map(|rest| rest.split('\\').collect());
        let is_share = share.is_some_and(|names| {
            names.len() == 2 && names.iter().all(|name| !name.trim_matches(['.', '?', ' ']).is_empty())
        });
        match (is_drive, is_volume, is_share) {
            (true, ..) => Ok(Self(trimmed.to_uppercase())),
            (_, true, _) => Ok(Self(format!(r"{trimmed}\"))),
            (.., true) => Ok(Self(trimmed.to_owned())),
            _ => Err(refused()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Line {
    pub(crate) fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|word| (*word).to_owned()).collect())
    }
}

/// As it is typed.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            match word.contains(' ') {
                true => write!(f, "{space}\"{word}\"")?,
                false => write!(f, "{space}{word}")?,
            }
        }
        Ok(())
    }
}

impl Step {
    pub(crate) fn run(what: impl Into<String>, line: Line) -> Self {
        Self { what: what.into(), line: Some(line), restarts: false }
    }

    pub(crate) fn restart(what: impl Into<String>) -> Self {
        Self { what: what.into(), line: Some(Line::of(&["shutdown", "/r", "/t", "0"])), restarts: true }
    }
}

/// The line that lists what is in a place.
pub fn listing_line(point: &Point, place: &Place) -> Line {
    let (target, machine) = (format!("-backupTarget:{place}"), format!("-machine:{}", point.machine));
    Line::of(&["wbadmin", "get", "versions", &target, &machine])
}

/// The line that puts the System State back.
pub fn recovery_line(point: &Point, place: &Place, wish: Wish) -> Line {
    let version = format!("-version:{}", point.version);
    let (target, machine) = (format!("-backupTarget:{place}"), format!("-machine:{}", point.machine));
    let mut words = vec!["wbadmin", "start", "systemstaterecovery", &version, &target, &machine];
    if wish.is_authoritative {
        words.push("-authsysvol");
    }
    if wish.restarts_by_itself {
        words.push("-autoReboot");
    }
    words.push("-quiet");
    Line::of(&words)
}

/// What is done to put a recovery point back here, once its files lie in the place.
pub fn plan(point: &Point, place: &Place, here: &Here, wish: Wish) -> Result<Plan, PlanError> {
    named(&here.machine)?;
    if here.windows < point.windows {
        return Err(PlanError::OlderWindows { point: point.windows, here: here.windows });
    }
    let days = point.version.days_before(here.now);
    // A clock may be a little behind.
    if days < -1 {
        return Err(PlanError::Clock(point.version));
    }
    if wish.is_authoritative && !point.is_domain_controller {
        return Err(PlanError::NotDomainController(point.machine.clone()));
    }
    let mut warnings = differences(point, here);
    let steps = match point.is_domain_controller {
        true => {
            warnings.extend(domain_controller::warnings(days, here, wish)?);
            domain_controller::steps(point, place, here, wish)
        }
        false => member_steps(point, place, wish),
    };
    Ok(Plan { steps, warnings })
}

fn member_steps(point: &Point, place: &Place, wish: Wish) -> Vec<Step> {
    let mut steps = vec![
        Step::run(format!("See that the version `{}` is listed", point.version), listing_line(point, place)),
        Step::run(
            "Put the System State back; it can't be stopped half way without damage",
            recovery_line(point, place, wish),
        ),
    ];
    match wish.restarts_by_itself {
        true => steps.iter_mut().skip(1).for_each(|step| step.restarts = true),
        false => steps.push(Step::restart("Restart: files in use are replaced then")),
    }
    steps.push(summary());
    steps
}

pub(crate) fn summary() -> Step {
    Step::run(
        "After signing in, see how it came out",
        Line::of(&["wbadmin", "start", "systemstaterecovery", "-showsummary"]),
    )
}

fn differences(point: &Point, here: &Here) -> Vec<String> {
    let mut warnings = Vec::new();
    if here.windows > point.windows {
        warnings.push(format!(
            "The recovery point is of Windows {}, and {} runs here: Microsoft supports putting it back on the same version",
            point.windows, here.windows
        ));
    }
    if !here.machine.eq_ignore_ascii_case(&point.machine) {
        warnings.push(format!(
            "The recovery point is of `{}`, and this is `{}`: afterwards this machine is `{}`, so the other one must be off; \
             on other hardware drivers may be missing",
            point.machine, here.machine, point.machine
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
