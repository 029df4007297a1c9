//! The package of the agent, by the program that installs packages: Windows Installer.

use crate::platform::InstalledPackage;
use stateward_model::{AgentVersion, PackageKind};
use stateward_system_state::server_backup::console::decode_console;
use stateward_windows::installer;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::windows::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// What makes all packages of the agent versions of one product: `packaging/windows/stateward.wxs`.
const UPGRADE_CODE: &str = "{045FEB34-98A4-406A-B991-5725E13099E8}";

/// For which processors the agent is built, in the words of its packages.
const ARCHITECTURE: &str = "x64";

/// In a group of its own: Ctrl-C is not for it.
const NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// It is installed, and the machine is to be restarted: the program that was replaced ran, and goes away then.
const DONE_UNTIL_RESTART: [i32; 2] = [3010, 1641];

/// What the program's other codes mean, where it says nothing more.
const MEANINGS: [(i32, &str); 5] = [
    (1601, "Windows Installer can't be reached"),
    (1602, "it was cancelled"),
    (1603, "an action failed"),
    (1618, "Windows Installer installs something else; try it again later"),
    (1625, "a policy of this machine forbids it"),
];

/// The package that the agent was installed from; `None` if it came otherwise.
pub fn installed_package() -> io::Result<Option<InstalledPackage>> {
    let versions = installer::versions(UPGRADE_CODE)?;
    let newest = versions.iter().filter_map(|version| AgentVersion::of_product(version)).max();
    Ok(newest.map(|version| InstalledPackage {
        kind: PackageKind::Msi,
        version,
        architecture: ARCHITECTURE.to_owned(),
    }))
}

/// Installs a package in place of the one that is installed, whichever is newer. What is installed stops and starts the service,
/// and goes on when this process ends.
pub fn install_package(kind: PackageKind, path: &Path, mut output: &File) -> io::Result<ExitStatus> {
    if kind != PackageKind::Msi {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "it is a package for Linux"));
    }
    // Windows Installer lets nobody else write into its log.
    let log = path.with_extension("log");
    let mut command = Command::new(installer::program()?);
    command.arg("/i").arg(path).args(["/qn", "/norestart"]).arg("/l*v").arg(&log);
    // Whether it may be an older one was decided before.
    command.arg("ALLOWDOWNGRADE=1");
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
    let status = command.creation_flags(NEW_PROCESS_GROUP).status()?;
    let text = std::fs::read(&log).map(|bytes| decode_console(&bytes)).unwrap_or_default();
    output.write_all(text.as_bytes())?;
    match status.code() {
        Some(code) if DONE_UNTIL_RESTART.contains(&code) => {
            tracing::info!(code, "the program that was replaced goes away when the machine restarts");
            Ok(ExitStatus::from_raw(0))
        }
        Some(0) => Ok(status),
        code => {
            output.write_all(reasons(&text, code).as_bytes())?;
            Ok(status)
        }
    }
}

/// What of a long log says why it failed, as its last lines.
fn reasons(log: &str, code: Option<i32>) -> String {
    let told = log.lines().filter(|line| line.starts_with("Error ") || line.contains(" -- "));
    let mut reasons: Vec<&str> = told.map(str::trim).collect();
    reasons.drain(..reasons.len().saturating_sub(6));
    let meaning = MEANINGS.iter().find(|(known, _)| Some(*known) == code);
    reasons.extend(meaning.map(|(_, meaning)| *meaning));
    format!("\n{}\n", reasons.join("\n"))
}
