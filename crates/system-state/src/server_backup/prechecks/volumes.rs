//! Is the way free to what VSS and Windows Server Backup need of volumes themselves: `System Volume Information`, in which
//! shadow copies are kept, and the partition that the machine starts from, which is a part of System State?

use crate::server_backup::machine::{DeviceError, RegistryValue, Volumes};
use crate::server_backup::prechecks::{Machine, PASS, WARN, precheck};
use stateward_format::manifest::Precheck;
use std::io;
use std::path::Path;

/// The folder in which VSS keeps what it knows of a volume.
const INFORMATION: &str = "System Volume Information";

/// The precheck `system-volume-information`: of the volume that Windows lies on.
pub(super) fn system_volume_information(volumes: &dyn Volumes, windows: &Path) -> Precheck {
    let code = "system-volume-information";
    let folder = windows.ancestors().last().unwrap_or(windows).join(INFORMATION);
    let shown = folder.display();
    match volumes.lets_system_do_all(&folder) {
        Ok(true) => precheck(code, PASS, format!("The system may do everything with `{shown}`")),
        Ok(false) => precheck(
            code,
            WARN,
            format!(
                "The system may not do everything with `{shown}`, so that shadow copies may fail: give it back what it \
                 has on every volume, as an administrator, with `icacls \"{shown}\" /grant *S-1-5-18:(OI)(CI)F`"
            ),
        ),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => precheck(
            code,
            WARN,
            format!(
                "`{shown}` isn't there, so that it can't be told whether shadow copies can be kept: Windows makes it for \
                 the first of them; see `vssadmin list shadowstorage`"
            ),
        ),
        Err(cause) => precheck(
            code,
            WARN,
            format!(
                "It can't be told whether the system may do everything with `{shown}`, as shadow copies need: {cause}; \
                 see `icacls \"{shown}\"` as an administrator"
            ),
        ),
    }
}

/// Where Windows says which partition the machine starts from.
const SETUP: &str = r"HKLM\SYSTEM\Setup";
const SYSTEM_PARTITION: &str = "SystemPartition";

/// What to do where that partition can't be read.
const RELEASE: &str = "close what works on partitions (disk managers, encryption, other backups, antivirus programs), take \
                       a drive letter that was given to it away again (`mountvol X: /D`), or restart the server";

/// The precheck `system-partition`: the EFI system partition, or the active one where the machine has none.
pub(super) fn system_partition(machine: &Machine<'_>) -> Precheck {
    let code = "system-partition";
    let unknown = |why: &str| {
        precheck(
            code,
            WARN,
            format!(
                "It can't be told whether the partition that the machine starts from (EFI) can be read, as a backup of \
                 System State must: {why}. If the backup fails there: {RELEASE}"
            ),
        )
    };
    let device = match machine.registry.value(SETUP, SYSTEM_PARTITION) {
        Ok(Some(RegistryValue::Text(device))) if device.starts_with(r"\Device\") => device,
        Ok(_) => return unknown(&format!("the registry doesn't name it (`{SETUP}`, `{SYSTEM_PARTITION}`)")),
        Err(cause) => return unknown(&cause.to_string()),
    };
    let held = |how: &str| {
        precheck(
            code,
            WARN,
            format!(
                "The partition that the machine starts from (EFI, `{device}`) can't be read, as a backup of System State \
                 must: {how}. {}{}",
                RELEASE[..1].to_uppercase(),
                &RELEASE[1..]
            ),
        )
    };
    match machine.volumes.try_device(&device) {
        Ok(()) => precheck(code, PASS, "The partition that the machine starts from (EFI) can be read"),
        Err(error @ DeviceError::Held) => held(&error.to_string()),
        Err(error @ DeviceError::LockedOrForbidden) => {
            held(&format!("{error}; run this as an administrator or as the service to tell them apart"))
        }
        Err(DeviceError::Unknown(cause)) => unknown(&cause.to_string()),
    }
}
