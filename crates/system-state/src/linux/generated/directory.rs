//! A directory server's own dump: its database's files, copied while it runs, would be of no use.
//!
//! Each kind of server is recognised by its settings and data, not by whether it runs: what it knows is to be kept while
//! it stands still, too. Each is dumped by the program that its makers mean for that, while it goes on serving.

mod directory_server_389;
mod freeipa;
mod kerberos;
mod openldap;
mod samba;

use super::made::{Content, Made};
use crate::linux::command::{CommandError, run, run_into};
use crate::linux::scratch::unnamed_file;
use crate::linux::tree::Tree;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

/// How long a dump may take.
const DUMP_TIME_OUT: Duration = Duration::from_secs(2 * 60 * 60);

/// A kind of directory server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    OpenLdap,
    Samba,
    FreeIpa,
    DirectoryServer389,
    Kerberos,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::OpenLdap => "OpenLDAP",
            Self::Samba => "Samba AD",
            Self::FreeIpa => "FreeIPA",
            Self::DirectoryServer389 => "389 Directory Server",
            Self::Kerberos => "Kerberos",
        }
    }
}

/// Those that are set up here. FreeIPA's own dump holds what its 389 Directory Server and its Kerberos know.
fn here(tree: &Tree) -> Vec<Kind> {
    let mut here = Vec::new();
    here.extend(openldap::is_here(tree).then_some(Kind::OpenLdap));
    here.extend(samba::is_here(tree).then_some(Kind::Samba));
    if freeipa::is_here(tree) {
        here.push(Kind::FreeIpa);
        return here;
    }
    here.extend(directory_server_389::is_here(tree).then_some(Kind::DirectoryServer389));
    here.extend(kerberos::is_here(tree).then_some(Kind::Kerberos));
    here
}

/// Dumps every directory server of this machine.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    for kind in here(tree) {
        match kind {
            Kind::OpenLdap => openldap::make(tree, made),
            Kind::Samba => samba::make(made),
            Kind::FreeIpa => freeipa::make(made),
            Kind::DirectoryServer389 => directory_server_389::make(tree, made),
            Kind::Kerberos => kerberos::make(tree, made),
        }
    }
}

/// Warns of every directory server of another root: its databases' files are left out, and no dump can be made.
pub(super) fn warn_of_undumped(tree: &Tree, made: &mut Made) {
    for kind in here(tree) {
        let message = format!(
            "{} is set up in this tree, and what it knows can only be dumped from within: back it up there",
            kind.name()
        );
        made.warn("not-dumped", b"/stateward-generated/directory-services".to_vec(), message);
    }
}

/// A dump that a program makes.
struct Dump<'a> {
    /// The generated file's name.
    name: &'a str,
    /// What is here, as the beginning of a sentence.
    here: &'a str,
    program: &'a str,
    package: &'a str,
    arguments: &'a [&'a str],
}

impl Dump<'_> {
    /// Keeps what the program writes to its output.
    fn keep_output(&self, made: &mut Made) {
        let file = match unnamed_file() {
            Ok(file) => file,
            Err(cause) => {
                return made.fail(self.name, format!("there is no place for a temporary file: {cause}"));
            }
        };
        let dumped = file
            .try_clone()
            .map_err(|cause| CommandError::Unusable { program: self.program.to_owned(), cause })
            .and_then(|output| run_into(self.program, self.arguments, output, DUMP_TIME_OUT));
        if self.went_well(dumped, made) {
            self.keep(file, made);
        }
    }

    /// Runs the program, which writes to a file of its own; whether it went well.
    fn run(&self, made: &mut Made) -> bool {
        let dumped = run(self.program, self.arguments, &[0], DUMP_TIME_OUT).map(|_| ());
        self.went_well(dumped, made)
    }

    /// Keeps a file that the program wrote. It may be removed afterwards: it stays open as long as it is needed.
    fn keep_file(&self, path: &Path, made: &mut Made) {
        match File::open(path) {
            Ok(file) => self.keep(file, made),
            Err(cause) => made.fail(self.name, format!("`{}` can't be read: {cause}", path.display())),
        }
    }

    fn keep(&self, file: File, made: &mut Made) {
        match Content::of_file(file) {
            // A dump says at least what it is a dump of.
            Ok(content) if content.length() == 0 => {
                made.fail(self.name, format!("`{}` wrote nothing", self.program));
            }
            Ok(content) => made.keep(self.name, content),
            Err(cause) => made.fail(self.name, cause),
        }
    }

    fn went_well(&self, dumped: Result<(), CommandError>, made: &mut Made) -> bool {
        match dumped {
            Ok(()) => return true,
            Err(CommandError::Missing { .. }) => made.lack(self.name, self.here, self.program, self.package),
            Err(error) => made.fail(self.name, error),
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::DIRECTORY_SERVICES;

    fn dump<'a>(program: &'a str, arguments: &'a [&'a str]) -> Dump<'a> {
        Dump { name: "dump", here: "A directory is here", program, package: "package", arguments }
    }

    #[test]
    fn a_dump_is_kept_and_one_that_fails_is_missing_or_is_empty_is_a_warning() {
        let mut made = Made::nothing(DIRECTORY_SERVICES);
        dump("echo", &["all that is known"]).keep_output(&mut made);
        assert_eq!((made.files.len(), made.warnings.len()), (1, 0));
        assert_eq!(made.files[0].1.length(), 18);
        dump("false", &[]).keep_output(&mut made);
        dump("true", &[]).keep_output(&mut made);
        dump("no-such-program-here", &[]).keep_output(&mut made);
        assert!(!dump("false", &[]).run(&mut made));
        let codes: Vec<&str> = made.warnings.iter().map(|warning| &*warning.code).collect();
        assert_eq!(codes, ["command-failed", "command-failed", "tool-missing", "command-failed"]);
        assert_eq!(made.files.len(), 1);
    }

    #[test]
    fn a_directory_of_another_root_is_named_for_it_is_not_dumped() {
        let home = tempfile::tempdir().unwrap();
        for folder in ["etc/ldap/slapd.d/cn=config", "var/lib/krb5kdc"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        std::fs::write(home.path().join("var/lib/krb5kdc/principal"), "").unwrap();
        let tree = Tree::open(home.path()).unwrap();
        assert_eq!(here(&tree), [Kind::OpenLdap, Kind::Kerberos]);
        let mut made = Made::nothing(DIRECTORY_SERVICES);
        warn_of_undumped(&tree, &mut made);
        let told: Vec<_> = made.warnings.iter().map(|warning| (&*warning.code, &*warning.message)).collect();
        assert!(
            told[0].0 == "not-dumped" && told[0].1.contains("OpenLDAP") && told[1].1.contains("Kerberos")
        );
    }

    #[test]
    fn a_machine_without_a_directory_says_nothing_of_one() {
        let home = tempfile::tempdir().unwrap();
        let mut made = Made::nothing(DIRECTORY_SERVICES);
        make(&Tree::open(home.path()).unwrap(), &mut made);
        assert!(made.files.is_empty() && made.warnings.is_empty());
    }
}
