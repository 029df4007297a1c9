//! What lies where on the volume, and what becomes of it.

use super::{CLUSTER_BYTES, VolumeWish};
use crate::SeededRandom;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What a cluster holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cluster {
    /// Nothing: it is free.
    Free,
    /// The boot sector.
    Boot,
    /// A part of the bitmap, by its number.
    Bitmap(u32),
    /// Records of the table, by the first one's number.
    Records(u32),
    /// A file's part, by their numbers.
    File(u32, u32),
    /// The same of a file before which so many bytes were put.
    Shifted(u32, u32, u16),
}

/// How many records a cluster holds.
pub(super) const RECORDS: u32 = (CLUSTER_BYTES / 1024) as u32;

/// A file that lies on the volume, or will.
#[derive(Debug)]
pub(super) struct Thing {
    pub path: PathBuf,
    pub bytes: u64,
    /// Where it lies.
    pub clusters: Vec<u32>,
    /// How often it was written.
    pub written: u64,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Layout {
    pub clusters: Vec<Cluster>,
    pub things: Vec<Thing>,
    /// Of what is new later on: its place in `things`, and its part.
    reserve: (usize, u32),
    /// How many files lie on the volume.
    files: usize,
    /// Where free clusters are looked for next.
    next_free: usize,
    pub changed: u64,
    pub new: u64,
}

/// So many hundredths of the volume are in use at first.
const FULL: u64 = 88;

/// No longer file is taken: one alone shall not make the volume.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// In how long pieces clusters are written over in place: pages of databases and of hives, and ends of logs.
const RUNS: [u32; 9] = [1, 1, 1, 1, 2, 4, 8, 16, 64];

/// How many clusters a length takes.
fn clusters_of(bytes: u64) -> u32 {
    bytes.div_ceil(CLUSTER_BYTES) as u32
}

/// All files below a folder that hold something and can be read, in an order of chance.
fn files(source: &Path, random: &SeededRandom) -> Vec<Thing> {
    let (mut found, mut waiting) = (BTreeSet::new(), vec![source.to_owned()]);
    while let Some(folder) = waiting.pop() {
        // What can't be looked into is left out.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
            match fs::symlink_metadata(&path) {
                Ok(meta) if meta.is_dir() => waiting.push(path),
                Ok(meta)
                    if meta.is_file()
                        && (1..=FILE_BYTES_MAX).contains(&meta.len())
                        && File::open(&path).is_ok() =>
                {
                    found.insert((path, meta.len()));
                }
                _ => {}
            }
        }
    }
    let mut sorted: Vec<(PathBuf, u64)> = found.into_iter().collect();
    let mut things = Vec::with_capacity(sorted.len());
    while !sorted.is_empty() {
        let (path, bytes) = sorted.swap_remove(random.below(sorted.len() as u64) as usize);
        things.push(Thing { path, bytes, clusters: Vec::new(), written: 1 });
    }
    things
}

