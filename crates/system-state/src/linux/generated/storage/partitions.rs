//! Partition tables: as text that `sfdisk` reads back, and the first sectors as they are.
//!
//! `sfdisk --dump` was chosen over reading tables with a library: it says all that a table says (GPT and DOS, ids,
//! attributes), a person can read and change it, and the same program makes the table again from it. What lies before
//! the first partition is kept too: it holds the table itself, and what a BIOS starts (GRUB's first stages).

use super::Made;
use super::devices::Device;
use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::tree::Tree;
use std::fs::File;
use std::io::{self, Read};

/// At most so much of a disk's beginning is kept. Partitions begin at 1 MiB if nobody chose otherwise.
const BEGINNING_BYTES_MAX: u64 = 1 << 20;

/// What the kernel counts partitions' beginnings in, whatever the disk's own sectors are.
const KERNEL_SECTOR_BYTES: u64 = 512;

/// The kind of an EFI system partition in a GPT and in a DOS table.
const EFI_SYSTEM: [&str; 2] = ["C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "ef"];

/// Keeps each partitioned disk's table and beginning.
pub(super) fn make(tree: &Tree, devices: &[Device], made: &mut Made) {
    for device in devices.iter().filter(|device| is_partitioned_disk(tree, device)) {
        let name = device.kernel_name().replace('/', "-");
        let dump_name = format!("partitions-{name}.sfdisk");
        let dump = match run("sfdisk", &["--dump", &device.path], &[0], TIME_OUT) {
            Ok(dump) => Some(dump),
            Err(CommandError::Missing { .. }) => {
                let here = format!("`{}` has partitions", device.path);
                made.lack(&dump_name, &here, "sfdisk", "fdisk, or util-linux on other systems than Debian's");
                None
            }
            Err(error) => {
                made.fail(&dump_name, error);
                None
            }
        };
        let first = dump.as_deref().and_then(|dump| Table::parse(dump).first_byte());
        let first = first.or_else(|| first_byte_by_kernel(tree, device.kernel_name()));
        made.keep(dump_name, dump.unwrap_or_default());
        let beginning_name = format!("disk-beginning-{name}.img");
        match beginning(&device.path, first.unwrap_or(BEGINNING_BYTES_MAX)) {
            Ok(beginning) => made.keep(beginning_name, beginning),
            Err(cause) => made.fail(&beginning_name, format!("`{}` can't be read: {cause}", device.path)),
        }
    }
}

/// Whether it has a table and is a whole disk: a partition may hold something that looks like a table, too.
fn is_partitioned_disk(tree: &Tree, device: &Device) -> bool {
    let name = device.kernel_name();
    device.fact("PTTYPE").is_some() && !tree.has(&format!("/sys/class/block/{name}/partition"))
}

fn beginning(path: &str, first_partition: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(first_partition.min(BEGINNING_BYTES_MAX)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where the first partition begins, by the kernel.
fn first_byte_by_kernel(tree: &Tree, disk: &str) -> Option<u64> {
    let names = tree.names(&format!("/sys/class/block/{disk}")).unwrap_or_default();
    let starts = names.iter().filter_map(|name| {
        let name = std::str::from_utf8(name).ok()?;
        let start = tree.text(&format!("/sys/class/block/{disk}/{name}/start"))?;
        start.trim().parse::<u64>().ok()?.checked_mul(KERNEL_SECTOR_BYTES)
    });
    starts.min()
}

/// A table as `sfdisk --dump` writes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Table {
    sector_bytes: u64,
    partitions: Vec<Partition>,
}

/// A partition of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Partition {
    /// Such as `/dev/sda1`.
    pub device: String,
    start: u64,
    kind: String,
}

impl Table {
    /// Reads a dump. Lines that say nothing of a partition are headers.
    pub fn parse(dump: &[u8]) -> Self {
        // Dumps of versions that do not say it are in sectors of 512 bytes.
        let mut table = Self { sector_bytes: 512, partitions: Vec::new() };
        for line in String::from_utf8_lossy(dump).lines() {
            if let Some(bytes) = line.strip_prefix("sector-size:") {
                table.sector_bytes = bytes.trim().parse().unwrap_or(table.sector_bytes);
            } else if let Some((device, rest)) = line.split_once(" : ") {
                let field = |name: &str| {
                    let of = |pair: &str| {
                        Some(pair.trim().strip_prefix(name)?.strip_prefix('=')?.trim().to_owned())
                    };
                    rest.split(',').find_map(of)
                };
                table.partitions.push(Partition {
                    device: device.to_owned(),
                    start: field("start").and_then(|start| start.parse().ok()).unwrap_or(0),
                    kind: field("type").or_else(|| field("Id")).unwrap_or_default(),
                });
            }
        }
        table
    }

    fn first_byte(&self) -> Option<u64> {
        let starts = self.partitions.iter().map(|partition| partition.start).filter(|start| *start > 0);
        starts.min()?.checked_mul(self.sector_bytes)
    }

    /// The EFI system partitions.
    pub fn efi_system_partitions(&self) -> impl Iterator<Item = &Partition> {
        self.partitions.iter().filter(|partition| EFI_SYSTEM.contains(&&*partition.kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from `sfdisk --dump` of util-linux 2.38.1 (Debian 12) over a loop device.
    const GPT: &[u8] = b"\
label: gpt
label-id: 11111111-2222-3333-4444-555555555555
device: /dev/loop0
unit: sectors
first-lba: 2048
last-lba: 131038
sector-size: 512

/dev/loop0p1 : start=        2048, size=       32768, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=62519C0C-38F2-DD45-B360-EBE8D2FA0383
/dev/loop0p2 : start=       34816, size=       32768, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=D7E0B71C-684F-9746-910E-74C313734CD3
";

    #[test]
    fn a_dump_tells_where_partitions_begin_and_which_is_efis() {
        let table = Table::parse(GPT);
        assert_eq!(table.first_byte(), Some(1 << 20));
        let efi: Vec<&str> = table.efi_system_partitions().map(|partition| &*partition.device).collect();
        assert_eq!(efi, ["/dev/loop0p1"]);
        let large = b"label: dos\nsector-size: 4096\n\n/dev/sdb1 : start=64, size=9, type=ef, bootable\n";
        let large = Table::parse(large);
        assert_eq!(large.first_byte(), Some(64 * 4096));
        assert_eq!(large.efi_system_partitions().count(), 1);
        assert_eq!(Table::parse(b"label: gpt\n").first_byte(), None);
    }

    #[test]
    fn the_kernel_tells_where_the_first_partition_begins_too() {
        let home = tempfile::tempdir().unwrap();
        let disk = home.path().join("sys/class/block/sda");
        for (partition, start) in [("sda2", "34816\n"), ("sda1", "2048\n")] {
            std::fs::create_dir_all(disk.join(partition)).unwrap();
            std::fs::write(disk.join(partition).join("start"), start).unwrap();
        }
        let tree = Tree::open(home.path()).unwrap();
        assert_eq!(first_byte_by_kernel(&tree, "sda"), Some(1 << 20));
        assert_eq!(first_byte_by_kernel(&tree, "sdb"), None);
    }
}
