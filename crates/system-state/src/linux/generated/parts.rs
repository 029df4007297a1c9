//! Which lists belong to which part, and how each is made.

use super::tidy::{sorted_lines, steady_json, timers};
use crate::components::{ACCOUNTS, BOOT, HOST_IDENTITY, PACKAGES, Part, SCHEDULED_JOBS, SERVICES};
use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::packages::{Package, automatic_packages, read_packages};
use crate::linux::tree::Tree;
use rustix::system::uname;
use std::io;
use std::thread;

/// A file's content; `None` if there is nothing to say on this machine; or why it could not be made.
type Content = Result<Option<Vec<u8>>, String>;

/// A program that is asked.
struct Question {
    /// The file's name.
    name: &'static str,
    program: &'static str,
    arguments: &'static [&'static str],
    /// Exit codes that are no failure.
    fine: &'static [i32],
    needs: Needs,
    tidy: fn(&[u8]) -> Option<Vec<u8>>,
}

/// What must be there for a question to make sense.
#[derive(PartialEq)]
enum Needs {
    Nothing,
    /// systemd runs the machine.
    Systemd,
    /// The machine was started by EFI.
    Efi,
}

const LSBLK_COLUMNS: &str = "NAME,KNAME,TYPE,SIZE,RO,RM,MOUNTPOINT,FSTYPE,LABEL,UUID,PTTYPE,PTUUID,PARTTYPE,PARTLABEL,PARTUUID,MODEL,SERIAL";

const fn question(name: &'static str, program: &'static str, arguments: &'static [&'static str]) -> Question {
    Question { name, program, arguments, fine: &[0], needs: Needs::Nothing, tidy: lines }
}

const BOOT_QUESTIONS: &[Question] = &[
    Question {
        tidy: steady_json,
        // 32: there is no block device, as in a container.
        fine: &[0, 1, 32],
        ..question("block-devices.json", "lsblk", &["--json", "--bytes", "-o", LSBLK_COLUMNS])
    },
    // 2: no device has an id, or none may be read.
    Question { fine: &[0, 2], ..question("block-device-ids", "blkid", &[]) },
    Question { needs: Needs::Efi, ..question("efi-boot-entries", "efibootmgr", &["-v"]) },
];

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

fn lines(output: &[u8]) -> Option<Vec<u8>> {
    Some(sorted_lines(output))
}

fn timer_lines(output: &[u8]) -> Option<Vec<u8>> {
    Some(timers(output))
}

/// Makes all of a part's files.
pub(super) fn make(part: Part, tree: &Tree) -> Vec<(&'static str, Content)> {
    let questions = match part {
        BOOT => BOOT_QUESTIONS,
        SERVICES => SERVICES_QUESTIONS,
        ACCOUNTS => ACCOUNTS_QUESTIONS,
        SCHEDULED_JOBS => SCHEDULED_JOBS_QUESTIONS,
        HOST_IDENTITY => HOST_IDENTITY_QUESTIONS,
        _ => &[],
    };
    let mut made = match tree.is_running_system() {
        true => ask_all(questions, tree),
        false => Vec::new(),
    };
    match part {
        PACKAGES => made.extend(packages(tree)),
        SERVICES => {
            let unit_files = made.iter().find(|(name, _)| *name == "unit-files");
            if let Some((_, Ok(Some(unit_files)))) = unit_files {
                let enabled = enabled_units(unit_files);
                made.push(("enabled-units", Ok(Some(enabled))));
            }
            made.push(("start-links", start_links(tree)));
        }
        BOOT if tree.is_running_system() => {
            made.push((
                "kernel-command-line",
                tree.read("/proc/cmdline").map(Some).map_err(|e| e.to_string()),
            ));
            made.push(("kernel", Ok(Some(kernel()))));
        }
        _ => {}
    }
    made
}

/// Asks all programs at once: most of them wait more than they work.
fn ask_all(questions: &'static [Question], tree: &Tree) -> Vec<(&'static str, Content)> {
    let is_met = |needs: &Needs| match needs {
        Needs::Nothing => true,
        Needs::Systemd => tree.has("/run/systemd/system"),
        Needs::Efi => tree.has("/sys/firmware/efi"),
    };
    let asked = questions.iter().filter(|question| is_met(&question.needs));
    thread::scope(|scope| {
        let running: Vec<_> = asked.map(|question| (question.name, scope.spawn(|| ask(question)))).collect();
        let panicked = |_| Err("The thread that asked for it ended early".to_owned());
        running.into_iter().map(|(name, answer)| (name, answer.join().unwrap_or_else(panicked))).collect()
    })
}

fn ask(question: &Question) -> Content {
    match run(question.program, question.arguments, question.fine, TIME_OUT) {
        Ok(output) if output.is_empty() => Ok(None),
        Ok(output) => match (question.tidy)(&output) {
            Some(content) => Ok(Some(content)),
            None => Err(format!("`{}` answered with something else than JSON", question.program)),
        },
        Err(CommandError::Missing { .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
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
fn start_links(tree: &Tree) -> Content {
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
    Ok((!links.is_empty()).then_some(links))
}

/// What `uname -a` tells.
fn kernel() -> Vec<u8> {
    let kernel = uname();
    let fields = [kernel.sysname(), kernel.nodename(), kernel.release(), kernel.version(), kernel.machine()];
    let mut line = fields.map(|field| field.to_bytes().to_vec()).join(&b' ');
    line.push(b'\n');
    line
}

/// The lists that `dpkg --get-selections`, `apt-mark` and `dpkg-query` give, from the same files.
fn packages(tree: &Tree) -> Vec<(&'static str, Content)> {
    let unreadable = |error: io::Error| format!("dpkg's database can't be read: {error}");
    let (packages, automatic) = match (read_packages(tree), automatic_packages(tree)) {
        (Ok(None), _) => return Vec::new(),
        (Ok(Some(packages)), Ok(automatic)) => (packages, automatic),
        (Err(error), _) | (_, Err(error)) => return vec![("selections", Err(unreadable(error)))],
    };
    let is_installed = |package: &&Package| package.state == "installed";
    let is_manual = |package: &&Package| is_installed(package) && !package.is_automatic(&automatic);
    let name = |package: &Package| format!("{}\n", package.name);
    let list = |text: String| Ok(Some(text.into_bytes()));
    vec![
        ("selections", list(packages.iter().map(|p| format!("{}\t{}\n", p.name, p.wanted)).collect())),
        ("holds", list(packages.iter().filter(|p| p.wanted == "hold").map(name).collect())),
        ("manual", list(packages.iter().filter(is_manual).map(name).collect())),
        (
            "versions",
            list(
                packages
                    .iter()
                    .map(|p| format!("{}\t{}\t{}\t{}\n", p.name, p.version, p.architecture, p.state))
                    .collect(),
            ),
        ),
    ]
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
            let (once, again) = (make(part, &tree), make(part, &tree));
            assert_eq!(once, again, "{}", part.info().name);
            let failed: Vec<_> = once.iter().filter(|(_, content)| content.is_err()).collect();
            assert!(failed.is_empty(), "{failed:?}");
        }
    }

    #[test]
    fn of_another_root_no_program_is_asked() {
        let home = tempfile::tempdir().unwrap();
        let tree = Tree::open(home.path()).unwrap();
        for part in Part::all() {
            assert!(
                make(part, &tree).iter().all(|(_, content)| *content == Ok(None)),
                "{}",
                part.info().name
            );
        }
    }
}
