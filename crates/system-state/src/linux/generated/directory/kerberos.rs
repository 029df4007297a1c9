//! MIT Kerberos: `kdb5_util dump` of each realm, which `kdb5_util load` reads back. It may run while the KDC does.
//!
//! The keys in a dump are sealed with the realm's master key; that lies in the stash file, which is kept as a file.

use super::{Dump, Made};
use crate::linux::tree::Tree;

/// Where the KDC keeps settings and data: Debian's, then Fedora's.
const SETTINGS: [&str; 2] = ["/etc/krb5kdc/kdc.conf", "/var/kerberos/krb5kdc/kdc.conf"];
const DATABASES: [&str; 2] = ["/var/lib/krb5kdc", "/var/kerberos/krb5kdc"];

/// Whether a KDC with a database of its own is set up here: one in an LDAP directory is dumped with that.
pub(super) fn is_here(tree: &Tree) -> bool {
    DATABASES.iter().any(|folder| tree.has(&format!("{folder}/principal")))
}

/// Keeps the dumps.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    let settings = SETTINGS.iter().find_map(|path| tree.text(path)).unwrap_or_default();
    let realms = realms(&settings);
    for realm in &realms {
        dump(&format!("kerberos-{}.dump", realm.replace('/', "-")), &["-r", realm, "dump"], made);
    }
    if realms.is_empty() {
        dump("kerberos.dump", &["dump"], made);
    }
}

fn dump(name: &str, arguments: &[&str], made: &mut Made) {
    Dump { name, here: "A Kerberos KDC is set up", program: "kdb5_util", package: "krb5-kdc", arguments }
        .keep_output(made);
}

/// The realms that `kdc.conf` names: `REALM = {` in its section `[realms]`.
fn realms(settings: &str) -> Vec<String> {
    let mut is_realms = false;
    let mut depth = 0;
    let mut realms = Vec::new();
    for line in settings.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if line.starts_with('[') {
            is_realms = line == "[realms]";
        } else if let Some(name) = line.strip_suffix('{') {
            if is_realms && depth == 0 {
                realms.push(name.trim().trim_end_matches('=').trim().to_owned());
            }
            depth += 1;
        } else if line == "}" {
            depth -= 1;
        }
    }
    realms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn realms_are_read_from_the_settings_of_the_kdc() {
        let settings = "[kdcdefaults]\n  kdc_ports = 750,88\n[realms]\n  EXAMPLE.ORG = {\n    max_life = 10h\n    inner = {\n }\n  }\n  # OLD.ORG = {\n  B.ORG={\n }\n[dbmodules]\n x = {\n }\n";
        assert_eq!(realms(settings), ["EXAMPLE.ORG", "B.ORG"]);
        assert!(realms("").is_empty());
    }
}
