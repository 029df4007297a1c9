//! Prechecks: what is looked at before a backup, kept with the recovery point.

use crate::linux::command::run;
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

/// The quick checks of the running system: does a restart wait (`pending-restart`), and has the file system of
/// `folder` at least `needed_bytes` free (`free-space`)?
pub fn prechecks(folder: &Path, needed_bytes: u64) -> Vec<Precheck> {
    vec![pending_restart(), free_space(folder, needed_bytes)]
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

/// Why a restart waits, if one does.
fn waiting(tree: &Tree, running: &str) -> Option<String> {
    if ["/run/reboot-required", "/var/run/reboot-required"].iter().any(|marker| tree.has(marker)) {
        return Some(
            "An update asks for a restart: restart the server so that what is backed up is what runs".into(),
        );
    }
    let kernels = tree.names("/boot").unwrap_or_default();
    let releases = kernels.iter().filter_map(|name| std::str::from_utf8(name).ok()?.strip_prefix("vmlinuz-"));
    let newest = releases.max_by(|a, b| compare_releases(a, b))?;
    let is_older = compare_releases(running, newest) == Ordering::Less;
    is_older.then(|| {
        format!(
            "The kernel `{running}` runs, but `{newest}` is installed: restart the server so that it is used"
        )
    })
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

/// Compares every installed file with what its package says (`dpkg --verify`; settings may differ). It reads all of
/// them, so it is done only when asked for.
pub fn verify_packages() -> Precheck {
    let code = "package-integrity";
    // 1: something differs.
    match run("dpkg", &["--verify"], &[0, 1], VERIFY_TIME_OUT) {
        Ok(output) => match count_differing(&output) {
            0 => precheck(code, PASS, "Every installed file is as its package says".to_owned()),
            count => precheck(
                code,
                WARN,
                format!(
                    "{count} installed files are missing or differ from their packages: see `dpkg --verify`"
                ),
            ),
        },
        Err(error) => precheck(code, WARN, format!("Installed files can't be verified: {error}")),
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
