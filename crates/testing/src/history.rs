//! What can happen to a server, in an order that chance gives, for tests that hold it against a model. Steps name things
//! by numbers, so that any part of a history is one too.
//!
//! A test prints its seed, and `STATEWARD_SEED` gives it another; see [`hold_any`].

use crate::SeededRandom;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use stateward_model::{Random as _, SystemRandom};

/// Chooses among what there is.
pub type Which = u16;

/// Content, by a seed and a length that is near something that matters.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// Of few, so that content comes twice.
    pub seed: u64,
    /// How many.
    pub length: usize,
}

impl Bytes {
    /// The bytes themselves.
    pub fn get(self) -> Vec<u8> {
        SeededRandom::new(self.seed).bytes(self.length)
    }
}

/// A change of the tree.
#[derive(Debug, Clone)]
pub enum Change {
    /// A file.
    Create(Which, Bytes),
    /// A file that is mostly a hole.
    CreateSparse(Which, Bytes),
    /// Other content.
    Write(Which, Bytes),
    /// As many bytes as before, and the time set back.
    WriteUnderOldTime(Which, u64),
    /// More content.
    Append(Which, Bytes),
    /// Other content from a place on: file, place, content.
    WriteInside(Which, Which, Bytes),
    /// Cut, or lengthened by a hole.
    Truncate(Which, Which),
    /// Another name for the same thing.
    Rename(Which, Which),
    /// A file in the place of another.
    RenameOver(Which, Which),
    /// Gone, with all that it holds.
    Remove(Which),
    /// Other permission bits.
    Chmod(Which, u32),
    /// Another owner and group.
    Chown(Which, u32, u32),
    /// An extended attribute: which one, and its value.
    SetAttribute(Which, u8, Vec<u8>),
    /// An extended attribute less.
    RemoveAttribute(Which, u8),
    /// A second name.
    HardLink(Which, Which),
    /// A link with that text.
    SymbolicLink(Which, Vec<u8>),
    /// A pipe, socket or device.
    Special(Which, u8),
    /// A folder.
    Folder(Which),
    /// A folder with a file in it, in the place of a file.
    FileBecomesFolder(Which, Bytes),
    /// A file in the place of a folder and all that it held.
    FolderBecomesFile(Which, Bytes),
    /// Another file with the number, size and time of the one that it replaces.
    SameNumber(Which, u64),
    /// Another time of the last change of content.
    SetTime(Which, i64),
}

/// How a backup ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// As it should.
    Well,
    /// From this call on the vault is gone: the machine or the line broke down.
    Broken(u64),
    /// This call is done, its answer lost, and the vault gone after it.
    AnswerLost(u64),
    /// Told to stop at this call.
    Cancelled(u64),
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// The tree changes.
    Change(Change),
    /// Time passes, in nanoseconds.
    Wait(i64),
    /// A backup, and how it ends.
    Backup(End),
    /// A file is written, backed up, and written again within the clock's tick, so that no time tells.
    WriteWithinTick(Which, u64, i64),
    /// A point, any, is restored: whole, or what lies at one of its paths.
    Restore(Which, Option<Which>),
    /// The cache folder is gone.
    LoseCache,
    /// A bit of a file of the cache folder turns: which file, where.
    DamageCache(Which, Which),
    /// One more key slot for the same data key.
    ChangePassphrase,
    /// Another data key from now on.
    NewEpoch,
}

fn which() -> impl Strategy<Value = Which> {
    any::<Which>()
}

fn bytes() -> impl Strategy<Value = Bytes> {
    let lengths = prop_oneof![
        6 => 0usize..40,
        3 => (16usize << 10).saturating_sub(2)..(16 << 10) + 3,
        2 => 60_000usize..300_000,
        1 => (1usize << 20)..(3 << 20),
    ];
    (any::<u64>(), lengths).prop_map(|(seed, length)| Bytes { seed: seed % 50, length })
}

fn changes() -> impl Strategy<Value = Change> {
    let names = prop_oneof![
        4 => (which(), bytes()).prop_map(|(at, bytes)| Change::Create(at, bytes)),
        1 => (which(), bytes()).prop_map(|(at, bytes)| Change::CreateSparse(at, bytes)),
        1 => which().prop_map(Change::Folder),
        1 => (which(), vec(1u8.., 1..20)).prop_map(|(at, target)| Change::SymbolicLink(at, target)),
        1 => (which(), any::<u8>()).prop_map(|(at, kind)| Change::Special(at, kind)),
        2 => (which(), which()).prop_map(|(from, to)| Change::Rename(from, to)),
        2 => (which(), which()).prop_map(|(from, to)| Change::RenameOver(from, to)),
        2 => (which(), which()).prop_map(|(from, to)| Change::HardLink(from, to)),
        3 => which().prop_map(Change::Remove),
        1 => (which(), bytes()).prop_map(|(at, bytes)| Change::FileBecomesFolder(at, bytes)),
        1 => (which(), bytes()).prop_map(|(at, bytes)| Change::FolderBecomesFile(at, bytes)),
        2 => (which(), any::<u64>()).prop_map(|(at, seed)| Change::SameNumber(at, seed)),
    ];
    let contents = prop_oneof![
        3 => (which(), bytes()).prop_map(|(at, bytes)| Change::Write(at, bytes)),
        3 => (which(), any::<u64>()).prop_map(|(at, seed)| Change::WriteUnderOldTime(at, seed)),
        2 => (which(), bytes()).prop_map(|(at, bytes)| Change::Append(at, bytes)),
        2 => (which(), which(), bytes()).prop_map(|(at, offset, bytes)| Change::WriteInside(at, offset, bytes)),
        2 => (which(), which()).prop_map(|(at, length)| Change::Truncate(at, length)),
    ];
    let metadata = prop_oneof![
        (which(), 0u32..0o10000).prop_map(|(at, mode)| Change::Chmod(at, mode)),
        (which(), 0u32..9, 0u32..9).prop_map(|(at, user, group)| Change::Chown(at, user, group)),
        (which(), 0u8..3, vec(any::<u8>(), 0..9))
            .prop_map(|(at, name, value)| Change::SetAttribute(at, name, value)),
        (which(), 0u8..3).prop_map(|(at, name)| Change::RemoveAttribute(at, name)),
        (which(), any::<i64>()).prop_map(|(at, time)| Change::SetTime(at, time)),
    ];
    prop_oneof![4 => names, 4 => contents, 2 => metadata]
}

