//! Sessions, commits and receipts; who answers, and whether at all.

use super::{Rig, assert_code};
use crate::behaviour::Behaviour;
use crate::proxy::{Answer, Asked, Reply};
use serde_json::{Value, json};
use stateward_crypto::SigningKey;
use stateward_e2e::vault::ObjectKind;
use stateward_format::receipt;
use stateward_model::Timestamp;
use stateward_testing::SeededRandom;
use std::fs;
use std::sync::{Arc, Mutex};

pub const REPLAYED: Behaviour<Rig> = Behaviour {
    name: "session-replayed",
    does: "The answer to an earlier session is given again",
    outcome: "refused: it is for another session than was asked for (`vault-answer`)",
    play: |rig| {
        let earlier: Arc<Mutex<Option<Answer>>> = Arc::default();
        rig.lie_about("POST /agent/v1/sessions", move |_: &Asked| {
            let known = earlier.lock().unwrap().clone();
            match known {
                Some(answer) => Reply::Instead(answer),
                None => {
                    let earlier = earlier.clone();
                    Reply::Twisted(Box::new(move |answer| earlier.lock().unwrap().insert(answer).clone()))
                }
            }
        });
        rig.backup().done();
        assert_code(rig.backup(), 1, "vault-answer");
    },
};

/// The packs that there are, as a session lists them.
fn packs(rig: &Rig) -> Vec<Value> {
    let objects = rig.vault.objects(ObjectKind::Pack);
    let pack = |path: &std::path::PathBuf| {
        let id = path.file_name().unwrap().to_str().unwrap();
        json!({ "id": id, "length": fs::metadata(path).unwrap().len() })
    };
    objects.iter().map(pack).collect()
}

pub const PACKS_INVENTED: Behaviour<Rig> = Behaviour {
    name: "packs-invented",
    does: "A session lists packs that the server never sent, twice, and of lengths that none has",
    outcome: "harmless: they can't be had or opened, so nothing is taken for stored; the backup is whole",
    play: |rig| {
        let mut packs = packs(rig);
        packs.extend((0..4).map(|n| json!({ "id": format!("{n}").repeat(64), "length": 1000 })));
        packs.push(json!({ "id": "e".repeat(64), "length": u32::MAX }));
        packs.push(json!({ "id": "f".repeat(64), "length": 0 }));
        packs.extend_from_within(..);
        rig.lose_cache();
        rig.twist_json("POST /agent/v1/sessions", move |opened| opened["packs"] = packs.clone().into());
        rig.backup().done();
    },
};

pub const LEASE: Behaviour<Rig> = Behaviour {
    name: "lease-of-no-time",
    does: "A session's lease is over at once, and it is to be renewed every 0 seconds",
    outcome: "harmless: it is renewed once a second",
    play: |rig| {
        rig.twist_json("POST /agent/v1/sessions", |opened| {
            opened["lease"]["leaseSeconds"] = json!(0);
            opened["lease"]["heartbeatSeconds"] = json!(0);
        });
        rig.backup().done();
    },
};

pub const PACKS_MISSING: Behaviour<Rig> = Behaviour {
    name: "packs-always-missing",
    does: "Each commit is refused, since five thousand packs are said to be missing",
    outcome: "what is missing is sent again, a few times; then the backup fails (`packs-missing`)",
    play: |rig| {
        let mut packs: Vec<Value> = packs(rig).iter().map(|pack| pack["id"].clone()).collect();
        packs.extend((0..5000).map(|number| json!(format!("{number:064x}"))));
        let error = json!({ "code": "PacksMissing", "message": "Packs are missing", "packs": packs });
        rig.answer(
            "POST /agent/v1/sessions/*/commit",
            Answer::json(409, json!({ "error": error }).to_string()),
        );
        assert_code(rig.backup(), 1, "packs-missing");
    },
};

fn octets(body: Vec<u8>) -> Answer {
    Answer { status: 200, headers: Vec::new(), body }
}

/// A commit is done, and answered with what this makes of the receipt.
fn receipt(rig: &Rig, change: impl Fn(Vec<u8>) -> Vec<u8> + Clone + Send + 'static) {
    rig.twist("POST /agent/v1/sessions/*/commit", move |answer| {
        answer.body = change(std::mem::take(&mut answer.body));
    });
}

const REFUSED: &str =
    "the backup fails (`vault-answer`): nothing counts as acknowledged; the next one goes on";

