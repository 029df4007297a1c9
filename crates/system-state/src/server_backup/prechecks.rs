//! Prechecks of a System State by Windows Server Backup: what is looked at before it is asked to run, kept with the recovery
//! point. What can't be told is a warning, never a pass.

pub mod restart;
pub mod sfc;
pub mod volumes;
pub mod writers;

use crate::server_backup::machine::{
    Commands, Registry, RegistryValue, ServiceState, Services, SystemCommands, Volumes,
};
use stateward_engine::Cancellation;
use stateward_format::manifest::Precheck;
use std::io;
use std::path::{Path, PathBuf};

/// It is as it should be.
pub const PASS: u8 = 0;
/// It is not, and a backup may go on.
pub const WARN: u8 = 1;
/// It is not, and a backup would fail or be worth nothing.
pub const BLOCK: u8 = 2;

/// A precheck's outcome.
pub(crate) fn precheck(code: &str, outcome: u8, message: impl Into<String>) -> Precheck {
    Precheck { code: code.to_owned(), outcome, message: message.into() }
}

/// A machine, as far as prechecks ask it.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Its programs.
    pub commands: &'a dyn Commands,
    /// Its registry.
    pub registry: &'a dyn Registry,
    /// Its services.
    pub services: &'a dyn Services,
    /// Its volumes.
    pub volumes: &'a dyn Volumes,
    /// Where Windows lies, such as `C:\Windows`.
    pub windows: &'a Path,
}

impl Machine<'_> {
    /// Where its programs lie.
    pub fn system_folder(windows: &Path) -> PathBuf {
        windows.join("System32")
    }

    /// The programs of Windows that lies there.
    pub fn commands_of(windows: &Path) -> SystemCommands {
        SystemCommands::of(Self::system_folder(windows))
    }
}

/// What a backup is going to need.
#[derive(Debug, Clone)]
pub struct Needs {
    /// Where the image will be staged: a path on the volume, or the folder that holds its virtual disk.
    pub staging: PathBuf,
    /// How many bytes it will take: see [`staging_bytes`].
    pub staging_bytes: u64,
    /// Whether a client edition is taken too.
    pub is_client_forced: bool,
    /// Whether system files are verified, which takes minutes.
    pub verifies_system_files: bool,
}

/// What staging needs if no backup was ever made here: Azure's agent asks for 30 to 35 GB.
pub const STAGING_BYTES_FIRST: u64 = 35 << 30;

/// How many bytes staging needs: half as much again as the last image took, for what grew and for the shadow copy that
/// is made while it is written.
pub fn staging_bytes(last_image_bytes: Option<u64>) -> u64 {
    last_image_bytes.map_or(STAGING_BYTES_FIRST, |last| (last + last / 2).max(10 << 30))
}

/// Looks at all of it. The slow ones come last, and are left out once somebody asks to stop.
pub fn prechecks(machine: &Machine<'_>, needs: &Needs, cancellation: &Cancellation) -> Vec<Precheck> {
    let mut checked = vec![
        edition(machine.registry, needs.is_client_forced),
        server_backup(machine),
        services(machine.services),
        restart::pending_restart(machine.registry),
        staging_space(machine.volumes, needs),
        shadow_storage(machine.volumes, machine.windows),
        volumes::system_volume_information(machine.volumes, machine.windows),
        volumes::system_partition(machine),
        other_backup(machine.services),
    ];
    if checked[1].outcome != BLOCK && !cancellation.is_cancelled() {
        checked.push(writers::writers(machine.commands, cancellation));
    }
    if needs.verifies_system_files && !cancellation.is_cancelled() {
        checked.push(sfc::system_files(machine, cancellation));
    }
    checked
}

const PRODUCT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";

/// Which sort of Windows this is. System State is for servers, as Windows Server Backup is.
pub fn edition(registry: &dyn Registry, is_client_forced: bool) -> Precheck {
    let code = "windows-edition";
    match registry.value(PRODUCT, "ProductType") {
        Ok(Some(RegistryValue::Text(kind))) => match &kind[..] {
            "ServerNT" => precheck(code, PASS, "This is Windows Server"),
            "LanmanNT" => precheck(code, PASS, "This is Windows Server, and a domain controller"),
            "WinNT" if is_client_forced => {
                precheck(code, WARN, "This is a client edition of Windows: it was asked for all the same")
            }
            "WinNT" => precheck(
                code,
                BLOCK,
                "This is a client edition of Windows, which has no backup of System State: protect files and folders \
                 instead",
            ),
            other => precheck(code, WARN, format!("`{other}` is no edition of Windows that is known here")),
        },
        Ok(_) => precheck(
            code,
            WARN,
            "It can't be told which edition of Windows this is: the registry doesn't say",
        ),
        Err(cause) => {
            precheck(code, WARN, format!("It can't be told which edition of Windows this is: {cause}"))
        }
    }
}

/// What installs the feature, on Server 2012 and later.
pub const INSTALL_POWERSHELL: &str = "Install-WindowsFeature Windows-Server-Backup";

/// What installs the feature where there is no such cmdlet, and is there to be run.
pub const INSTALL: (&str, &[&str]) =
    ("dism", &["/Online", "/Enable-Feature", "/FeatureName:WindowsServerBackup", "/NoRestart", "/English"]);

