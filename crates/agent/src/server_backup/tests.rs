//! Staging with transcripts played within the process, and a made-up server around them.

use super::place::Place;
use super::*;
use stateward_engine::{Found, Source, Visitor};
use stateward_system_state::server_backup::prechecks::Machine;
use stateward_system_state::server_backup::staging::StagingDisk;
use stateward_system_state::server_backup::{CommandError, Commands, Ended, Invocation};
use stateward_testing::MadeUpServer;
use stateward_testing::stand_in::{StandIns, transcripts};
use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;

const VOLUME: &str = r"\\?\Volume{1}\";

struct World {
    folder: tempfile::TempDir,
    home: Home,
    played: Arc<StandIns>,
}

impl World {
    fn playing(steps: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(&folder.path().join("home"))).unwrap();
        home.prepare().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let disk = home.staging().join("staging.vhdx");
        let values = [
            ("target", VOLUME.to_owned()),
            ("root", path("home/staging/volume")),
            ("machine", "SRV01".to_owned()),
            ("script", disk.with_extension("diskpart.txt").display().to_string()),
            ("attached", path("attached")),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, &value[..]));
        let scene = folder.path().join("scene");
        let played = Arc::new(StandIns::of_scene(&scene, transcripts(), &values, steps));
        Self { folder, home, played }
    }

    fn mount(&self) -> PathBuf {
        self.home.staging().join("volume")
    }

    fn attached(&self) -> PathBuf {
        self.folder.path().join("attached")
    }

    /// The staging volume as one that a person gave.
    fn with_given_volume(self) -> Self {
        fs::create_dir_all(self.mount()).unwrap();
        fs::write(self.attached(), "attached").unwrap();
        self
    }

    fn server(&self) -> Server {
        let server = MadeUpServer::of_edition("WinNT").with_volume_while(self.attached(), "1", self.mount());
        Server {
            commands: Box::new(Played(Arc::clone(&self.played))),
            registry: Box::new(server.clone()),
            services: Box::new(server.clone()),
            volumes: Box::new(server),
            windows: self.folder.path().join("Windows"),
        }
    }

    fn disk(&self) -> Place {
        let kept = Kept::load(&self.home).unwrap();
        let bytes = prechecks::staging_bytes(kept.last_image_bytes);
        Place::chosen(&ServerBackupSettings::default(), &self.home, &self.server(), bytes).unwrap()
    }

    fn volume(&self) -> Place {
        Place::Volume(self.mount())
    }

    fn wanted(&self, place: Place, retries: usize) -> Wanted<'_> {
        let attempts = Attempts { time_out: Duration::from_secs(60), waits: vec![Duration::ZERO; retries] };
        let kept = Kept::load(&self.home).unwrap();
        let machine = "SRV01".to_owned();
        Wanted { home: &self.home, server: self.server(), machine, place, attempts, kept }
    }

    fn stage(&self, place: Place, retries: usize) -> Result<(StagedSource, Staging<'_>), AgentError> {
        self.wanted(place, retries).stage(&mut |_| {}, &Cancellation::default())
    }

    fn begun(&self) -> String {
        fs::read_to_string(self.home.path().join("staging.json")).unwrap_or_default()
    }

    #[track_caller]
    fn expect_nothing_staged(&self) {
        self.played.expect_all_played();
        assert!(!self.mount().join("WindowsImageBackup").exists());
        assert!(!self.begun().contains("\"begun\""), "{}", self.begun());
    }
}

struct Played(Arc<StandIns>);

impl Commands for Played {
    fn run(
        &self,
        invocation: &Invocation,
        heard: &mut dyn FnMut(&[u8]),
        _: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let answered = self.0.answer(invocation.program, &invocation.arguments);
        let (output, code) = answered.unwrap_or_else(|why| panic!("{why}"));
        heard(&output);
        Ok(Ended { code: Some(code), output, errors: Vec::new() })
    }
}

/// Names files and folders that a component has.
#[derive(Default)]
struct Names(Vec<String>);

impl Visitor for Names {
    fn entry(&mut self, found: Found) -> ControlFlow<()> {
        self.0.push(String::from_utf8_lossy(found.name.as_bytes()).into_owned());
        ControlFlow::Continue(())
    }

