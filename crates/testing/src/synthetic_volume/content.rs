//! The bytes of clusters.

use super::CLUSTER_BYTES;
use super::layout::{Cluster, Layout, RECORDS};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

/// Reads clusters, best one after the other.
pub(super) struct Reader<'a> {
    layout: &'a Layout,
    /// The file that was read last.
    open: Option<(u32, File)>,
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

impl<'a> Reader<'a> {
    pub fn new(layout: &'a Layout) -> Self {
        Self { layout, open: None }
    }

    /// Puts a cluster's bytes over zeros.
    pub fn read(&mut self, number: usize, cluster: &mut [u8]) -> io::Result<()> {
        match self.layout.clusters[number] {
            Cluster::Free => {}
            Cluster::Boot => {
                put(cluster, 0, b"\xeb\x52\x90NTFS    ");
                put(cluster, 11, &512u16.to_le_bytes());
                put(cluster, 510, &[0x55, 0xaa]);
            }
            Cluster::Bitmap(part) => {
                let bits = CLUSTER_BYTES as usize * 8;
                let first = part as usize * bits;
                for bit in 0..bits.min(self.layout.clusters.len().saturating_sub(first)) {
                    cluster[bit / 8] |= u8::from(self.layout.is_used(first + bit)) << (bit % 8);
                }
            }
            Cluster::Records(first) => {
                for (number, record) in (first..).zip(cluster.chunks_mut(1024).take(RECORDS as usize)) {
                    self.record(number, record);
                }
            }
            Cluster::File(number, part) => self.file(number, u64::from(part) * CLUSTER_BYTES, cluster)?,
            Cluster::Shifted(number, part, shift) => {
                let at = u64::from(part) * CLUSTER_BYTES;
                match at.checked_sub(u64::from(shift)) {
                    Some(at) => self.file(number, at, cluster)?,
                    None => {
                        let (before, rest) = cluster.split_at_mut(usize::from(shift));
                        before.fill(b'#');
                        self.file(number, 0, rest)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Like a record of the master file table: a header, times, a name, and where the content lies.
    fn record(&self, number: u32, record: &mut [u8]) {
        let Some(thing) = self.layout.things.get(number as usize) else { return };
        put(record, 0, b"FILE0");
        put(record, 16, &(thing.written as u16).to_le_bytes());
        put(record, 44, &number.to_le_bytes());
        // Times in ticks since 1601: each write has one of its own.
        let time = 133_000_000_000_000_000 + u64::from(number) * 10_000_019 + thing.written * 864_000_000_001;
        (0..4).for_each(|place| put(record, 80 + 8 * place, &time.to_le_bytes()));
        put(record, 112, &thing.bytes.to_le_bytes());
        let name = thing.path.file_name().unwrap_or_default().to_string_lossy();
        let name: Vec<u8> = name.encode_utf16().take(200).flat_map(u16::to_le_bytes).collect();
        put(record, 128, &name);
        let places = (128 + name.len() + 2..record.len() - 8).step_by(8);
        for (at, run) in places.zip(thing.clusters.chunk_by(|one, next| *next == one + 1)) {
            put(record, at, &run[0].to_le_bytes());
            put(record, at + 4, &(run.len() as u32).to_le_bytes());
        }
    }

    /// A part of a file; behind its end nothing.
    fn file(&mut self, number: u32, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        let thing = &self.layout.things[number as usize];
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            self.open = Some((number, File::open(&thing.path)?));
        }
        let Some((_, file)) = &mut self.open else { return Ok(()) };
        file.seek(SeekFrom::Start(at))?;
        let wanted = bytes.len().min(thing.bytes.saturating_sub(at) as usize);
        file.read_exact(&mut bytes[..wanted])
    }
}
