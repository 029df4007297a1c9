//! Very many, very long, very deep and very large, made up as it is read and proved as it is laid, so that nothing of it
//! is ever held. `STATEWARD_LONG=1` makes it a million files.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

#[path = "../server/mod.rs"]
mod server;

mod made_up;

use made_up::{MadeUp, Proving, Shape};
use server::Server;
use stateward_engine::{BackupRequest, RestoreRequest, VerifyShare};
use stateward_model::ItemKind;
use stateward_testing::is_long;
use std::collections::BTreeMap;

/// Backs it up twice, restores and verifies it.
fn comes_back(seed: u64, shape: Shape) {
    let mut server = Server::new(seed);
    let source = MadeUp::new(shape);
    for turn in 0..2 {
        server.clock.advance_seconds(3600);
        let request = BackupRequest {
            item: server.item,
            item_label: &"item".parse().unwrap(),
            kind: ItemKind::Files,
            source: &source,
            vault: &server.vault,
            trust: &server.trust,
            keys: &server.keys,
            signing_key: &server.signing_key,
            slots: &[],
            cache: &server.cache(),
            pinned_head: server.pinned_head,
            on_demand: None,
            prechecks: Vec::new(),
            made_by: "test",
            options: server.options,
        };
        let made = stateward_engine::backup(request, &server.tools()).unwrap();
        assert_eq!((made.warnings, made.files), (Vec::new(), shape.files()));
        assert_eq!(made.unchanged_files, if turn == 0 { 0 } else { shape.files() });
        server.pinned_head = Some(made.point);
    }
    let target = Proving::new(shape);
    let request = RestoreRequest {
        point: &server.latest(),
        vault: &server.vault,
        keys: &server.keys,
        components: &[],
        paths: &[],
        target: &target,
        cache: Some(&server.cache()),
        threads: 2,
    };
    let outcome = stateward_engine::restore(request, &server.tools()).unwrap();
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
