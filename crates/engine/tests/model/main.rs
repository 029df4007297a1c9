//! Any history equals the model: whatever is changed, backed up, broken off, restored and keyed anew, every recovery point
//! gives back the tree that was there when it was made.
//!
//! The model is the tree in memory itself: what it lists at the moment of a backup is remembered by the recovery point's
//! hash. `STATEWARD_LONG=1` tries many more histories; `STATEWARD_SEED` tries those of a run that failed.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]

#[path = "../server/mod.rs"]
mod server;

mod changes;
mod world;

use stateward_testing::history::{Step, hold_any};
use stateward_testing::is_long;
use world::World;

#[test]
fn every_recovery_point_gives_back_what_the_model_remembers() {
    hold_any(if is_long() { 100_000 } else { 1000 }, run);
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut world = World::new();
    for (number, step) in steps.iter().enumerate() {
        world.take(step).map_err(|why| format!("step {number}: {why}"))?;
    }
    world.check_everything()
}
