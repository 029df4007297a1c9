//! What the package managers know, as lists. dpkg's are named as its own tools name them, rpm's begin with `rpm-`: a
//! machine may have both.

use super::made::Made;
use crate::linux::packages::{Package, automatic_packages, read_packages};
use crate::linux::rpm;
use crate::linux::tree::Tree;
use std::io;

/// Makes them.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    dpkg(tree, made);
    rpm(tree, made);
}

/// The lists that `dpkg --get-selections`, `apt-mark` and `dpkg-query` give, from the same files.
fn dpkg(tree: &Tree, made: &mut Made) {
    let (packages, automatic) = match (read_packages(tree), automatic_packages(tree)) {
        (Ok(None), _) => return,
        (Ok(Some(packages)), Ok(automatic)) => (packages, automatic),
        (Err(error), _) | (_, Err(error)) => {
            return made.fail("selections", format!("dpkg's database can't be read: {error}"));
        }
    };
    let is_installed = |package: &&Package| package.state == "installed";
    let is_manual = |package: &&Package| is_installed(package) && !package.is_automatic(&automatic);
    let name = |package: &Package| format!("{}\n", package.name);
    made.keep(
        "selections",
        packages.iter().map(|p| format!("{}\t{}\n", p.name, p.wanted)).collect::<String>(),
    );
    made.keep("holds", packages.iter().filter(|p| p.wanted == "hold").map(name).collect::<String>());
    made.keep("manual", packages.iter().filter(is_manual).map(name).collect::<String>());
    let version = |p: &Package| format!("{}\t{}\t{}\t{}\n", p.name, p.version, p.architecture, p.state);
    made.keep("versions", packages.iter().map(version).collect::<String>());
}

/// What rpm's database says, and what its front ends hold back.
fn rpm(tree: &Tree, made: &mut Made) {
    let database = match rpm::Database::find(tree) {
        Ok(Some(database)) => database,
        Ok(None) => return,
        Err(error) => return made.fail("rpm-versions", format!("rpm's database can't be found: {error}")),
    };
    let (packages, keys) = match (database.packages(), database.keys()) {
        (Ok(packages), Ok(keys)) => (packages, keys),
        (Err(error), _) | (_, Err(error)) => return rpm_failed(&error, made),
    };
    made.keep("rpm-versions", packages.iter().map(|package| format!("{package}\n")).collect::<String>());
    made.keep("rpm-keys", keys);
    match holds(tree) {
        Ok(holds) => made.keep("rpm-holds", holds),
        Err(why) => made.fail("rpm-holds", why),
    }
}

fn rpm_failed(error: &rpm::RpmError, made: &mut Made) {
    match error {
        rpm::RpmError::Missing => made.lack("rpm-versions", "There is an rpm database", "rpm", "rpm"),
        error => made.fail("rpm-versions", error),
    }
}

/// Where the front ends keep what must not be changed: dnf's and yum's `versionlock`, zypper's locks.
const HOLDS: [&str; 4] = [
    "/etc/dnf/plugins/versionlock.list",
    "/etc/dnf/versionlock.toml",
    "/etc/yum/pluginconf.d/versionlock.list",
    "/etc/zypp/locks",
];

/// The lines of those files that say something, each behind its file's name.
fn holds(tree: &Tree) -> Result<String, String> {
    let mut all = String::new();
    for path in HOLDS {
        let text = match tree.read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(format!("`{path}` can't be read: {error}")),
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        };
        let said = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        said.for_each(|line| all.extend([path, "\t", line, "\n"]));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn holds_of_each_front_end_are_listed_with_their_file() {
        let home = tempfile::tempdir().unwrap();
        let locks = "# Added by `dnf versionlock` at some time\nkernel-0:5.14.0-427.13.1.el9_4.*\n\n";
        for folder in ["etc/dnf/plugins", "etc/zypp"] {
            fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        fs::write(home.path().join("etc/dnf/plugins/versionlock.list"), locks).unwrap();
        fs::write(home.path().join("etc/zypp/locks"), "type: package\nsolvable_name: vim\n").unwrap();
        let holds = holds(&Tree::open(home.path()).unwrap()).unwrap();
        let lines: Vec<&str> = holds.lines().collect();
        assert_eq!(
            lines,
            [
                "/etc/dnf/plugins/versionlock.list\tkernel-0:5.14.0-427.13.1.el9_4.*",
                "/etc/zypp/locks\ttype: package",
                "/etc/zypp/locks\tsolvable_name: vim",
            ]
        );
    }
}
