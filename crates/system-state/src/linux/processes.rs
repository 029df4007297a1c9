//! Prechecks by what else runs: programs that change what is backed up while it is read, or read it at the same time.

use crate::linux::prechecks::{PASS, WARN, precheck};
use stateward_format::manifest::Precheck;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Programs of other backups that run only while they back up, by the names that the kernel gives to their processes.
const BACKUPS: [&str; 9] =
    ["borg", "bupstash", "duplicity", "kopia", "rdiff-backup", "restic", "rsnapshot", "rustic", "tarsnap"];

/// Programs that change installed packages.
const PACKAGE_MANAGERS: [&str; 10] =
    ["apt", "apt-get", "aptitude", "dnf", "dnf5", "dpkg", "rpm", "unattended-upgr", "yum", "zypper"];

/// Does another backup run (`other-backup`), and are packages being changed (`packages-changing`)?
pub(super) fn prechecks() -> [Precheck; 2] {
    let names = running(Path::new("/proc"));
    let found = |of: &[&str]| {
        let found: Vec<String> = names.iter().filter(|name| of.contains(&name.as_str())).cloned().collect();
        (!found.is_empty()).then(|| found.join(", "))
    };
    [
        match found(&BACKUPS) {
            Some(found) => precheck(
                "other-backup",
                WARN,
                format!(
                    "Another backup runs ({found}): both are slower, and what it holds locked may be left out"
                ),
            ),
            None => precheck("other-backup", PASS, "No other backup runs".to_owned()),
        },
        match found(&PACKAGE_MANAGERS) {
            Some(found) => precheck(
                "packages-changing",
                WARN,
                format!(
                    "Packages are being changed ({found}): what is backed up may be half of the old and half of the new"
                ),
            ),
            None => precheck("packages-changing", PASS, "No packages are being changed".to_owned()),
        },
    ]
}

/// The names of all processes, cut at 15 bytes by the kernel. One that ended meanwhile is left out.
fn running(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeSet::new() };
    let name = |entry: fs::DirEntry| {
        let is_process = entry.file_name().to_str()?.bytes().all(|c| c.is_ascii_digit());
        let name = is_process.then(|| fs::read_to_string(entry.path().join("comm")).ok())??;
        Some(name.trim_end().to_owned())
    };
    entries.filter_map(|entry| name(entry.ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_are_known_by_their_names_and_nothing_else_is_one() {
        let folder = tempfile::tempdir().unwrap();
        for (entry, name) in [("1", "systemd\n"), ("77", "restic\n"), ("self", "borg\n"), ("78", "")] {
            let entry = folder.path().join(entry);
            fs::create_dir(&entry).unwrap();
            if !name.is_empty() {
                fs::write(entry.join("comm"), name).unwrap();
            }
        }
        let names = running(folder.path());
        assert_eq!(names, ["restic".to_owned(), "systemd".to_owned()].into());
        assert!(running(&folder.path().join("none")).is_empty());
    }

    #[test]
    fn this_test_is_seen_among_what_runs() {
        let own = fs::read_to_string("/proc/self/comm").unwrap();
        assert!(running(Path::new("/proc")).iter().any(|name| name == own.trim_end()));
        assert_eq!(prechecks().map(|precheck| precheck.code), ["other-backup", "packages-changing"]);
    }

    #[test]
    fn names_are_as_long_as_the_kernel_lets_them_be() {
        assert!(BACKUPS.iter().chain(&PACKAGE_MANAGERS).all(|name| name.len() <= 15));
    }
}
