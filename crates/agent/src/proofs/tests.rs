//! When which proof is due, whatever the clock does.

use super::*;
use crate::items::Selection;
use stateward_client::Surroundings;
use stateward_model::{PointHash, SystemRandom};
use stateward_testing::FakeClock;
use std::sync::Arc;

const BEGIN: &str = "2026-11-01T00:00:00Z";

struct Rig {
    _folder: tempfile::TempDir,
    agent: Agent,
    clock: Arc<FakeClock>,
    item: ItemId,
}

impl Rig {
    /// A home with one item, some hours after the first recovery point.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let clock = Arc::new(FakeClock::at(begin()));
        let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let agent = Agent::new(home, surroundings, "test");
        let mut items = Items::default();
        let selection = Selection::Files { paths: vec![StoredPath("/srv".into())], exclusions: Vec::new() };
        let item = items.protect(selection, None, &SystemRandom).unwrap().0.id;
        items.save(agent.home()).unwrap();
        Self { agent, clock, item, _folder: folder }
    }

    fn with_a_point(self) -> Self {
        let head = PinnedHead { sequence: 1, point: PointHash([1; 32]), received_at: begin() };
        head.save(self.agent.home()).unwrap();
        assert_eq!(self.due(), None);
        self
    }

    /// So many hours after the beginning.
    fn at(&self, hours: i64) -> &Self {
        self.clock.set(begin().plus_seconds(hours * 3600));
        self
    }

    fn due(&self) -> Option<DueProof> {
        due(&self.agent, &Settings::load(self.agent.home()).unwrap()).unwrap()
    }

    fn proven(&self, proof: DueProof) {
        let at = self.agent.now();
        Proofs::change(self.agent.home(), |proofs| match proof {
            DueProof::Verify => proofs.verify.proven = Some(at),
            DueProof::Trial(item) => {
                let proven = ProvenRestore { at, recovery_point: PointHash([1; 32]), files: 1, bytes: 1 };
                proofs.restores.entry(item).or_default().proven = Some(proven);
            }
        })
        .unwrap();
    }

    fn set(&self, verify: Option<u32>, trial: Option<u32>) {
        let days = |days: Option<u32>| Some(days.and_then(NonZeroU32::new));
        let proofs = ProofWish { verify_days: days(verify), trial_days: days(trial), trial_folder: None };
        Settings::change(self.agent.home(), crate::settings::SettingsWish { proofs, ..Default::default() })
            .unwrap();
    }
}

fn begin() -> Timestamp {
    BEGIN.parse().unwrap()
}

#[test]
fn a_home_without_a_recovery_point_has_nothing_to_prove() {
    let rig = Rig::new();
    assert_eq!((rig.due(), rig.at(24 * 365).due()), (None, None));
}

#[test]
fn the_first_proofs_come_after_a_day_and_the_others_after_the_days_that_are_set() {
    let rig = Rig::new().with_a_point();
    assert_eq!(rig.at(23).due(), None);
    let trial = DueProof::Trial(rig.item);
    assert_eq!(rig.at(24).due(), Some(trial));
    rig.proven(trial);
    assert_eq!(rig.due(), Some(DueProof::Verify));
    rig.proven(DueProof::Verify);
    assert_eq!((rig.due(), rig.at(24 + 7 * 24 - 1).due()), (None, None));
    assert_eq!(rig.at(24 + 7 * 24).due(), Some(DueProof::Verify));
    rig.proven(DueProof::Verify);
    rig.set(None, Some(30));
    assert_eq!(rig.at(24 + 30 * 24 - 1).due(), None);
    assert_eq!(rig.at(24 + 30 * 24).due(), Some(trial));
    rig.set(None, None);
    assert_eq!(rig.at(24 * 365).due(), None);
}

#[test]
fn a_proof_that_failed_or_had_no_room_is_tried_again_after_a_day() {
    let rig = Rig::new().with_a_point();
    rig.set(None, Some(30));
    let trial = rig.at(24).due().unwrap();
    trial.tried(&rig.agent, Some(&AgentError::NoItems)).unwrap();
    let hindered = Proofs::load(rig.agent.home()).unwrap().restores[&rig.item].hindered.clone();
    assert_eq!(hindered, Some(AgentError::NoItems.to_string()));
    assert_eq!((rig.due(), rig.at(47).due(), rig.at(48).due()), (None, None, Some(trial)));
    trial.tried(&rig.agent, None).unwrap();
    assert_eq!(Proofs::load(rig.agent.home()).unwrap().restores[&rig.item].hindered, None);
}

#[test]
fn none_is_made_in_work_hours() {
    let rig = Rig::new().with_a_point();
    let hours = serde_json::json!({
        "days": ["Monday"], "from": "08:00", "until": "18:00", "zone": "UTC",
    });
    let throttle = crate::settings::ThrottleWish {
        work_hours: Some(Some(serde_json::from_value(hours).unwrap())),
        ..Default::default()
    };
    Settings::change(rig.agent.home(), crate::settings::SettingsWish { throttle, ..Default::default() })
        .unwrap();
    // The first of November is a Sunday.
    assert_eq!((rig.at(24 + 12).due(), rig.at(24 + 18).due().is_some()), (None, true));
}

#[test]
fn what_was_noted_under_a_clock_that_ran_ahead_does_not_put_proofs_off_for_years() {
    let rig = Rig::new().with_a_point();
    let trial = DueProof::Trial(rig.item);
    rig.at(24 * 3650).proven(trial);
    rig.proven(DueProof::Verify);
    trial.tried(&rig.agent, None).unwrap();
    assert_eq!(rig.at(24).due(), Some(trial));
}

#[test]
fn damaged_proofs_are_proven_again() {
    let rig = Rig::new().with_a_point();
    std::fs::write(rig.agent.home().path().join(FILE), b"{").unwrap();
    assert_eq!(Proofs::load(rig.agent.home()).unwrap(), Proofs::default());
    assert_eq!((rig.due(), rig.at(24).due().is_some()), (None, true));
}
