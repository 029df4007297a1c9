//! How hard frames are compressed.
//!
//! zstd's levels are made for inputs of all sizes; frames have one. Measured over the corpora of the benchmark, in frames
//! of 4 MiB, zstd's fast strategy with a hash table of 2¹⁷ entries and matches of 6 bytes and more gives what level 3
//! gives in frames of 1 MiB, in four fifths of the time (docs/decisions/2026-11-24-compression.md).

use zstd::zstd_safe::{CParameter, Strategy};

/// How frames are compressed. Whoever reads them needs not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As small as zstd's level 3, and faster.
    Default,
    /// One of zstd's own levels.
    Level(i32),
}

impl Compression {
    /// A compressor for frames.
    pub(crate) fn compressor(self) -> zstd::bulk::Compressor<'static> {
        const WORKS: &str = "zstd takes these parameters and needs only memory";
        let Self::Level(level) = self else {
            let mut compressor = zstd::bulk::Compressor::new(2).expect(WORKS);
            let parameters = [
                CParameter::Strategy(Strategy::ZSTD_fast),
                CParameter::WindowLog(23),
                CParameter::HashLog(17),
                CParameter::MinMatch(6),
                CParameter::TargetLength(0),
            ];
            parameters.into_iter().for_each(|parameter| compressor.set_parameter(parameter).expect(WORKS));
            return compressor;
        };
        zstd::bulk::Compressor::new(level).expect(WORKS)
    }
}
