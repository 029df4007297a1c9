//! The rule list: which path belongs to which component of System State, and what is left out and why.
//!
//! The most specific rule wins, so each path belongs to one component or to none. A `*` stands for any part of one
//! name. What no rule names is left out (see [`EVERYTHING_ELSE`]). Besides these rules, `os-files` holds each path
//! that a package owns and that no component has: that brings back empty folders such as `/var/log/apt` or `/tmp`
//! with their owners and modes, though not what they hold.

mod left_out;

use crate::components::{
    ACCOUNTS, BOOT, CONFIGURATION, DIRECTORY_SERVICES, HOST_IDENTITY, OS_FILES, PACKAGES, Part,
    SCHEDULED_JOBS, SERVICES, STORAGE_LAYOUT,
};
#[cfg(target_os = "linux")]
use crate::selection::{Claim, Selection};

pub use left_out::{EVERYTHING_ELSE, LEFT_OUT, LeftOut};

/// What belongs to one component.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The component.
    pub part: Part,
    /// Its paths; each stands for itself and all below it.
    pub paths: &'static [&'static str],
    /// Whether other file systems that are mounted below are entered. One that is mounted at a rule's own path always
    /// is, if it is neither a pseudo file system nor one of the network.
    pub enters_file_systems: bool,
}

