//! A real rpm database: made by `rpm --initdb` and filled with a package made by `rpmbuild`, as no rpm distribution can
//! be had where the tests run. They are left out, loudly, where these programs are not installed.

use super::*;
use std::fs;
use std::process::Command;

const SPEC: &str = "\
Name: hello
Epoch: 1
Version: 1.2
Release: 3
Summary: A package for a test
License: MIT
BuildArch: noarch
%description
A package for a test.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc %{buildroot}/var/lib/hello
echo program > %{buildroot}/usr/bin/hello
echo settings > %{buildroot}/etc/hello.conf
%files
%attr(0755,root,root) /usr/bin/hello
%config(noreplace) /etc/hello.conf
%dir /var/lib/hello
";

/// A tree with an rpm database at `place` that knows one package; `None` where it can't be made.
pub(crate) fn tree_with_a_package(place: &str) -> Option<tempfile::TempDir> {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !has("rpm") || !has("rpmbuild") {
        eprintln!("LEFT OUT: `rpm` and `rpmbuild` (package `rpm`) are needed for this test");
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    fs::create_dir(at("root")).unwrap();
    fs::write(at("hello.spec"), SPEC).unwrap();
    let top = format!("_topdir {}", at("build").display());
    run_well(Command::new("rpmbuild").args(["-bb", "--define", &top]).arg(at("hello.spec")));
    let package = at("build/RPMS/noarch/hello-1.2-3.noarch.rpm");
    let root = at("root");
    let rpm = || {
        let mut rpm = Command::new("rpm");
        rpm.arg("--root").arg(&root).args(["--dbpath", place]);
        rpm
    };
    run_well(rpm().arg("--initdb"));
    run_well(rpm().args(["--install", "--nodeps", "--force-debian"]).arg(package));
    Some(home)
}

fn run_well(command: &mut Command) {
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn a_real_database_tells_packages_and_paths_and_is_not_written_to() {
    let Some(home) = tree_with_a_package("/usr/lib/sysimage/rpm") else { return };
    let root = home.path().join("root");
    let names = || -> Vec<_> {
        let folder = root.join("usr/lib/sysimage/rpm");
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let tree = Tree::open(&root).unwrap();
    let database = Database::find(&tree).unwrap().unwrap();
    let packages = database.packages().unwrap();
    assert_eq!(packages.len(), 1);
    assert_eq!(packages[0].to_string(), "hello\t1:1.2-3\tnoarch");
    assert_eq!((packages[0].paths, packages[0].bytes), (3, "program\nsettings\n".len() as u64));
    let mut paths = Vec::new();
    database.owned_paths(|path| paths.push(String::from_utf8(path.to_vec()).unwrap())).unwrap();
    paths.sort();
    assert_eq!(paths, ["/etc/hello.conf", "/usr/bin/hello", "/var/lib/hello"]);
    assert_eq!(database.keys().unwrap(), b"");
    assert_eq!(names(), before, "reading another root's database leaves nothing there");
}

#[test]
fn a_tree_without_a_database_has_none_and_a_damaged_one_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    let tree = Tree::open(home.path()).unwrap();
    assert!(Database::find(&tree).unwrap().is_none());
    if Command::new("rpm").arg("--version").output().is_err() {
        eprintln!("LEFT OUT: `rpm` is needed for the second half of this test");
        return;
    }
    fs::create_dir_all(home.path().join("var/lib/rpm")).unwrap();
    fs::write(home.path().join("var/lib/rpm/rpmdb.sqlite"), "no database").unwrap();
    let database = Database::find(&tree).unwrap().unwrap();
    assert!(matches!(database.packages(), Err(RpmError::Command(_))));
}

#[test]
fn a_line_that_is_not_understood_is_an_error() {
    let answer = b"kernel\t0:5.14.0-427.el9\tx86_64\t0\t(none)\n";
    let packages = parse(answer).unwrap();
    assert_eq!((packages[0].paths, &*packages[0].version), (0, "0:5.14.0-427.el9"));
    assert!(matches!(parse(b"hello world\n"), Err(RpmError::Answer)));
}
