//! Points, packs, key slots and receipts that are not given, or not as they are.

use super::{Rig, assert_code, warnings};
use crate::behaviour::Behaviour;
use crate::proxy::Answer;
use serde_json::json;
use stateward_e2e::compare::differences;
use stateward_e2e::server::restored;
use stateward_e2e::vault::ObjectKind;
use std::fs;

fn not_found() -> Answer {
    Answer::refusal(404, "ResourceNotFound", "There is no such thing")
}

fn octets(body: Vec<u8>) -> Answer {
    Answer { status: 200, headers: Vec::new(), body }
}

pub const POINT_WITHHELD: Behaviour<Rig> = Behaviour {
    name: "point-withheld",
    does: "A recovery point is listed and not given",
    outcome: "the restore fails (`vault-answer`); verify names it (`point-missing`)",
    play: |rig| {
        rig.answer("GET /agent/v1/points/*", not_found());
        assert_code(rig.restore().0, 1, "vault-answer");
        let outcome = assert_code(rig.verify(), 1, "damage-found");
        assert!(warnings(&outcome).contains(&"point-missing".to_owned()));
    },
};

pub const POINT_SWAPPED: Behaviour<Rig> = Behaviour {
    name: "point-swapped",
    does: "An older recovery point, sound and signed, is given for the one that was asked for",
    outcome: "refused: its bytes do not have the hash that names it (`recovery-point-damaged`)",
    play: |rig| {
        let oldest = fs::read(&rig.vault.objects(ObjectKind::Point)[0]).unwrap();
        rig.answer("GET /agent/v1/points/*", octets(oldest));
        assert_code(rig.restore().0, 1, "recovery-point-damaged");
    },
};

/// What needs the packs is lost, nothing is invented; and verify names them.
fn packs_are_wrong(rig: &mut Rig, code: &str, twist: impl Fn(&mut Answer) + Clone + Send + 'static) {
    rig.twist("GET /agent/v1/packs/*", twist);
    let (outcome, target) = rig.restore();
    assert_code(outcome, 1, "files-lost");
    let restored = restored(&target, &rig.source);
    if restored.exists() {
        let is_there = |difference: &&String| {
            let path = difference.split(':').next().unwrap_or_default();
            fs::metadata(restored.join(path)).is_ok_and(|found| found.is_file())
        };
        let different = differences(&rig.source, &restored);
        assert_eq!(different.iter().find(is_there), None, "a file is there and not as it was");
    }
    let outcome = assert_code(rig.verify(), 1, "damage-found");
    assert!(warnings(&outcome).contains(&code.to_owned()), "{outcome:#?}");
}

const NAMED: &str =
    "what needs them is told as lost, nothing is invented; verify names them (`pack-damaged`)";

pub const PACKS_WITHHELD: Behaviour<Rig> = Behaviour {
    name: "packs-withheld",
    does: "Packs that the vault acknowledged are not given",
    outcome: "what needs them is told as lost; verify names them (`pack-missing`)",
    play: |rig| packs_are_wrong(rig, "pack-missing", |answer| *answer = not_found()),
};

pub const PACKS_SWAPPED: Behaviour<Rig> = Behaviour {
    name: "packs-swapped",
    does: "A pack's bytes are given for another one's",
    outcome: NAMED,
    play: |rig| {
        let objects = rig.vault.objects(ObjectKind::Pack);
        let longest = objects.iter().map(|path| fs::read(path).unwrap()).max_by_key(Vec::len).unwrap();
        packs_are_wrong(rig, "pack-damaged", move |answer| {
            let length = answer.body.len();
            answer.body = longest.iter().rev().copied().cycle().take(length).collect();
        });
    },
};

pub const PACKS_ALTERED: Behaviour<Rig> = Behaviour {
    name: "packs-altered",
    does: "One bit of each pack is another, in its middle and in its end",
    outcome: NAMED,
    play: |rig| {
        packs_are_wrong(rig, "pack-damaged", |answer| {
            let middle = answer.body.len() / 2;
            answer.body[middle] ^= 1;
            answer.body.last_mut().into_iter().for_each(|last| *last ^= 1);
        });
    },
};

pub const PACKS_SHORT: Behaviour<Rig> = Behaviour {
    name: "packs-short",
    does: "The last byte of what was asked of a pack is missing",
    outcome: "the same (`pack-missing`)",
    play: |rig| packs_are_wrong(rig, "pack-missing", |answer| answer.body.truncate(answer.body.len() - 1)),
};

pub const PACKS_LONG: Behaviour<Rig> = Behaviour {
    name: "packs-long",
    does: "More is given than was asked of a pack",
    outcome: "not read to its end; the same (`pack-missing`)",
    play: |rig| packs_are_wrong(rig, "pack-missing", |answer| answer.body.extend([0; 100_000])),
};

pub const SLOTS_WITHHELD: Behaviour<Rig> = Behaviour {
    name: "slots-withheld",
    does: "The list of key slots is empty",
    outcome: "verify finds it (`slot-damaged`): without them nobody could restore once this server is gone",
    play: |rig| {
        rig.answer("GET /agent/v1/slots", Answer::json(200, r#"{"slots":[]}"#));
        assert_eq!(warnings(&assert_code(rig.verify(), 1, "damage-found")), ["slot-damaged"]);
    },
};

pub const SLOTS_FOREIGN: Behaviour<Rig> = Behaviour {
    name: "slots-foreign",
    does: "The list of key slots holds others' besides, and some that are none",
    outcome: "harmless: what this server made is there",
    play: |rig| {
        rig.twist_json("GET /agent/v1/slots", |list| {
            let slots = list["slots"].as_array_mut().unwrap();
            slots.extend([json!("AAAA"), json!(""), json!("U1dLU0xPVAEAAAA")]);
        });
        rig.verify().done();
    },
};

pub const SLOTS_BOMB: Behaviour<Rig> = Behaviour {
    name: "slots-by-the-million",
    does: "The list of key slots is 100 MiB of empty ones, each of which takes many times as much in memory",
    outcome: "not read: no list of slots is as long (`slot-damaged`)",
    play: |rig| {
        let body = format!(r#"{{"slots":[{}""]}}"#, r#""","#.repeat(33 << 20));
        rig.answer("GET /agent/v1/slots", Answer::json(200, body));
        assert_eq!(warnings(&assert_code(rig.verify(), 1, "damage-found")), ["slot-damaged"]);
    },
};

pub const RECEIPT_WITHHELD: Behaviour<Rig> = Behaviour {
    name: "receipts-withheld",
    does: "Receipts are not given, or are another point's",
    outcome: "a restore needs none; verify names each point without one (`receipt-missing`)",
    play: |rig| {
        let another = fs::read(&rig.vault.objects(ObjectKind::Receipt)[0]).unwrap();
        for answer in [not_found(), octets(another)] {
            rig.answer("GET /agent/v1/receipts/*", answer);
            rig.restore().0.done();
            let outcome = assert_code(rig.verify(), 1, "damage-found");
            assert!(warnings(&outcome).iter().all(|code| code == "receipt-missing"), "{outcome:#?}");
        }
    },
};
