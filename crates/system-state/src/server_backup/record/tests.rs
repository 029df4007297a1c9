//! Recording a machine that answers as a test wants it to, and whose names mean no good.

use super::*;
use crate::server_backup::machine::{CommandError, RegistryValue};
use crate::server_backup::transcript::Encoding;
use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

/// A machine with people's names.
struct Scripted {
    answers: BTreeMap<String, Ended>,
    values: BTreeMap<(String, String), RegistryValue>,
    profiles: Vec<String>,
    asked: Mutex<Vec<String>>,
}

const COMPUTER: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName";
const SESSION: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager";
const PROFILE_LIST: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList";

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn ended(output: impl Into<Vec<u8>>, code: i32) -> Ended {
    Ended { code: Some(code), output: output.into(), errors: Vec::new() }
}

impl Scripted {
    fn new() -> Self {
        let mut scripted = Self {
            answers: BTreeMap::new(),
            values: BTreeMap::new(),
            profiles: vec!["S-1-5-18".to_owned(), "S-1-5-21-397955417-626881126-188441444-1010".to_owned()],
            asked: Mutex::default(),
        };
        scripted.set(COMPUTER, "ComputerName", "KÄRNTEN-FS1");
        scripted.set(
            r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters",
            "Domain",
            "huber.example.at",
        );
        scripted.set(
            r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion",
            "ProductName",
            "Windows Server 2022",
        );
        scripted.set(
            &format!("{PROFILE_LIST}\\S-1-5-18"),
            "ProfileImagePath",
            r"C:\Windows\system32\config\systemprofile",
        );
        scripted.set(
            &format!("{PROFILE_LIST}\\{}", scripted.profiles[1]),
            "ProfileImagePath",
            r"C:\Users\Renate.HUBER",
        );
        for call in ["get versions", "get disks", "get status"] {
            scripted.answer(&format!("wbadmin {call}"), ended("ERROR - nothing\r\n", 1));
        }
        for list in ["writers", "providers", "shadowstorage"] {
            scripted.answer(&format!("vssadmin list {list}"), ended("nothing\r\n", 0));
        }
        scripted.answer("diskpart /s", ended("\r\n", 0));
        scripted
    }

    fn set(&mut self, key: &str, name: &str, text: &str) {
        self.values.insert((key.to_owned(), name.to_owned()), RegistryValue::Text(text.to_owned()));
    }

    fn answer(&mut self, call: &str, ended: Ended) {
        self.answers.insert(call.to_owned(), ended);
    }

    fn record(&self, verifies_system_files: bool) -> Recording {
        let scratch = tempfile::tempdir().unwrap();
        let known = KnownNames { users: vec!["o'neill".to_owned()], ..KnownNames::default() };
        let wish = RecordWish {
            commands: self,
            registry: self,
            scratch: scratch.path(),
            known,
            verifies_system_files,
            made_by: "test",
        };
        let recording = record(&wish, &mut |_| {}, &Cancellation::default());
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0, "the script is removed");
        assert_eq!(Recording::read(&recording.write().unwrap()).unwrap(), recording);
        recording
    }
}

impl Commands for Scripted {
    fn run(
        &self,
        invocation: &Invocation,
        _: &mut dyn FnMut(&[u8]),
        _: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let mut call = format!("{} {}", invocation.program, invocation.arguments.join(" "));
        if invocation.program == "diskpart" {
            let script = fs::read_to_string(&invocation.arguments[1]).unwrap();
            assert!(script.lines().all(|line| line.starts_with("list ")), "it changes nothing: {script}");
            call = "diskpart /s".to_owned();
        }
        self.asked.lock().unwrap().push(call.clone());
        self.answers.get(&call).cloned().ok_or(CommandError::Missing { program: invocation.program })
    }
}

impl Registry for Scripted {
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>> {
        match key {
            PROFILE_LIST => Ok(Some(self.profiles.clone())),
            _ if key.ends_with("PackagesPending") => Err(io::ErrorKind::PermissionDenied.into()),
            _ => Ok(None),
        }
    }

    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        Ok(self.values.get(&(key.to_owned(), name.to_owned())).cloned())
    }
}