    fn leave(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn warning(&mut self, warning: Warning) {
        panic!("{warning:?}");
    }
}

#[test]
fn a_disk_is_made_for_a_backup_and_removed_after_it() {
    let world = World::playing(&[
        "diskpart-make",
        "versions-none",
        "backup-success",
        "versions-one",
        "versions-one",
        "delete-all",
        "versions-none",
        "diskpart-detach",
    ]);
    let (source, staging) = world.stage(world.disk(), 0).unwrap();
    assert!(world.begun().contains("\"begun\""), "written down before it is done");
    let names = source.components().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(names[0] == "windows-image-backup" && names.contains(&"writer-registry".to_owned()), "{names:?}");
    let mut seen = Names::default();
    assert!(source.walk(&source.components()[0], &mut seen).unwrap());
    assert_eq!(seen.0[..3], ["", "WindowsImageBackup", "SRV01"]);
    assert!(staging.clear().is_none());
    world.expect_nothing_staged();
    let Place::Disk(StagingDisk { file, mount, bytes }) = world.disk() else { panic!("a disk") };
    assert!(!file.exists() && !mount.exists());
    assert_eq!(bytes, 20 << 30, "the next is as large as the last image lets expect");
}

#[test]
fn what_may_pass_is_tried_again_and_what_will_not_is_told_at_once() {
    let again = ["versions-none", "backup-writer-timeout", "versions-none", "backup-success", "versions-one"];
    let world = World::playing(&again).with_given_volume();
    world.stage(world.volume(), 1).unwrap();
    world.played.expect_all_played();
    for (steps, retries, code) in [
        (&["versions-none", "backup-writer-timeout"][..], 0, "writer-timed-out"),
        (&["versions-none", "backup-removable"], 3, "staging-place-refused"),
        (&["versions-none", "backup-disk-full", "versions-none"], 3, "staging-full"),
        (&["versions-none", "backup-no-version", "versions-none"], 3, "server-backup-without-version"),
        (
            &[
                "versions-none",
                "backup-cut-off",
                "versions-one",
                "versions-one",
                "delete-all",
                "versions-none",
            ],
            3,
            "staged-image-damaged",
        ),
    ] {
        let world = World::playing(steps).with_given_volume();
        let error = world.stage(world.volume(), retries).err().unwrap();
        assert_eq!((error.code().as_str(), error.exit().number()), (code, 1), "{error}");
        world.expect_nothing_staged();
    }
}

#[test]
fn somebody_who_stops_a_backup_does_not_wait_for_the_next_attempt() {
    let world = World::playing(&["versions-none", "backup-writer-timeout"]).with_given_volume();
    let mut wanted = world.wanted(world.volume(), 0);
    wanted.attempts.waits = vec![Duration::from_secs(3600)];
    let cancellation = Cancellation::default();
    let mut told = |_| cancellation.cancel();
    let error = wanted.stage(&mut told, &cancellation).err().unwrap();
    assert_eq!(error.code().as_str(), "cancelled");
    world.expect_nothing_staged();
}

#[test]
fn what_a_run_that_died_had_staged_is_cleared_away_by_the_next() {
    let world = World::playing(&["versions-one", "delete-all", "versions-none"]).with_given_volume();
    let mut kept = Kept::default();
    kept.begin(&world.home, &world.volume()).unwrap();
    fs::create_dir_all(world.mount().join("WindowsImageBackup/SRV01/Backup 1")).unwrap();
    world.volume().refuse_foreign(&kept).unwrap();
    let stop = &Cancellation::default();
    assert!(kept.clear_leftovers(&world.home, &world.server(), "SRV01", stop).unwrap().is_none());
    world.expect_nothing_staged();
    assert!(kept.clear_leftovers(&world.home, &world.server(), "SRV01", stop).unwrap().is_none());

    // A disk of a run that died before the machine was started anew is attached no more.
    let world = World::playing(&[]);
    let disk = world.disk();
    let Place::Disk(StagingDisk { file, .. }) = &disk else { panic!("a disk") };
    fs::create_dir_all(world.mount()).unwrap();
    fs::write(file, "half a disk").unwrap();
    let mut kept = Kept::default();
    kept.begin(&world.home, &disk).unwrap();
    kept.clear_leftovers(&world.home, &world.server(), "SRV01", stop).unwrap();
    assert!(!file.exists());
    world.expect_nothing_staged();
}

#[test]
fn what_can_not_be_cleared_away_is_told_and_tried_again() {
    let world = World::playing(&[
        "versions-none",
        "backup-success",
        "versions-one",
        "versions-one",
        "delete-denied",
        "versions-one",
        "versions-one",
        "delete-denied",
        "versions-one",
        "versions-one",
        "delete-all",
        "versions-none",
    ])
    .with_given_volume();
    let (source, staging) = world.stage(world.volume(), 0).unwrap();
    drop(source);
    let warning = staging.clear().unwrap();
    assert!(warning.code == "staging-not-cleared" && warning.message.contains("still listed"), "{warning:?}");
    let mut kept = Kept::load(&world.home).unwrap();
    let stop = &Cancellation::default();
    let told = kept.clear_leftovers(&world.home, &world.server(), "SRV01", stop).unwrap().unwrap();
    assert_eq!((told.code.as_str(), told.outcome), ("staging-not-cleared", 1));
    assert!(kept.clear_leftovers(&world.home, &world.server(), "SRV01", stop).unwrap().is_none());
    world.expect_nothing_staged();
}

#[test]
fn an_image_of_somebody_else_is_left_alone() {
    let world = World::playing(&[]).with_given_volume();
    fs::create_dir_all(world.mount().join("WindowsImageBackup")).unwrap();
    let kept = Kept::default();
    let error = AgentError::from(world.volume().refuse_foreign(&kept).unwrap_err());
    assert_eq!(error.code().as_str(), "staging-place-refused");
    assert!(error.to_string().contains("isn't of this agent's making"), "{error}");
}

#[test]
fn a_setting_names_a_volume_or_a_folder_for_a_disk() {
    let world = World::playing(&[]).with_given_volume();
    let chosen = |path: PathBuf| {
        let staging = Some(crate::items::StoredPath(path));
        let settings = ServerBackupSettings { staging, ..ServerBackupSettings::default() };
        Place::chosen(&settings, &world.home, &world.server(), 1 << 30).unwrap()
    };
    assert_eq!(chosen(world.mount()), world.volume());
    let folder = world.folder.path().to_owned();
    let Place::Disk(disk) = chosen(folder.clone()) else { panic!("a disk") };
    assert!(disk.file.starts_with(folder.join("stateward-staging")), "{disk:?}");
}

#[test]
fn a_client_edition_is_refused_unless_somebody_wants_it_all_the_same() {
    let world = World::playing(&[]);
    let server = world.server();
    let _: Machine<'_> = server.machine();
    let refused = check(&server, &PrecheckSettings::default()).unwrap_err();
    assert_eq!(refused.code().as_str(), "client-edition");
    let forced: PrecheckSettings = serde_json::from_str(r#"{"windows-edition":"warn"}"#).unwrap();
    check(&server, &forced).unwrap();
}
