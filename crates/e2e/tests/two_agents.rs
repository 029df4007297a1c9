//! One home, one agent at a time.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

use rustix::process::Signal;
use stateward_e2e::process::{DEADLINE, wait_until};
use stateward_e2e::{Dice, TestServer, TestVault, tree};

#[test]
fn a_second_process_with_the_same_home_is_told_to_wait() {
    let vault = TestVault::start();
    let server = TestServer::registered(&vault);
    let source = server.path("source");
    tree::plant_large(&source, 40 << 20, &mut Dice::new(3));
    server.protect(&source);
    let mut first = server.start(["backup", "now", "--wait"]);
    wait_until("the first backup has begun", DEADLINE, || {
        assert!(first.is_alive(), "it ended before it could be stopped: {}", first.stdout());
        first.stdout().contains("progress").then_some(())
    });
    // Held in the middle of its work, so that nothing depends on who is quicker.
    first.signal(Signal::STOP);
    let second = server.run(["backup", "now", "--wait"]).expect_code(11);
    assert_eq!(second.error_code(), "busy");
    assert!(second.last()["message"].as_str().unwrap().contains(&first.pid().to_string()), "{second:#?}");
    first.signal(Signal::CONT);
    first.wait().done();
    server.backup();
}
