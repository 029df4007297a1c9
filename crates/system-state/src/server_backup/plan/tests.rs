//! Plans by their exact lines.

use super::*;
use stateward_format::NameKind;
use stateward_format::content::StreamReference;
use stateward_format::manifest::{Component, Precheck};
use stateward_model::{ItemKind, ServerId};

const SERVER_2022: WindowsVersion = WindowsVersion { major: 10, minor: 0, build: 20_348 };
const SERVER_2019: WindowsVersion = WindowsVersion { major: 10, minor: 0, build: 17_763 };
const SERVER_2025: WindowsVersion = WindowsVersion { major: 10, minor: 0, build: 26_100 };

/// 2026-11-29T00:00:00Z, 151 whole days after the version.
const NOW: Timestamp = Timestamp(1_795_910_400 * 1_000_000_000);

fn point(is_domain_controller: bool) -> Point {
    let version = VersionId::parse("06/30/2026-19:26").unwrap();
    Point { machine: "SRV01".to_owned(), version, windows: SERVER_2022, is_domain_controller }
}

fn here() -> Here {
    Here {
        machine: "srv01".to_owned(),
        windows: SERVER_2022,
        is_in_directory_repair: false,
        now: NOW,
        tombstone_days: Some(365),
    }
}

fn place() -> Place {
    Place::new("e:").unwrap()
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().filter_map(|step| step.line.as_ref()).map(Line::to_string).collect()
}

