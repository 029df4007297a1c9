//! Lines that break: at many bytes of a backup and of a restore, and for some time.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use stateward_e2e::process::{DEADLINE, run, wait_until};
use stateward_e2e::relay::Relay;
use stateward_e2e::server::restored;
use stateward_e2e::{Dice, TestServer, TestVault, assert_same, rounds, tree};
use std::fs;
use std::path::PathBuf;

/// More than one pack of what does not compress.
const SOURCE_BYTES: usize = 24_000_000;

/// A server that reaches its vault over a line.
fn rig(seed: u64) -> (TestVault, TestServer, Relay, PathBuf) {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let relay = Relay::to(vault.address());
    let path = server.home().join("registration.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(vault.address()), "{text}");
    fs::write(path, text.replace(vault.address(), relay.address())).unwrap();
    let source = server.path("source");
    tree::plant_large(&source, SOURCE_BYTES, &mut Dice::new(seed));
    server.protect(&source);
    (vault, server, relay, source)
}

/// Some moments between so many bytes, early ones more often: there the small calls are.
fn moments(dice: &mut Dice) -> Vec<u64> {
    let moment = |_| {
        let most = 1 << (10 + dice.below(13));
        1 + dice.below(most)
    };
    (0..12).map(moment).collect()
}

#[test]
fn a_line_that_breaks_again_and_again_costs_time_and_nothing_else() {
    for round in 0..rounds(2) {
        let mut dice = Dice::new(100 + u64::from(round));
        let (_vault, server, relay, source) = rig(u64::from(round));
        relay.cut_after(moments(&mut dice));
        let told = run(server.command(["backup", "now", "--wait"])).done().last();
        assert_eq!(told["status"], "Completed", "{told:#}");
        let cut = relay.cut();
        assert!(cut >= 6, "the line broke {cut} times only in round {round}");
        let target = server.path("restored");
        relay.cut_after(moments(&mut dice));
        server.restore("latest", &target, &[]).done();
        assert!(relay.cut() > cut, "the line did not break in the restore of round {round}");
        assert_same(&source, &restored(&target, &source));
        server.run(["verify", "--full"]).done();
    }
}

#[test]
fn a_line_that_is_down_for_a_while_is_waited_for() {
    let (_vault, server, relay, _source) = rig(7);
    let backup = server.start(["backup", "now", "--wait", "--limit-rate", "4MB"]);
    let begun = relay.moved();
    wait_until("packs are on their way", DEADLINE, || (relay.moved() > begun + 4_000_000).then_some(()));
    relay.set_down(true);
    // Long enough that several tries fail, with their waits between.
    wait_until("the agent has tried again and again", DEADLINE, || (relay.refused() >= 4).then_some(()));
    relay.set_down(false);
    let told = backup.wait().done().last();
    assert_eq!(told["status"], "Completed", "{told:#}");
}
