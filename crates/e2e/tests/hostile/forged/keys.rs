//! Points that are somebody else's, chains that fork, key slots that are weak, dear, foreign or without end.

use crate::behaviour::Behaviour;
use crate::stage::Stage;
use stateward_crypto::SigningKey;
use stateward_e2e::server::PASSPHRASE;
use stateward_format::slot::{KeySlot, SlotSecret};
use stateward_format::{layout, point};
use stateward_model::ServerId;
use stateward_testing::forge::Segment;
use stateward_testing::{ForgedEntry, ForgedPoint, SeededRandom};

/// A point with one honest file.
fn honest(stage: &mut Stage) -> ForgedPoint {
    let chunk = [stage.honest()];
    let (pack, stream) = stage.pack(&[Segment::begin().with(&ForgedEntry::file("a", &chunk)).leave()]);
    stage.forger.point(&[("files", stream)], &[pack])
}

/// The latest point can't be used, with that code and in such words.
#[track_caller]
fn unusable(stage: &Stage, code: &str, words: &str) {
    let restored = stage.restore().with_code(1);
    let last = restored.outcome.last();
    assert_eq!(restored.outcome.error_code(), code, "{last}");
    assert!(last["message"].as_str().unwrap().contains(words), "{last}");
    assert!(!restored.target.exists());
}

pub const STRANGER: Behaviour<Stage> = Behaviour {
    name: "signed-by-a-stranger",
    does: "A point is sealed with the server's data key and signed with another key, as a member of a shared domain can",
    outcome: "not believed: it was not signed by this server",
    play: |stage| {
        let point = honest(stage);
        let stranger = SigningKey::generate(&SeededRandom::new(99));
        let object = stage.forger.signed(&point, &stranger);
        stage.forger.put(layout::point(stage.forger.server, 1, point::hash(&object)), object);
        unusable(stage, "recovery-point-not-genuine", "was not signed by this server");
    },
};

pub const FOREIGN: Behaviour<Stage> = Behaviour {
    name: "point-of-another-server",
    does: "A point that says it is another server's lies among those of this one",
    outcome: "not believed: it belongs to another server",
    play: |stage| {
        let mut point = honest(stage);
        point.header.server = ServerId([9; 16]);
        stage.forger.put_point(&point);
        unusable(stage, "recovery-point-not-genuine", "belongs to another server");
    },
};

pub const FORK: Behaviour<Stage> = Behaviour {
    name: "two-points-of-one-number",
    does: "Two recovery points have one place in the chain",
    outcome: "both are shown and can be restored by their ids; `latest` takes one of them",
    play: |stage| {
        for time in [1, 2] {
            let mut point = honest(stage);
            point.manifest.started_at.0 += time;
            stage.forger.put_point(&point);
        }
        let listed = stage.list().done();
        let points = listed.json().iter().filter(|line| line["sequence"] == 1).count();
        assert_eq!(points, 2, "{listed:#?}");
        stage.restore().with_code(0).holds_honest("a");
    },
};

pub const LAST_NUMBER: Behaviour<Stage> = Behaviour {
    name: "point-of-the-last-number",
    does: "A point has the highest number that there is",
    outcome: "harmless to restore; a backup that should follow it is refused (see `head-of-the-last-number`)",
    play: |stage| {
        let mut point = honest(stage);
        point.header.sequence = u64::MAX;
        point.header.previous = Some(stateward_model::PointHash([7; 32]));
        stage.forger.put_point(&point);
        stage.restore().with_code(0).holds_honest("a");
    },
};

pub const COMPONENT_TWICE: Behaviour<Stage> = Behaviour {
    name: "component-twice",
    does: "A point names one component twice",
    outcome: "the point is refused as damaged",
    play: |stage| {
        let mut point = honest(stage);
        let component = point.manifest.components[0].clone();
        point.manifest.components.push(component);
        stage.forger.put_point(&point);
        unusable(stage, "recovery-point-damaged", "names a component twice");
    },
};

