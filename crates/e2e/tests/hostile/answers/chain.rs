//! Which recovery points there are, and which is the newest.

use super::{Rig, assert_code, warnings};
use crate::behaviour::Behaviour;
use serde_json::{Value, json};

/// What a list of points names, by number.
fn numbered(list: &mut Value) -> &mut Vec<Value> {
    let points = list["points"].as_array_mut().unwrap();
    points.sort_by_key(|point| point["sequence"].as_u64());
    points
}

pub const ROLLED_BACK_LIST: Behaviour<Rig> = Behaviour {
    name: "newest-point-hidden",
    does: "The list of recovery points lacks the newest one",
    outcome: "a restore of the latest takes the one before, says so (`vault-rolled-back`) and ends with exit code 3; verify \
              finds it",
    play: |rig| {
        rig.twist_json("GET /agent/v1/points", |list| drop(numbered(list).pop()));
        let outcome = rig.restore().0.expect_code(3);
        assert_eq!(warnings(&outcome), ["vault-rolled-back"]);
        let outcome = assert_code(rig.verify(), 1, "damage-found");
        assert_eq!(warnings(&outcome), ["vault-rolled-back"]);
    },
};

/// A backup says what it found at the head, and goes on from its own newest point.
fn head(rig: &Rig, warning: &str, twist: impl Fn(&mut Value) + Clone + Send + 'static) {
    rig.twist_json("POST /agent/v1/sessions", move |opened| twist(&mut opened["head"]));
    let outcome = rig.backup().expect_code(3);
    assert_eq!(warnings(&outcome), [warning]);
}

pub const ROLLED_BACK_HEAD: Behaviour<Rig> = Behaviour {
    name: "head-rolled-back",
    does: "A session is opened with an older recovery point, or none, as the newest",
    outcome: "the backup says so (`vault-rolled-back`) and goes on, so that the server stays protected",
    play: |rig| {
        let first = rig.list().done().json().last().unwrap().clone();
        head(rig, "vault-rolled-back", move |head| {
            head["sequence"] = first["sequence"].clone();
            head["hash"] = first["recovery_point"].clone();
        });
        head(rig, "vault-rolled-back", |head| *head = Value::Null);
    },
};

pub const FORKED_HEAD: Behaviour<Rig> = Behaviour {
    name: "head-forked",
    does: "A session is opened with another recovery point at the newest one's place, or one after it that nobody signed",
    outcome: "the backup says so (`point-missing`) and goes on from its own newest point",
    play: |rig| {
        head(rig, "point-missing", |head| head["hash"] = json!("ab".repeat(32)));
        head(rig, "point-missing", |head| {
            head["hash"] = json!("ab".repeat(32));
            head["sequence"] = json!(head["sequence"].as_u64().unwrap() + 1);
        });
    },
};

pub const LAST_NUMBER: Behaviour<Rig> = Behaviour {
    name: "head-of-the-last-number",
    does: "The newest recovery point is said to have the highest number that there is",
    outcome: "the same",
    play: |rig| head(rig, "point-missing", |head| head["sequence"] = json!(u64::MAX)),
};

pub const INVENTED: Behaviour<Rig> = Behaviour {
    name: "point-invented",
    does: "The list names a newest recovery point that is not there",
    outcome: "it is shown as damaged, and an older one is not taken for the latest in silence",
    play: |rig| {
        rig.twist_json("GET /agent/v1/points", |list| {
            let mut invented = numbered(list).last().unwrap().clone();
            invented["sequence"] = json!(1000);
            invented["hash"] = json!("ab".repeat(32));
            numbered(list).push(invented);
        });
        let (outcome, target) = rig.restore();
        assert_code(outcome, 1, "recovery-point-damaged");
        assert!(!target.exists());
        assert!(rig.list().json().iter().any(|line| line["code"] == "recovery-point-damaged"));
    },
};

pub const TWICE: Behaviour<Rig> = Behaviour {
    name: "points-listed-twice",
    does: "The list names each recovery point twice, backwards",
    outcome: "harmless: each is shown once, in order",
    play: |rig| {
        let before = rig.list().done().stdout;
        rig.twist_json("GET /agent/v1/points", |list| {
            let points = numbered(list);
            points.extend_from_within(..);
            points.reverse();
        });
        assert_eq!(rig.list().done().stdout, before);
    },
};
