//! How the disks are divided and put together: what is needed to make such disks again.
//!
//! What is on the disks is asked of `blkid`, which reads them; then each layer's own tool is asked, and only if the
//! layer is there: a machine without LVM says nothing of LVM. A tool that is missing though its layer is there is a
//! warning.

mod btrfs;
mod crypt;
mod devices;
mod lvm;
mod mounts;
pub(super) mod partitions;
mod raid;

use super::made::{Content, Made, Need};
use super::question::{Question, ask_all, question};
use super::tidy::steady_json;
use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::tree::Tree;
use devices::Device;

pub(super) use devices::is_storage;
pub(super) use mounts::{Mount, mounts};

/// `START` is known since util-linux 2.38, so that it is not asked for; the partition tables have it.
const LSBLK_COLUMNS: &str = "NAME,KNAME,TYPE,SIZE,RO,RM,MOUNTPOINT,FSTYPE,LABEL,UUID,PTTYPE,PTUUID,PARTTYPE,PARTLABEL,PARTUUID,MODEL,SERIAL";

const QUESTIONS: &[Question] = &[Question {
    tidy: steady_json,
    // 32: there is no block device, as in a container.
    fine: &[0, 1, 32],
    ..question("block-devices.json", "lsblk", &["--json", "--bytes", "-o", LSBLK_COLUMNS])
}];

/// Makes them, of the devices whose kernel names are `wanted`.
pub(super) fn make(tree: &Tree, wanted: &dyn Fn(&str) -> bool, made: &mut Made) {
    ask_all(QUESTIONS, tree, made);
    mounts::make(tree, wanted, made);
    let devices = devices(tree, wanted, made);
    partitions::make(tree, &devices, made);
    lvm::make(&devices, made);
    raid::make(tree, &devices, made);
    crypt::make(&devices, made);
    btrfs::make(tree, wanted, &devices, made);
}

/// What lies on the devices, and a list of it.
fn devices(tree: &Tree, wanted: &dyn Fn(&str) -> bool, made: &mut Made) -> Vec<Device> {
    let disks = devices::disks(tree, wanted);
    devices::warn_of_unreadable(&disks, made);
    // 2: no device has an id, or none may be read.
    let mut devices = match run("blkid", &["-c", "/dev/null", "-o", "export"], &[0, 2], TIME_OUT) {
        Ok(answer) => devices::parse(&answer),
        Err(CommandError::Missing { .. }) => {
            if !disks.is_empty() {
                made.lack("block-device-ids", "There are disks", "blkid", "util-linux");
            }
            Vec::new()
        }
        Err(error) => {
            made.fail("block-device-ids", error);
            Vec::new()
        }
    };
    devices.retain(|device| wanted(device.kernel_name()));
    made.keep("block-device-ids", devices.iter().map(|device| format!("{device}\n")).collect::<String>());
    devices
}

#[cfg(test)]
mod tests;
