//! OpenLDAP: `slapcat` of its configuration and of each database, as LDIF that `slapadd` reads back. It may run while
//! `slapd` does (slapcat(8)).

use super::{Dump, Made};
use crate::linux::tree::Tree;

/// Where the configuration lies: the switch that names it, and the path. Debian's, then others'.
const CONFIGURATIONS: [(&str, &str); 4] = [
    ("-F", "/etc/ldap/slapd.d"),
    ("-f", "/etc/ldap/slapd.conf"),
    ("-F", "/etc/openldap/slapd.d"),
    ("-f", "/etc/openldap/slapd.conf"),
];

/// Databases that hold nothing themselves: they pass questions on, or make their answers up.
const HOLD_NOTHING: [&str; 12] = [
    "asyncmeta",
    "dnssrv",
    "frontend",
    "ldap",
    "meta",
    "monitor",
    "null",
    "passwd",
    "perl",
    "relay",
    "shell",
    "sock",
];

/// Whether `slapd` is set up here.
pub(super) fn is_here(tree: &Tree) -> bool {
    configuration(tree).is_some()
}

/// Keeps the dumps.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    if let Some((switch, path, databases)) = configuration(tree) {
        dump(switch, path, &databases, made);
    }
}

/// The configuration that is here: its switch, its path, and the numbers of its databases.
fn configuration(tree: &Tree) -> Option<(&'static str, &'static str, Vec<u32>)> {
    CONFIGURATIONS.into_iter().find_map(|(switch, path)| {
        let databases = match switch {
            "-F" => in_folder(&tree.names(&format!("{path}/cn=config")).ok()?),
            _ => in_file(&tree.text(path)?),
        };
        Some((switch, path, databases))
    })
}

fn dump(switch: &str, path: &str, databases: &[u32], made: &mut Made) {
    for number in databases {
        let name = format!("openldap-{number}.ldif");
        let number = number.to_string();
        Dump {
            name: &name,
            here: "OpenLDAP's server is set up",
            program: "slapcat",
            package: "slapd",
            arguments: &[switch, path, "-n", &number],
        }
        .keep_output(made);
    }
}

/// The numbers of the databases that a configuration folder names: `olcDatabase={1}mdb.ldif`. 0 is the configuration.
fn in_folder(names: &[Vec<u8>]) -> Vec<u32> {
    let number = |name: &Vec<u8>| {
        let name = std::str::from_utf8(name).ok()?;
        let (number, kind) = name.strip_prefix("olcDatabase={")?.strip_suffix(".ldif")?.split_once('}')?;
        // -1 is no database but what holds for all.
        (!HOLD_NOTHING.contains(&kind)).then_some(number.parse().ok()?)
    };
    let mut numbers: Vec<u32> = names.iter().filter_map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// The numbers of the databases that a configuration file names, in its order from 1. The file itself is kept as a file.
fn in_file(text: &str) -> Vec<u32> {
    let kind = |line: &str| {
        let mut words = line.split_whitespace();
        let is_database = words.next()?.eq_ignore_ascii_case("database");
        is_database.then(|| words.next().unwrap_or_default().trim_matches('"').to_ascii_lowercase())
    };
    let kinds = text.lines().filter_map(kind).filter(|kind| kind != "config" && kind != "frontend");
    (1..).zip(kinds).filter(|(_, kind)| !HOLD_NOTHING.contains(&&**kind)).map(|(number, _)| number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::DIRECTORY_SERVICES;
    use std::fs;
    use std::process::{Command, Stdio};

    #[test]
    fn databases_that_hold_something_are_numbered_as_slapcat_numbers_them() {
        let names = [
            "cn=module{0}.ldif",
            "olcDatabase={-1}frontend.ldif",
            "olcDatabase={0}config.ldif",
            "olcDatabase={1}monitor.ldif",
            "olcDatabase={10}mdb.ldif",
            "olcDatabase={2}mdb.ldif",
            "olcDatabase={1}mdb",
        ];
        let names: Vec<Vec<u8>> = names.iter().map(|name| name.as_bytes().to_vec()).collect();
        assert_eq!(in_folder(&names), [0, 2, 10]);
        let file = "include /etc/ldap/schema/core.schema\n# database hdb\ndatabase config\ndatabase monitor\ndatabase\tmdb\nsuffix \"dc=a\"\nDatabase ldap\ndatabase hdb\n";
        assert_eq!(in_file(file), [2, 4]);
    }

    const CONFIGURATION: &str = "\
dn: cn=config
objectClass: olcGlobal
cn: config

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif

dn: cn=module,cn=config
objectClass: olcModuleList
cn: module
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: olcDatabase=mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: mdb
olcSuffix: dc=example,dc=org
olcDbDirectory: DATA
";

    const ENTRIES: &str = "\
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: cn=somebody,dc=example,dc=org
objectClass: person
cn: somebody
sn: body
";

    fn slapadd(arguments: &[&str], input: &str) {
        let mut child = Command::new("slapadd")
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "slapadd {arguments:?}");
    }

    /// A real directory of OpenLDAP's own programs, dumped and made again from the dump.
    #[test]
    fn a_real_directory_is_dumped_and_made_again_from_its_dump() {
        let has_schema = std::path::Path::new("/etc/ldap/schema/core.ldif").exists();
        if Command::new("slapadd").arg("-V").output().is_err() || !has_schema {
            eprintln!("LEFT OUT: OpenLDAP's server (package `slapd` of Debian) is needed for this test");
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name).to_string_lossy().into_owned();
        for folder in ["config", "data", "config-again", "data-again"] {
            fs::create_dir(at(folder)).unwrap();
        }
        slapadd(&["-F", &at("config"), "-n", "0"], &CONFIGURATION.replace("DATA", &at("data")));
        slapadd(&["-F", &at("config"), "-n", "1"], ENTRIES);
        let names = Tree::open(home.path()).unwrap().names("config/cn=config").unwrap();
        let dumped = |config: &str| {
            let mut made = Made::nothing(DIRECTORY_SERVICES);
            dump("-F", &at(config), &in_folder(&names), &mut made);
            assert!(made.warnings.is_empty(), "{:?}", made.warnings);
            let read = |(name, content): (String, super::super::Content)| {
                let mut bytes = vec![0; content.length() as usize];
                assert_eq!(content.read_at(0, &mut bytes).unwrap(), bytes.len());
                (name, String::from_utf8(bytes).unwrap())
            };
            made.files.into_iter().map(read).collect::<Vec<_>>()
        };
        let first = dumped("config");
        let [(zero, configuration), (one, entries)] = &first[..] else { panic!("{first:?}") };
        assert_eq!((&**zero, &**one), ("openldap-0.ldif", "openldap-1.ldif"));
        assert!(entries.contains("dn: cn=somebody,dc=example,dc=org"), "{entries}");
        slapadd(
            &["-F", &at("config-again"), "-n", "0"],
            &configuration.replace(&at("data"), &at("data-again")),
        );
        slapadd(&["-F", &at("config-again"), "-n", "1"], entries);
        assert_eq!(dumped("config-again")[1].1, *entries);
    }
}
