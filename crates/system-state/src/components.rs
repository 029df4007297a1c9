//! The named parts of System State, in the order in which they are kept and shown.

use stateward_model::ComponentName;

/// One part of System State.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentInfo {
    /// Its name, as in `stateward restore --component NAME`.
    pub name: &'static str,
    /// What it is for, as one sentence for a person.
    pub purpose: &'static str,
}

/// A component as it is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentDescription {
    /// Its name.
    pub name: ComponentName,
    /// What it is for.
    pub purpose: &'static str,
    /// Whether there is anything of it here.
    pub present: bool,
    /// Files in it, generated ones among them.
    pub files: u64,
    /// Their bytes, holes included; a file with several names counts for each.
    pub bytes: u64,
    /// The paths that belong to it by the rules, whether they are here or not.
    pub paths: Vec<String>,
}

/// A component's place in [`COMPONENTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part(pub(crate) u8);

/// What the operating system and its packages installed.
pub const OS_FILES: Part = Part(0);
/// What administrators and packages configured.
pub const CONFIGURATION: Part = Part(1);
/// What the machine starts with.
pub const BOOT: Part = Part(2);
/// How the disks are divided and put together.
pub const STORAGE_LAYOUT: Part = Part(3);
/// What the package manager knows.
pub const PACKAGES: Part = Part(4);
/// What runs, and what it remembers.
pub const SERVICES: Part = Part(5);
/// Who may do what.
pub const ACCOUNTS: Part = Part(6);
/// What a directory server on this machine knows.
pub const DIRECTORY_SERVICES: Part = Part(7);
/// What runs at its time.
pub const SCHEDULED_JOBS: Part = Part(8);
/// What makes this server itself.
pub const HOST_IDENTITY: Part = Part(9);

/// All of them.
pub const COMPONENTS: [ComponentInfo; 10] = [
    ComponentInfo {
        name: "os-files",
        purpose: "The operating system and all installed software: programs, libraries, shared data",
    },
    ComponentInfo { name: "configuration", purpose: "Settings under `/etc` that no other component holds" },
    ComponentInfo {
        name: "boot",
        purpose: "What the machine starts with: kernels, boot loaders, EFI system partition and entries, kernel \
                  modules and command line",
    },
    ComponentInfo {
        name: "storage-layout",
        purpose: "How the disks are divided and put together: partition tables, LVM, RAID, headers of encrypted \
                  devices, file systems and their ids, mounts and swap",
    },
    ComponentInfo {
        name: "packages",
        purpose: "The package manager's database, sources, keys, holds and selections",
    },
    ComponentInfo {
        name: "services",
        purpose: "Which services start and how, and the small state that they keep under `/var/lib`",
    },
    ComponentInfo {
        name: "accounts",
        purpose: "Users, groups, passwords, who may become whom, and how logging in works",
    },
    ComponentInfo {
        name: "directory-services",
        purpose: "What a directory server on this machine knows, as its own dump: OpenLDAP, Samba AD, 389 Directory \
                  Server, FreeIPA, Kerberos",
    },
    ComponentInfo { name: "scheduled-jobs", purpose: "Cron, anacron and at jobs, and timers" },
    ComponentInfo {
        name: "host-identity",
        purpose: "What makes this server itself: name, machine id, SSH host keys, network, time zone",
    },
];

impl Part {
    /// Every part, in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COMPONENTS.len()).map(|place| Self(place as u8))
    }

    /// The part of that name.
    pub fn named(name: &ComponentName) -> Option<Self> {
        Self::all().find(|part| part.info().name == name.as_str())
    }

    /// What is known of it.
    pub fn info(self) -> &'static ComponentInfo {
        &COMPONENTS[usize::from(self.0)]
    }

    /// Its name.
    pub fn name(self) -> ComponentName {
        self.info().name.parse().expect("a test holds that every name keeps the rule of component names")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_found_by_its_name_and_constants_stand_in_order() {
        for part in Part::all() {
            assert_eq!(Part::named(&part.name()), Some(part));
        }
        let constants = [
            OS_FILES,
            CONFIGURATION,
            BOOT,
            STORAGE_LAYOUT,
            PACKAGES,
            SERVICES,
            ACCOUNTS,
            DIRECTORY_SERVICES,
            SCHEDULED_JOBS,
            HOST_IDENTITY,
        ];
        assert!(Part::all().eq(constants));
        assert_eq!(HOST_IDENTITY.info().name, "host-identity");
        assert_eq!(Part::named(&"nothing".parse().unwrap()), None);
    }
}
