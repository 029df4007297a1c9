//! Somebody who swaps the folders of a restore's target for symbolic links that lead out, and back, as fast as he can.

use crate::stage::Stage;
use rustix::fs::{CWD, Mode, OFlags, openat, renameat, symlinkat};
use stateward_e2e::is_long;
use stateward_format::StreamReference;
use stateward_testing::forge::{Segment, attributes, kinds, stream};
use stateward_testing::{ForgedEntry, ForgedPack};
use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Folders in what is restored.
const FOLDERS: usize = 60;

/// Names of files that lie outside too, so that whoever is led there would find them.
const OUTSIDE: [&str; 4] = ["file", "link", "pipe", "same"];

/// How many times something was swapped, in all restores together.
fn turns() -> u64 {
    if is_long() { 100_000 } else { 4_000 }
}

/// In each of many folders, an entry of each kind with all metadata that can be set, of names that are outside too.
fn plant(stage: &mut Stage) {
    let chunk = [stage.honest()];
    let marked = |entry: ForgedEntry| {
        entry.mode(0o4777).owner(1234, 4321).extended_attribute(b"user.racer", b"was here")
    };
    let (mut pack, mut chunks) =
        (ForgedPack::default().with(&stage.forger.keys, crate::stage::HONEST), Vec::new());
    let mut segment = Segment::begin();
    for number in 0..FOLDERS {
        segment = segment.with(&marked(ForgedEntry::folder(format!("d{number:03}"))));
        let entries = [
            marked(ForgedEntry::file("file", &chunk)),
            marked(ForgedEntry::folder("folder")),
            marked(ForgedEntry::file("inner", &chunk)),
        ];
        segment = entries.iter().fold(segment, |segment, entry| segment.with(entry)).leave();
        let entries = [
            ForgedEntry::link("link", "elsewhere")
                .owner(1234, 4321)
                .with(attributes::MODIFIED_AT, vec![0; 8]),
            marked(ForgedEntry::new(kinds::FIFO, "pipe")),
            marked(ForgedEntry::file("rest", &chunk)).hard_linked(number as u64),
            marked(ForgedEntry::file("same", &chunk)).hard_linked(number as u64),
        ];
        segment = entries.iter().fold(segment, |segment, entry| segment.with(entry)).leave();
    }
    pack = pack.with(&stage.forger.keys, segment.bytes());
    chunks.push(stage.forger.chunk(segment.bytes()));
    let pack = stage.forger.put_pack(&pack);
    let files: StreamReference = stream(&chunks);
    stage.point(files, &[pack]);
    stage.lay_out();
}

/// A folder, never reached through a link: a racer that was led outside by his own would prove nothing.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Swaps whatever folder it finds for a link that leads to `outside`, and back, until it is told to stop; sometimes it
/// leaves the link. Tells how often it did.
fn race(target: &Path, aside: &Path, outside: &Path, is_over: &AtomicBool) -> u64 {
    let aside = openat(CWD, aside, FOLDER, Mode::empty()).unwrap();
    let (mut turns, mut number) = (0, 0_usize);
    while !is_over.load(Ordering::Relaxed) {
        number += 1;
        let Ok(top) = openat(CWD, target, FOLDER, Mode::empty()) else { continue };
        let name = format!("d{:03}", number % FOLDERS);
        turns += u64::from(swap((&top, &name), &aside, outside, number));
        let Ok(folder) = openat(&top, &name, FOLDER, Mode::empty()) else { continue };
        turns += u64::from(swap((&folder, "folder"), &aside, &outside.join("folder"), number));
        // A file that was just made gives way to a link to one outside, too.
        let name = OUTSIDE[number % OUTSIDE.len()];
        if renameat(&folder, name, &aside, "file").is_ok() {
            turns += u64::from(symlinkat(outside.join(name), &folder, name).is_ok());
        }
    }
    turns
}

/// Swaps one folder, and mostly back.
fn swap((within, name): (&OwnedFd, &str), aside: &OwnedFd, to: &Path, number: usize) -> bool {
    let away = format!("away-{number}");
    // It may be there from the last turn.
    let _ = symlinkat(to, aside, name);
    if renameat(within, name, aside, &away).is_err() {
        return false;
    }
    if renameat(aside, name, within, name).is_ok() && !number.is_multiple_of(50) {
        let _ = renameat(within, name, aside, name);
    }
    let _ = renameat(aside, &away, within, name);
    true
}

/// Tells the racers to stop, also when something fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_racer_gains_nothing() {
    let mut stage = Stage::new();
    plant(&mut stage);
    let (mut raced, mut restores, mut whole) = (0, 0, 0);
    while raced < turns() {
        let target = stage.path("target");
        let asides = ["one", "two"].map(|racer| stage.path(&format!("aside-{racer}")));
        asides.iter().for_each(|aside| fs::create_dir(aside).unwrap());
        let (is_over, outside) = (AtomicBool::new(false), stage.outside.path().to_owned());
        let outcome = std::thread::scope(|scope| {
            let (target, outside, is_over) = (&*target, &*outside, &is_over);
            let racers =
                asides.each_ref().map(|aside| scope.spawn(move || race(target, aside, outside, is_over)));
            let over = Over(is_over);
            let outcome = stage.run(stage.restore_command().0);
            drop(over);
            raced += racers.map(|racer| racer.join().unwrap()).iter().sum::<u64>();
            outcome
        });
        // Whole, or with each thing named that is not.
        match outcome.code() {
            Some(0 | 3) => whole += 1,
            _ => assert_eq!(outcome.expect_code(1).error_code(), "files-lost"),
        }
        stage.outside.assert_untouched();
        restores += 1;
        for folder in asides.iter().chain([&target]) {
            fs::remove_dir_all(folder).unwrap();
        }
        stage.outside.assert_untouched();
    }
    eprintln!("{raced} swaps in {restores} restores, {whole} of them whole");
}
