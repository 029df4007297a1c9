//! Any history of a real folder equals what was there: changed by the kernel's own calls, walked as a protected item, backed
//! up, and restored, in memory and into a real folder. What was there is told by a look of the test's own ([`look`]).
//!
//! `STATEWARD_LONG=1` tries many more histories; `STATEWARD_SEED` tries those of a run that failed.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

mod changes;
mod look;
mod world;

use stateward_testing::history::{Step, hold_any};
use stateward_testing::is_long;
use world::World;

#[test]
fn every_recovery_point_gives_back_the_folder_that_was_there() {
    hold_any(if is_long() { 20_000 } else { 400 }, run);
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut world = World::new();
    for (number, step) in steps.iter().enumerate() {
        world.take(step).map_err(|why| format!("step {number}: {why}"))?;
    }
    world.check_everything()
}
