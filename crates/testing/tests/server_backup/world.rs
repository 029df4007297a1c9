//! A server with stand-ins for its programs, and a folder for its staging volume.

use stateward_engine::Cancellation;
use stateward_system_state::server_backup::backup::{BackupWish, ServerBackupError, StagedBackup, back_up};
use stateward_system_state::server_backup::prechecks::Machine;
use stateward_system_state::server_backup::{
    Registry, RegistryValue, ServiceState, Services, SystemCommands, Volume, Volumes,
};
use stateward_testing::stand_in::StandIns;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub struct World {
    folder: tempfile::TempDir,
    pub time_out: Duration,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("volume")).unwrap();
        fs::create_dir_all(folder.path().join("Windows/Logs/CBS")).unwrap();
        Self { folder, time_out: Duration::from_secs(60) }
    }

    /// Where the staging volume is mounted.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("volume")
    }

    pub fn target(&self) -> String {
        self.root().display().to_string()
    }

    pub fn disk(&self) -> PathBuf {
        self.folder.path().join("staging.vhdx")
    }

    fn attached(&self) -> PathBuf {
        self.folder.path().join("attached")
    }

    pub fn play(&self, steps: &[&str]) -> StandIns {
        let path = |path: PathBuf| path.display().to_string();
        let values = [
            ("target", self.target()),
            ("root", self.target()),
            ("machine", "SRV01".to_owned()),
            ("windows", path(self.folder.path().join("Windows"))),
            ("script", path(self.disk().with_extension("diskpart.txt"))),
            ("attached", path(self.attached())),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, &value[..]));
        let program = Path::new(env!("CARGO_BIN_EXE_stand-in"));
        StandIns::play(&self.folder.path().join("programs"), program, &values, steps)
    }

    pub fn commands(&self, stand_ins: &StandIns) -> SystemCommands {
        SystemCommands::of(stand_ins.folder())
    }

    pub fn back_up(
        &self,
        stand_ins: &StandIns,
        progress: &mut dyn FnMut(u8),
    ) -> Result<StagedBackup, ServerBackupError> {
        self.back_up_until(stand_ins, progress, &Cancellation::default())
    }

    pub fn back_up_until(
        &self,
        stand_ins: &StandIns,
        progress: &mut dyn FnMut(u8),
        cancellation: &Cancellation,
    ) -> Result<StagedBackup, ServerBackupError> {
        let wish = BackupWish {
            target: self.target(),
            root: self.root(),
            machine: "SRV01".to_owned(),
            time_out: self.time_out,
        };
        back_up(&self.commands(stand_ins), &wish, progress, cancellation)
    }

    pub fn machine<'a>(&'a self, commands: &'a SystemCommands) -> Machine<'a> {
        let windows = Box::leak(Box::new(self.folder.path().join("Windows")));
        Machine { commands, registry: self, services: self, volumes: self, windows }
    }
}

impl Registry for World {
    fn subkeys(&self, _: &str) -> io::Result<Option<Vec<String>>> {
        Ok(None)
    }

    fn value(&self, _: &str, _: &str) -> io::Result<Option<RegistryValue>> {
        Ok(None)
    }
}

impl Services for World {
    fn state(&self, _: &str) -> io::Result<ServiceState> {
        Ok(ServiceState::Stopped)
    }

    fn programs(&self) -> io::Result<BTreeSet<String>> {
        Ok(BTreeSet::new())
    }
}

/// The staging disk's volume is there while it is attached.
impl Volumes for World {
    fn list(&self) -> io::Result<Vec<Volume>> {
        let volume = |id: &str, mount: PathBuf| Volume {
            id: format!(r"\\?\Volume{{{id}}}\"),
            mounts: vec![mount],
            file_system: "NTFS".to_owned(),
            is_fixed: true,
            bytes: 60 << 30,
            free_bytes: 50 << 30,
        };
        let own = volume("0", self.folder.path().to_owned());
        let staging = self.attached().exists().then(|| volume("1", self.root()));
        Ok([own].into_iter().chain(staging).collect())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(50 << 30)
    }
}
