use super::*;
use crate::linux::recording::{Recording, read_all};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::time::Instant;
use tempfile::TempDir;

fn sample() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let files = [
        "usr/bin/tool",
        "usr/lib/os-release",
        "etc/hostname",
        "etc/passwd",
        "etc/default/grub",
        "etc/fstab",
        "etc/ssh/ssh_host_rsa_key",
        "etc/ssh/sshd_config",
        "etc/rc2.d/S01cron",
        "etc/cron.d/job",
        "boot/vmlinuz-6.1.0-9",
        "var/lib/dpkg/status",
        "var/lib/dpkg/info/tool.list",
        "var/lib/postgresql/15/data",
        "var/lib/some-service/state",
        "var/lib/stateward/home",
        "var/games/owned",
        "var/games/other",
        "var/log/tool/log",
        "home/somebody/file",
        "data/file",
    ];
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    fs::write(root.path().join("etc/hostname"), "web-01\n").unwrap();
    fs::write(root.path().join("usr/lib/os-release"), "NAME=X\nPRETTY_NAME=\"Some Linux 1\"\n").unwrap();
    let status =
        "Package: tool\nStatus: install ok installed\nArchitecture: amd64\nInstalled-Size: 3\nVersion: 1\n";
    fs::write(root.path().join("var/lib/dpkg/status"), status).unwrap();
    let list = "/.\n/usr/bin/tool\n/etc/passwd\n/var/games\n/var/games/owned\n/var/log/tool\n/var/gone\n";
    fs::write(root.path().join("var/lib/dpkg/info/tool.list"), list).unwrap();
    root
}

fn record(system: &SystemState, component: &str) -> (bool, Recording) {
    let mut recording = Recording::default();
    let is_present = system.walk(&component.parse().unwrap(), &mut recording).unwrap();
    assert!(recording.is_closed());
    (is_present, recording)
}

#[test]
fn each_component_holds_what_the_rules_and_packages_say() {
    let root = sample();
    let system = SystemState::open(root.path(), vec![root.path().join("etc/cron.d")], None).unwrap();
    let expected: [(&str, &[&str]); 10] = [
        (
            "os-files",
            &["/usr/bin/tool", "/usr/lib/os-release", "/var/games", "/var/games/owned", "/var/log/tool"],
        ),
        ("configuration", &["/etc/ssh/sshd_config"]),
        ("boot", &["/boot/vmlinuz-6.1.0-9", "/etc/default/grub"]),
        ("storage-layout", &["/etc/fstab"]),
        ("packages", &["/var/lib/dpkg/info/tool.list", "/var/lib/dpkg/status"]),
        ("services", &["/etc/rc2.d/S01cron", "/var/lib/some-service/state"]),
        ("accounts", &["/etc/passwd"]),
        ("directory-services", &[]),
        ("scheduled-jobs", &[]),
        ("host-identity", &["/etc/hostname", "/etc/ssh/ssh_host_rsa_key"]),
    ];
    for (component, paths) in expected {
        let (is_present, recording) = record(&system, component);
        let on_disk: HashSet<&str> =
            recording.paths().into_iter().filter(|path| !path.starts_with("/stateward-generated")).collect();
        for path in paths {
            assert!(on_disk.contains(path), "{component}: {path}");
        }
        let files = on_disk.iter().filter(|path| root.path().join(&path[1..]).is_file()).count();
        let expected_files = paths.iter().filter(|path| root.path().join(&path[1..]).is_file()).count();
        assert_eq!(files, expected_files, "{component}: {on_disk:?}");
        assert_eq!(is_present, !paths.is_empty(), "{component}");
        assert_eq!(recording.warned(), []);
    }
}

#[test]
fn another_root_tells_its_own_name_and_lists() {
    let root = sample();
    let system = SystemState::open(root.path(), vec![], None).unwrap();
    assert_eq!(
        system.description(),
        SourceDescription {
            host_name: "web-01".into(),
            operating_system: "Some Linux 1".into(),
            names: NameKind::Bytes,
        }
    );
    assert_eq!(system.estimate(), Some((6, 3072)));
    let (_, packages) = record(&system, "packages");
    let selections = packages.at("/stateward-generated/packages/selections");
    assert_eq!(read_all(&*selections.node).0, b"tool\tinstall\n");
    assert_eq!(selections.stat.identity, None);
    assert_eq!(selections.stat.modified_at, stateward_model::Timestamp(0));
    let (_, services) = record(&system, "services");
    assert_eq!(
        read_all(&*services.at("/stateward-generated/services/start-links").node).0,
        b"/etc/rc2.d/S01cron\n"
    );
}

