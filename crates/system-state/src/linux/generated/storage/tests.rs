//! Real disks in files: loop devices with partition tables, LVM, LUKS and btrfs, captured and made again from what was
//! captured. LVM and LUKS need no device-mapper for that: nothing is activated. Left out, loudly, where there are no loop
//! devices or tools.

use super::*;
use crate::components::STORAGE_LAYOUT;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All disks of the machine are captured: a test that adds one does so alone.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk in a file.
struct Disk {
    device: String,
    _home: tempfile::TempDir,
}

impl Disk {
    fn of(mebibytes: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("disk");
        File::create(&path).unwrap().set_len(mebibytes << 20).unwrap();
        let attached = run_well("losetup", &["--find", "--show", &path.to_string_lossy()]);
        Self { device: String::from_utf8(attached.stdout).unwrap().trim().to_owned(), _home: home }
    }

    fn capture(&self) -> Made {
        let mut made = Made::nothing(STORAGE_LAYOUT);
        make(&Tree::open(Path::new("/")).unwrap(), &|name| format!("/dev/{name}") == self.device, &mut made);
        made
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("losetup").args(["--detach", &self.device]).output();
    }
}

fn command(program: &str, arguments: &[&str]) -> Output {
    let path = "/usr/sbin:/usr/bin:/sbin:/bin";
    Command::new(program).args(arguments).env("PATH", path).output().unwrap()
}

fn run_well(program: &str, arguments: &[&str]) -> Output {
    let output = command(program, arguments);
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Whether loop devices and these programs are here; says so if not.
fn can_run(programs: &[&str]) -> bool {
    let is_here = |program: &&str| {
        ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|at| Path::new(at).join(program).exists())
    };
    let missing: Vec<&&str> = programs.iter().filter(|program| !is_here(program)).collect();
    let has_loops = rustix::process::geteuid().is_root() && command("losetup", &["--find"]).status.success();
    if !missing.is_empty() || !has_loops {
        eprintln!("LEFT OUT: this test needs root, loop devices and {programs:?} (missing: {missing:?})");
    }
    missing.is_empty() && has_loops
}

fn bytes(made: &Made, name: &str) -> Vec<u8> {
    let found = made.files.iter().find(|(known, _)| known == name);
    let (_, content) = found.unwrap_or_else(|| panic!("no `{name}` in {made:?}"));
    let mut bytes = vec![0; usize::try_from(content.length()).unwrap()];
    assert_eq!(content.read_at(0, &mut bytes).unwrap(), bytes.len());
    bytes
}

fn text(made: &Made, name: &str) -> String {
    String::from_utf8(bytes(made, name)).unwrap()
}

