//! Measures what cutters cost: `cargo run --release -p stateward-crypto --example cutters`. What the figures mean stands
//! in `docs/decisions/2026-11-24-gear-table-measured.md`.
//!
//! One thread, random bytes, every position looked at (a cutter may skip the shortest chunk's length; all could).

#![allow(clippy::print_stdout, reason = "its results are for a person")]

use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use std::hint::black_box;
use std::time::Instant;

const BYTES: usize = 64 << 20;
const WINDOW: usize = 64;
/// How many blocks of AES are asked for at once, which hardware does side by side.
const BATCH: usize = 64;
const MASK: u64 = !0 << 48;
/// The prime 2^61 - 1.
const PRIME: u64 = (1 << 61) - 1;

fn gear(table: &[u64; 256], data: &[u8]) -> usize {
    let (mut hash, mut borders) = (0u64, 0);
    for byte in data {
        hash = (hash << 1).wrapping_add(table[usize::from(*byte)]);
        borders += usize::from(hash & MASK == 0);
    }
    borders
}

fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    (sum & PRIME) + (sum >> 61)
}

/// A rolling polynomial over the window at a secret point: almost universal, two polynomials of the window's degree
/// agree at one of 64 points in 2^61.
fn polynomials(point: u64, data: &[u8], mut each: impl FnMut(u64)) {
    let leaving: Vec<u64> = {
        let power = (0..WINDOW).fold(1, |power, _| multiply(power, point));
        (0..256).map(|byte| (2 * PRIME - multiply(power, byte)) % PRIME).collect()
    };
    let mut hash = 0u64;
    for (at, byte) in data.iter().enumerate() {
        let old = if at < WINDOW { 0 } else { leaving[usize::from(data[at - WINDOW])] };
        let sum = multiply(hash, point) + old + u64::from(*byte);
        hash = (sum & PRIME) + (sum >> 61);
        each(hash);
    }
}

/// A border where the first bits of AES of the hash are zero.
fn borders_by_aes(cipher: &Aes128, hashes: &[u64; BATCH]) -> usize {
    let mut blocks = hashes.map(|hash| {
        let mut block = Array::from([0; 16]);
        block[..8].copy_from_slice(&hash.to_le_bytes());
        block
    });
    cipher.encrypt_blocks(&mut blocks);
    blocks.iter().filter(|block| block[0] == 0 && block[1] == 0).count()
}

fn polynomial_and_aes(cipher: &Aes128, point: u64, data: &[u8]) -> usize {
    let (mut hashes, mut filled, mut borders) = ([0; BATCH], 0, 0);
    polynomials(point, data, |hash| {
        hashes[filled] = hash;
        filled += 1;
        if filled == BATCH {
            borders += borders_by_aes(cipher, &hashes);
            filled = 0;
        }
    });
    borders
}

/// What any cutter with one block of AES for each byte costs at least.
fn aes_alone(cipher: &Aes128, data: &[u8]) -> usize {
    data.chunks_exact(BATCH)
        .map(|bytes| borders_by_aes(cipher, &std::array::from_fn(|at| u64::from(bytes[at]))))
        .sum()
}

fn measure(name: &str, bytes: usize, mut cut: impl FnMut() -> usize) {
    let best = (0..5)
        .map(|_| {
            let begun = Instant::now();
            black_box(cut());
            begun.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{name:24} {:7.0} MB/s", bytes as f64 / 1e6 / best.as_secs_f64());
}

fn main() {
    let mut data = vec![0; BYTES];
    blake3::Hasher::new_derive_key("cutters' bytes").finalize_xof().fill(&mut data);
    let mut table = [0; 256];
    table.iter_mut().zip(data.chunks_exact(8)).for_each(|(entry, bytes)| {
        *entry = bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    });
    let cipher = Aes128::new(&Array::from([7; 16]));
    let point = table[0] % PRIME;
    measure("gear table", BYTES, || gear(&table, &data));
    measure("polynomial alone", BYTES, || {
        let mut sum = 0usize;
        polynomials(point, &data, |hash| sum ^= hash as usize);
        sum
    });
    measure("AES alone", BYTES, || aes_alone(&cipher, &data));
    measure("polynomial, then AES", BYTES, || polynomial_and_aes(&cipher, point, &data));
}