impl Layout {
    pub fn new(wish: &VolumeWish) -> io::Result<Self> {
        let random = SeededRandom::new(wish.seed);
        let things = files(&wish.source, &random);
        let all = (wish.bytes / CLUSTER_BYTES) as usize;
        let (full, mut used) = (all as u64 * FULL / 100, 0);
        let is_full = |thing: &Thing| {
            used += u64::from(clusters_of(thing.bytes)) + 1;
            used > full
        };
        let Some(files) = things.iter().position(is_full) else {
            let problem = format!("`{}` holds too little for a volume of this size", wish.source.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        };
        let clusters = vec![Cluster::Free; all];
        let mut layout =
            Self { clusters, things, reserve: (files, 0), files, next_free: 0, changed: 0, new: 0 };
        layout.clusters[0] = Cluster::Boot;
        for part in 0..clusters_of((all as u64).div_ceil(8)) {
            layout.clusters[1 + part as usize] = Cluster::Bitmap(part);
        }
        // The table of records, at an eighth of the volume.
        for part in 0..(files as u32).div_ceil(RECORDS) {
            layout.clusters[all / 8 + part as usize] = Cluster::Records(part * RECORDS);
        }
        (0..files).for_each(|number| layout.lay(number, &random));
        Ok(layout)
    }

    pub fn is_used(&self, cluster: usize) -> bool {
        self.clusters[cluster] != Cluster::Free
    }

    pub fn used(&self) -> u64 {
        self.clusters.iter().filter(|cluster| **cluster != Cluster::Free).count() as u64
    }

    /// A free cluster: the next behind the last.
    fn take_free(&mut self) -> Option<usize> {
        let all = self.clusters.len();
        let found = (0..all).map(|step| (self.next_free + step) % all).find(|at| !self.is_used(*at))?;
        self.next_free = found + 1;
        Some(found)
    }

    /// Lays a file, mostly in one piece; one of ten has gaps.
    fn lay(&mut self, number: usize, random: &SeededRandom) {
        let is_in_pieces = random.below(10) == 0;
        for part in 0..clusters_of(self.things[number].bytes) {
            if is_in_pieces && random.below(32) == 0 {
                self.next_free += random.below(64) as usize;
            }
            let Some(at) = self.take_free() else { return };
            self.clusters[at] = Cluster::File(number as u32, part);
            self.things[number].clusters.push(at as u32);
        }
    }

    /// The next content that nothing on the volume has.
    fn reserved(&mut self) -> Option<Cluster> {
        let (place, part) = self.reserve;
        let is_last = part + 1 >= clusters_of(self.things.get(place)?.bytes);
        self.reserve = if is_last { (place + 1, 0) } else { (place, part + 1) };
        Some(Cluster::File(place as u32, part))
    }

    /// Changes what a wish says: one half in place, one half by writing files elsewhere.
    pub fn change(&mut self, wish: &VolumeWish, generation: u64) {
        let random = SeededRandom::new(wish.seed ^ generation << 32);
        (self.changed, self.new) = (0, 0);
        let wanted = self.used() * wish.changed_per_mille / 1000;
        // No file makes all of it.
        let long = (wanted / 16).max(4);
        while self.changed < wanted {
            let number = random.below(self.files as u64) as usize;
            if self.changed < wanted / 2 {
                self.write_over(number, &random);
            } else if u64::from(clusters_of(self.things[number].bytes)) <= long {
                self.write_anew(number, &random);
            } else {
                continue;
            }
            self.things[number].written += 1;
        }
    }

    /// Writes over a piece of a file.
    fn write_over(&mut self, number: usize, random: &SeededRandom) {
        let length = RUNS[random.below(RUNS.len() as u64) as usize] as usize;
        let lying = self.things[number].clusters.len();
        let begin = random.below(lying.max(1) as u64) as usize;
        for place in begin..lying.min(begin + length) {
            let Some(content) = self.reserved() else { return };
            let at = self.things[number].clusters[place] as usize;
            self.clusters[at] = content;
            self.changed += 1;
            self.new += 1;
        }
    }

    /// Writes a file into free clusters: every other one as it was, behind some bytes that were put before it, the others new.
    fn write_anew(&mut self, number: usize, random: &SeededRandom) {
        let before = std::mem::take(&mut self.things[number].clusters);
        let shift = (random.below(2) == 0).then(|| 1 + random.below(200) as u16);
        self.next_free = random.below(self.clusters.len() as u64) as usize;
        for part in 0..before.len() as u32 {
            let content = match shift {
                Some(shift) => Some(Cluster::Shifted(number as u32, part, shift)),
                None => self.reserved(),
            };
            let (Some(content), Some(at)) = (content, self.take_free()) else { break };
            self.clusters[at] = content;
            self.things[number].clusters.push(at as u32);
            self.changed += 1;
            self.new += u64::from(shift.is_none());
        }
        for at in before {
            self.clusters[at as usize] = Cluster::Free;
        }
    }
}
