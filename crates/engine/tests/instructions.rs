//! Small runs whose instructions `scripts/count-instructions.sh` counts: one thread of each kind, a fixed seed, nothing but
//! memory and a cache folder. Each test goes one phase further than the one before it.

mod server;

use server::Server;
use stateward_engine::{BackupOptions, VerifyShare};
use stateward_testing::SeededRandom;
use std::collections::BTreeMap;

fn backed_up() -> Server {
    let mut server = Server::new(5);
    server.options = BackupOptions { threads: 1, ..server.options };
    let tree = server.tree.component("files");
    for number in 0..500 {
        tree.file(format!("small/{number}"), format!("content {number} ").repeat(100).as_bytes());
    }
    tree.random_file("large", 4 << 20, 1);
    let block = SeededRandom::new(2).bytes(1 << 20);
    tree.sparse_file("disk.img", 16 << 20, &[(0, &block), (8 << 20, &block)]);
    let outcome = server.backup();
    assert_eq!((outcome.files, outcome.unchanged_files), (502, 0));
    server
}

#[test]
fn first() {
    backed_up();
}

#[test]
fn first_unchanged() {
    let mut server = backed_up();
    assert_eq!(server.backup().unchanged_files, 502);
}

#[test]
fn first_restore() {
    assert_eq!(backed_up().restore().0.files, 502);
}

#[test]
fn first_verify() {
    assert_eq!(backed_up().verify(VerifyShare::Full, &BTreeMap::new()).problems, []);
}
