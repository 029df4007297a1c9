//! Prechecks against a machine that answers as a test wants it to.

use super::*;
use crate::server_backup::machine::{CommandError, DeviceError, Ended, Invocation, Volume};
use sfc::{Finding, classify};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;
use writers::parse_writers;

/// A machine on which all is well, until a test changes it.
struct Fake {
    windows: tempfile::TempDir,
    keys: BTreeMap<String, Vec<String>>,
    values: BTreeMap<(String, String), RegistryValue>,
    services: BTreeMap<String, ServiceState>,
    programs: BTreeSet<String>,
    free_bytes: Option<u64>,
    /// Whether the system may do everything with a folder, and how a device is opened.
    system_rights: fn() -> io::Result<bool>,
    device: fn() -> Result<(), DeviceError>,
    answers: BTreeMap<&'static str, (Option<i32>, Vec<u8>)>,
    logs: Mutex<Option<String>>,
}

const SETUP: &str = r"HKLM\SYSTEM\Setup";

const WRITER_LIST: &str = "vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool\r\n\r\n\
Writer name: 'System Writer'\r\n   Writer Id: {e8132975-6f93-4464-a53e-1050253ae220}\r\n\
   Writer Instance Id: {1bddd48e-5052-49db-9b07-b96f96727e6b}\r\n   State: [1] Stable\r\n   Last error: No error\r\n\r\n\
Verfassername: 'WMI Writer'\r\n   Verfasserkennung: {a6ad56c2-b509-4e6c-bb19-49d8f43532f0}\r\n\
   Instanz-ID: {2bddd48e-5052-49db-9b07-b96f96727e6b}\r\n   Status: [8] Fehlgeschlagen\r\n   Letzter Fehler: Zeit\r\n";

impl Fake {
    fn new() -> Self {
        let windows = tempfile::tempdir().unwrap();
        let system = windows.path().join("System32");
        fs::create_dir_all(&system).unwrap();
        fs::create_dir_all(windows.path().join("Logs/CBS")).unwrap();
        fs::write(system.join(format!("wbadmin{}", std::env::consts::EXE_SUFFIX)), "").unwrap();
        let mut fake = Self {
            windows,
            keys: BTreeMap::new(),
            values: BTreeMap::new(),
            services: BTreeMap::new(),
            programs: BTreeSet::new(),
            free_bytes: Some(100 << 30),
            system_rights: || Ok(true),
            device: || Ok(()),
            answers: BTreeMap::new(),
            logs: Mutex::new(None),
        };
        fake.set(PRODUCT, "ProductType", RegistryValue::Text("ServerNT".to_owned()));
        fake.set(SETUP, "SystemPartition", RegistryValue::Text(r"\Device\HarddiskVolume1".to_owned()));
        for name in MUST_RUN {
            fake.services.insert(name.to_owned(), ServiceState::Running);
        }
        for name in MUST_START.into_iter().chain(["wbengine"]) {
            fake.services.insert(name.to_owned(), ServiceState::Stopped);
        }
        let stable = WRITER_LIST.replace("[8]", "[1]").into_bytes();
        fake.answers.insert("vssadmin", (Some(0), stable));
        let whole = "Windows Resource Protection did not find any integrity violations.\r\n";
        fake.answers.insert("sfc", (Some(0), whole.encode_utf16().flat_map(u16::to_le_bytes).collect()));
        fake
    }

    fn set(&mut self, key: &str, name: &str, value: RegistryValue) {
        self.values.insert((key.to_owned(), name.to_owned()), value);
    }

    fn look(&self) -> Vec<Precheck> {
        let machine = Machine {
            commands: self,
            registry: self,
            services: self,
            volumes: self,
            windows: self.windows.path(),
        };
        let needs = Needs {
            staging: "/staging".into(),
            staging_bytes: staging_bytes(None),
            is_client_forced: false,
            verifies_system_files: true,
        };
        prechecks(&machine, &needs, &Cancellation::default())
    }

    /// What isn't a pass: code, outcome and message.
    fn findings(&self) -> Vec<(String, u8, String)> {
        let found = self.look().into_iter().filter(|precheck| precheck.outcome != PASS);
        found.map(|found| (found.code, found.outcome, found.message)).collect()
    }

    fn only_finding(&self) -> (String, u8, String) {
        let mut findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings.remove(0)
    }
}

