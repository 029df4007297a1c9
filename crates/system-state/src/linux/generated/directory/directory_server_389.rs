//! 389 Directory Server: an LDIF of each backend of each instance, with what replication needs. A running instance writes
//! it itself, asked by `dsconf INSTANCE backend export`, into its own LDIF folder; of one that stands still `dsctl INSTANCE
//! db2ldif` reads the database.
//!
//! Not run where this was written: no 389 Directory Server could be installed there. The command lines are those of
//! `lib389/cli_conf/backend.py` and `lib389/cli_ctl/dbtasks.py`.

use super::{Dump, Made};
use crate::linux::tree::Tree;
use std::fs;
use std::path::{Path, PathBuf};

const SETTINGS: &str = "/etc/dirsrv";

/// An instance as its settings tell.
#[derive(Debug, PartialEq, Eq)]
struct Instance {
    /// Such as `localhost`, of the folder `slapd-localhost`.
    name: String,
    is_running: bool,
    backends: Vec<String>,
    /// Where it may write.
    ldif_folder: PathBuf,
}

/// Whether an instance is set up here.
pub(super) fn is_here(tree: &Tree) -> bool {
    !instances(tree).is_empty()
}

/// Keeps the dumps of every instance.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    for instance in instances(tree) {
        for backend in &instance.backends {
            dump(&instance, backend, made);
        }
    }
}

fn instances(tree: &Tree) -> Vec<Instance> {
    let names = tree.names(SETTINGS).unwrap_or_default();
    let names = names.iter().filter_map(|name| std::str::from_utf8(name).ok()?.strip_prefix("slapd-"));
    // A removed instance leaves its settings behind under another name.
    let names = names.filter(|name| !name.ends_with(".removed"));
    names
        .filter_map(|name| {
            let settings = tree.text(&format!("{SETTINGS}/slapd-{name}/dse.ldif"))?;
            let folder = attribute(&settings, "nsslapd-ldifdir").map(str::to_owned);
            Some(Instance {
                name: name.to_owned(),
                is_running: is_running(tree, name),
                backends: backends(&settings),
                ldif_folder: folder.unwrap_or_else(|| format!("/var/lib/dirsrv/slapd-{name}/ldif")).into(),
            })
        })
        .collect()
}

/// Whether the process that the instance wrote down is there.
fn is_running(tree: &Tree, name: &str) -> bool {
    let paths = [format!("/run/dirsrv/slapd-{name}.pid"), format!("/var/run/dirsrv/slapd-{name}.pid")];
    let process = paths.iter().find_map(|path| tree.text(path)).unwrap_or_default();
    let process = process.trim();
    !process.is_empty()
        && process.bytes().all(|byte| byte.is_ascii_digit())
        && tree.has(&format!("/proc/{process}"))
}

/// The backends that `dse.ldif` names: `dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config`.
fn backends(settings: &str) -> Vec<String> {
    let name = |line: &str| {
        let name = line.strip_prefix("dn: cn=")?.strip_suffix(",cn=ldbm database,cn=plugins,cn=config")?;
        // Below backends stand their indexes; `config` and `monitor` are no backends.
        let is_backend = !name.contains(',') && !["config", "monitor", "bdb", "mdb"].contains(&name);
        is_backend.then(|| name.to_owned())
    };
    unfolded(settings).lines().filter_map(name).filter(|name| name != "default indexes").collect()
}

fn attribute<'a>(settings: &'a str, name: &str) -> Option<&'a str> {
    settings.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// LDIF goes on in the next line if that begins with a blank (RFC 2849).
fn unfolded(text: &str) -> String {
    text.replace("\n ", "")
}

/// The command line that dumps a backend to `path`.
fn command<'a>(instance: &'a Instance, backend: &'a str, path: &'a str) -> (&'static str, Vec<&'a str>) {
    match instance.is_running {
        true => {
            ("dsconf", vec![&instance.name, "backend", "export", "--replication", "--ldif", path, backend])
        }
        false => ("dsctl", vec![&instance.name, "db2ldif", "--replication", backend, path]),
    }
}

