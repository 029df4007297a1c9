//! Which system a recovery point is of, and whether it may go back onto this one.
//!
//! It stands in the recovery point as something that was looked at before the backup ([`CODE`]); points of earlier versions
//! tell the operating system's name only.

use crate::restore::LayingWish;
use crate::{AgentError, platform};
use stateward_format::manifest::{Manifest, Precheck, Warning};
use std::fmt;

/// The code under which a recovery point keeps it.
pub const CODE: &str = "machine";

/// What must be alike for what one system held to be of use in place on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The distribution, such as `debian`.
    pub system: String,
    /// Its release, such as `12`; empty for one that has none.
    pub release: String,
    /// What its programs are built for, such as `x86_64`.
    pub architecture: String,
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { system, release, architecture } = self;
        match release.is_empty() {
            true => write!(f, "{system} on {architecture}"),
            false => write!(f, "{system} {release} on {architecture}"),
        }
    }
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let (system, release) = platform::operating_system_release();
        let one_word = |text: String| text.split_whitespace().collect::<Vec<_>>().join("-");
        let system = Some(one_word(system)).filter(|text| !text.is_empty());
        let (system, release) = (system.unwrap_or_else(|| "unknown".to_owned()), one_word(release));
        Self { system, release, architecture: std::env::consts::ARCH.to_owned() }
    }

    /// As a recovery point keeps it.
    pub fn precheck(&self) -> Precheck {
        Precheck { code: CODE.to_owned(), outcome: 0, message: self.to_string() }
    }

    /// The machine of a recovery point; `None` if it does not tell.
    pub fn of(manifest: &Manifest) -> Option<Self> {
        let told = manifest.prechecks.iter().find(|check| check.code == CODE)?;
        let (system, architecture) = told.message.split_once(" on ")?;
        let (system, release) = system.split_once(' ').unwrap_or((system, ""));
        Some(Self {
            system: system.to_owned(),
            release: release.to_owned(),
            architecture: architecture.to_owned(),
        })
    }
}

/// Refuses to put back in place what is of another distribution or architecture, unless a person wants it so; warns of
/// another release, and of what can't be told.
pub(super) fn check(manifest: &Manifest, wish: &LayingWish) -> Result<Option<Warning>, AgentError> {
    check_against(manifest, wish, &Machine::here(), &platform::operating_system())
}

fn check_against(
    manifest: &Manifest,
    wish: &LayingWish,
    here: &Machine,
    name_here: &str,
) -> Result<Option<Warning>, AgentError> {
    if !wish.original {
        return Ok(None);
    }
    let warning = |from: &str, here: &str| Warning {
        code: "other-system".to_owned(),
        path: Vec::new(),
        message: format!("The recovery point is of {from}, and this machine is {here}"),
    };
    let Some(from) = Machine::of(manifest) else {
        let name = &manifest.operating_system;
        return Ok((name != name_here).then(|| warning(name, name_here)));
    };
    if from == *here {
        return Ok(None);
    }
    let is_other = from.system != here.system || from.architecture != here.architecture;
    match is_other && !wish.despite_other_system {
        true => Err(AgentError::OtherSystem { from: from.to_string(), here: here.to_string() }),
        false => Ok(Some(warning(&from.to_string(), &here.to_string()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_format::NameKind;
    use stateward_model::{ItemKind, ServerId, Timestamp};

    fn machine(system: &str, release: &str, architecture: &str) -> Machine {
        let [system, release, architecture] = [system, release, architecture].map(str::to_owned);
        Machine { system, release, architecture }
    }

    fn manifest(prechecks: Vec<Precheck>) -> Manifest {
        Manifest {
            item_label: "files".parse().unwrap(),
            kind: ItemKind::Files,
            names: NameKind::Bytes,
            domain: ServerId([1; 16]),
            host_name: String::new(),
            operating_system: "Debian GNU/Linux 12".to_owned(),
            made_by: String::new(),
            started_at: Timestamp(0),
            finished_at: Timestamp(0),
            components: Vec::new(),
            warnings: Vec::new(),
            prechecks,
        }
    }

    /// The code of a warning or an error.
    fn checked(manifest: &Manifest, wish: &LayingWish) -> Option<String> {
        let here = machine("debian", "12", "x86_64");
        match check_against(manifest, wish, &here, "Debian GNU/Linux 12") {
            Ok(warning) => warning.map(|warning| warning.code),
            Err(error) => Some(error.code().to_string()),
        }
    }

    #[test]
    fn a_machine_survives_its_words() {
        for machine in [machine("debian", "12", "x86_64"), machine("arch", "", "aarch64"), Machine::here()] {
            assert_eq!(Machine::of(&manifest(vec![machine.precheck()])), Some(machine));
        }
        assert_eq!(Machine::of(&manifest(Vec::new())), None);
    }

    #[test]
    fn another_release_is_warned_of_and_another_distribution_or_architecture_refused() {
        let original = LayingWish { original: true, ..LayingWish::default() };
        let despite = LayingWish { despite_other_system: true, ..original.clone() };
        let of =
            |system, release, architecture| manifest(vec![machine(system, release, architecture).precheck()]);
        let same = of("debian", "12", "x86_64");
        assert_eq!(checked(&same, &original), None);
        assert_eq!(checked(&of("debian", "11", "x86_64"), &original).as_deref(), Some("other-system"));
        for other in [of("debian", "12", "aarch64"), of("fedora", "12", "x86_64")] {
            assert_eq!(checked(&other, &LayingWish::default()), None);
            assert_eq!(checked(&other, &original).as_deref(), Some("other-system-refused"));
            assert_eq!(checked(&other, &despite).as_deref(), Some("other-system"));
        }
    }

    #[test]
    fn a_point_that_tells_a_name_only_is_compared_by_it() {
        let original = LayingWish { original: true, ..LayingWish::default() };
        let mut old = manifest(Vec::new());
        assert_eq!(checked(&old, &original), None);
        old.operating_system = "Debian GNU/Linux 11".to_owned();
        assert_eq!(checked(&old, &original).as_deref(), Some("other-system"));
    }
}
