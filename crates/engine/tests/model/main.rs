//! Any history equals the model: whatever is changed, backed up, broken off, restored and keyed anew, every recovery point
//! gives back the tree that was there when it was made.
//!
//! The model is the tree in memory itself: what it lists at the moment of a backup is remembered by the recovery point's
//! hash. `STATEWARD_LONG=1` tries many more histories; `STATEWARD_SEED` tries those of a run that failed.

#[path = "../server/mod.rs"]
mod server;

mod changes;
mod history;
mod world;

use history::{Step, histories};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use stateward_model::{Random as _, SystemRandom};
use world::World;

#[test]
fn every_recovery_point_gives_back_what_the_model_remembers() {
    let seed = seed();
    let cases = if std::env::var("STATEWARD_LONG").is_ok_and(|value| value == "1") { 100_000 } else { 1000 };
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let run = runner.run(&histories(), |steps| {
        run(&steps).map_err(|why| TestCaseError::fail(format!("{why}\n{}", told(&steps))))
    });
    if let Err(error) = run {
        panic!("{error}\nRun it again with STATEWARD_SEED={seed}");
    }
}

fn seed() -> u64 {
    let given = std::env::var("STATEWARD_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or_else(|| {
        let mut bytes = [0; 8];
        SystemRandom.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    })
}

fn run(steps: &[Step]) -> Result<(), String> {
    let mut world = World::new();
    for (number, step) in steps.iter().enumerate() {
        world.take(step).map_err(|why| format!("step {number}: {why}"))?;
    }
    world.check_everything()
}

fn told(steps: &[Step]) -> String {
    steps.iter().enumerate().map(|(number, step)| format!("{number:3} {step:?}\n")).collect()
}