#[test]
fn only_what_changes_nothing_is_asked_and_sfc_only_if_it_is_wished() {
    let mut machine = Scripted::new();
    machine.answer("sfc /verifyonly", ended(wide("whole\r\n"), 0));
    let recording = machine.record(false);
    let short = [
        "wbadmin get versions",
        "wbadmin get disks",
        "wbadmin get status",
        "vssadmin list writers",
        "vssadmin list providers",
        "vssadmin list shadowstorage",
        "diskpart /s",
    ];
    assert_eq!(*machine.asked.lock().unwrap(), short);
    assert_eq!((recording.transcripts.len(), recording.not_recorded.len()), (7, 0));
    assert_eq!(recording.transcripts["diskpart-list"].arguments, ["/s", "{script}"]);
    assert_eq!(machine.record(true).transcripts["sfc-verifyonly"].output, ["whole"]);
}

#[test]
fn items_are_asked_for_of_the_newest_version() {
    let mut machine = Scripted::new();
    let list = "Version identifier: 06/30/2026-19:26\r\nVersion identifier: 07/01/2026-19:26\r\n";
    machine.answer("wbadmin get versions", ended(list, 0));
    machine.answer("wbadmin get items -version:07/01/2026-19:26", ended("items\r\n", 0));
    let recording = machine.record(false);
    assert_eq!(recording.transcripts["wbadmin-get-items"].arguments[2], "-version:07/01/2026-19:26");
}

#[test]
fn what_cannot_be_asked_is_named_and_the_rest_recorded() {
    let mut machine = Scripted::new();
    machine.answers.remove("wbadmin get disks");
    machine.answer("wbadmin get status", Ended { code: None, ..Ended::default() });
    machine.answer("vssadmin list providers", ended(vec![b'x'; TEXT_BYTES_MAX + 1], 0));
    let recording = machine.record(false);
    let missing: Vec<&str> = recording.not_recorded.iter().map(|one| &one.name[..]).collect();
    assert_eq!(missing, ["wbadmin-get-disks", "wbadmin-get-status", "vssadmin-list-providers"]);
    assert!(recording.not_recorded[0].why.contains("isn't installed"));
    assert_eq!(recording.transcripts.len(), 4);
}

/// Every way in which names can stand in what programs write.
#[test]
fn no_name_is_recorded_in_whatever_encoding_and_case_it_stands() {
    let mut machine = Scripted::new();
    let text = "On KÄRNTEN-FS1 (kärnten-fs1.HUBER.example.at), by HUBER\\Renate, O'NEILL, renate.huber@huber.example.at,\r\n\
        S-1-5-21-397955417-626881126-188441444-1010, at 10.20.30.40 and \\\\nas-k7\\Lohn$\\2025:\r\n\
        \"C:\\Users\\renate.HUBER\\Steuer 2025.xlsx\" and D:\\Huber & Co\\x\r\n";
    machine.answer("sfc /verifyonly", ended(wide(text), 1));
    machine.answer("wbadmin get versions", ended(text, 0));
    let page_850 = text.replace('Ä', "\u{8e}").replace('ä', "\u{84}");
    let page_850: Vec<u8> = page_850.chars().map(|c| u8::try_from(c).unwrap()).collect();
    machine.answer("wbadmin get disks", Ended { errors: page_850.clone(), ..ended(page_850, 0) });
    // Encodings that aren't what they seem.
    machine.answer("wbadmin get status", ended([b"ok\r\n ", &wide("by Renate\r\n")[..]].concat(), 0));
    let big: Vec<u8> = "on KÄRNTEN-FS1\r\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    machine.answer("vssadmin list providers", ended([b"\xfe\xff", &big[..]].concat(), 0));
    machine.answer("vssadmin list shadowstorage", ended([&wide("by Renate")[..], b"x"].concat(), 0));
    machine.values.insert(
        (SESSION.to_owned(), "PendingFileRenameOperations".to_owned()),
        RegistryValue::Texts(vec![
            r"\??\C:\Users\RENATE~1\AppData\Local\Temp\Huber.tmp".to_owned(),
            String::new(),
        ]),
    );
    let recording = machine.record(true);
    let told = recording.write().unwrap().to_lowercase();
    for name in
        ["rnten", "huber", "renate", "neill", "397955417", "10.20", "nas-k7", "lohn", "steuer", "& co"]
    {
        let at = told.find(name);
        assert_eq!(
            at,
            None,
            "{name}: {}",
            &told[at.unwrap_or(0).saturating_sub(200)..][..300.min(told.len())]
        );
    }
    let output = &recording.transcripts["sfc-verifyonly"].output;
    assert_eq!(recording.transcripts["sfc-verifyonly"].encoding, Encoding::Utf16);
    assert!(output[0].starts_with("On SRV01 (SRV01.domain-1), by domain-2\\user-"), "{output:?}");
    assert_eq!(recording.transcripts["wbadmin-get-disks"].encoding, Encoding::CodePage);
    assert_eq!(&recording.transcripts["wbadmin-get-disks"].output, output);
    assert_eq!(&recording.transcripts["wbadmin-get-disks"].errors.as_ref().unwrap().lines, output);
    assert!(!recording.not_recorded.is_empty(), "what can't be read safely is left out");
}