/// Nothing but slots that cost so much.
fn slots_of_costs(stage: &mut Stage, costs: &[(u32, u32, u32)]) {
    let point = honest(stage);
    stage.forger.put_point(&point);
    let slot = stage.forger.slot(PASSPHRASE);
    stage.forger.remove_slots();
    for (memory_kib, passes, lanes) in costs.iter().copied() {
        let secret = SlotSecret::Passphrase { memory_kib, passes, lanes };
        stage.forger.put_slot(&KeySlot { secret, ..slot.clone() });
    }
}

/// No slot can be used, and the reason is told.
#[track_caller]
fn no_slot(stage: &Stage, words: &str) {
    let restored = stage.restore().with_code(1);
    let last = restored.outcome.last();
    assert!(last["message"].as_str().unwrap().contains(words), "{last}");
    assert_eq!(restored.outcome.error_code(), "key-slot-unusable", "{last}");
}

pub const CHEAP_SLOT: Behaviour<Stage> = Behaviour {
    name: "slot-below-the-floor",
    does: "A key slot asks for 8 KiB of memory, so that a passphrase typed for it is easily guessed",
    outcome: "refused before the passphrase is used",
    play: |stage| {
        slots_of_costs(stage, &[(8, 1, 1), ((64 << 10) - 1, 1, 1)]);
        no_slot(stage, "less than is safe");
    },
};

pub const DEAR_SLOT: Behaviour<Stage> = Behaviour {
    name: "slot-of-four-terabytes",
    does: "Key slots ask for 4 TiB of memory, for four milliard passes, for as many lanes",
    outcome: "refused before a byte is taken",
    play: |stage| {
        let all = u32::MAX;
        slots_of_costs(stage, &[(all, 1, 1), (64 << 10, all, 1), (64 << 10, 1, all), ((1 << 20) + 1, 1, 1)]);
        no_slot(stage, "more than is sane");
    },
};

pub const FOREIGN_SLOT: Behaviour<Stage> = Behaviour {
    name: "slot-of-another-server",
    does: "Key slots of another server and another vault, and slots that are none, lie beside the right one",
    outcome: "passed over; the right one opens",
    play: |stage| {
        let point = honest(stage);
        stage.forger.put_point(&point);
        let slot = stage.forger.slot(PASSPHRASE);
        stage.forger.put_slot(&KeySlot { server: ServerId([9; 16]), epoch: 7, ..slot.clone() });
        stage.forger.put_slot(&KeySlot {
            vault: stateward_model::VaultId([9; 16]),
            epoch: 8,
            ..slot.clone()
        });
        stage.forger.put_slot(&KeySlot { commitment: [9; 32], ..slot.clone() });
        let mut object = slot.encode();
        object.truncate(99);
        let hash = stateward_format::slot::hash(&object);
        stage.forger.put(layout::slot(stage.forger.server, 1, hash), object);
        stage.restore().with_code(0).holds_honest("a");
    },
};

pub const SLOTS: Behaviour<Stage> = Behaviour {
    name: "slots-by-the-hundred",
    does: "Two thousand key slots that no passphrase opens, each as dear as may be",
    outcome: "some are tried, for half a minute at most; then it is told that there are too many",
    play: |stage| {
        let point = honest(stage);
        stage.forger.put_point(&point);
        let slot = stage.forger.slot(PASSPHRASE);
        stage.forger.remove_slots();
        let secret = SlotSecret::Passphrase { memory_kib: 64 << 10, passes: 10, lanes: 1 };
        for number in 0..2000_u32 {
            let mut salt = slot.salt;
            salt[..4].copy_from_slice(&number.to_le_bytes());
            stage.forger.put_slot(&KeySlot { secret, salt, ..slot.clone() });
        }
        no_slot(stage, "more of them than can be tried");
    },
};