pub const RECEIPT_GARBAGE: Behaviour<Rig> = Behaviour {
    name: "receipt-garbage",
    does: "A commit is answered with nothing, with half a receipt, with one that has a byte behind it, with garbage",
    outcome: REFUSED,
    play: |rig| {
        let wrong: [fn(Vec<u8>) -> Vec<u8>; 4] = [
            |_| Vec::new(),
            |bytes| bytes[..bytes.len() / 2].to_vec(),
            |bytes| [bytes, vec![0]].concat(),
            |bytes| vec![0x55; bytes.len()],
        ];
        for change in wrong {
            receipt(rig, change);
            assert_code(rig.backup(), 1, "vault-answer");
        }
    },
};

pub const RECEIPT_OLD: Behaviour<Rig> = Behaviour {
    name: "receipt-replayed",
    does: "A commit is not done, and answered with the receipt of an earlier recovery point",
    outcome: REFUSED,
    play: |rig| {
        let old = fs::read(rig.vault.objects(ObjectKind::Receipt).last().unwrap()).unwrap();
        rig.answer("POST /agent/v1/sessions/*/commit", octets(old));
        assert_code(rig.backup(), 1, "vault-answer");
    },
};

/// The receipt with another time, signed with that key.
fn signed_anew(object: &[u8], at: Timestamp, key: &SigningKey) -> Vec<u8> {
    let (mut told, _, _) = receipt::decode(object).unwrap();
    told.received_at = at;
    let unsigned = receipt::encode_unsigned(&told);
    let signature = key.sign(&unsigned);
    receipt::finish(unsigned, signature)
}

pub const RECEIPT_SIGNED_BY_ANOTHER: Behaviour<Rig> = Behaviour {
    name: "receipt-signed-by-another",
    does: "A commit is answered with a right receipt that another key signed",
    outcome: REFUSED,
    play: |rig| {
        receipt(rig, |object| {
            let stranger = SigningKey::generate(&SeededRandom::new(5));
            let (told, _, _) = receipt::decode(&object).unwrap();
            signed_anew(&object, told.received_at, &stranger)
        });
        assert_code(rig.backup(), 1, "vault-answer");
    },
};

pub const RECEIPT_TIME: Behaviour<Rig> = Behaviour {
    name: "receipt-of-any-time",
    does: "The vault signs that it took a recovery point in 1677, or in 2262",
    outcome: "harmless here: it is the vault's word and shown as such; what an agent decides hangs on no such time",
    play: |rig| {
        let seed: [u8; 32] = fs::read(rig.vault.data().join("signing.key")).unwrap().try_into().unwrap();
        for at in [i64::MIN, i64::MAX] {
            receipt(rig, move |object| signed_anew(&object, Timestamp(at), &SigningKey::from_seed(seed)));
            rig.backup().done();
            rig.list().done();
        }
    },
};

pub const ANOTHER_VAULT: Behaviour<Rig> = Behaviour {
    name: "another-vault",
    does: "Whoever answers says that it is another vault",
    outcome: "refused before anything is sent (`wrong-vault`)",
    play: |rig| {
        rig.twist_json("GET /agent/v1/server", |server| {
            server["vault"] = json!("00000000-0000-4000-8000-000000000000");
        });
        assert_code(rig.list(), 10, "wrong-vault");
        assert_code(rig.backup(), 10, "wrong-vault");
    },
};

pub const TOKENS: Behaviour<Rig> = Behaviour {
    name: "tokens-that-are-none",
    does: "Signing in gives an empty token, one with a line break in it, one of a megabyte, one that is good for ever",
    outcome: "what can't be a token is refused (`vault-answer`); any time is held to a day at most",
    play: |rig| {
        let line = "POST *token";
        for token in
            [json!(""), json!("a\r\nx-evil: b"), json!("\u{e9}"), json!(7), json!("a".repeat(1 << 20))]
        {
            rig.twist_json(line, move |answer| answer["access_token"] = token.clone());
            assert_code(rig.list(), 1, "vault-answer");
        }
        for seconds in [0, u64::MAX] {
            rig.twist_json(line, move |answer| answer["expires_in"] = json!(seconds));
            rig.list().done();
        }
    },
};

pub const REFUSES: Behaviour<Rig> = Behaviour {
    name: "token-never-good",
    does: "Each call is answered with `sign in again`, for ever",
    outcome: "it is signed in anew once; then the command fails (`server-refused`)",
    play: |rig| {
        rig.answer("GET /agent/v1/points", Answer::refusal(401, "AuthenticationFailed", "Unknown token"));
        assert_code(rig.list(), 13, "server-refused");
    },
};