impl Commands for Fake {
    fn run(
        &self,
        invocation: &Invocation,
        _: &mut dyn FnMut(&[u8]),
        _: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let program = invocation.program;
        let (code, output) = self.answers.get(program).cloned().ok_or(CommandError::Missing { program })?;
        if program == "sfc"
            && let Some(log) = self.logs.lock().unwrap().take()
        {
            fs::write(
                log_file(self),
                [&fs::read(log_file(self)).unwrap_or_default(), log.as_bytes()].concat(),
            )
            .unwrap();
        }
        Ok(Ended { code, output, errors: Vec::new() })
    }
}

fn log_file(fake: &Fake) -> PathBuf {
    fake.windows.path().join("Logs/CBS/CBS.log")
}

impl Registry for Fake {
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>> {
        Ok(self.keys.get(key).cloned())
    }

    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        Ok(self.values.get(&(key.to_owned(), name.to_owned())).cloned())
    }
}

impl Services for Fake {
    fn state(&self, name: &str) -> io::Result<ServiceState> {
        Ok(self.services.get(name).copied().unwrap_or(ServiceState::Missing))
    }

    fn programs(&self) -> io::Result<BTreeSet<String>> {
        Ok(self.programs.clone())
    }
}

impl Volumes for Fake {
    fn list(&self) -> io::Result<Vec<Volume>> {
        Ok(Vec::new())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        self.free_bytes.ok_or_else(|| io::ErrorKind::PermissionDenied.into())
    }

    fn lets_system_do_all(&self, folder: &Path) -> io::Result<bool> {
        assert!(folder.ends_with("System Volume Information"), "{}", folder.display());
        (self.system_rights)()
    }

    fn try_device(&self, name: &str) -> Result<(), DeviceError> {
        assert_eq!(name, r"\Device\HarddiskVolume1");
        (self.device)()
    }
}

#[test]
fn on_a_machine_on_which_all_is_well_every_precheck_passes() {
    let checked = Fake::new().look();
    assert!(checked.iter().all(|precheck| precheck.outcome == PASS), "{checked:#?}");
    let codes: Vec<&str> = checked.iter().map(|precheck| &precheck.code[..]).collect();
    assert_eq!(
        codes,
        [
            "windows-edition",
            "server-backup",
            "services",
            "pending-restart",
            "staging-space",
            "shadow-storage",
            "system-volume-information",
            "system-partition",
            "other-backup",
            "writers",
            "system-files"
        ]
    );
}

#[test]
fn a_client_edition_blocks_and_an_unknown_one_warns() {
    let mut fake = Fake::new();
    fake.set(PRODUCT, "ProductType", RegistryValue::Text("WinNT".to_owned()));
    assert_eq!(fake.only_finding().1, BLOCK);
    assert_eq!(edition(&fake, true).outcome, WARN);
    fake.set(PRODUCT, "ProductType", RegistryValue::Number(3));
    assert_eq!(fake.only_finding().1, WARN);
    fake.set(PRODUCT, "ProductType", RegistryValue::Text("LanmanNT".to_owned()));
    assert!(fake.findings().is_empty());
}

#[test]
fn a_missing_feature_blocks_and_the_line_that_installs_it_is_told() {
    let mut fake = Fake::new();
    fake.services.remove("wbengine");
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("server-backup", BLOCK));
    assert!(message.contains(INSTALL_POWERSHELL) && message.contains("/FeatureName:WindowsServerBackup"));
    fs::remove_dir_all(fake.windows.path().join("System32")).unwrap();
    assert!(fake.only_finding().2.contains("there is no `wbadmin`"));
    let mut fake = Fake::new();
    fake.services.insert("wbengine".to_owned(), ServiceState::Disabled);
    assert!(fake.only_finding().2.contains("sc config"));
}

#[test]
fn services_that_stand_wrong_are_named_with_what_helps() {
    let mut fake = Fake::new();
    fake.services.insert("SENS".to_owned(), ServiceState::Stopped);
    fake.services.insert("VSS".to_owned(), ServiceState::Disabled);
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("services", BLOCK));
    assert!(
        message.contains("sc start SENS") && message.contains("sc config VSS start= demand"),
        "{message}"
    );
}

