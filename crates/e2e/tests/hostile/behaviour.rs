//! A behaviour: what it is called, what is done, what comes of it, and the play that proves it.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// One line of the table. `S` is where it is played.
pub struct Behaviour<S> {
    /// Short and unique.
    pub name: &'static str,
    /// What the vault, or the holder of the keys, does; for people.
    pub does: &'static str,
    /// What comes of it; for people.
    pub outcome: &'static str,
    /// Plays it; panics if something else comes of it.
    pub play: fn(&mut S),
}

/// Plays all of them, each on a stage of its own.
pub fn play<S>(behaviours: &[Behaviour<S>], stage: impl Fn() -> S) {
    play_with(behaviours, |behaviour| (behaviour.play)(&mut stage()));
}

/// Plays all of them on one stage, one after another, and `after` each.
pub fn play_in_turn<S>(behaviours: &[Behaviour<S>], mut stage: S, after: impl Fn(&mut S)) {
    play_with(behaviours, |behaviour| {
        (behaviour.play)(&mut stage);
        after(&mut stage);
    });
}

/// Plays all, or only those whose name holds the text in `STATEWARD_BEHAVIOUR`.
fn play_with<S>(behaviours: &[Behaviour<S>], mut play: impl FnMut(&Behaviour<S>)) {
    let only = std::env::var("STATEWARD_BEHAVIOUR").unwrap_or_default();
    let mut failed = Vec::new();
    for behaviour in behaviours.iter().filter(|behaviour| behaviour.name.contains(&only)) {
        let begin = std::time::Instant::now();
        if catch_unwind(AssertUnwindSafe(|| play(behaviour))).is_err() {
            failed.push(behaviour.name);
        }
        eprintln!("{}: {:.1} s", behaviour.name, begin.elapsed().as_secs_f64());
    }
    assert!(failed.is_empty(), "something else came of {failed:?}");
}
