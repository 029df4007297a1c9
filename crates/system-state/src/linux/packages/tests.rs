use super::*;
use std::fs;
use std::path::Path;

const SAMPLE: &str = "Package: dpkg
Status: install ok installed
Architecture: amd64
Installed-Size: 6000
Version: 1.21.22
Description: package maintenance
 system: it has colons
 .

Package: libc6
Status: hold ok installed
Architecture: amd64
Multi-Arch: same
Version: 2.36-9

Package: libc6
Status: install ok installed
Architecture: i386
Multi-Arch: same
Version: 2.36-9

Package: adduser
Status: deinstall ok config-files
Architecture: all
";

fn sample() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for folder in ["var/lib/dpkg/info", "var/lib/apt"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    fs::write(home.path().join("var/lib/dpkg/status"), SAMPLE).unwrap();
    fs::write(home.path().join("var/lib/dpkg/info/dpkg.list"), "/.\n/usr\n/usr/bin/dpkg\n/var/lib/games\n")
        .unwrap();
    fs::write(home.path().join("var/lib/dpkg/info/dpkg.md5sums"), "/no/list\n").unwrap();
    let states = "Package: libc6\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: dpkg\nArchitecture: amd64\nAuto-Installed: 0\n";
    fs::write(home.path().join("var/lib/apt/extended_states"), states).unwrap();
    home
}

#[test]
fn packages_are_named_as_dpkg_names_them() {
    let home = sample();
    let packages = read_packages(&Tree::open(home.path()).unwrap()).unwrap().unwrap();
    let shown: Vec<_> = packages.iter().map(|p| (&*p.name, &*p.wanted, &*p.state)).collect();
    assert_eq!(
        shown,
        [
            ("adduser", "deinstall", "config-files"),
            ("dpkg", "install", "installed"),
            ("libc6:amd64", "hold", "installed"),
            ("libc6:i386", "install", "installed"),
        ]
    );
    assert_eq!(packages[1].installed_bytes, 6000 * 1024);
}

#[test]
fn automatic_packages_are_told_from_wanted_ones() {
    let home = sample();
    let tree = Tree::open(home.path()).unwrap();
    let automatic = automatic_packages(&tree).unwrap();
    let packages = read_packages(&tree).unwrap().unwrap();
    let shown: Vec<bool> = packages.iter().map(|package| package.is_automatic(&automatic)).collect();
    assert_eq!(shown, [false, false, true, false]);
}

#[test]
fn owned_paths_come_from_the_lists_only() {
    let home = sample();
    let mut paths = Vec::new();
    owned_paths(&Tree::open(home.path()).unwrap(), |path| paths.push(path.to_vec())).unwrap();
    assert_eq!(paths, [b"/usr".to_vec(), b"/usr/bin/dpkg".to_vec(), b"/var/lib/games".to_vec()]);
}

#[test]
fn a_system_without_dpkg_has_no_packages() {
    let home = tempfile::tempdir().unwrap();
    let tree = Tree::open(home.path()).unwrap();
    assert_eq!(read_packages(&tree).unwrap(), None);
    assert_eq!(count_owned_paths(&tree).unwrap(), 0);
}

/// Only on a machine with dpkg; elsewhere there is nothing to compare with.
#[test]
fn this_machines_selections_are_those_that_dpkg_tells() {
    let Ok(told) = std::process::Command::new("dpkg").arg("--get-selections").output() else { return };
    let packages = read_packages(&Tree::open(Path::new("/")).unwrap()).unwrap().unwrap();
    let ours: HashSet<(String, String)> = packages.into_iter().map(|p| (p.name, p.wanted)).collect();
    let theirs = String::from_utf8(told.stdout).unwrap();
    let theirs: HashSet<(String, String)> = theirs
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, wanted)| (name.to_owned(), wanted.trim().to_owned()))
        .collect();
    assert_eq!(ours, theirs);
}
