//! A server of Windows that is made up: what it says of itself, its programs aside ([`crate::stand_in`] has those).

use stateward_system_state::server_backup::{
    Registry, RegistryValue, ServiceState, Services, Volume, Volumes,
};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

const BYTES: u64 = 80 << 30;

const FREE_BYTES: u64 = 79 << 30;

/// A server that has no services, and in its registry its edition alone.
#[derive(Debug, Clone, Default)]
pub struct MadeUpServer {
    edition: Option<&'static str>,
    volumes: Vec<(Volume, Option<PathBuf>)>,
}

impl MadeUpServer {
    /// A server of an edition: `ServerNT`, `LanmanNT` or `WinNT`.
    pub fn of_edition(edition: &'static str) -> Self {
        Self { edition: Some(edition), volumes: Vec::new() }
    }

    /// It has a volume by that id, mounted there.
    pub fn with_volume(self, id: &str, mount: PathBuf) -> Self {
        self.with(id, mount, None)
    }

    /// The same, but as a virtual disk's it is there only while that file is.
    pub fn with_volume_while(self, file: PathBuf, id: &str, mount: PathBuf) -> Self {
        self.with(id, mount, Some(file))
    }

    fn with(mut self, id: &str, mount: PathBuf, file: Option<PathBuf>) -> Self {
        let volume = Volume {
            id: format!(r"\\?\Volume{{{id}}}\"),
            mounts: vec![mount],
            file_system: "NTFS".to_owned(),
            is_fixed: true,
            bytes: BYTES,
            free_bytes: FREE_BYTES,
        };
        self.volumes.push((volume, file));
        self
    }
}

impl Registry for MadeUpServer {
    fn subkeys(&self, _: &str) -> io::Result<Option<Vec<String>>> {
        Ok(None)
    }

    fn value(&self, _: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        let edition = self.edition.filter(|_| name == "ProductType");
        Ok(edition.map(|edition| RegistryValue::Text(edition.to_owned())))
    }
}

impl Services for MadeUpServer {
    fn state(&self, _: &str) -> io::Result<ServiceState> {
        Ok(ServiceState::Stopped)
    }

    fn programs(&self) -> io::Result<BTreeSet<String>> {
        Ok(BTreeSet::new())
    }
}

impl Volumes for MadeUpServer {
    fn list(&self) -> io::Result<Vec<Volume>> {
        let is_there = |file: &Option<PathBuf>| file.as_ref().is_none_or(|file| file.exists());
        Ok(self.volumes.iter().filter(|(_, file)| is_there(file)).map(|(volume, _)| volume.clone()).collect())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(FREE_BYTES)
    }
}
