//! Does a restart wait? Windows has no one answer: updates, roles and installers each leave a marker of their own.
//!
//! Strong markers say that system files are replaced at the next start: what would be backed up is neither the old system
//! nor the new one. Weak ones are left by programs too, often for ever.

use crate::server_backup::machine::{Registry, RegistryValue};
use crate::server_backup::prechecks::{BLOCK, PASS, WARN, precheck};
use stateward_format::manifest::Precheck;
use std::io;

/// What a marker is.
#[derive(Debug, Clone, Copy)]
enum Marker {
    /// The key is there.
    Key(&'static str),
    /// The key has keys below it.
    Subkeys(&'static str),
    /// The value is there and holds something.
    Value(&'static str, &'static str),
    /// The value is there, whatever it holds.
    Name(&'static str, &'static str),
    /// The two values are different.
    Differs((&'static str, &'static str), (&'static str, &'static str)),
}

const STRONG: &[(Marker, &str)] = &[
    (
        Marker::Key(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending",
        ),
        "Windows' components were changed",
    ),
    (
        Marker::Key(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootInProgress",
        ),
        "Windows' components are being changed",
    ),
    (
        Marker::Key(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired",
        ),
        "an update was installed",
    ),
];

const WEAK: &[(Marker, &str)] = &[
    (
        Marker::Key(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\PackagesPending",
        ),
        "packages of Windows wait",
    ),
    (
        Marker::Key(
            r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\PostRebootReporting",
        ),
        "an update has not reported yet",
    ),
    (
        Marker::Subkeys(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Services\Pending"),
        "an update service waits",
    ),
    (
        Marker::Key(r"HKLM\SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts"),
        "a role or feature was changed",
    ),
    (
        Marker::Name(r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon", "JoinDomain"),
        "the server joins a domain",
    ),
    (
        Marker::Name(r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon", "AvoidSpnSet"),
        "the server joins a domain",
    ),
    (
        Marker::Value(
            r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager",
            "PendingFileRenameOperations",
        ),
        "files are to be renamed",
    ),
    (
        Marker::Value(
            r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager",
            "PendingFileRenameOperations2",
        ),
        "files are to be renamed",
    ),
    (
        Marker::Differs(
            (r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName", "ComputerName"),
            (r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName", "ComputerName"),
        ),
        "the server gets another name",
    ),
    (
        Marker::Name(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce", "DVDRebootSignal"),
        "an installer waits",
    ),
];

impl Marker {
    fn is_set(self, registry: &dyn Registry) -> io::Result<bool> {
        let text = |(key, name)| match registry.value(key, name) {
            Ok(Some(RegistryValue::Text(text))) => Ok(Some(text.to_lowercase())),
            Ok(_) => Ok(None),
            Err(cause) => Err(cause),
        };
        Ok(match self {
            Self::Key(key) => registry.subkeys(key)?.is_some(),
            Self::Subkeys(key) => registry.subkeys(key)?.is_some_and(|keys| !keys.is_empty()),
            Self::Value(key, name) => registry.value(key, name)?.is_some_and(|value| !value.is_empty()),
            Self::Name(key, name) => registry.value(key, name)?.is_some(),
            Self::Differs(one, other) => match (text(one)?, text(other)?) {
                (Some(one), Some(other)) => one != other,
                _ => false,
            },
        })
    }
}

/// What waits by these markers, each reason once, and what can't be told.
fn found(
    markers: &[(Marker, &'static str)],
    registry: &dyn Registry,
) -> (Vec<&'static str>, Option<io::Error>) {
    let (mut reasons, mut unknown) = (Vec::new(), None);
    for (marker, reason) in markers {
        match marker.is_set(registry) {
            Ok(true) if !reasons.contains(reason) => reasons.push(*reason),
            Ok(_) => {}
            Err(cause) => unknown = Some(cause),
        }
    }
    (reasons, unknown)
}

/// The precheck `pending-restart`.
pub fn pending_restart(registry: &dyn Registry) -> Precheck {
    let code = "pending-restart";
    let ((strong, unknown), (weak, unknown_too)) = (found(STRONG, registry), found(WEAK, registry));
    if !strong.is_empty() {
        return precheck(
            code,
            BLOCK,
            format!(
                "Windows waits for a restart ({}): restart the server first, or what is backed up is half old and half new",
                strong.join(", ")
            ),
        );
    }
    if !weak.is_empty() {
        return precheck(
            code,
            WARN,
            format!(
                "A restart may be pending ({}): restart the server if it was updated; some programs leave such marks for good",
                weak.join(", ")
            ),
        );
    }
    match unknown.or(unknown_too) {
        Some(cause) => {
            precheck(code, WARN, format!("It can't be told whether a restart is pending: {cause}"))
        }
        None => precheck(code, PASS, "No restart is pending"),
    }
}
