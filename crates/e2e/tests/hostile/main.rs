//! A vault that lies, and points forged by a holder of the keys, against the real programs.
//!
//! One table, in three parts: what a vault answers ([`answers`]), what lies in its store ([`objects`]), what a holder of
//! the keys has sealed and signed ([`forged`]). Each behaviour has a name, says what is done and what comes of it, and is
//! played. Whatever is played, the agent stays within bounded memory and time, and a folder outside of the target stays
//! as it was. `docs/hostile-vaults.md` is written from the same table.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![allow(clippy::print_stderr, reason = "which behaviour failed is told with its failure")]
#![cfg(target_os = "linux")]

mod answers;
mod behaviour;
mod forged;
mod objects;
mod page;
mod proxy;
mod racer;
mod stage;

use behaviour::{play, play_in_turn};

#[test]
fn a_vault_that_lies_about_points_and_packs() {
    play_in_turn(answers::parts().0, answers::Rig::new(), answers::Rig::assert_mended);
}

#[test]
fn a_vault_that_lies_in_sessions_and_in_the_form_of_its_answers() {
    play_in_turn(answers::parts().1, answers::Rig::new(), answers::Rig::assert_mended);
}

#[test]
fn a_store_whose_objects_were_exchanged() {
    play(objects::ALL, stage::Stage::new);
}

#[test]
fn points_forged_by_a_holder_of_the_keys() {
    play(forged::ALL, stage::Stage::new);
}
