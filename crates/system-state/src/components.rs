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
/// What the package manager knows.
pub const PACKAGES: Part = Part(3);
/// What runs, and what it remembers.
pub const SERVICES: Part = Part(4);
/// Who may do what.
pub const ACCOUNTS: Part = Part(5);
/// What runs at its time.
pub const SCHEDULED_JOBS: Part = Part(6);
/// What makes this server itself.
pub const HOST_IDENTITY: Part = Part(7);

/// All of them.
pub const COMPONENTS: [ComponentInfo; 8] = [
    ComponentInfo {
        name: "os-files",
        purpose: "The operating system and all installed software: programs, libraries, shared data",
    },
    ComponentInfo { name: "configuration", purpose: "Settings under `/etc` that no other component holds" },
    ComponentInfo {
        name: "boot",
        purpose: "What the machine starts with: kernels, boot loader, EFI system partition, file system table, \
                  kernel modules and command line, disks and their ids",
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
        let constants =
            [OS_FILES, CONFIGURATION, BOOT, PACKAGES, SERVICES, ACCOUNTS, SCHEDULED_JOBS, HOST_IDENTITY];
        assert!(Part::all().eq(constants));
        assert_eq!(HOST_IDENTITY.info().name, "host-identity");
        assert_eq!(Part::named(&"nothing".parse().unwrap()), None);
    }
}
