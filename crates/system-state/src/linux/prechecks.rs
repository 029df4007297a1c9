//! Prechecks: what is looked at before a backup, kept with the recovery point.

use crate::linux::command::{TIME_OUT, run, run_telling_code};
use crate::linux::packages::read_packages;
use crate::linux::processes;
use crate::linux::rpm;
use crate::linux::tree::Tree;
use rustix::fs::statvfs;
use rustix::system::uname;
use stateward_format::manifest::Precheck;
use std::cmp::Ordering;
use std::path::Path;
use std::time::Duration;

/// It is as it should be.
pub(crate) const PASS: u8 = 0;
/// It is not, and the job goes on.
pub(crate) const WARN: u8 = 1;

/// How long the verification of all packages may take: it reads every installed file.
const VERIFY_TIME_OUT: Duration = Duration::from_secs(30 * 60);

/// One outcome.
pub(crate) fn precheck(code: &str, outcome: u8, message: String) -> Precheck {
    Precheck { code: code.to_owned(), outcome, message }
}

/// The quick checks of the running system: does a restart wait (`pending-restart`), has the file system of `folder` at least
/// `needed_bytes` free (`free-space`), does another backup run (`other-backup`), are packages being changed
/// (`packages-changing`)?
pub fn prechecks(folder: &Path, needed_bytes: u64) -> Vec<Precheck> {
    let mut checked = vec![pending_restart(), free_space(folder, needed_bytes)];
    checked.extend(processes::prechecks());
    checked
}

fn pending_restart() -> Precheck {
    let running = uname().release().to_string_lossy().into_owned();
    let finding = match Tree::open(Path::new("/")) {
        Ok(tree) => waiting(&tree, &running),
        Err(cause) => Some(format!("It can't be told whether a restart is pending: {cause}")),
    };
    match finding {
        Some(message) => precheck("pending-restart", WARN, message),
        None => precheck("pending-restart", PASS, "No restart is pending".to_owned()),
    }
}

/// Files by which an update asks for a restart: Debian's and Ubuntu's, SUSE's.
const MARKERS: [&str; 3] = ["/run/reboot-required", "/var/run/reboot-required", "/run/reboot-needed"];

const ASKS: &str = "An update asks for a restart: restart the server so that what is backed up is what runs";

/// Why a restart waits, if one does.
fn waiting(tree: &Tree, running: &str) -> Option<String> {
    if MARKERS.iter().any(|marker| tree.has(marker)) {
        return Some(ASKS.into());
    }
    let newest = installed_kernels(tree).into_iter().max_by(|a, b| compare_releases(a, b));
    if let Some(newest) = newest.filter(|newest| compare_releases(running, newest) == Ordering::Less) {
        return Some(format!(
            "The kernel `{running}` runs, but `{newest}` is installed: restart the server so that it is used"
        ));
    }
    let is_asked_for = tree.is_running_system() && is_asked_for_by_rpms_front_end(tree);
    is_asked_for.then(|| ASKS.into())
}

/// The releases of installed kernels: `/boot/vmlinuz-RELEASE`, and where kernels come with their modules
/// `/usr/lib/modules/RELEASE/vmlinuz`.
fn installed_kernels(tree: &Tree) -> Vec<String> {
    let text = |name: Vec<u8>| String::from_utf8(name).ok();
    let in_boot = tree.names("/boot").unwrap_or_default().into_iter().filter_map(text);
    let in_boot = in_boot.filter_map(|name| name.strip_prefix("vmlinuz-").map(str::to_owned));
    let with_modules = tree.names("/usr/lib/modules").unwrap_or_default().into_iter().filter_map(text);
    let with_modules = with_modules.filter(|name| tree.has(&format!("/usr/lib/modules/{name}/vmlinuz")));
    in_boot.chain(with_modules).collect()
}