#[test]
fn strong_markers_of_a_restart_block_and_weak_ones_warn() {
    const SERVICING: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing";
    const UPDATE: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate";
    const CONTROL: &str = r"HKLM\SYSTEM\CurrentControlSet\Control";
    for (key, outcome) in [
        (format!(r"{SERVICING}\RebootPending"), BLOCK),
        (format!(r"{SERVICING}\RebootInProgress"), BLOCK),
        (format!(r"{UPDATE}\Auto Update\RebootRequired"), BLOCK),
        (format!(r"{SERVICING}\PackagesPending"), WARN),
        (format!(r"{UPDATE}\Auto Update\PostRebootReporting"), WARN),
        (r"HKLM\SOFTWARE\Microsoft\ServerManager\CurrentRebootAttempts".to_owned(), WARN),
    ] {
        let mut fake = Fake::new();
        fake.keys.insert(key.clone(), Vec::new());
        let (code, found, message) = fake.only_finding();
        assert_eq!((&code[..], found), ("pending-restart", outcome), "{key}: {message}");
    }
    let mut fake = Fake::new();
    let pending = format!(r"{UPDATE}\Services\Pending");
    fake.keys.insert(pending.clone(), Vec::new());
    let renames =
        |texts: &[&str]| RegistryValue::Texts(texts.iter().map(|text| (*text).to_owned()).collect());
    fake.set(&format!(r"{CONTROL}\Session Manager"), "PendingFileRenameOperations", renames(&["", ""]));
    let name = |name: &str| RegistryValue::Text(name.to_owned());
    fake.set(&format!(r"{CONTROL}\ComputerName\ActiveComputerName"), "ComputerName", name("SRV01"));
    fake.set(&format!(r"{CONTROL}\ComputerName\ComputerName"), "ComputerName", name("srv01"));
    assert!(fake.findings().is_empty(), "marks that hold nothing are none");
    fake.keys.insert(pending, vec!["a service".to_owned()]);
    fake.set(
        &format!(r"{CONTROL}\Session Manager"),
        "PendingFileRenameOperations",
        renames(&[r"\??\C:\x", ""]),
    );
    fake.set(&format!(r"{CONTROL}\ComputerName\ComputerName"), "ComputerName", name("srv02"));
    fake.set(r"HKLM\SYSTEM\CurrentControlSet\Services\Netlogon", "JoinDomain", RegistryValue::Other(0));
    fake.set(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\RunOnce", "DVDRebootSignal", name(""));
    let (_, outcome, message) = fake.only_finding();
    assert_eq!(outcome, WARN);
    for reason in ["service waits", "renamed", "another name", "joins a domain", "installer"] {
        assert!(message.contains(reason), "{reason}: {message}");
    }
}

#[test]
fn the_space_that_staging_needs_is_told_before_anything_begins() {
    let mut fake = Fake::new();
    let passed = staging_space(
        &fake,
        &Needs {
            staging: "/s".into(),
            staging_bytes: 12 << 30,
            is_client_forced: false,
            verifies_system_files: false,
        },
    );
    assert_eq!(passed.message, "Staging needs about 12288 MiB; 102400 MiB are free at `/s`");
    fake.free_bytes = Some(20 << 30);
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("staging-space", BLOCK));
    assert!(message.contains("35840 MiB, but only 20480"), "{message}");
    fake.free_bytes = Some(1 << 20);
    assert_eq!(fake.findings().len(), 2, "nor is there room for a shadow copy");
    fake.free_bytes = None;
    assert!(fake.findings().iter().all(|(_, outcome, _)| *outcome == WARN));
    assert_eq!((staging_bytes(Some(20 << 30)), staging_bytes(Some(1))), (30 << 30, 10 << 30));
}

#[test]
fn rights_of_the_system_that_are_missing_or_unknown_warn_with_what_helps() {
    let mut fake = Fake::new();
    fake.system_rights = || Ok(false);
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("system-volume-information", WARN));
    assert!(message.contains("icacls") && message.contains("*S-1-5-18:(OI)(CI)F"), "{message}");
    fake.system_rights = || Err(io::ErrorKind::PermissionDenied.into());
    assert!(fake.only_finding().2.starts_with("It can't be told"));
    fake.system_rights = || Err(io::ErrorKind::NotFound.into());
    assert!(fake.only_finding().2.contains("isn't there"));
}

#[test]
fn a_system_partition_that_is_held_locked_or_unknown_warns_with_what_helps() {
    let mut fake = Fake::new();
    fake.device = || Err(DeviceError::Held);
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("system-partition", WARN));
    assert!(message.contains("another program holds it. Close what works on partitions"), "{message}");
    assert!(message.contains("mountvol"), "{message}");
    fake.device = || Err(DeviceError::LockedOrForbidden);
    assert!(fake.only_finding().2.contains("as an administrator"));
    fake.device = || Err(DeviceError::Unknown(io::ErrorKind::NotFound.into()));
    assert!(fake.only_finding().2.starts_with("It can't be told"));
    fake.device = || Ok(());
    fake.set(SETUP, "SystemPartition", RegistryValue::Number(1));
    assert!(fake.only_finding().2.contains("the registry doesn't name it"));
    fake.values.remove(&(SETUP.to_owned(), "SystemPartition".to_owned()));
    assert_eq!(fake.only_finding().1, WARN);
}