fn dump(instance: &Instance, backend: &str, made: &mut Made) {
    let name = format!("389-{}-{backend}.ldif", instance.name);
    // The instance writes it, as its own user, so that it must lie where that may write.
    let path = instance.ldif_folder.join(format!("stateward-{}-{backend}.ldif", std::process::id()));
    let shown = path.to_string_lossy();
    let (program, arguments) = command(instance, backend, &shown);
    let here = "A 389 Directory Server is set up";
    let dump = Dump { name: &name, here, program, package: "389-ds-base", arguments: &arguments };
    if dump.run(made) {
        dump.keep_file(&path, made);
    }
    remove(&path);
}

fn remove(path: &Path) {
    if let Err(cause) = fs::remove_file(path)
        && cause.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %cause, "a dump that was taken can't be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::DIRECTORY_SERVICES;

    /// Entries as 389 Directory Server 2 writes them to `dse.ldif`, made shorter.
    const SETTINGS_OF_ONE: &str = "\
dn: cn=config
nsslapd-ldifdir: /var/lib/dirsrv/slapd-one/ldif

dn: cn=ldbm database,cn=plugins,cn=config
cn: ldbm database

dn: cn=config,cn=ldbm database,cn=plugins,cn=config
cn: config

dn: cn=default indexes,cn=config,cn=ldbm database,cn=plugins,cn=config
cn: default indexes

dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config
objectClass: nsBackendInstance

dn: cn=uid,cn=index,cn=userRoot,cn=ldbm database,cn=plugins,cn=config
cn: uid

dn: cn=a backend with quite a long name,cn=ldbm database,cn=plugins,cn=conf
 ig
objectClass: nsBackendInstance
";

    fn sample() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let files = [
            ("etc/dirsrv/slapd-one/dse.ldif", SETTINGS_OF_ONE),
            ("etc/dirsrv/slapd-old.removed/dse.ldif", SETTINGS_OF_ONE),
            ("etc/dirsrv/slapd-two/dse.ldif", "dn: cn=userRoot,cn=ldbm database,cn=plugins,cn=config\n"),
            ("run/dirsrv/slapd-two.pid", "77\n"),
            ("run/dirsrv/slapd-one.pid", "78\n"),
            ("proc/77/stat", ""),
        ];
        for (path, content) in files {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        home
    }

    #[test]
    fn instances_are_told_with_their_backends_and_whether_they_run() {
        let home = sample();
        let found = instances(&Tree::open(home.path()).unwrap());
        let [one, two] = &found[..] else { panic!("{found:?}") };
        assert_eq!((&*one.name, one.is_running), ("one", false));
        assert_eq!(one.backends, ["userRoot", "a backend with quite a long name"]);
        assert_eq!((&*two.name, two.is_running), ("two", true));
        assert_eq!(two.ldif_folder, Path::new("/var/lib/dirsrv/slapd-two/ldif"));
        assert_eq!(
            command(one, "userRoot", "/x/y.ldif"),
            ("dsctl", vec!["one", "db2ldif", "--replication", "userRoot", "/x/y.ldif"])
        );
        let running = ["two", "backend", "export", "--replication", "--ldif", "/x/y.ldif", "userRoot"];
        assert_eq!(command(two, "userRoot", "/x/y.ldif"), ("dsconf", running.to_vec()));
    }

    #[test]
    fn a_server_whose_tools_are_missing_is_a_warning_for_each_backend() {
        if std::process::Command::new("dsctl").output().is_ok() {
            eprintln!("LEFT OUT: this machine has a 389 Directory Server");
            return;
        }
        let home = sample();
        let mut made = Made::nothing(DIRECTORY_SERVICES);
        make(&Tree::open(home.path()).unwrap(), &mut made);
        let codes: Vec<&str> = made.warnings.iter().map(|warning| &*warning.code).collect();
        assert_eq!(codes, ["tool-missing"; 3]);
    }
}