#[test]
fn a_member_server_is_put_back_by_these_lines() {
    let made = plan(&point(false), &place(), &here(), Wish::default()).unwrap();
    assert!(made.warnings.is_empty());
    assert_eq!(
        lines(&made),
        [
            "wbadmin get versions -backupTarget:E: -machine:SRV01",
            "wbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:SRV01 -quiet",
            "shutdown /r /t 0",
            "wbadmin start systemstaterecovery -showsummary",
        ]
    );
    let wish = Wish { restarts_by_itself: true, ..Wish::default() };
    let made = plan(&point(false), &place(), &here(), wish).unwrap();
    assert_eq!(
        lines(&made)[1],
        "wbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:SRV01 -autoReboot -quiet"
    );
    assert_eq!(made.steps.iter().map(|step| step.restarts).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn a_domain_controller_is_put_back_while_its_directory_does_not_run() {
    let wish = Wish { is_authoritative: true, restarts_by_itself: true };
    let made = plan(&point(true), &Place::new(r"\\nas\back up").unwrap(), &here(), wish).unwrap();
    assert_eq!(
        lines(&made),
        [
            "bcdedit /set safeboot dsrepair",
            "shutdown /r /t 0",
            r#"wbadmin get versions "-backupTarget:\\nas\back up" -machine:SRV01"#,
            r#"wbadmin start systemstaterecovery -version:06/30/2026-19:26 "-backupTarget:\\nas\back up" -machine:SRV01 -authsysvol -quiet"#,
            "bcdedit /deletevalue safeboot",
            "shutdown /r /t 0",
            "wbadmin start systemstaterecovery -showsummary",
            "repadmin /replsummary",
        ]
    );
    let in_repair = Here { is_in_directory_repair: true, ..here() };
    let made = plan(&point(true), &place(), &in_repair, Wish::default()).unwrap();
    assert_eq!(lines(&made)[0], "wbadmin get versions -backupTarget:E: -machine:SRV01");
    assert!(lines(&made).contains(&"bcdedit /deletevalue safeboot".to_owned()), "it is always removed");
    assert!(
        !made
            .steps
            .iter()
            .any(|step| step.line.as_ref().is_some_and(|line| line.0.contains(&"-authsysvol".into())))
    );
}

#[test]
fn a_domain_controller_older_than_what_the_directory_remembers_is_refused() {
    let of = |days| plan(&point(true), &place(), &Here { tombstone_days: days, ..here() }, Wish::default());
    assert_eq!(of(Some(151)), Err(PlanError::Tombstoned { days: 151, tombstone_days: 151 }));
    assert!(of(Some(152)).unwrap().warnings.iter().any(|warning| warning.contains("make a new one soon")));
    let assumed = of(None).unwrap().warnings;
    assert!(assumed[0].contains("180 days are assumed"), "{assumed:?}");
    assert_eq!(of(Some(365)).unwrap().warnings.len(), 1);
}

#[test]
fn an_older_windows_is_refused_and_a_newer_one_or_another_machine_is_told() {
    let at = |windows| plan(&point(false), &place(), &Here { windows, ..here() }, Wish::default());
    let refused = at(SERVER_2019).unwrap_err();
    assert_eq!(refused, PlanError::OlderWindows { point: SERVER_2022, here: SERVER_2019 });
    assert!(refused.to_string().contains("Server 2022 (10.0.20348), and Server 2019 (10.0.17763) runs here"));
    assert!(at(SERVER_2025).unwrap().warnings[0].contains("same version"));
    let other = Here { machine: "SRV02".to_owned(), ..here() };
    assert!(
        plan(&point(false), &place(), &other, Wish::default()).unwrap().warnings[0].contains("must be off")
    );
    let early = Here { now: Timestamp(0), ..here() };
    assert!(matches!(plan(&point(false), &place(), &early, Wish::default()), Err(PlanError::Clock(_))));
    let wish = Wish { is_authoritative: true, ..Wish::default() };
    let refused = plan(&point(false), &place(), &here(), wish);
    assert!(matches!(refused, Err(PlanError::NotDomainController(_))));
}

#[test]
fn only_the_root_of_a_volume_or_a_share_is_a_place() {
    for (text, spelled) in [
        ("e:", "E:"),
        (r"E:\", "E:"),
        (r"\\nas\share", r"\\nas\share"),
        (r"\\nas\share\", r"\\nas\share"),
        (
            r"\\?\Volume{fae1a66c-0917-4ec1-8940-a82c22959cde}\",
            r"\\?\Volume{fae1a66c-0917-4ec1-8940-a82c22959cde}\",
        ),
    ] {
        assert_eq!(Place::new(text).unwrap().to_string(), spelled);
    }
    for text in [
        "",
        "E",
        r"E:\folder",
        r"\\nas",
        r"\\nas\share\folder",
        r"\\?\Volume{x}\",
        r"\\.\C:",
        "/mnt",
        "E:&del",
        "1:",
        r"\\\",
    ] {
        assert!(matches!(Place::new(text), Err(PlanError::Place(_))), "{text}");
    }
}

fn manifest(operating_system: &str, host_name: &str, remark: &str, role: &str) -> Manifest {
    let component = |name: &str| Component {
        name: name.parse().unwrap(),
        result: ComponentResult::Completed,
        files: 1,
        others: 0,
        bytes: 1,
        stream: StreamReference::default(),
    };
    Manifest {
        item_label: "system-state".parse().unwrap(),
        kind: ItemKind::SystemState,
        names: NameKind::Wtf8,
        domain: ServerId([1; 16]),
        host_name: host_name.to_owned(),
        operating_system: operating_system.to_owned(),
        made_by: "test".to_owned(),
        started_at: Timestamp(0),
        finished_at: Timestamp(0),
        components: vec![component("windows-image-backup"), component(role)],
        warnings: Vec::new(),
        prechecks: vec![Precheck { code: VERSION_REMARK.to_owned(), outcome: 0, message: remark.to_owned() }],
    }
}

#[test]
fn a_manifest_tells_all_that_a_plan_needs() {
    let (windows, remark) =
        ("Windows Server 2022 Standard 10.0.20348", "the version `06/30/2026-19:26` of `SRV01`");
    let of = |windows, name, remark, role| Point::of(&manifest(windows, name, remark, role));
    assert_eq!(of(windows, "SRV01", remark, "role-domain-controller"), Ok(point(true)));
    assert_eq!(of(windows, "SRV01", remark, "role-dhcp"), Ok(point(false)));
    assert!(matches!(of(windows, "a b & c", remark, "x"), Err(PlanError::Machine(_))));
    assert!(matches!(of("Debian 12", "SRV01", remark, "x"), Err(PlanError::NotSystemState(_))));
    assert!(matches!(of(windows, "SRV01", "none", "x"), Err(PlanError::NotSystemState(_))));
    let mut without = manifest(windows, "SRV01", remark, "x");
    without.prechecks.clear();
    assert!(matches!(Point::of(&without), Err(PlanError::NotSystemState(_))));
}

#[test]
fn the_runbook_holds_every_line_that_is_typed() {
    let text = runbook(&point(true), &place());
    for line in [
        "   Install-WindowsFeature Windows-Server-Backup\r\n",
        "   wbadmin get versions -backupTarget:E: -machine:SRV01\r\n",
        "   bcdedit /set safeboot dsrepair\r\n",
        "   wbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:SRV01 -quiet\r\n",
        "   bcdedit /deletevalue safeboot\r\n",
        "Windows:          Server 2022 (10.0.20348)\r\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let text = runbook(&point(false), &place());
    assert!(!text.contains("safeboot") && text.contains("6. Put the System State back:\r\n"));
    assert!(text.lines().all(|line| line.len() <= 130));
}

#[test]
fn a_script_stops_at_what_fails_and_at_the_first_restart() {
    let made = plan(&point(true), &place(), &here(), Wish::default()).unwrap();
    let text = script(&made);
    let begin = "@echo off\r\nsetlocal\r\necho Note: If another domain controller lives";
    assert!(text.starts_with(begin), "{text}");
    let (before, after) = text.split_once("exit /b 0\r\n").unwrap();
    assert!(before.contains("\r\nbcdedit /set safeboot dsrepair\r\nif errorlevel 1 goto failed\r\n"));
    assert!(!before.contains("systemstaterecovery"));
    assert!(after.contains("rem    wbadmin start systemstaterecovery -version:06/30/2026-19:26"));
    assert!(after.ends_with(":failed\r\necho That failed. Nothing more is done.\r\nexit /b 1\r\n"));
    let member = script(&plan(&point(false), &place(), &here(), Wish::default()).unwrap());
    assert!(member.contains("\r\nwbadmin start systemstaterecovery -version:06/30/2026-19:26 -backupTarget:E: -machine:SRV01 -quiet\r\nif errorlevel 1 goto failed\r\n"));
    let odd = Plan {
        steps: vec![Step { what: "100% & \"more\"".to_owned(), line: None, restarts: false }],
        warnings: Vec::new(),
    };
    assert!(script(&odd).contains("echo 1. 100' ' 'more'\r\npause\r\nexit /b 0\r\n"));
}