/// What belongs to which component.
pub const RULES: &[Rule] = &[
    Rule {
        part: OS_FILES,
        paths: &[
            "/usr",
            "/bin",
            "/sbin",
            "/lib",
            "/lib32",
            "/lib64",
            "/libo32",
            "/libx32",
            "/opt",
            "/var/lock",
            "/var/run",
        ],
        enters_file_systems: false,
    },
    Rule { part: CONFIGURATION, paths: &["/etc"], enters_file_systems: false },
    Rule {
        part: BOOT,
        paths: &["/boot", "/efi"],
        // The EFI system partition is often mounted at `/boot/efi`.
        enters_file_systems: true,
    },
    Rule {
        part: BOOT,
        paths: &[
            "/vmlinuz",
            "/vmlinuz.old",
            "/initrd.img",
            "/initrd.img.old",
            "/etc/default/grub",
            "/etc/default/grub.d",
            "/etc/dkms",
            "/etc/dracut.conf",
            "/etc/dracut.conf.d",
            "/etc/grub.d",
            "/etc/initramfs-tools",
            "/etc/kernel",
            "/etc/kernel-img.conf",
            "/etc/grub2-efi.cfg",
            "/etc/grub2.cfg",
            "/etc/grubby",
            "/etc/modprobe.d",
            "/etc/modules",
            "/etc/modules-load.d",
            "/etc/sysconfig/bootloader",
            "/etc/sysconfig/grub",
            "/etc/sysconfig/kernel",
            "/var/lib/dkms",
            "/var/lib/initramfs-tools",
            "/var/lib/shim-signed",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: STORAGE_LAYOUT,
        paths: &[
            "/etc/blkid.conf",
            "/etc/crypttab",
            "/etc/fstab",
            "/etc/lvm",
            "/etc/mdadm",
            "/etc/mdadm.conf",
            "/etc/multipath",
            "/etc/multipath.conf",
            "/etc/stratis",
            "/etc/systemd/zram-generator.conf",
            "/etc/vdo.conf",
            "/etc/zfs",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: PACKAGES,
        paths: &[
            "/etc/apt",
            "/etc/debconf.conf",
            "/etc/dnf",
            "/etc/dpkg",
            "/etc/pki/entitlement",
            "/etc/pki/product",
            "/etc/pki/product-default",
            "/etc/pki/rpm-gpg",
            "/etc/rhsm",
            "/etc/rpm",
            "/etc/ucf.conf",
            "/etc/yum",
            "/etc/yum.conf",
            "/etc/yum.repos.d",
            "/etc/zypp",
            // Where rpm's database lies, by distribution.
            "/usr/lib/sysimage/libdnf5",
            "/usr/lib/sysimage/rpm",
            "/usr/share/rpm",
            // The answers that were given to packages' questions; a cache by its place only.
            "/var/cache/debconf",
            "/var/lib/apt",
            "/var/lib/aptitude",
            "/var/lib/dnf",
            "/var/lib/dpkg",
            "/var/lib/rhsm",
            "/var/lib/rpm",
            "/var/lib/ucf",
            "/var/lib/yum",
            "/var/lib/zypp",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: SERVICES,
        paths: &[
            "/etc/default",
            "/etc/inetd.conf",
            "/etc/inetd.d",
            "/etc/init.d",
            "/etc/insserv.conf.d",
            "/etc/rc*.d",
            "/etc/rc.local",
            "/etc/runit",
            "/etc/sv",
            "/etc/sysconfig",
            "/etc/systemd",
            "/etc/tmpfiles.d",
            "/etc/xinetd.conf",
            "/etc/xinetd.d",
            "/var/lib",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: ACCOUNTS,
        paths: &[
            "/etc/adduser.conf",
            "/etc/adduser.conf.d",
            "/etc/authselect",
            "/etc/deluser.conf",
            "/etc/doas.conf",
            "/etc/group",
            "/etc/group-",
            "/etc/gshadow",
            "/etc/gshadow-",
            "/etc/ipa",
            "/etc/krb5.conf",
            "/etc/krb5.conf.d",
            "/etc/ldap",
            "/etc/login.defs",
            "/etc/nslcd.conf",
            "/etc/nsswitch.conf",
            "/etc/openldap",
            "/etc/pam.conf",
            "/etc/pam.d",
            "/etc/passwd",
            "/etc/passwd-",
            "/etc/polkit-1",
            "/etc/securetty",
            "/etc/security",
            "/etc/shadow",
            "/etc/shadow-",
            "/etc/shells",
            "/etc/skel",
            "/etc/sssd",
            "/etc/subgid",
            "/etc/subgid-",
            "/etc/subuid",
            "/etc/subuid-",
            "/etc/sudo.conf",
            "/etc/sudo_logsrvd.conf",
            "/etc/sudoers",
            "/etc/sudoers.d",
            "/root/.ssh",
            "/var/lib/AccountsService",
            "/var/lib/authselect",
            "/var/lib/pam",
            "/var/lib/polkit-1",
            "/var/lib/shells.state",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: DIRECTORY_SERVICES,
        paths: &[
            "/etc/dirsrv",
            "/etc/krb5kdc",
            "/etc/ldap/slapd.conf",
            "/etc/ldap/slapd.d",
            "/etc/openldap/slapd.conf",
            "/etc/openldap/slapd.d",
            "/etc/sysconfig/dirsrv*",
            // The key that a realm's dump is sealed with lies here or in `/etc/krb5kdc`.
            "/var/kerberos/krb5kdc",
            "/var/lib/dirsrv",
            "/var/lib/krb5kdc",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: SCHEDULED_JOBS,
        paths: &[
            "/etc/anacrontab",
            "/etc/at.allow",
            "/etc/at.deny",
            "/etc/cron.*",
            "/etc/crontab",
            "/etc/systemd/system/*.timer",
            "/etc/systemd/system/timers.target.wants",
            "/var/lib/systemd/timers",
            "/var/spool/anacron",
            "/var/spool/at",
            "/var/spool/cron",
        ],
        enters_file_systems: false,
    },
    Rule {
        part: HOST_IDENTITY,
        paths: &[
            "/etc/NetworkManager",
            "/etc/adjtime",
            "/etc/dhcp",
            "/etc/dhcpcd.conf",
            "/etc/hostid",
            "/etc/hostname",
            "/etc/hosts",
            "/etc/iscsi/initiatorname.iscsi",
            "/etc/krb5.keytab",
            "/etc/localtime",
            "/etc/machine-id",
            "/etc/machine-info",
            "/etc/mailname",
            "/etc/netplan",
            "/etc/network",
            "/etc/networks",
            "/etc/resolv.conf",
            "/etc/ssh/ssh_host_*",
            "/etc/sysconfig/network",
            "/etc/sysconfig/network-scripts",
            "/etc/systemd/network",
            "/etc/systemd/resolved.conf",
            "/etc/systemd/resolved.conf.d",
            "/etc/timezone",
            "/etc/udev/rules.d/70-persistent-net.rules",
            "/etc/wireguard",
            "/etc/wpa_supplicant",
            "/var/lib/NetworkManager",
            "/var/lib/dbus/machine-id",
            "/var/lib/dhcp",
            "/var/lib/dhcpcd",
        ],
        enters_file_systems: false,
    },
];

/// The rules put together. Packages' own paths are not in yet.
#[cfg(target_os = "linux")]
pub(crate) fn selection() -> Selection {
    let mut selection = Selection::new();
    for rule in RULES {
        let claim = Claim::Part { part: rule.part, enters_file_systems: rule.enters_file_systems };
        rule.paths.iter().for_each(|path| selection.claim_pattern(path.as_bytes(), claim));
    }
    for path in LEFT_OUT.iter().flat_map(|left_out| left_out.paths) {
        selection.claim_pattern(path.as_bytes(), Claim::LeftOut);
    }
    selection.finish();
    selection
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::collections::HashSet;

    /// Who has a path, by the rules alone.
    fn owner(path: &str) -> Option<&'static str> {
        let selection = selection();
        let names = path.split('/').filter(|name| !name.is_empty());
        let position = names.fold(selection.top(), |at, name| selection.below(at, name.as_bytes()));
        match selection.claim_at(position) {
            Some(Claim::Part { part, .. }) => Some(part.info().name),
            _ => None,
        }
    }

    #[test]
    fn each_path_stands_in_one_rule_only() {
        let mut seen = HashSet::new();
        let kept = RULES.iter().flat_map(|rule| rule.paths);
        for path in kept.chain(LEFT_OUT.iter().flat_map(|left_out| left_out.paths)) {
            assert!(seen.insert(*path), "`{path}` stands in two rules");
            assert!(path.starts_with('/') && !path.ends_with('/') && !path.contains("//"), "{path}");
        }
    }

    #[test]
    fn each_rules_path_belongs_to_that_rules_component() {
        for rule in RULES {
            for path in rule.paths {
                let path = path.replace('*', "3");
                assert_eq!(owner(&path), Some(rule.part.info().name), "{path}");
            }
        }
        for path in LEFT_OUT.iter().flat_map(|left_out| left_out.paths) {
            assert_eq!(owner(path), None, "{path}");
        }
    }

    #[test]
    fn well_known_paths_belong_where_an_administrator_looks_for_them() {
        for (path, component) in [
            ("/usr/local/bin/tool", Some("os-files")),
            ("/etc/nginx/nginx.conf", Some("configuration")),
            ("/etc/ssh/sshd_config", Some("configuration")),
            ("/etc/ssh/ssh_host_ed25519_key.pub", Some("host-identity")),
            ("/etc/default/grub", Some("boot")),
            ("/etc/default/cron", Some("services")),
            ("/etc/rc2.d/S01cron", Some("services")),
            ("/etc/systemd/system/backup.timer", Some("scheduled-jobs")),
            ("/etc/systemd/system/backup.service", Some("services")),
            ("/etc/cron.daily/logrotate", Some("scheduled-jobs")),
            ("/etc/shadow", Some("accounts")),
            ("/var/lib/dpkg/status", Some("packages")),
            ("/var/lib/apt/extended_states", Some("packages")),
            ("/var/lib/apt/lists/lock", None),
            ("/var/lib/postgresql/15/main", None),
            ("/var/lib/ucf/hashfile", Some("packages")),
            ("/var/lib/rpm/rpmdb.sqlite", Some("packages")),
            ("/usr/lib/sysimage/rpm/rpmdb.sqlite", Some("packages")),
            ("/etc/yum.repos.d/rocky.repo", Some("packages")),
            ("/etc/sysconfig/sshd", Some("services")),
            ("/etc/sysconfig/network-scripts/ifcfg-eth0", Some("host-identity")),
            ("/etc/fstab", Some("storage-layout")),
            ("/etc/lvm/backup/vg0", Some("storage-layout")),
            ("/boot/efi/EFI/debian/shimx64.efi", Some("boot")),
            ("/etc/ldap/ldap.conf", Some("accounts")),
            ("/etc/ldap/slapd.d/cn=config.ldif", Some("directory-services")),
            ("/var/lib/ldap/data.mdb", None),
            ("/var/lib/krb5kdc/principal.kadm5", None),
            ("/var/kerberos/krb5kdc/.k5.EXAMPLE.ORG", Some("directory-services")),
            ("/var/lib/dirsrv/slapd-one/db/userRoot/id2entry.db", None),
            ("/var/lib/anything", Some("services")),
            ("/root/.bash_history", None),
            ("/root/.ssh/authorized_keys", Some("accounts")),
            ("/swapfile", None),
            ("/library", None),
        ] {
            assert_eq!(owner(path), component, "{path}");
        }
    }
}
