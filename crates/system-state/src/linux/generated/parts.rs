//! Which lists belong to which part, and how each is made.

use super::made::Made;
use super::question::{Needs, Question, ask_all, question};
use super::tidy::{steady_json, timers};
use super::{Purpose, boot, directory, packages, storage};
use crate::components::{
    ACCOUNTS, BOOT, DIRECTORY_SERVICES, HOST_IDENTITY, PACKAGES, Part, SCHEDULED_JOBS, SERVICES,
    STORAGE_LAYOUT,
};
use crate::linux::tree::Tree;
use std::io;

const SERVICES_QUESTIONS: &[Question] = &[Question {
    needs: Needs::Systemd,
    ..question("unit-files", "systemctl", &["list-unit-files", "--no-pager", "--plain", "--no-legend"])
}];

const ACCOUNTS_QUESTIONS: &[Question] =
    &[question("passwd", "getent", &["passwd"]), question("group", "getent", &["group"])];

const SCHEDULED_JOBS_QUESTIONS: &[Question] = &[Question {
    needs: Needs::Systemd,
    tidy: timer_lines,
    ..question("timers", "systemctl", &["list-timers", "--all", "--no-pager", "--plain", "--no-legend"])
}];

const HOST_IDENTITY_QUESTIONS: &[Question] = &[
    Question { tidy: steady_json, ..question("addresses.json", "ip", &["-json", "address"]) },
    Question { tidy: steady_json, ..question("routes.json", "ip", &["-json", "route"]) },
    // 1, 2: the kernel has no IPv6.
    Question {
        tidy: steady_json,
        fine: &[0, 1, 2],
        ..question("routes-ipv6.json", "ip", &["-json", "-6", "route"])
    },
    // Systems before version 249 have no JSON and end with 1.
    Question {
        needs: Needs::Systemd,
        tidy: steady_json,
        fine: &[0, 1],
        ..question("host.json", "hostnamectl", &["--json=short"])
    },
];

fn timer_lines(output: &[u8]) -> Option<Vec<u8>> {
    Some(timers(output))
}

/// Makes all of a part's files.
pub(super) fn make(part: Part, tree: &Tree, purpose: Purpose) -> Made {
    let questions = match part {
        SERVICES => SERVICES_QUESTIONS,
        ACCOUNTS => ACCOUNTS_QUESTIONS,
        SCHEDULED_JOBS => SCHEDULED_JOBS_QUESTIONS,
        HOST_IDENTITY => HOST_IDENTITY_QUESTIONS,
        _ => &[],
    };
    let mut made = Made::nothing(part);
    if tree.is_running_system() {
        ask_all(questions, tree, &mut made);
    }
    match part {
        BOOT => boot::make(tree, &mut made),
        STORAGE_LAYOUT if tree.is_running_system() => storage::make(tree, &storage::is_storage, &mut made),
        PACKAGES => packages::make(tree, &mut made),
        SERVICES => {
            let enabled = made.bytes("unit-files").map(enabled_units).unwrap_or_default();
            made.keep("enabled-units", enabled);
            match start_links(tree) {
                Ok(links) => made.keep("start-links", links),
                Err(why) => made.fail("start-links", why),
            }
        }
        DIRECTORY_SERVICES if purpose == Purpose::Backup => match tree.is_running_system() {
            true => directory::make(tree, &mut made),
            false => directory::warn_of_undumped(tree, &mut made),
        },
        _ => {}
    }
    made
}

fn enabled_units(unit_files: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(unit_files);
    let is_enabled =
        |line: &&str| matches!(line.split_whitespace().nth(1), Some("enabled" | "enabled-runtime"));
    let units: String = text
        .lines()
        .filter(is_enabled)
        .filter_map(|line| line.split_whitespace().next())
        .flat_map(|u| [u, "\n"])
        .collect();
    units.into_bytes()
}

/// The links by which System V's init starts and stops services, level by level.
fn start_links(tree: &Tree) -> Result<Vec<u8>, String> {
    let mut links = Vec::new();
    for level in ["S", "0", "1", "2", "3", "4", "5", "6"] {
        let folder = format!("/etc/rc{level}.d");
        match tree.names(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("`{folder}` can't be read: {error}")),
            Ok(names) => names
                .iter()
                .for_each(|name| links.extend_from_slice(&[folder.as_bytes(), b"/", name, b"\n"].concat())),
        }
    }
    Ok(links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn only_enabled_units_are_listed_as_enabled() {
        let all = b"a.service enabled enabled\nb.service disabled enabled\nc.mount static -\n";
        assert_eq!(enabled_units(all), b"a.service\n");
    }

    #[test]
    fn what_this_machine_answers_is_the_same_twice() {
        let tree = Tree::open(Path::new("/")).unwrap();
        for part in Part::all() {
            let (once, again) = (shown(part, &tree), shown(part, &tree));
            assert_eq!(once, again, "{}", part.info().name);
            assert!(!once.1.contains(&"command-failed".to_owned()), "{once:?}");
        }
    }

    fn shown(part: Part, tree: &Tree) -> (Vec<(String, Vec<u8>)>, Vec<String>) {
        let made = make(part, tree, Purpose::Description);
        let files = made.files.into_iter().map(|(name, content)| {
            let mut bytes = vec![0; content.length() as usize];
            content.read_at(0, &mut bytes).unwrap();
            (name, bytes)
        });
        (files.collect(), made.warnings.into_iter().map(|warning| warning.code).collect())
    }

    #[test]
    fn of_another_root_no_program_is_asked() {
        let home = tempfile::tempdir().unwrap();
        let tree = Tree::open(home.path()).unwrap();
        for part in Part::all() {
            let made = make(part, &tree, Purpose::Backup);
            assert!(made.files.is_empty() && made.warnings.is_empty(), "{}: {made:?}", part.info().name);
        }
    }
}
