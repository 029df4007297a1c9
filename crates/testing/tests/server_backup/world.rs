//! A server with stand-ins for its programs, and a folder for its staging volume.

use stateward_engine::Cancellation;
use stateward_system_state::server_backup::SystemCommands;
use stateward_system_state::server_backup::backup::{BackupWish, ServerBackupError, StagedBackup, back_up};
use stateward_system_state::server_backup::prechecks::Machine;
use stateward_testing::MadeUpServer;
use stateward_testing::stand_in::StandIns;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub struct World {
    folder: tempfile::TempDir,
    windows: PathBuf,
    /// The staging disk's volume is there while it is attached.
    pub server: MadeUpServer,
    pub time_out: Duration,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("volume")).unwrap();
        fs::create_dir_all(path("Windows/Logs/CBS")).unwrap();
        let server = MadeUpServer::default().with_volume("0", folder.path().to_owned()).with_volume_while(
            path("attached"),
            "1",
            path("volume"),
        );
        Self { windows: path("Windows"), server, time_out: Duration::from_secs(60), folder }
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

    pub fn play(&self, steps: &[&str]) -> StandIns {
        let path = |path: PathBuf| path.display().to_string();
        let values = [
            ("target", self.target()),
            ("root", self.target()),
            ("machine", "SRV01".to_owned()),
            ("windows", path(self.windows.clone())),
            ("script", path(self.disk().with_extension("diskpart.txt"))),
            ("attached", path(self.folder.path().join("attached"))),
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
        let server = &self.server;
        Machine { commands, registry: server, services: server, volumes: server, windows: &self.windows }
    }
}