#[test]
fn only_wanted_components_are_walked_and_unknown_ones_refused() {
    let root = sample();
    let wanted = vec!["packages".parse().unwrap(), "boot".parse().unwrap(), "boot".parse().unwrap()];
    let system = SystemState::open(root.path(), vec![], Some(wanted)).unwrap();
    let names: Vec<String> = system.components().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["boot", "packages"]);
    assert_eq!(system.estimate(), None);
    let refused = system.walk(&"accounts".parse().unwrap(), &mut Recording::default());
    assert!(matches!(refused, Err(SourceError::NoSuchComponent(_))));
    let unknown = SystemState::open(root.path(), vec![], Some(vec!["registry".parse().unwrap()]));
    assert!(matches!(unknown, Err(OpenError::NoSuchComponent(_))));
    let missing = SystemState::open(&root.path().join("missing"), vec![], None);
    assert!(matches!(missing, Err(OpenError::Unreadable { .. })));
}

#[test]
fn an_excluded_path_is_left_out_under_both_of_its_names() {
    let root = sample();
    std::os::unix::fs::symlink("usr", root.path().join("alias")).unwrap();
    let excluded = vec![root.path().join("alias/bin"), root.path().join("not/yet/there")];
    let system = SystemState::open(root.path(), excluded, None).unwrap();
    assert!(!record(&system, "os-files").1.paths().contains(&"/usr/bin/tool"));
}

#[test]
fn components_are_described_with_their_sizes() {
    let root = sample();
    let system = SystemState::open(root.path(), vec![], None).unwrap();
    let described = system.describe().unwrap();
    assert_eq!(described.len(), 10);
    let accounts = &described[6];
    assert_eq!((accounts.name.as_str(), accounts.present), ("accounts", true));
    assert_eq!((accounts.files, accounts.bytes), (1, "etc/passwd".len() as u64));
    assert!(accounts.paths.contains(&"/etc/sudoers".to_owned()));
}

/// Reads the machine that runs the test. As an ordinary user parts of it cannot be read, which is told, so only what
/// holds for both is asserted.
#[test]
fn on_this_machine_no_path_belongs_to_two_components() {
    let system = SystemState::open(Path::new("/"), vec![], None).unwrap();
    let mut owners: HashMap<String, ComponentName> = HashMap::new();
    let began = Instant::now();
    let mut entries = 0;
    for component in system.components() {
        let mut recording = Recording::default();
        let began = Instant::now();
        system.walk(&component, &mut recording).unwrap();
        println!("{component}: {} entries in {:?}", recording.entries.len(), began.elapsed());
        entries += recording.entries.len();
        for entry in recording.entries {
            if entry.stat.kind != stateward_engine::FoundKind::Folder
                && let Some(other) = owners.insert(entry.path.clone(), component.clone())
            {
                panic!("`{}` belongs to `{other}` and `{component}`", entry.path);
            }
        }
        for warning in recording.warnings {
            println!("{} {} {}", warning.code, String::from_utf8_lossy(&warning.path), warning.message);
        }
    }
    println!("all: {entries} entries in {:?}", began.elapsed());
    let began = Instant::now();
    let described = system.describe().unwrap();
    let (files, bytes) = described.iter().fold((0, 0), |(f, b), one| (f + one.files, b + one.bytes));
    println!(
        "only counted: {files} files, {bytes} bytes in {:?}; guessed: {:?}",
        began.elapsed(),
        system.estimate()
    );
}

/// A tree as rpm distributions have it, with a real database (see `rpm/tests.rs`).
#[test]
fn an_rpm_tree_tells_its_packages_and_keeps_what_they_own() {
    let Some(home) = crate::linux::rpm::tests::tree_with_a_package("/usr/lib/sysimage/rpm") else { return };
    let system = SystemState::open(&home.path().join("root"), vec![], None).unwrap();
    assert_eq!(system.estimate(), Some((3, "program\nsettings\n".len() as u64)));
    let (_, packages) = record(&system, "packages");
    assert_eq!(packages.warned(), []);
    let versions = packages.at("/stateward-generated/packages/rpm-versions");
    assert_eq!(read_all(&*versions.node).0, b"hello\t1:1.2-3\tnoarch\n");
    assert!(packages.paths().contains(&"/usr/lib/sysimage/rpm/rpmdb.sqlite"));
    let (_, os_files) = record(&system, "os-files");
    assert!(os_files.paths().contains(&"/usr/bin/hello"));
    assert!(!os_files.paths().contains(&"/usr/lib/sysimage/rpm/rpmdb.sqlite"));
    let (_, services) = record(&system, "services");
    assert!(services.paths().contains(&"/var/lib/hello"), "a component has it, so no package needs to");
}
