//! This machine, as what drives Windows Server Backup asks it: registry, services, volumes.

use crate::server_backup::{DeviceError, Registry, RegistryValue, ServiceState, Services, Volume, Volumes};
use stateward_windows::registry::{Key, RegistryData};
use stateward_windows::{access, process, services, volume, volumes};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The machine that this program runs on.
#[derive(Debug, Clone)]
pub struct ThisMachine {
    windows: PathBuf,
}

impl ThisMachine {
    /// Finds where Windows lies; all else is asked when it is needed.
    pub fn open() -> io::Result<Self> {
        Ok(Self { windows: process::windows_folder()? })
    }

    /// Where Windows lies, such as `C:\Windows`.
    pub fn windows(&self) -> &Path {
        &self.windows
    }
}

/// The key below the machine's part of the registry, which is the only one that is read here.
fn key(path: &str) -> io::Result<Option<Key>> {
    let of_machine = path.strip_prefix(r"HKLM\").ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` doesn't begin with `HKLM\\`"))
    })?;
    Key::open(of_machine)
}

impl Registry for ThisMachine {
    fn subkeys(&self, path: &str) -> io::Result<Option<Vec<String>>> {
        key(path)?.map(|key| key.names()).transpose()
    }

    fn value(&self, path: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        let Some(key) = key(path)? else { return Ok(None) };
        Ok(key.value(name)?.map(|value| match value {
            RegistryData::Text(text) => RegistryValue::Text(text),
            RegistryData::Texts(texts) => RegistryValue::Texts(texts),
            RegistryData::Number(number) => RegistryValue::Number(number),
            RegistryData::Other(bytes) => RegistryValue::Other(bytes.len()),
        }))
    }
}

impl Services for ThisMachine {
    fn state(&self, name: &str) -> io::Result<ServiceState> {
        Ok(match services::state(name)? {
            None => ServiceState::Missing,
            Some(services::State::Disabled) => ServiceState::Disabled,
            Some(services::State::Stopped) => ServiceState::Stopped,
            Some(services::State::Running) => ServiceState::Running,
        })
    }

    fn programs(&self) -> io::Result<BTreeSet<String>> {
        services::running_programs()
    }
}

impl Volumes for ThisMachine {
    fn list(&self) -> io::Result<Vec<Volume>> {
        let all = volumes::list()?;
        Ok(all
            .into_iter()
            .map(|found| {
                let (bytes, free_bytes) = found.space.unwrap_or_default();
                Volume {
                    id: found.id,
                    mounts: found.mounts,
                    file_system: found.file_system.unwrap_or_default(),
                    is_fixed: found.is_fixed,
                    bytes,
                    free_bytes,
                }
            })
            .collect())
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        // What is to be made there isn't there yet; what is a file can't be asked.
        let folder = path.ancestors().find(|path| path.is_dir());
        volume::free_bytes(folder.ok_or(io::ErrorKind::NotFound)?)
    }

    fn lets_system_do_all(&self, folder: &Path) -> io::Result<bool> {
        super::privileges();
        let unknown = || io::Error::new(io::ErrorKind::InvalidData, "its access list can't be understood");
        access::lets_system_do_all(folder)?.ok_or_else(unknown)
    }

    fn try_device(&self, name: &str) -> Result<(), DeviceError> {
        match volume::try_device(name) {
            Ok(()) => Ok(()),
            Err(cause) if volume::is_held(&cause) => Err(DeviceError::Held),
            Err(cause) if cause.kind() == io::ErrorKind::PermissionDenied => {
                Err(DeviceError::LockedOrForbidden)
            }
            Err(cause) => Err(DeviceError::Unknown(cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server_backup::prechecks::restart::pending_restart;
    use crate::server_backup::prechecks::{BLOCK, WARN};

    const MARKER: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending";

    /// Whether this is Wine, whose machine these tests may change: a key of a true one is left alone.
    fn is_wine() -> bool {
        Key::open(r"SOFTWARE\Wine").unwrap().is_some()
    }

    #[test]
    fn the_registry_answers_below_the_machine_only() {
        let machine = ThisMachine::open().unwrap();
        let version = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";
        let Some(RegistryValue::Text(root)) = machine.value(version, "SystemRoot").unwrap() else {
            panic!("every machine says where Windows lies");
        };
        assert_eq!(root.to_lowercase(), machine.windows().to_str().unwrap().to_lowercase());
        assert_eq!(machine.value(version, "none such").unwrap(), None);
        assert_eq!(machine.value(r"HKLM\SOFTWARE\None such", "x").unwrap(), None);
        assert_eq!(machine.subkeys(r"HKLM\SOFTWARE\None such").unwrap(), None);
        let names = machine.subkeys(r"HKLM\SOFTWARE").unwrap().expect("it is there");
        assert!(names.iter().any(|name| name.eq_ignore_ascii_case("Microsoft")), "{names:?}");
        assert!(machine.subkeys(r"HKCU\Software").is_err());
    }

    #[test]
    fn a_marker_of_a_restart_blocks_as_long_as_it_is_there() {
        if !is_wine() {
            return;
        }
        let machine = ThisMachine::open().unwrap();
        stateward_windows::registry::remove(MARKER).unwrap();
        let before = pending_restart(&machine);
        assert!(before.outcome <= WARN, "{before:?}");
        drop(Key::make(MARKER).unwrap());
        let marked = pending_restart(&machine);
        stateward_windows::registry::remove(MARKER).unwrap();
        assert_eq!(marked.outcome, BLOCK, "{marked:?}");
    }

    #[test]
    fn services_programs_and_volumes_answer_for_this_machine() {
        let machine = ThisMachine::open().unwrap();
        assert_eq!(machine.state("PlugPlay").unwrap(), ServiceState::Running);
        assert_eq!(machine.state("stateward-none-such").unwrap(), ServiceState::Missing);
        assert!(machine.programs().unwrap().contains("services.exe"));
        let all = machine.list().unwrap();
        let system = all.iter().find(|volume| volume.mounts.contains(&PathBuf::from(r"C:\"))).unwrap();
        assert!(system.is_fixed && system.bytes >= system.free_bytes && system.bytes > 0, "{system:?}");
    }

    #[test]
    fn what_is_free_is_told_of_what_is_not_there_yet() {
        let machine = ThisMachine::open().unwrap();
        let (folder, below) = (machine.windows(), machine.windows().join("none").join("such"));
        assert!(machine.free_bytes(folder).unwrap() > 0 && machine.free_bytes(&below).unwrap() > 0);
        let file = tempfile::NamedTempFile::new_in(std::env::temp_dir()).unwrap();
        assert!(machine.free_bytes(file.path()).unwrap() > 0);
        assert!(machine.free_bytes(Path::new(r"Q:\none")).is_err());
    }

    #[test]
    fn a_device_that_is_not_there_is_not_taken_for_one_that_is_held() {
        let machine = ThisMachine::open().unwrap();
        let tried = machine.try_device(r"\Device\StatewardNoneSuch");
        assert!(matches!(tried, Err(DeviceError::Unknown(_))), "{tried:?}");
    }

    #[test]
    fn rights_of_the_system_are_read_from_the_folder_itself() {
        let machine = ThisMachine::open().unwrap();
        assert!(machine.lets_system_do_all(&machine.windows().join("none such")).is_err());
        let folder = tempfile::tempdir().unwrap();
        // Wine, too, gives the system everything.
        assert!(machine.lets_system_do_all(folder.path()).unwrap());
    }
}
