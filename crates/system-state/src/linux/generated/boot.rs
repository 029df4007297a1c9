//! What the machine starts with, as far as no file below `/boot` says it.

use super::made::Made;
use super::storage::{Mount, is_storage, mounts, partitions::Table};
use super::{efi, loaders};
use crate::linux::command::{TIME_OUT, run};
use crate::linux::tree::Tree;
use rustix::system::uname;

/// Makes the lists. Which boot loaders are installed is told of any tree, the others of the running system.
pub(super) fn make(tree: &Tree, made: &mut Made) {
    loaders::make(tree, made);
    if !tree.is_running_system() {
        return;
    }
    match tree.read("/proc/cmdline") {
        Ok(line) => made.keep("kernel-command-line", line),
        Err(cause) => made.fail("kernel-command-line", format!("`/proc/cmdline` can't be read: {cause}")),
    }
    made.keep("kernel", kernel());
    if efi::is_here(tree) {
        efi::make(tree, made);
        for device in efi_system_partitions(tree) {
            warn_if_not_kept(&device, &mounts(tree, &is_storage), made);
        }
    }
}

/// What `uname -a` tells.
fn kernel() -> Vec<u8> {
    let kernel = uname();
    let fields = [kernel.sysname(), kernel.nodename(), kernel.release(), kernel.version(), kernel.machine()];
    let mut line = fields.map(|field| field.to_bytes().to_vec()).join(&b' ');
    line.push(b'\n');
    line
}

/// The EFI system partitions of all disks, as far as `sfdisk` tells. That it is missing is told with the disks' layout.
fn efi_system_partitions(tree: &Tree) -> Vec<String> {
    let names = tree.names("/sys/block").unwrap_or_default();
    let disks =
        names.iter().filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| is_storage(name));
    let tables =
        disks.filter_map(|disk| run("sfdisk", &["--dump", &format!("/dev/{disk}")], &[0], TIME_OUT).ok());
    tables
        .flat_map(|dump| {
            let table = Table::parse(&dump);
            table.efi_system_partitions().map(|partition| partition.device.clone()).collect::<Vec<_>>()
        })
        .collect()
}

/// Its files are kept where it is mounted. A partition that is mounted nowhere, or where no rule has it, is not kept.
fn warn_if_not_kept(device: &str, mounts: &[Mount], made: &mut Made) {
    let is_kept =
        |at: &str| ["/boot", "/efi"].iter().any(|kept| at == *kept || at.starts_with(&format!("{kept}/")));
    if mounts.iter().any(|mount| mount.source == device && is_kept(&mount.at)) {
        return;
    }
    let message = "It is an EFI system partition and isn't mounted at or below `/boot` or `/efi`, so what it holds is \
                   not kept: mount it there";
    made.warn("not-mounted", device.as_bytes().to_vec(), message.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::BOOT;

    #[test]
    fn an_efi_system_partition_that_is_mounted_elsewhere_or_nowhere_is_named() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join("proc/self")).unwrap();
        let lines =
            "1 0 8:1 / /boot/efi rw - vfat /dev/sda1 rw\n2 0 8:17 / /bootstrap rw - vfat /dev/sdb1 rw\n";
        std::fs::write(home.path().join("proc/self/mountinfo"), lines).unwrap();
        let mounts = mounts(&Tree::open(home.path()).unwrap(), &is_storage);
        let mut made = Made::nothing(BOOT);
        for device in ["/dev/sda1", "/dev/sdb1", "/dev/sdc1"] {
            warn_if_not_kept(device, &mounts, &mut made);
        }
        let named: Vec<_> = made.warnings.iter().map(|warning| (&*warning.code, &*warning.path)).collect();
        assert_eq!(named, [("not-mounted", b"/dev/sdb1".as_slice()), ("not-mounted", b"/dev/sdc1")]);
    }
}