/// A file with that content, for a program that reads one.
fn file(home: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = home.join(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_partition_table_is_captured_and_made_again() {
    let _alone = alone();
    if !can_run(&["sfdisk", "blkid"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (one, other) = (Disk::of(64), Disk::of(64));
    let table = "label: gpt\n,16M,U,*\n,16M,L\n,,V\n";
    let script = file(home.path(), "table", table.as_bytes());
    write_table(&one, &script);
    let made = one.capture();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let name = one.device.strip_prefix("/dev/").unwrap();
    let dump = text(&made, &format!("partitions-{name}.sfdisk"));
    assert_eq!(dump.matches("uuid=").count(), 3, "{dump}");
    let beginning = bytes(&made, &format!("disk-beginning-{name}.img"));
    assert_eq!((beginning.len(), &beginning[512..520]), (1 << 20, b"EFI PART".as_slice()));
    // Made again from the text, the table is the same to the byte, ids too.
    write_table(&other, &file(home.path(), "dump", dump.as_bytes()));
    let again = other.capture();
    let name = other.device.strip_prefix("/dev/").unwrap();
    assert_eq!(bytes(&again, &format!("disk-beginning-{name}.img")), beginning);
}

fn write_table(disk: &Disk, script: &Path) {
    let shell = format!("sfdisk --quiet {} < {}", disk.device, script.display());
    run_well("sh", &["-c", &shell]);
}

#[test]
fn file_systems_and_swap_are_told_with_their_kinds_ids_and_labels() {
    let _alone = alone();
    let id = "0a1b2c3d-1111-2222-3333-444455556666";
    let kinds: [(&str, &str, &[&str]); 4] = [
        ("mkfs.ext4", "ext4", &["-q", "-L", "data", "-U", id]),
        ("mkfs.xfs", "xfs", &["-q", "-L", "data", "-m", "uuid=0a1b2c3d-1111-2222-3333-444455556666"]),
        ("mkfs.btrfs", "btrfs", &["-q", "-L", "data", "-U", id]),
        ("mkswap", "swap", &["-L", "data", "-U", id]),
    ];
    for (program, kind, arguments) in kinds {
        if !can_run(&[program, "blkid"]) {
            continue;
        }
        let disk = Disk::of(320);
        let mut arguments = arguments.to_vec();
        arguments.push(&disk.device);
        run_well(program, &arguments);
        let made = disk.capture();
        assert!(made.warnings.is_empty(), "{:?}", made.warnings);
        let line = text(&made, "block-device-ids");
        for fact in [format!("TYPE={kind}"), format!("UUID={id}"), "LABEL=data".to_owned()] {
            assert!(line.split('\t').any(|found| found.trim() == fact), "{fact}: {line}");
        }
    }
}

#[test]
fn a_volume_group_is_captured_and_made_again() {
    let _alone = alone();
    if !can_run(&["vgcreate", "vgcfgbackup", "blkid"]) {
        return;
    }
    let disk = Disk::of(64);
    let group = format!("swtest{}", std::process::id());
    let quiet = ["--driverloaded", "n"];
    let lvm = |program: &str, arguments: &[&str]| run_well(program, &[&quiet, arguments].concat());
    lvm("pvcreate", &[&disk.device]);
    lvm("vgcreate", &[&group, &disk.device]);
    lvm("lvcreate", &["-an", "-Zn", "-Wn", "-L", "8M", "-n", "root", &group]);
    let made = disk.capture();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let name = format!("volume-group-{group}.vgcfg");
    let kept = bytes(&made, &name);
    assert!(text(&made, "logical-volumes.json").contains("\"8388608B\""));
    assert!(text(&made, "physical-volumes.json").contains(&disk.device));
    assert_eq!(bytes(&disk.capture(), &name), kept, "nothing changed, so nothing differs");
    // The group is lost, then made again from what was kept.
    lvm("lvremove", &["-f", &format!("{group}/root")]);
    assert!(!text(&disk.capture(), "logical-volumes.json").contains("8388608B"));
    let home = tempfile::tempdir().unwrap();
    let path = file(home.path(), "group", &kept);
    lvm("vgcfgrestore", &["-f", &path.to_string_lossy(), &group]);
    assert_eq!(bytes(&disk.capture(), "logical-volumes.json"), bytes(&made, "logical-volumes.json"));
}

#[test]
fn a_header_of_an_encrypted_device_is_captured_and_opens_it_again() {
    let _alone = alone();
    if !can_run(&["cryptsetup", "blkid"]) {
        return;
    }
    let disk = Disk::of(32);
    let home = tempfile::tempdir().unwrap();
    let key = file(home.path(), "key", b"a passphrase").to_string_lossy().into_owned();
    let cheap = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--batch-mode"];
    run_well("cryptsetup", &[&["luksFormat", &disk.device, &key][..], &cheap].concat());
    let made = disk.capture();
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let name = made.files.iter().map(|(name, _)| name.clone()).find(|name| name.starts_with("luks-header-"));
    let header = bytes(&made, &name.unwrap());
    let opens = || {
        command("cryptsetup", &["open", "--test-passphrase", "--key-file", &key, &disk.device])
            .status
            .success()
    };
    assert!(opens());
    run_well("cryptsetup", &["luksErase", "--batch-mode", &disk.device]);
    assert!(!opens());
    let path = file(home.path(), "header", &header).to_string_lossy().into_owned();
    run_well(
        "cryptsetup",
        &["luksHeaderRestore", "--batch-mode", &disk.device, "--header-backup-file", &path],
    );
    assert!(opens());
}

#[test]
fn a_btrfs_is_captured_with_its_subvolumes_and_does_not_change_with_use() {
    let _alone = alone();
    if !can_run(&["mkfs.btrfs", "btrfs", "blkid"]) {
        return;
    }
    let disk = Disk::of(128);
    run_well("mkfs.btrfs", &["--quiet", "--label", "data", &disk.device]);
    let home = tempfile::tempdir().unwrap();
    let at = home.path().to_string_lossy().into_owned();
    if !command("mount", &[&disk.device, &at]).status.success() {
        eprintln!("LEFT OUT: the kernel can't mount btrfs");
        return;
    }
    let subvolume = format!("{at}/@root");
    run_well("btrfs", &["subvolume", "create", &subvolume]);
    let made = disk.capture();
    fs::write(format!("{at}/@root/file"), vec![7; 5 << 20]).unwrap();
    run_well("sync", &["--file-system", &at]);
    let later = disk.capture();
    run_well("umount", &[&at]);
    assert!(made.warnings.is_empty(), "{:?}", made.warnings);
    let (name, _) = made.files.iter().find(|(name, _)| name.starts_with("btrfs-subvolumes-")).unwrap();
    let list = text(&made, name);
    assert!(list.contains("path @root\n") && list.contains("default ID 5 "), "{list}");
    assert!(text(&made, "mounts").contains(&disk.device));
    assert!(text(&made, "block-device-ids").contains("LABEL=data"));
    let shown = |made: &Made| -> Vec<(String, Vec<u8>)> {
        made.files.iter().map(|(name, _)| (name.clone(), bytes(made, name))).collect()
    };
    assert_eq!(shown(&made), shown(&later));
}
