//! What can happen, in an order that chance gives. Steps name things by numbers, so that any part of a history is one too.

use proptest::collection::vec;
use proptest::prelude::*;

/// Chooses among what there is.
pub type Which = u16;

/// Content, by a seed and a length that is near something that matters.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    pub seed: u64,
    pub length: usize,
}

/// A change of the tree.
#[derive(Debug, Clone)]
pub enum Change {
    Create(Which, Bytes),
    CreateSparse(Which, Bytes),
    Write(Which, Bytes),
    /// As many bytes as before, and the time set back.
    WriteUnderOldTime(Which, u64),
    Append(Which, Bytes),
    WriteInside(Which, Which, Bytes),
    Truncate(Which, Which),
    Rename(Which, Which),
    RenameOver(Which, Which),
    Remove(Which),
    Chmod(Which, u32),
    Chown(Which, u32, u32),
    SetAttribute(Which, u8, Vec<u8>),
    RemoveAttribute(Which, u8),
    HardLink(Which, Which),
    SymbolicLink(Which, Vec<u8>),
    Special(Which, u8),
    Folder(Which),
    FileBecomesFolder(Which, Bytes),
    FolderBecomesFile(Which, Bytes),
    /// Another file with the number, size and time of the one that it replaces.
    SameNumber(Which, u64),
    SetTime(Which, i64),
}

/// How a backup ends.
#[derive(Debug, Clone, Copy)]
pub enum End {
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
    Change(Change),
    /// Nanoseconds.
    Wait(i64),
    Backup(End),
    /// A file is written, backed up, and written again within the clock's tick, so that no time tells.
    WriteWithinTick(Which, u64, i64),
    /// A point, any, is restored: whole, or what lies at one of its paths.
    Restore(Which, Option<Which>),
    LoseCache,
    DamageCache(Which, Which),
    ChangePassphrase,
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
