//! FreeIPA: `ipa-backup --data --online`, whose folder `ipa-restore` takes. It writes to a folder of its own choice, from
//! where the dump is taken and then removed.
//!
//! Not run where this was written: no FreeIPA server could be installed there. What it does is taken from `ipa-backup(1)`
//! and `ipaserver/install/ipa_backup.py` of FreeIPA 4.

use super::{Dump, Made};
use crate::linux::tree::Tree;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::{fs, io};

const SETTINGS: &str = "/etc/ipa/default.conf";

/// What only a server has; clients have the settings too.
const SERVER_STATE: &str = "/var/lib/ipa/sysrestore/sysrestore.state";

const BACKUPS: &str = "/var/lib/ipa/backup";

/// Whether this machine is a FreeIPA server.
pub(super) fn is_here(tree: &Tree) -> bool {
    tree.has(SETTINGS) && tree.has(SERVER_STATE)
}

/// Keeps the dump.
pub(super) fn make(made: &mut Made) {
    let dump = Dump {
        name: "freeipa",
        here: "This machine is a FreeIPA server",
        program: "ipa-backup",
        package: "ipa-server, or freeipa-server",
        arguments: &["--data", "--online"],
    };
    take(&dump, Path::new(BACKUPS), made);
}

/// Runs the dump and takes each file of the one new folder below `backups`.
fn take(dump: &Dump<'_>, backups: &Path, made: &mut Made) {
    let before = folders(backups).unwrap_or_default();
    if !dump.run(made) {
        return;
    }
    let after = folders(backups).unwrap_or_default();
    let new: Vec<&OsString> = after.difference(&before).collect();
    let [new] = new[..] else {
        return made
            .fail(dump.name, format!("it is not clear which folder of `{}` it is", backups.display()));
    };
    let folder = backups.join(new);
    for file in folders(&folder).unwrap_or_default() {
        let name = format!("freeipa-{}", file.to_string_lossy());
        Dump { name: &name, ..*dump }.keep_file(&folder.join(&file), made);
    }
    if let Err(cause) = fs::remove_dir_all(&folder) {
        made.fail(dump.name, format!("`{}` can't be removed: {cause}", folder.display()));
    }
}

fn folders(path: &Path) -> io::Result<BTreeSet<OsString>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::DIRECTORY_SERVICES;

    #[test]
    fn only_a_server_is_one() {
        let home = tempfile::tempdir().unwrap();
        let tree = Tree::open(home.path()).unwrap();
        for (path, is_server) in [(SETTINGS, false), (SERVER_STATE, true)] {
            let path = home.path().join(&path[1..]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            assert_eq!(is_here(&tree), is_server);
        }
    }

    /// A program that writes as `ipa-backup` does stands for it: a folder named by the time, with `header` and a tar.
    #[test]
    fn the_new_folder_is_taken_and_removed_and_older_ones_stay() {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        fs::create_dir(at("ipa-data-2025-01-01-00-00-00")).unwrap();
        let script = format!(
            "mkdir {0} && echo '[ipa]' > {0}/header && echo tar > {0}/ipa-data.tar",
            at("ipa-data-2025-12-15-04-54-52").display()
        );
        let arguments = ["-c", &*script];
        let dump = Dump { name: "freeipa", here: "x", program: "sh", package: "x", arguments: &arguments };
        let mut made = Made::nothing(DIRECTORY_SERVICES);
        take(&dump, home.path(), &mut made);
        let names: Vec<&str> = made.files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["freeipa-header", "freeipa-ipa-data.tar"]);
        assert!(made.warnings.is_empty());
        assert_eq!(folders(home.path()).unwrap(), BTreeSet::from(["ipa-data-2025-01-01-00-00-00".into()]));
        // One that says that it went well and wrote nothing.
        take(&Dump { program: "true", ..dump }, home.path(), &mut made);
        assert_eq!(made.warnings.len(), 1);
    }
}
