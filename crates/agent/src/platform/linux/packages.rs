//! The packages of the agent, by the programs that install packages: `dpkg` and `rpm`.

use crate::platform::{InstalledPackage, begin_own_group};
use stateward_model::PackageKind;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

/// The agent's package.
const NAME: &str = "stateward";

/// The package that the agent was installed from; `None` if it came otherwise.
pub fn installed_package() -> io::Result<Option<InstalledPackage>> {
    let format = "${db:Status-Status} ${Version} ${Architecture}";
    let mut dpkg = Command::new("dpkg-query");
    dpkg.args(["--show", "--showformat", format, NAME]);
    let mut rpm = Command::new("rpm");
    rpm.args(["--query", "--queryformat", "installed %{VERSION}-%{RELEASE} %{ARCH}", NAME]);
    for (kind, command) in [(PackageKind::Deb, dpkg), (PackageKind::Rpm, rpm)] {
        if let Some(found) = said(command)?.as_deref().and_then(parsed) {
            let (version, architecture) = found;
            let version =
                version.parse().map_err(|wrong| io::Error::new(io::ErrorKind::InvalidData, wrong))?;
            return Ok(Some(InstalledPackage { kind, version, architecture: architecture.to_owned() }));
        }
    }
    Ok(None)
}

/// What a program says, if it is there and ends well.
fn said(mut command: Command) -> io::Result<Option<String>> {
    match command.env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(String::from_utf8(output.stdout).ok()),
        Ok(_) => Ok(None),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Version and architecture of a package that is installed.
fn parsed(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split_ascii_whitespace();
    match (words.next()?, words.next()?, words.next()?, words.next()) {
        ("installed", version, architecture, None) => Some((version, architecture)),
        _ => None,
    }
}

/// Installs a package in place of the one that is installed, whichever is newer. What the program says goes to `output`, so that
/// it goes on when this process ends: a package's own scripts may restart the agent.
pub fn install_package(kind: PackageKind, path: &Path, output: &File) -> io::Result<ExitStatus> {
    let mut command = match kind {
        PackageKind::Deb => {
            let mut command = Command::new("dpkg");
            // Whether it may be an older one was decided before.
            command.args(["--force-downgrade", "--install"]).env("DEBIAN_FRONTEND", "noninteractive");
            command
        }
        PackageKind::Rpm => {
            let mut command = Command::new("rpm");
            command.args(["--upgrade", "--oldpackage"]);
            command
        }
        PackageKind::Msi => {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is a package for Windows"));
        }
    };
    command.arg(path).stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output.try_clone()?);
    // Ctrl-C is not for it.
    begin_own_group(&mut command);
    command.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_installed_counts() {
        assert_eq!(parsed("installed 0.1.0-1 amd64"), Some(("0.1.0-1", "amd64")));
        for other in ["", "config-files 0.1.0-1 amd64", "half-installed 0.1.0-1 amd64", "installed 0.1.0-1"] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }
}
