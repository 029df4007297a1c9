//! Eight bytes of each chunk's id and the number of its pack: the smallest thing that answers "have we got this?".
//!
//! Linear probing over two plain arrays, because a map's buckets double: at 10⁷ chunks that costs twice the memory just
//! after it has grown. Ids are keyed hashes, but a pack's table says them, and whoever holds the keys (another server of a
//! shared domain) can write one whose ids all begin alike. So where a fingerprint stands depends on a number that only
//! this process knows, and what one pack says a hundred thousand times stands here once.
//!
//! A table that knows how many it will hold is made once and with room for just these: growing would leave behind, in
//! the heap, about as much as it holds.
//!
//! Memory: 11 bytes a slot, between 75 and 85 % of the slots taken: at most 15 bytes a chunk.

use std::hash::{BuildHasher, RandomState};

/// The smallest table that is made.
const SLOTS_MIN: usize = 16;
/// A table grows when more of its slots are taken, in percent.
const TAKEN_MAX: usize = 85;
/// The largest number of a pack: three bytes, for 256 TiB of full packs.
pub(super) const PACK_MAX: u32 = (1 << 24) - 1;

/// A table of fingerprints. The same one may stand in it several times, for several packs.
#[derive(Debug)]
pub(super) struct Fingerprints {
    /// Odd, and anybody's guess. With two of them, three tables of 20,000 had ids with one step between them in rows of 18 to
    /// 56; with three, none had more than 2.
    secrets: [u64; 3],
    /// 0 means that the slot is free.
    keys: Vec<u64>,
    packs: Vec<[u8; 3]>,
    taken: usize,
}

impl Default for Fingerprints {
    fn default() -> Self {
        // The standard library's own defence of its maps against keys that were chosen to collide.
        let state = RandomState::new();
        let secrets = [0, 1, 2].map(|number| state.hash_one(number) | 1);
        Self { secrets, keys: Vec::new(), packs: Vec::new(), taken: 0 }
    }
}

impl Fingerprints {
    /// A table with room for so many.
    pub(super) fn for_about(count: usize) -> Self {
        let slots = (count * 100).div_ceil(TAKEN_MAX).max(SLOTS_MIN);
        Self { keys: vec![0; slots], packs: vec![[0; 3]; slots], ..Self::default() }
    }

    /// Adds a fingerprint, unless it stands here for that pack.
    ///
    /// # Panics
    /// If the pack's number is above [`PACK_MAX`].
    pub(super) fn add(&mut self, fingerprint: u64, pack: u32) {
        if (self.taken + 1) * 100 > self.keys.len() * TAKEN_MAX {
            self.grow();
        }
        assert!(pack <= PACK_MAX, "a pack's number has more than three bytes");
        let [a, b, c, _] = pack.to_le_bytes();
        let key = fingerprint.max(1);
        let mut slot = self.first_slot(key);
        while self.keys[slot] != 0 {
            if (self.keys[slot], self.packs[slot]) == (key, [a, b, c]) {
                return;
            }
            slot = self.after(slot);
        }
        self.keys[slot] = key;
        self.packs[slot] = [a, b, c];
        self.taken += 1;
    }

    /// The packs that hold a chunk of that fingerprint.
    pub(super) fn packs_of(&self, fingerprint: u64) -> impl Iterator<Item = u32> {
        let key = fingerprint.max(1);
        let mut slot = if self.keys.is_empty() { None } else { Some(self.first_slot(key)) };
        std::iter::from_fn(move || {
            loop {
                let at = slot?;
                match self.keys[at] {
                    0 => {
                        slot = None;
                        return None;
                    }
                    found => {
                        slot = Some(self.after(at));
                        if found == key {
                            let [a, b, c] = self.packs[at];
                            return Some(u32::from_le_bytes([a, b, c, 0]));
                        }
                    }
                }
            }
        })
    }

    fn grow(&mut self) {
        let slots = (self.keys.len() * 9 / 8).max(SLOTS_MIN);
        let keys = std::mem::replace(&mut self.keys, vec![0; slots]);
        let packs = std::mem::replace(&mut self.packs, vec![[0; 3]; slots]);
        self.taken = 0;
        for (key, [a, b, c]) in keys.into_iter().zip(packs).filter(|(key, _)| *key != 0) {
            self.add(key, u32::from_le_bytes([a, b, c, 0]));
        }
    }

    fn first_slot(&self, key: u64) -> usize {
        let spread = self.secrets.into_iter().fold(key, folded_product);
        // Its share of all numbers, as a share of the slots (Lemire, "Fast random integer generation in an interval", 2019):
        // works for any number of slots.
        ((u128::from(spread) * self.keys.len() as u128) >> 64) as usize
    }

    fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.keys.len() { 0 } else { slot + 1 }
    }
}

/// Both halves of a product in one: every bit of it hangs on every bit of the factors.
fn folded_product(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::Random;
    use stateward_testing::SeededRandom;

    #[test]
    fn ten_million_chunks_take_what_was_said() {
        for (mut table, most) in
            [(Fingerprints::default(), 150_000_000), (Fingerprints::for_about(10_000_000), 130_000_000)]
        {
            let mut state = 1u64;
            for number in 0..10_000_000 {
                // Weyl's sequence: no two alike, spread evenly.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                table.add(state, number);
            }
            assert!(table.keys.len() * 11 <= most, "{} bytes", table.keys.len() * 11);
            assert_eq!(table.packs_of(state).collect::<Vec<_>>(), [9_999_999]);
        }
    }

    /// Issue 4: one pack's table, which another server of a shared domain can write, took the agent hours.
    #[test]
    fn ids_that_were_chosen_to_collide_cost_no_more_than_others() {
        let mut alike = Fingerprints::default();
        (0..500_000).for_each(|_| alike.add(7, 1));
        assert_eq!(alike.taken, 1);
        for step in [1, 1 << 20, 1 << 44] {
            let mut table = Fingerprints::default();
            (1..=50_000u64).for_each(|number| table.add(number.wrapping_mul(step), 1));
            let from_home = |slot: usize| {
                let home = table.first_slot(table.keys[slot]);
                (slot + table.keys.len() - home) % table.keys.len()
            };
            let taken = (0..table.keys.len()).filter(|slot| table.keys[*slot] != 0);
            let walked: usize = taken.map(from_home).sum();
            assert!(walked < 50 * table.taken, "{step}: {walked} slots for {} keys", table.taken);
        }
    }

    #[test]
    fn everything_added_is_found_with_all_of_its_packs_and_nothing_else() {
        let random = SeededRandom::new(3);
        let draw = || {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            u64::from_le_bytes(bytes)
        };
        let mut table = Fingerprints::default();
        assert_eq!(table.packs_of(7).count(), 0);
        let mut keys: Vec<u64> = (0..10_000).map(|_| draw()).collect();
        keys.extend([0, u64::MAX, u64::MAX - 1, 5, 5]);
        for (number, key) in keys.iter().enumerate() {
            table.add(*key, number as u32);
        }
        for (number, key) in keys.iter().enumerate() {
            assert!(table.packs_of(*key).any(|pack| pack == number as u32));
        }
        assert_eq!(table.packs_of(5).count(), 2);
        assert_eq!((0..1000).map(|_| table.packs_of(draw()).count()).sum::<usize>(), 0);
        assert!(table.keys.len() * 11 <= keys.len() * 15);
    }
}