/// Programs that say whether what was updated runs: dnf's and yum's, dnf5's, zypper's, with the exit code by which they
/// say that it does not. A code that stands for errors too counts only with its sentence.
const FRONT_ENDS: [(&str, &[&str], i32, &str); 3] = [
    ("needs-restarting", &["-r"], 1, "Reboot is required"),
    ("dnf5", &["--cacheonly", "needs-restarting"], 1, "Reboot is required"),
    ("zypper", &["--non-interactive", "needs-rebooting"], 102, ""),
];

fn is_asked_for_by_rpms_front_end(tree: &Tree) -> bool {
    let has_rpm = matches!(rpm::Database::find(tree), Ok(Some(_)));
    has_rpm
        && FRONT_ENDS.iter().any(|(program, arguments, asked, sentence)| {
            // One that is missing or fails says nothing.
            let answer = run_telling_code(program, arguments, &[0, *asked], TIME_OUT);
            answer.is_ok_and(|(code, output)| asks_for_restart(code, &output, *asked, sentence))
        })
}

fn asks_for_restart(code: i32, output: &[u8], asked: i32, sentence: &str) -> bool {
    code == asked && String::from_utf8_lossy(output).contains(sentence)
}

/// Compares kernel releases by the numbers that they begin with: of `6.1.0-9-amd64` 6, 1, 0, 9. What follows is a
/// flavour and says nothing about age.
fn compare_releases(a: &str, b: &str) -> Ordering {
    let numbers = |release: &str| -> Vec<u64> {
        release.split(['.', '-', '+', '_', '~']).map_while(|piece| piece.parse().ok()).collect()
    };
    numbers(a).cmp(&numbers(b))
}

fn free_space(folder: &Path, needed_bytes: u64) -> Precheck {
    match statvfs(folder) {
        Ok(found) => {
            let free_bytes = found.f_bavail.saturating_mul(found.f_frsize);
            match free_bytes >= needed_bytes {
                true => {
                    precheck("free-space", PASS, format!("{} MiB are free for the cache", free_bytes >> 20))
                }
                false => precheck(
                    "free-space",
                    WARN,
                    format!(
                        "Only {} MiB are free for the cache, {} should be",
                        free_bytes >> 20,
                        needed_bytes >> 20
                    ),
                ),
            }
        }
        Err(cause) => {
            precheck("free-space", WARN, format!("The free space for the cache can't be told: {cause}"))
        }
    }
}

/// Compares every installed file with what its package says (`dpkg --verify`, `rpm --verify --all`; settings may
/// differ). It reads all of them, so it is done only when asked for.
pub fn verify_packages() -> Precheck {
    let code = "package-integrity";
    let found = Tree::open(Path::new("/")).map_err(|cause| cause.to_string()).and_then(|tree| damaged(&tree));
    match found {
        Ok(damaged) if damaged.is_empty() => {
            precheck(code, PASS, "Every installed file is as its package says".to_owned())
        }
        Ok(damaged) => precheck(
            code,
            WARN,
            format!("Installed files are not as their packages say: {}", damaged.join("; ")),
        ),
        Err(why) => precheck(code, WARN, format!("Installed files can't be verified: {why}")),
    }
}

/// What each package manager of this machine found, as far as something is wrong.
fn damaged(tree: &Tree) -> Result<Vec<String>, String> {
    let mut damaged = Vec::new();
    let by_dpkg = read_packages(tree).map_err(|cause| cause.to_string())?;
    if by_dpkg.is_some() {
        // 1: something differs.
        let output =
            run("dpkg", &["--verify"], &[0, 1], VERIFY_TIME_OUT).map_err(|error| error.to_string())?;
        let count = count_differing(&output);
        if count > 0 {
            damaged.push(format!("{count} missing or changed, see `dpkg --verify`"));
        }
    }
    let by_rpm = rpm::Database::find(tree).map_err(|cause| cause.to_string())?;
    if let Some(database) = &by_rpm {
        let found = rpm::verify(database, VERIFY_TIME_OUT).map_err(|error| error.to_string())?;
        damaged.extend(found.told().map(|told| format!("{told}, see `rpm --verify --all`")));
    }
    match by_dpkg.is_none() && by_rpm.is_none() {
        true => Err("neither dpkg nor rpm has a database here".to_owned()),
        false => Ok(damaged),
    }
}

