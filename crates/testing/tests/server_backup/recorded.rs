//! What `doctor --record` writes is what the stand-ins play: to the byte, and whatever programs write.

use crate::world::World;
use stateward_engine::Cancellation;
use stateward_system_state::server_backup::prechecks::restart::pending_restart;
use stateward_system_state::server_backup::record::{KnownNames, RecordWish, Recording, record};
use stateward_system_state::server_backup::{
    CommandError, Commands, Ended, Invocation, Registry, RegistryValue,
};
use stateward_testing::MadeUpServer;
use stateward_testing::stand_in::{PlayedRegistry, StandIns, lay_recording, transcripts};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// Says to each call what a table has for it.
struct Scripted(BTreeMap<&'static str, Ended>);

const PRODUCT: &str = r"HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions";

fn ended(output: &[u8], errors: &[u8], code: i32) -> Ended {
    Ended { code: Some(code), output: output.to_vec(), errors: errors.to_vec() }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

impl Commands for Scripted {
    fn run(
        &self,
        invocation: &Invocation,
        _: &mut dyn FnMut(&[u8]),
        _: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let call = format!("{} {}", invocation.program, invocation.arguments.join(" "));
        let found = self.0.iter().find(|(beginning, _)| call.starts_with(*beginning));
        found.map(|(_, ended)| ended.clone()).ok_or(CommandError::Missing { program: invocation.program })
    }
}

impl Registry for Scripted {
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>> {
        Ok(key.ends_with("RebootRequired").then(Vec::new))
    }

    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        Ok((key == PRODUCT && name == "ProductType").then(|| RegistryValue::Text("ServerNT".to_owned())))
    }
}

fn recorded(commands: &dyn Commands, registry: &dyn Registry, scratch: &Path) -> Recording {
    let known = KnownNames { machines: vec!["KUNDE7".to_owned()], ..KnownNames::default() };
    let wish =
        RecordWish { commands, registry, scratch, known, verifies_system_files: true, made_by: "test" };
    let mut called = Vec::new();
    let recording = record(&wish, &mut |name| called.push(name.to_owned()), &Cancellation::default());
    let text = recording.write().unwrap();
    assert_eq!(Recording::read(&text).unwrap(), recording, "the reader takes what the writer wrote");
    recording
}

#[test]
fn what_was_recorded_is_played_to_the_byte_and_recorded_again_is_the_same() {
    let table = "  Volume ###  Ltr  Label        Fs     Type        Size     Status     Info\r\n  ----------  ---  \
                 -----------  -----  ----------  -------  ---------  --------\r\n  Volume 0     C                NTFS   \
                 Partition     99 GB  Healthy    Boot\r\n";
    let answers = [
        ("wbadmin get versions", ended(b"Version identifier: 06/30/2026-19:26\r\n\r\n", b"", 0)),
        ("wbadmin get disks", ended(b"Gr\x94\xe1e 7\r\r\nno end", b"and errors\r\n", -2)),
        ("wbadmin get status", ended(b"", b"ERROR - \xe4\xf6\r\n", 255)),
        ("wbadmin get items", ended("Größe: 1\n2\r3\r\n".as_bytes(), b"", 0)),
        ("vssadmin list writers", ended(b"\r\n", b"", 0)),
        ("vssadmin list providers", ended(&wide("\u{feff}一 { } {x}\r\n"), b"", 1)),
        ("vssadmin list shadowstorage", ended(b"\\\\?\\Volume{1}\\ (C:)\r\n", b"", 0)),
        ("diskpart /s", ended(table.as_bytes(), b"", 0)),
        ("sfc /verifyonly", ended(&wide("Verification 100% complete.\r\r\n"), b"", 1)),
    ];
    let machine = Scripted(answers.into());
    let folder = tempfile::tempdir().unwrap();
    let recording = recorded(&machine, &machine, folder.path());
    assert!(recording.not_recorded.is_empty(), "{:?}", recording.not_recorded);

    let laid = folder.path().join("transcripts");
    assert_eq!(lay_recording(&recording, &laid).len(), 9);
    let steps = [
        "wbadmin-get-versions",
        "wbadmin-get-disks",
        "wbadmin-get-status",
        "wbadmin-get-items",
        "vssadmin-list-writers",
        "vssadmin-list-providers",
        "vssadmin-list-shadowstorage",
        "diskpart-list",
        "sfc-verifyonly",
    ];
    let script = folder.path().join("stateward-record.diskpart.txt").display().to_string();
    let programs = folder.path().join("programs");
    let program = Path::new(env!("CARGO_BIN_EXE_stand-in"));
    let play = || {
        StandIns::lay(&programs, program, std::env::consts::EXE_SUFFIX);
        StandIns::of_scene(&programs, laid.clone(), &[("script", &script)], &steps)
    };

    let stand_ins = play();
    let commands = World::new().commands(&stand_ins);
    fs::write(&script, "list disk\r\n").unwrap();
    for name in steps {
        let transcript = &recording.transcripts[name];
        let arguments: Vec<&str> = transcript
            .arguments
            .iter()
            .map(|argument| if argument == "{script}" { &script[..] } else { argument })
            .collect();
        let program =
            ["wbadmin", "vssadmin", "diskpart", "sfc"].into_iter().find(|name| *name == transcript.program);
        let invocation = Invocation::new(program.unwrap(), &arguments, std::time::Duration::from_secs(60));
        let played = commands.run(&invocation, &mut |_| {}, &Cancellation::default()).unwrap();
        let said = machine.run(&invocation, &mut |_| {}, &Cancellation::default()).unwrap();
        assert_eq!((&played.output, &played.errors), (&said.output, &said.errors), "{name}");
        // Of an exit code this system tells eight bits.
        assert_eq!(played.code.unwrap(), said.code.unwrap() & 0xff, "{name}");
    }
    stand_ins.expect_all_played();
    fs::remove_file(&script).unwrap();

    let stand_ins = play();
    let again = recorded(&commands, &PlayedRegistry(&recording), folder.path());
    stand_ins.expect_all_played();
    assert_eq!(again.registry, recording.registry);
    for (name, transcript) in &recording.transcripts {
        assert_eq!(again.transcripts[name].text(), transcript.text(), "{name}");
    }
    let restart = |registry: &dyn Registry| pending_restart(registry);
    assert_eq!(restart(&PlayedRegistry(&recording)), restart(&machine));
}

/// Transcripts that are kept here show what a recording looks like: none of them has anything of a server that ought to go.
#[test]
fn a_machine_that_is_played_is_recorded_without_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut answers = BTreeMap::new();
    for (call, name) in [("vssadmin list writers", "writers-stable"), ("sfc /verifyonly", "sfc-whole")] {
        let transcript = stateward_testing::stand_in::read_transcript(&transcripts(), name).unwrap();
        answers.insert(call, ended(&transcript.text().bytes(), b"by kunde7$", transcript.exit));
    }
    let machine = Scripted(answers);
    let recording = recorded(&machine, &MadeUpServer::default(), folder.path());
    let kept = stateward_testing::stand_in::read_transcript(&transcripts(), "sfc-whole").unwrap();
    let found = &recording.transcripts["sfc-verifyonly"];
    assert_eq!((&found.output, found.encoding), (&kept.output, kept.encoding));
    assert_eq!(found.errors.as_ref().unwrap().lines, ["by SRV01$"]);
    assert!(recording.not_recorded.iter().any(|one| one.name == "wbadmin-get-disks"));
}
