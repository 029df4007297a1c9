//! Samba as an Active Directory domain controller: `samba-tool domain backup offline`, whose file `samba-tool domain
//! backup restore` takes. It locks the databases while it copies them, and may run while the controller does.
//!
//! The dump holds every secret of the domain. Its content differs each time, for it holds times.

use super::{Dump, Made};
use crate::linux::scratch::Scratch;
use crate::linux::tree::Tree;
use std::fs;

const SETTINGS: &str = "/etc/samba/smb.conf";
const DATABASE: &str = "/var/lib/samba/private/sam.ldb";

/// Whether this machine is a domain controller.
pub(super) fn is_here(tree: &Tree) -> bool {
    tree.text(SETTINGS).is_some_and(|settings| is_controller(&settings)) && tree.has(DATABASE)
}

/// Keeps the dump.
pub(super) fn make(made: &mut Made) {
    let name = "samba-domain.tar.bz2";
    let scratch = match Scratch::on_disk() {
        Ok(scratch) => scratch,
        Err(cause) => return made.fail(name, format!("there is no place for a temporary file: {cause}")),
    };
    let target = format!("--targetdir={}", scratch.path().display());
    let dump = Dump {
        name,
        here: "This machine is a domain controller of Samba",
        program: "samba-tool",
        package: "samba-tool, or samba",
        arguments: &["domain", "backup", "offline", &target],
    };
    if !dump.run(made) {
        return;
    }
    let entries = fs::read_dir(scratch.path()).into_iter().flatten().flatten();
    match entries.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|end| end == "bz2")) {
        Some(path) => dump.keep_file(&path, made),
        None => made.fail(name, "`samba-tool` wrote no file"),
    }
}

/// `server role = active directory domain controller`; case and blanks do not count (smb.conf(5)).
fn is_controller(settings: &str) -> bool {
    settings.lines().any(|line| {
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase();
        let told = line.split_once('=').map(|(name, value)| (plain(name), plain(value)));
        told.is_some_and(|(name, value)| {
            name == "server role"
                && matches!(&*value, "active directory domain controller" | "domain controller" | "dc")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_controller_is_told_from_a_file_server() {
        // As `samba-tool domain provision` of Samba 4.17 wrote it.
        assert!(is_controller(
            "[global]\n\tnetbios name = DC1\n\tserver role = active directory domain controller\n"
        ));
        assert!(is_controller("Server  Role=Active Directory  Domain Controller\n"));
        assert!(!is_controller("[global]\n\tserver role = member server\n# server role = dc\n"));
        assert!(!is_controller(""));
    }
}