fn steps() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![
        5 => Just(End::Well),
        2 => (1u64..12).prop_map(End::Broken),
        2 => (1u64..12).prop_map(End::AnswerLost),
        1 => (1u64..12).prop_map(End::Cancelled),
    ];
    let waits = prop_oneof![
        Just(1),
        Just(999_999_999),
        Just(1_999_999_999),
        Just(2_000_000_000),
        Just(2_000_000_001),
        Just(3_600_000_000_000),
    ];
    prop_oneof![
        24 => changes().prop_map(Step::Change),
        6 => waits.prop_map(Step::Wait),
        10 => ends.prop_map(Step::Backup),
        2 => (which(), any::<u64>(), 0i64..2_000_000_000).prop_map(|(at, seed, wait)| Step::WriteWithinTick(at, seed, wait)),
        4 => (which(), proptest::option::of(which())).prop_map(|(point, path)| Step::Restore(point, path)),
        1 => Just(Step::LoseCache),
        1 => (which(), which()).prop_map(|(file, at)| Step::DamageCache(file, at)),
        1 => Just(Step::ChangePassphrase),
        1 => Just(Step::NewEpoch),
    ]
}

/// Histories of up to 50 steps.
pub fn histories() -> impl Strategy<Value = Vec<Step>> {
    vec(steps(), 1..50)
}

/// How many threads a processor has histories from: they wait for disks most of the time.
const THREADS_PER_PROCESSOR: u32 = 2;

/// Takes that many histories through `run`, on several threads; one that it refuses is made as short as it gets, and fails the test
/// with its reason and the seed of its thread.
///
/// # Panics
/// When a history is refused.
pub fn hold_any(cases: u32, run: impl Fn(&[Step]) -> Result<(), String> + Sync) {
    let given = std::env::var("STATEWARD_SEED").ok().and_then(|text| text.parse().ok());
    let held = match given {
        // All of them by one seed, so those that its thread tried are among them.
        Some(seed) => vec![hold(seed, cases, &run)],
        None => {
            let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
            let threads = processors * THREADS_PER_PROCESSOR;
            std::thread::scope(|scope| {
                let begin = |_| scope.spawn(|| hold(any_seed(), cases.div_ceil(threads), &run));
                let begun: Vec<_> = (0..threads).map(begin).collect();
                begun.into_iter().map(|thread| thread.join().expect("what it runs catches panics")).collect()
            })
        }
    };
    let refused: Vec<String> = held.into_iter().filter_map(Result::err).collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

fn any_seed() -> u64 {
    let mut bytes = [0; 8];
    SystemRandom.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Takes the histories of a seed through `run`; the first that is refused, at its shortest.
fn hold(seed: u64, cases: u32, run: &impl Fn(&[Step]) -> Result<(), String>) -> Result<(), String> {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let told = |steps: &[Step]| {
        steps.iter().enumerate().map(|(number, step)| format!("{number:3} {step:?}\n")).collect::<String>()
    };
    let outcome = runner.run(&histories(), |steps| {
        run(&steps).map_err(|why| TestCaseError::fail(format!("{why}\n{}", told(&steps))))
    });
    outcome.map_err(|error| format!("{error}\nRun it again with STATEWARD_SEED={seed}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn all_histories_are_tried_and_one_that_is_refused_is_told_with_a_seed_that_finds_it_again() {
        let tried = AtomicU32::new(0);
        hold_any(101, |_| {
            tried.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        assert!(tried.into_inner() >= 101);
        let short = |steps: &[Step]| if steps.len() < 40 { Ok(()) } else { Err("too long".to_owned()) };
        let refused = hold(7, 1000, &short).unwrap_err();
        assert!(refused.contains("too long") && refused.ends_with("STATEWARD_SEED=7"), "{refused}");
        assert_eq!(hold(7, 2000, &short).unwrap_err(), refused);
        let panicked = hold(7, 10, &|_: &[Step]| panic!("a mistake")).unwrap_err();
        assert!(panicked.contains("a mistake"), "{panicked}");
    }
}
