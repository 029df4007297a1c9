//! The pinned head: the newest recovery point that the vault acknowledged to this home.
//!
//! A vault that later shows an older one, or another one at its place, was rolled back or forked.

use crate::document::Document;
use crate::{AgentError, Home};
use serde::{Deserialize, Serialize};
use stateward_engine::PointSummary;
use stateward_format::manifest::Warning;
use stateward_model::{PointHash, Sequence, Timestamp};

const FILE: &str = "head.json";

/// The pinned head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedHead {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Its id.
    pub point: PointHash,
    /// The vault's time of it.
    pub received_at: Timestamp,
}

impl Document for PinnedHead {
    const VERSION: u32 = 1;
}

impl PinnedHead {
    /// The home's pinned head, if it ever made a recovery point.
    pub fn find(home: &Home) -> Result<Option<Self>, AgentError> {
        home.read(FILE)
    }

    /// Pins it.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        home.write(FILE, self)
    }

    /// What to tell if the vault does not show it (any more): what it calls the latest need not be.
    pub(crate) fn missing_from(home: &Home, shown: &[PointSummary]) -> Result<Option<Warning>, AgentError> {
        let missing = Self::find(home)?.filter(|head| !shown.contains(&head.summary()));
        Ok(missing.map(|head| Warning {
            code: "vault-rolled-back".to_owned(),
            path: Vec::new(),
            message: format!(
                "The vault does not show recovery point {} (number {}), the newest that it had acknowledged: it was rolled \
                 back or hides it, and what it shows as the latest is older",
                head.point, head.sequence
            ),
        }))
    }

    /// As the engine takes it.
    pub fn summary(&self) -> PointSummary {
        PointSummary { sequence: self.sequence, hash: self.point }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_that_does_not_show_the_pinned_head_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        let point = |sequence| PointSummary { sequence, hash: PointHash([sequence as u8; 32]) };
        assert_eq!(PinnedHead::missing_from(&home, &[]).unwrap(), None, "nothing was acknowledged yet");
        let head = PinnedHead { sequence: 2, point: point(2).hash, received_at: Timestamp(0) };
        head.save(&home).unwrap();
        assert_eq!(PinnedHead::missing_from(&home, &[point(1), point(2)]).unwrap(), None);
        let other = PointSummary { hash: PointHash([9; 32]), ..point(2) };
        for shown in [&[][..], &[point(1)], &[point(1), other]] {
            let warning = PinnedHead::missing_from(&home, shown).unwrap().unwrap();
            assert_eq!(warning.code, "vault-rolled-back");
        }
    }
}