#[test]
fn what_the_registry_said_is_kept_and_its_names_are_not() {
    let mut machine = Scripted::new();
    machine.set(
        r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName",
        "ComputerName",
        "kärnten-fs2",
    );
    let recording = machine.record(false);
    let answer = |key: &str, name: Option<&str>| {
        let fact =
            recording.registry.iter().find(|fact| fact.key.ends_with(key) && fact.name.as_deref() == name);
        fact.map(|fact| fact.answer.clone())
    };
    let text = |text: &str| Some(RegistryAnswer::Text { text: text.to_owned() });
    assert_eq!(answer("ActiveComputerName", Some("ComputerName")), text("SRV01"));
    assert_eq!(answer(r"ComputerName\ComputerName", Some("ComputerName")), text("SRV02"));
    assert_eq!(answer("CurrentVersion", Some("ProductName")), text("Windows Server 2022"));
    assert_eq!(answer("RebootPending", None), Some(RegistryAnswer::Absent));
    assert!(matches!(answer("PackagesPending", None), Some(RegistryAnswer::Unreadable { .. })));
    assert!(recording.system.starts_with("Windows Server 2022 (?)"), "{}", recording.system);
    assert!(!recording.registry.iter().any(|fact| fact.key.contains("ProfileList")));
}

#[test]
fn writers_keep_what_kind_they_are_and_volumes_lose_their_ids() {
    let mut machine = Scripted::new();
    let list = "Writer name: 'Acme Writer'\r\n   Writer Id: {aaaaaaaa-5052-49db-9b07-b96f96727e6b}\r\n\
        \x20  Writer Instance Id: {bbbbbbbb-5052-49db-9b07-b96f96727e6b}\r\n   State: [1] Stable\r\n";
    machine.answer("vssadmin list writers", ended(list, 0));
    let storage = "For volume: (C:)\\\\?\\Volume{cccccccc-5052-49db-9b07-b96f96727e6b}\\\r\n";
    machine.answer("vssadmin list shadowstorage", ended(storage, 0));
    let recording = machine.record(false);
    let output = recording.transcripts["vssadmin-list-writers"].output.join("\n");
    assert!(output.contains("{aaaaaaaa-5052") && !output.contains("bbbbbbbb"), "{output}");
    let output = &recording.transcripts["vssadmin-list-shadowstorage"].output[0];
    assert!(output.starts_with(r"For volume: (C:)\\?\Volume{00000000-0000-0000-0000-0000000000"), "{output}");
    let known = "Writer name: 'System Writer'\r\n   Writer Id: {e8132975-6f93-4464-a53e-1050253ae220}\r\n";
    machine.answer("vssadmin list writers", ended(known, 0));
    assert_eq!(machine.record(false).transcripts["vssadmin-list-writers"].text().bytes(), known.as_bytes());
}

#[test]
fn a_file_that_is_no_recording_is_refused() {
    let whole = Scripted::new().record(false).write().unwrap();
    assert!(matches!(Recording::read(&whole[..whole.len() / 2]), Err(RecordingError::Unreadable(_))));
    let newer = whole.replacen("\"form\": 1", "\"form\": 2", 1);
    assert!(matches!(Recording::read(&newer), Err(RecordingError::OtherForm(2))));
}