#[test]
fn another_backup_that_runs_is_told() {
    let mut fake = Fake::new();
    fake.services.insert("wbengine".to_owned(), ServiceState::Running);
    assert!(fake.only_finding().2.contains("engine of Windows Server Backup"));
    fake.programs.insert("wbadmin.exe".to_owned());
    assert!(fake.only_finding().2.contains("(wbadmin.exe)"));
}

#[test]
fn writers_are_read_by_ids_and_numbers_in_any_language() {
    let found = parse_writers(WRITER_LIST);
    let read: Vec<_> =
        found.iter().map(|writer| (&writer.name[..], writer.state, writer.has_failed())).collect();
    assert_eq!(read, [("System Writer", 1, false), ("WMI Writer", 8, true)]);
    let mut fake = Fake::new();
    fake.answers.insert("vssadmin", (Some(0), WRITER_LIST.into()));
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("writers", WARN));
    assert!(message.contains("`WMI Writer` (restart the service `Winmgmt`)"), "{message}");
    fake.answers.insert("vssadmin", (Some(2), b"Error: 0x8000ffff".to_vec()));
    assert!(fake.only_finding().2.contains("names no writers"));
}

const DAMAGED: &str = "2025-09-19 14:40:05, Info                  CSI    0000012e [SR] Cannot repair member file \
[l:20]'LServer_PKConfig.xml' of Microsoft-Windows-TerminalServices-LicenseServer-LRWIZDLL, version 10.0.20348.2849\r\n\
2025-09-19 14:40:05, Info                  CSI    00000131 [SR] Cannot repair member file [l:20]'LServer_PKConfig.xml' of\r\n\
2025-09-19 14:40:06, Info                  CSI    00000134 [SR] Verify complete\r\n";

const COMPLETE: &str = "2025-09-19 14:40:06, Info                  CSI    00000134 [SR] Verify complete\r\n";

#[test]
fn system_files_pass_only_if_all_that_is_known_agrees() {
    let (whole, damaged) = ("did not find any integrity violations", "found integrity violations");
    for (code, text, log, finding) in [
        (0, whole, None, Finding::Whole),
        (0, whole, Some(COMPLETE), Finding::Whole),
        (0, whole, Some(DAMAGED), Finding::Damaged { files: 1 }),
        (1, whole, Some(COMPLETE), Finding::Unknown),
        (0, damaged, Some(COMPLETE), Finding::Damaged { files: 0 }),
        (1, damaged, Some(DAMAGED), Finding::Damaged { files: 1 }),
        (0, "Тут говорят по-русски", None, Finding::Unknown),
        (0, "Тут говорят по-русски", Some(COMPLETE), Finding::Whole),
        (1, "Тут говорят по-русски", Some(COMPLETE), Finding::Unknown),
        (0, "Тут говорят по-русски", Some(DAMAGED), Finding::Damaged { files: 1 }),
        (0, "", Some(""), Finding::Unknown),
        (1, "There is a system repair pending which requires reboot", None, Finding::RepairPending),
        (1, "Windows Resource Protection could not perform the requested operation.", None, Finding::NotDone),
        (0, "Der Windows-Ressourcenschutz hat keine Integritätsverletzungen gefunden.", None, Finding::Whole),
        (
            1,
            "Der Windows-Ressourcenschutz hat Integrit\u{fffd}tsverletzungen gefunden.",
            None,
            Finding::Damaged { files: 0 },
        ),
        (
            0,
            "La protection des ressources Windows n\u{2019}a trouvé aucune violation d'intégrité.",
            None,
            Finding::Whole,
        ),
    ] {
        assert_eq!(classify(Some(code), text, log), finding, "{code} {text} {log:?}");
    }
    assert_eq!(classify(None, whole, None), Finding::Unknown);
}

#[test]
fn of_the_log_only_what_the_run_added_is_read() {
    let mut fake = Fake::new();
    fs::write(log_file(&fake), DAMAGED).unwrap();
    *fake.logs.lock().unwrap() = Some(COMPLETE.to_owned());
    assert!(fake.findings().is_empty());
    *fake.logs.lock().unwrap() = Some(DAMAGED.to_owned());
    let (code, outcome, message) = fake.only_finding();
    assert_eq!((&code[..], outcome), ("system-files", WARN));
    assert!(message.contains("1 of them") && message.contains("DISM"), "{message}");
    fake.answers.remove("sfc");
    assert!(fake.only_finding().2.contains("isn't installed"));
    fake.answers.insert("sfc", (Some(1), b"?".to_vec()));
    assert!(fake.only_finding().2.contains("It can't be told"));
}
