//! Two servers with the same data in one vault: each has its own deduplication domain, and they share nothing.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::vault::ObjectKind;
use stateward_e2e::{Dice, TestServer, TestVault, tree};

#[test]
fn the_second_of_two_equal_servers_costs_what_the_first_did() {
    let vault = TestVault::start();
    let mut uploaded = Vec::new();
    for _ in 0..2 {
        let server = TestServer::registered(&vault);
        let source = server.path("source");
        tree::plant(&source, tree::Size::PACKS, &mut Dice::new(21));
        server.protect(&source);
        let stored = vault.bytes_of(ObjectKind::Pack);
        let sent = server.backup()["bytes_uploaded"].as_u64().unwrap();
        assert_eq!(vault.bytes_of(ObjectKind::Pack) - stored, sent, "what is sent is stored, and no more");
        uploaded.push(sent);
    }
    println!("two servers, own domains: first {} bytes, second {} bytes", uploaded[0], uploaded[1]);
    // Each has its own keys: no pack of the one could be read, or even be recognised, with those of the other.
    let ratio = uploaded[1] as f64 / uploaded[0] as f64;
    assert!((0.98..=1.02).contains(&ratio), "{uploaded:?}");
}
