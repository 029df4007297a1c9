//! Very many, very long, very deep and very large, made up as it is read and proved as it is laid, so that nothing of it
//! is ever held. `STATEWARD_LONG=1` makes it a million files.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

#[path = "../server/mod.rs"]
mod server;

mod made_up;

use made_up::{MadeUp, Proving, Shape};
use server::Server;
use stateward_engine::VerifyShare;
use stateward_testing::is_long;
use std::collections::BTreeMap;

/// Backs it up twice, restores and verifies it.
fn comes_back(seed: u64, shape: Shape) {
    let mut server = Server::new(seed);
    let source = MadeUp::new(shape);
    for turn in 0..2 {
        server.clock.advance_seconds(3600);
        let made = server.try_backup_of(&source).unwrap();
        assert_eq!((made.warnings, made.files), (Vec::new(), shape.files()));
        assert_eq!(made.unchanged_files, if turn == 0 { 0 } else { shape.files() });
    }
    let target = Proving::new(shape);
    let outcome = server.try_restore(&server.latest(), &[], &[], &target, Some(&server.cache())).unwrap();
    assert_eq!((outcome.warnings, outcome.lost), (Vec::new(), Vec::new()));
    target.assert_whole();
    assert_eq!(server.verify(VerifyShare::Full, &BTreeMap::new()).problems, []);
}

#[test]
fn very_many_files_come_back() {
    comes_back(81, Shape::Many { files: if is_long() { 1_000_000 } else { 100_000 } });
}

#[test]
fn very_many_and_very_long_names_in_one_folder_come_back() {
    comes_back(82, Shape::OneFolder { files: 100_000 });
}

#[test]
fn folders_that_lie_very_deep_come_back() {
    comes_back(83, Shape::Deep { levels: 4000 });
}

#[test]
fn a_terabyte_of_holes_comes_back() {
    comes_back(84, Shape::Terabyte);
}
