//! Plans as they are run: line by line, on a made-up server.

use super::*;
use stateward_format::NameKind;
use stateward_format::content::StreamReference;
use stateward_format::manifest::{Component as PartOfPoint, ComponentResult, Precheck};
use stateward_model::{ItemKind, ServerId};
use stateward_system_state::server_backup::{CommandError, Commands, Ended};
use stateward_testing::MadeUpServer;
use std::sync::{Arc, Mutex};

/// 2026-07-10T00:00:00Z.
const NOW: Timestamp = Timestamp(1_783_641_600 * 1_000_000_000);

fn manifest(components: &[&str]) -> Manifest {
    let part = |name: &&str| PartOfPoint {
        name: name.parse().unwrap(),
        result: ComponentResult::Completed,
        files: 1,
        others: 1,
        bytes: 1,
        stream: StreamReference::default(),
    };
    Manifest {
        item_label: "system-state".parse().unwrap(),
        kind: ItemKind::SystemState,
        names: NameKind::Wtf8,
        domain: ServerId([1; 16]),
        host_name: "SRV01".to_owned(),
        operating_system: "Windows 10.0.20348".to_owned(),
        made_by: String::new(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
        components: components.iter().map(part).collect(),
        warnings: Vec::new(),
        prechecks: vec![Precheck {
            code: "server-backup-version".to_owned(),
            outcome: 0,
            message: "Windows Server Backup made the version `06/30/2026-19:26` of `SRV01`".to_owned(),
        }],
    }
}

fn plan_of(components: &[&str], wish: Wish) -> MadePlan {
    made(&manifest(components), Place::new("E:").unwrap(), wish, None, NOW).unwrap()
}

/// Programs that say what they are given and end as they are told; how many lines were run.
#[derive(Clone, Default)]
struct Programs {
    ran: Arc<Mutex<Vec<String>>>,
    listed: &'static str,
    fails: Option<&'static str>,
}

impl Commands for Programs {
    fn run(
        &self,
        invocation: &Invocation,
        heard: &mut dyn FnMut(&[u8]),
        _: &Cancellation,
    ) -> Result<Ended, CommandError> {
        let line = format!("{} {}", invocation.program, invocation.arguments.join(" "));
        heard(line.as_bytes());
        let code = if self.fails.is_some_and(|word| line.contains(word)) { 5 } else { 0 };
        self.ran.lock().unwrap().push(line);
        Ok(Ended { code: Some(code), output: self.listed.into(), errors: Vec::new() })
    }
}

fn run(
    made: &MadePlan,
    programs: &Programs,
    edition: &'static str,
    restarts: bool,
) -> Result<usize, AgentError> {
    let machine = MadeUpServer::of_edition(edition);
    let server = Server {
        commands: Box::new(programs.clone()),
        registry: Box::new(machine.clone()),
        services: Box::new(machine.clone()),
        volumes: Box::new(machine),
        windows: PathBuf::from("C:\\Windows"),
    };
    made.run_on(&server, &PrecheckSettings::default(), restarts, &mut |_| {}, &mut |_| {})
}

const LISTED: &str = "Version identifier: 06/30/2026-19:26";

#[test]
fn the_lines_are_run_up_to_the_first_restart() {
    let member = plan_of(&["windows-image-backup"], Wish::default());
    let programs = Programs { listed: LISTED, ..Programs::default() };
    assert_eq!(run(&member, &programs, "ServerNT", false).unwrap(), 2);
    assert_eq!(
        *programs.ran.lock().unwrap(),
        [
            "wbadmin get versions -backupTarget:E: -machine:SRV01",
            "wbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:SRV01 -quiet",
        ]
    );
    let controller = plan_of(&["role-domain-controller"], Wish::default());
    let programs = Programs { listed: LISTED, ..Programs::default() };
    assert_eq!(run(&controller, &programs, "LanmanNT", true).unwrap(), 2);
    assert_eq!(*programs.ran.lock().unwrap(), ["bcdedit /set safeboot dsrepair", "shutdown /r /t 0"]);
}

#[test]
fn nothing_is_put_back_that_is_not_listed_and_a_line_that_fails_is_the_last() {
    let member = plan_of(&["windows-image-backup"], Wish::default());
    for (listed, fails, ran) in [("ERROR - No backup was found.", None, 1), (LISTED, Some("recovery"), 2)] {
        let programs = Programs { listed, fails, ..Programs::default() };
        let error = run(&member, &programs, "ServerNT", false).unwrap_err();
        assert_eq!(error.code().as_str(), "plan-line-failed", "{error}");
        assert_eq!(programs.ran.lock().unwrap().len(), ran);
    }
}

#[test]
fn a_client_edition_runs_no_plan() {
    let member = plan_of(&["windows-image-backup"], Wish::default());
    let programs = Programs::default();
    let error = run(&member, &programs, "WinNT", false).unwrap_err();
    assert_eq!(error.code().as_str(), "client-edition");
    assert!(programs.ran.lock().unwrap().is_empty());
}

#[test]
fn runbook_and_script_are_written_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let member = plan_of(&["windows-image-backup"], Wish::default());
    let written = member.write(folder.path()).unwrap();
    let text = |place: usize| fs::read_to_string(&written[place]).unwrap();
    assert!(text(0).contains("How to put the System State of SRV01 back"));
    assert!(text(1).contains(&member.line.to_string()), "{}", text(1));
}

#[test]
fn a_recovery_point_of_linux_has_no_plan_and_a_folder_is_no_root() {
    let mut other = manifest(&["etc"]);
    other.prechecks.clear();
    let place = Place::new("E:").unwrap();
    let error = made(&other, place, Wish::default(), None, NOW).unwrap_err();
    assert_eq!(error.code().as_str(), "no-system-state");
    let folder = tempfile::tempdir().unwrap();
    assert!(ImageRoot::of(folder.path(), &manifest(&[]), "x").unwrap().is_none());
}