/// Lines of files that are no settings: those carry a `c` between the result and the path.
fn count_differing(output: &[u8]) -> usize {
    let text = String::from_utf8_lossy(output);
    text.lines().filter(|line| !line.trim().is_empty() && line.split_whitespace().nth(1) != Some("c")).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn kernel_releases_are_compared_by_their_numbers() {
        for (older, newer) in [
            ("6.1.0-9-amd64", "6.1.0-10-amd64"),
            ("5.15.0-100-generic", "5.15.0-101-generic"),
            ("5.10.0", "6.1.0"),
            ("6.1.0-rc1", "6.1.0-1-generic"),
        ] {
            assert_eq!(compare_releases(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare_releases(newer, older), Ordering::Greater, "{newer} {older}");
        }
        assert_eq!(compare_releases("6.1.0-9-amd64", "6.1.0-9-cloud"), Ordering::Equal);
    }

    #[test]
    fn a_marker_or_a_newer_kernel_means_that_a_restart_waits() {
        let home = tempfile::tempdir().unwrap();
        let tree = Tree::open(home.path()).unwrap();
        assert_eq!(waiting(&tree, "6.1.0-9-amd64"), None);
        fs::create_dir_all(home.path().join("boot")).unwrap();
        fs::write(home.path().join("boot/vmlinuz-6.1.0-9-amd64"), "").unwrap();
        assert_eq!(waiting(&tree, "6.1.0-9-amd64"), None);
        assert_eq!(waiting(&tree, "6.1.0-12-amd64"), None);
        fs::write(home.path().join("boot/vmlinuz-6.1.0-10-amd64"), "").unwrap();
        assert!(waiting(&tree, "6.1.0-9-amd64").unwrap().contains("6.1.0-10-amd64"));
        fs::create_dir_all(home.path().join("run")).unwrap();
        fs::write(home.path().join("run/reboot-required"), "").unwrap();
        assert!(waiting(&tree, "6.1.0-99-amd64").unwrap().contains("restart"));
    }

    #[test]
    fn kernels_that_lie_beside_their_modules_count_too() {
        let home = tempfile::tempdir().unwrap();
        let tree = Tree::open(home.path()).unwrap();
        for (path, is_newer) in [
            ("boot/vmlinuz-0-rescue-0a1b2c", false),
            ("usr/lib/modules/6.12.0-211.61.1.el10_2.x86_64/modules.dep", false),
            ("usr/lib/modules/6.12.0-211.61.1.el10_2.x86_64/vmlinuz", true),
        ] {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            assert_eq!(waiting(&tree, "6.12.0-211.16.1.el10_2.x86_64").is_some(), is_newer);
        }
    }

    /// What `needs-restarting -r` said on Rocky Linux 10 after an update, as its administrator published it.
    #[test]
    fn a_front_ends_answer_counts_only_with_its_sentence() {
        let said = b"Core libraries or services have been updated since boot-up:\n  * kernel-core\nReboot is required to fully utilize these updates.\n";
        assert!(asks_for_restart(1, said, 1, "Reboot is required"));
        assert!(!asks_for_restart(1, b"No such command: needs-restarting\n", 1, "Reboot is required"));
        assert!(!asks_for_restart(0, b"Reboot should not be necessary.\n", 1, "Reboot is required"));
        assert!(asks_for_restart(102, b"", 102, ""));
    }

    #[test]
    fn free_space_passes_or_warns() {
        assert_eq!(free_space(Path::new("/"), 0).outcome, PASS);
        assert_eq!(free_space(Path::new("/"), u64::MAX).outcome, WARN);
        assert_eq!(free_space(Path::new("/no/such/folder"), 0).outcome, WARN);
    }

    #[test]
    fn changed_settings_are_no_damage() {
        let output = b"??5?????? c /etc/issue\nmissing     /usr/bin/tool\n??5??????   /usr/bin/other\nmissing   c /etc/x\n";
        assert_eq!(count_differing(output), 2);
    }
}
