//! A volume like NTFS' in a VHDX, made of real files, in two generations: what a backup of System State stages today and what it
//! stages the next time.
//!
//! Not a file system that could be mounted: what matters to whoever stores it is where bytes lie and which of them change. Files
//! begin at clusters of 4 KiB, mostly in one piece; a table has a record of 1 KiB for each, and a bitmap has a bit for each cluster.
//! In the second generation a part of the clusters in use holds something new: half of these lie where they lay and were written
//! over, half are of files that were written anew in free clusters. What is free holds nothing, for Windows Server Backup copies
//! what is in use only. The VHDX is a new one each time, with its blocks in the order of their first write, which is another each
//! time.

mod content;
mod layout;

use crate::SeededRandom;
use crate::virtual_disk::vhdx_head;
use content::Reader;
use layout::Layout;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// As NTFS has them.
const CLUSTER_BYTES: u64 = 4096;

/// Where the volume begins on its disk, as Windows aligns it.
const VOLUME_AT: u64 = 1 << 20;

/// So many streams write a volume's blocks for the first time, each in a part of its own, as files of several folders are copied.
const STREAMS: usize = 8;

/// What is made.
#[derive(Debug, Clone)]
pub struct VolumeWish {
    /// Where files come from. They are only read.
    pub source: PathBuf,
    /// How long the volume is.
    pub bytes: u64,
    /// How long a block of the VHDX is.
    pub block_bytes: u64,
    /// How much of what is in use changes, in thousandths.
    pub changed_per_mille: u64,
    /// Whether the next image has its blocks in the order of the first one all the same.
    pub keeps_order: bool,
    /// From which all chance follows.
    pub seed: u64,
}

/// What a generation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GenerationFacts {
    /// How long the image is.
    pub image_bytes: u64,
    /// How much of the volume is in use.
    pub used_bytes: u64,
    /// How much of it was written since the generation before: over what lay there, and elsewhere.
    pub changed_bytes: u64,
    /// How much of this is new by its content, too, for every other file that is written elsewhere keeps what it held.
    pub new_bytes: u64,
    /// How many blocks the image has.
    pub blocks: u64,
}

/// A volume in one generation.
#[derive(Debug)]
pub struct SyntheticVolume {
    wish: VolumeWish,
    layout: Layout,
    generation: u64,
}

impl SyntheticVolume {
    /// The first generation.
    ///
    /// # Errors
    /// If the source can't be read or hasn't enough in it.
    pub fn new(wish: VolumeWish) -> io::Result<Self> {
        let layout = Layout::new(&wish)?;
        Ok(Self { wish, layout, generation: 1 })
    }

    /// What the next backup would see.
    pub fn changed(mut self) -> Self {
        self.generation += 1;
        self.layout.change(&self.wish, self.generation);
        self
    }

    /// Writes the image anew.
    ///
    /// # Errors
    /// If it can't be written, or a file of the source is another by now.
    pub fn write(&self, image: &Path) -> io::Result<GenerationFacts> {
        let disk_bytes = VOLUME_AT + self.wish.bytes + VOLUME_AT;
        let order = self.order();
        let mut out = BufWriter::with_capacity(1 << 20, File::create(image)?);
        out.write_all(&vhdx_head(disk_bytes, self.wish.block_bytes as usize, &order))?;
        let (mut reader, mut cluster) = (Reader::new(&self.layout), vec![0; CLUSTER_BYTES as usize]);
        for block in &order {
            for number in self.clusters_of(*block) {
                cluster.fill(0);
                if let Some(number) = number {
                    reader.read(number, &mut cluster)?;
                }
                out.write_all(&cluster)?;
            }
        }
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(GenerationFacts {
            image_bytes: file.metadata()?.len(),
            used_bytes: self.layout.used() * CLUSTER_BYTES,
            changed_bytes: self.layout.changed * CLUSTER_BYTES,
            new_bytes: self.layout.new * CLUSTER_BYTES,
            blocks: order.len() as u64,
        })
    }

    /// The clusters of a block of the disk; none for what lies before and behind the volume.
    fn clusters_of(&self, block: u64) -> impl Iterator<Item = Option<usize>> {
        let (count, first) = (self.wish.block_bytes / CLUSTER_BYTES, VOLUME_AT / CLUSTER_BYTES);
        let all = self.layout.clusters.len() as u64;
        (block * count..(block + 1) * count).map(move |place| {
            let number = place.checked_sub(first)?;
            (number < all).then_some(number as usize)
        })
    }

    /// The blocks that hold something, in the order of their first write.
    fn order(&self) -> Vec<u64> {
        let blocks = (VOLUME_AT + self.wish.bytes).div_ceil(self.wish.block_bytes);
        let is_used = |block: &u64| self.clusters_of(*block).flatten().any(|at| self.layout.is_used(at));
        let used: Vec<u64> = (0..blocks).filter(is_used).collect();
        let generation = if self.wish.keeps_order { 1 } else { self.generation };
        let random = SeededRandom::new(self.wish.seed.wrapping_mul(31).wrapping_add(generation));
        let mut streams: Vec<&[u64]> = used.chunks(used.len().div_ceil(STREAMS).max(1)).collect();
        let mut order = Vec::with_capacity(used.len());
        while !streams.is_empty() {
            let stream = random.below(streams.len() as u64) as usize;
            match streams[stream].split_first() {
                Some((block, rest)) => {
                    order.push(*block);
                    streams[stream] = rest;
                }
                None => drop(streams.swap_remove(stream)),
            }
        }
        order
    }
}
