//! The agent as a unit of systemd.
//!
//! Packages bring the unit along. [`install`] writes the same one for a program or a home that lies elsewhere, into the
//! administrator's folder (systemd.unit(5), "Unit File Load Path").

use crate::platform::Signal;
use crate::service::manager::{ServiceProblem, ServiceState};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// This process, as the service that it was started as. systemd starts a process like any other, so there is none.
pub enum ManagedProcess {}

impl ManagedProcess {
    /// Refused: only what starts services on Windows speaks to a process in this way.
    pub fn begin(_told: impl FnMut(Signal) + Send + 'static) -> io::Result<Self> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "`--service` is for Windows' service manager only"))
    }

    /// There is none.
    pub fn end(self, _failed: bool) {
        match self {}
    }
}

const UNIT: &str = "stateward.service";

/// The unit as packages have it.
const TEXT: &str = include_str!("../../../../../packaging/stateward/stateward.service");

/// Where the program and the home lie in it.
const START: &str = "ExecStart=/usr/bin/stateward agent run";
const CONDITION: &str = "ConditionPathExists=/var/lib/stateward/registration.json";

/// What the administrator's units lie in.
const OWN_UNITS: &str = "/etc/systemd/system";

/// What packages' units lie in.
const PACKAGED_UNITS: [&str; 2] = ["/usr/lib/systemd/system", "/lib/systemd/system"];

/// There while systemd runs this machine (sd_booted(3)).
const RUNS: &str = "/run/systemd/system";

fn own_unit() -> PathBuf {
    Path::new(OWN_UNITS).join(UNIT)
}

fn is_running() -> bool {
    Path::new(RUNS).is_dir()
}

/// How the unit stands, and whether it is for that home.
pub fn service_state(home: &Path) -> ServiceState {
    let unit = own_unit();
    let packaged =
        || PACKAGED_UNITS.map(|folder| Path::new(folder).join(UNIT)).into_iter().find(|path| path.exists());
    let is_own = unit.exists();
    let unit = if is_own { Some(unit) } else { packaged() };
    let text = unit.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    ServiceState {
        is_packaged: !is_own && unit.is_some(),
        is_of_home: text.is_some_and(|text| text.lines().any(|line| line == condition(home))),
        is_managed: is_running(),
        unit,
    }
}

/// Writes the unit for a program and a home, unless a package brought one for that home, and has it started with the machine.
pub fn install(program: &Path, home: &Path) -> Result<ServiceState, ServiceProblem> {
    may_change()?;
    let state = service_state(home);
    if let Some(unit) = state.unit.filter(|_| !state.is_packaged && !state.is_of_home) {
        return Err(ServiceProblem::OtherHome(unit));
    }
    if !(state.is_packaged && state.is_of_home) {
        write(&own_unit(), &text(program, home)).map_err(ServiceProblem::Unwritable)?;
    }
    if is_running() {
        systemctl(&["daemon-reload"])?;
    }
    systemctl(&["enable", "--quiet", UNIT])?;
    Ok(service_state(home))
}

/// Stops the unit, and takes away what [`install`] did. A package's unit stays, and is not started with the machine any more.
pub fn uninstall(home: &Path) -> Result<ServiceState, ServiceProblem> {
    may_change()?;
    if !service_state(home).is_of_home {
        return Err(ServiceProblem::NotInstalled);
    }
    match is_running() {
        true => systemctl(&["disable", "--quiet", "--now", UNIT])?,
        false => systemctl(&["disable", "--quiet", UNIT])?,
    }
    match std::fs::remove_file(own_unit()) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(ServiceProblem::Unwritable(cause));
        }
        _ => (),
    }
    if is_running() {
        systemctl(&["daemon-reload"])?;
    }
    Ok(service_state(home))
}

/// Has systemd start the unit, anew if it runs.
pub fn start_service() -> Result<(), ServiceProblem> {
    may_change()?;
    systemctl(&["restart", UNIT])
}

/// Has systemd stop the unit, and waits for that.
pub fn stop_service() -> Result<(), ServiceProblem> {
    may_change()?;
    systemctl(&["stop", UNIT])
}

/// Root may, where there is a systemd at all.
fn may_change() -> Result<(), ServiceProblem> {
    match rustix::process::geteuid().is_root() {
        true => systemctl(&["--version"]),
        false => Err(ServiceProblem::NotRoot),
    }
}

/// Whole, or as it was.
fn write(path: &Path, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(OWN_UNITS)?;
    let beside = path.with_extension("service.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(beside, path)
}

/// The unit for a program and a home.
fn text(program: &Path, home: &Path) -> String {
    let start = format!("ExecStart={} --home {} agent run", quoted(program), quoted(home));
    TEXT.replace(START, &start).replace(CONDITION, &condition(home))
}

/// The line that says for which home a unit is.
fn condition(home: &Path) -> String {
    format!("ConditionPathExists={}", specified(&home.join("registration.json")))
}

/// As one word of a command line (systemd.service(5), "Command Lines").
fn quoted(path: &Path) -> String {
    let text = specified(path).replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
    format!("\"{text}\"")
}

/// With a percent sign that stands for itself (systemd.unit(5), "Specifiers").
fn specified(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

fn systemctl(arguments: &[&str]) -> Result<(), ServiceProblem> {
    let ran = Command::new("systemctl").args(arguments).output();
    let ran = ran.map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => ServiceProblem::NoManager,
        _ => ServiceProblem::Failed(cause.to_string()),
    })?;
    match ran.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&ran.stderr).trim().to_owned();
            Err(ServiceProblem::Failed(format!(
                "`systemctl {}` ended with {}: {said}",
                arguments.join(" "),
                ran.status
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_packages_own_with_another_program_and_home() {
        assert!(TEXT.contains(START) && TEXT.contains(CONDITION), "the packages' unit was changed");
        let text = text(Path::new("/opt/a b/stateward"), Path::new("/srv/50%/$home"));
        assert!(
            text.contains("ExecStart=\"/opt/a b/stateward\" --home \"/srv/50%%/$$home\" agent run\n"),
            "{text}"
        );
        assert!(text.contains("ConditionPathExists=/srv/50%%/$home/registration.json\n"), "{text}");
        assert_eq!(text.lines().count(), TEXT.lines().count());
    }
}