/// Whether Windows Server Backup is installed: its program and its engine.
fn server_backup(machine: &Machine<'_>) -> Precheck {
    let code = "server-backup";
    let is_program_there = Machine::system_folder(machine.windows)
        .join(format!("wbadmin{}", std::env::consts::EXE_SUFFIX))
        .exists();
    let remedy =
        format!("install it with `{INSTALL_POWERSHELL}`, or with `{} {}`", INSTALL.0, INSTALL.1.join(" "));
    match (is_program_there, machine.services.state("wbengine")) {
        (false, _) => precheck(
            code,
            BLOCK,
            format!("Windows Server Backup isn't installed (there is no `wbadmin`): {remedy}"),
        ),
        (true, Ok(ServiceState::Missing)) => precheck(
            code,
            BLOCK,
            format!("Windows Server Backup isn't installed (there is no service `wbengine`): {remedy}"),
        ),
        (true, Ok(ServiceState::Disabled)) => precheck(
            code,
            BLOCK,
            "The service `wbengine` of Windows Server Backup is disabled: set it to start on demand with `sc config \
             wbengine start= demand`",
        ),
        (true, Ok(_)) => precheck(code, PASS, "Windows Server Backup is installed"),
        (true, Err(cause)) => precheck(
            code,
            WARN,
            format!("It can't be told whether Windows Server Backup is installed: {cause}"),
        ),
    }
}

/// Services without which no shadow copy is made: those that must run, and those that must not be disabled.
const MUST_RUN: [&str; 3] = ["RpcSs", "EventSystem", "SENS"];
const MUST_START: [&str; 3] = ["VSS", "swprv", "CryptSvc"];

fn services(services: &dyn Services) -> Precheck {
    let code = "services";
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for name in MUST_RUN.into_iter().chain(MUST_START) {
        let must_run = MUST_RUN.contains(&name);
        match services.state(name) {
            Ok(ServiceState::Running) => {}
            Ok(ServiceState::Stopped) if !must_run => {}
            Ok(ServiceState::Stopped) => {
                wrong.push(format!("`{name}` doesn't run: start it with `sc start {name}`"));
            }
            Ok(ServiceState::Disabled) => {
                wrong.push(format!("`{name}` is disabled: enable it with `sc config {name} start= demand`"));
            }
            Ok(ServiceState::Missing) => wrong.push(format!("`{name}` isn't there")),
            Err(cause) => unknown.push(format!("`{name}`: {cause}")),
        }
    }
    match (wrong.is_empty(), unknown.is_empty()) {
        (false, _) => precheck(
            code,
            BLOCK,
            format!("Services that shadow copies need are not as they should be: {}", wrong.join("; ")),
        ),
        (true, false) => precheck(
            code,
            WARN,
            format!("It can't be told how services stand that shadow copies need: {}", unknown.join("; ")),
        ),
        (true, true) => precheck(code, PASS, "The services that shadow copies need are as they should be"),
    }
}

fn staging_space(volumes: &dyn Volumes, needs: &Needs) -> Precheck {
    let (code, needed) = ("staging-space", needs.staging_bytes);
    let place = needs.staging.display();
    match volumes.free_bytes(&needs.staging) {
        Ok(free) if free >= needed => precheck(
            code,
            PASS,
            format!("Staging needs about {} MiB; {} MiB are free at `{place}`", needed >> 20, free >> 20),
        ),
        Ok(free) => precheck(
            code,
            BLOCK,
            format!(
                "Staging needs about {} MiB, but only {} MiB are free at `{place}`: make room there, or choose another \
                 volume for staging",
                needed >> 20,
                free >> 20
            ),
        ),
        Err(cause) => precheck(
            code,
            WARN,
            format!(
                "Staging needs about {} MiB, and it can't be told what is free at `{place}`: {cause}",
                needed >> 20
            ),
        ),
    }
}

/// What a shadow copy of a volume of more than 1 GiB needs at least.
const SHADOW_BYTES_MIN: u64 = 1 << 30;

fn shadow_storage(volumes: &dyn Volumes, windows: &Path) -> Precheck {
    let code = "shadow-storage";
    let advice = "make room on it, or give shadow copies another volume with `vssadmin add shadowstorage`";
    match volumes.free_bytes(windows) {
        Ok(free) if free >= SHADOW_BYTES_MIN => precheck(
            code,
            PASS,
            format!("{} MiB are free for a shadow copy of the system's volume", free >> 20),
        ),
        Ok(free) => precheck(
            code,
            BLOCK,
            format!(
                "Only {} MiB are free on the system's volume, and a shadow copy of it needs {}: {advice}",
                free >> 20,
                SHADOW_BYTES_MIN >> 20
            ),
        ),
        Err(cause) => {
            precheck(code, WARN, format!("It can't be told what is free for a shadow copy: {cause}"))
        }
    }
}

/// Programs that make backups by shadow copies, and run only while they do.
const BACKUPS: [&str; 6] =
    ["diskshadow.exe", "kopia.exe", "restic.exe", "rustic.exe", "wbadmin.exe", "ntbackup.exe"];

fn other_backup(services: &dyn Services) -> Precheck {
    let code = "other-backup";
    let found = || -> io::Result<(bool, Vec<&str>)> {
        let running = services.programs()?;
        let backups = BACKUPS.into_iter().filter(|program| running.contains(*program)).collect();
        Ok((services.state("wbengine")? == ServiceState::Running, backups))
    };
    match found() {
        Ok((_, backups)) if !backups.is_empty() => precheck(
            code,
            WARN,
            format!(
                "Another backup runs ({}): wait until it has ended, or one of both fails",
                backups.join(", ")
            ),
        ),
        Ok((true, _)) => precheck(
            code,
            WARN,
            "The engine of Windows Server Backup runs already: a backup of somebody else runs, or ended just now",
        ),
        Ok((false, _)) => precheck(code, PASS, "No other backup runs"),
        Err(cause) => precheck(code, WARN, format!("It can't be told whether another backup runs: {cause}")),
    }
}

#[cfg(test)]
mod tests;
