//! btrfs: which devices make up a file system, and its subvolumes.

use super::devices::Device;
use super::{Made, Need, Tree, mounts};

/// Keeps them of each btrfs that is mounted; one that is not mounted tells its devices by their ids.
pub(super) fn make(tree: &Tree, wanted: &dyn Fn(&str) -> bool, devices: &[Device], made: &mut Made) {
    let mut seen = Vec::new();
    for mount in mounts(tree, wanted).into_iter().filter(|mount| mount.kind == "btrfs") {
        let Some(device) = devices.iter().find(|device| device.path == mount.source) else { continue };
        let id = device.id();
        if !seen.contains(&id) {
            subvolumes(&mount.at, &id, made);
            seen.push(id);
        }
    }
}

fn subvolumes(at: &str, id: &str, made: &mut Made) {
    let name = format!("btrfs-subvolumes-{id}");
    // Paths from the file system's top, whatever of it is mounted.
    if let Some(list) = ask(&name, &["subvolume", "list", "-a", at], made) {
        let default = ask(&name, &["subvolume", "get-default", at], made).unwrap_or_default();
        let default = without_generations(&default).replacen("ID", "default ID", 1);
        made.keep(name, without_generations(&list) + &default);
    }
    let name = format!("btrfs-devices-{id}");
    if let Some(show) = ask(&name, &["filesystem", "show", "--raw", at], made) {
        made.keep(name, without_usage(&show));
    }
}

fn ask(name: &str, arguments: &[&str], made: &mut Made) -> Option<Vec<u8>> {
    made.need(name, &Need { here: "A btrfs is mounted", program: "btrfs", package: "btrfs-progs", arguments })
}

/// Without `gen N`, which counts each change.
fn without_generations(list: &[u8]) -> String {
    let text = String::from_utf8_lossy(list);
    let steady = |line: &str| {
        let Some((before, after)) = line.split_once(" gen ") else { return format!("{line}\n") };
        let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
        format!("{before} {rest}\n")
    };
    text.lines().map(steady).collect()
}

/// Without how much is in use, of the whole and of each device.
fn without_usage(show: &[u8]) -> String {
    let text = String::from_utf8_lossy(show);
    let steady = |line: &str| match line.split_once(" used ") {
        Some(_) if line.contains("FS bytes used") => {
            line.split_once(" FS bytes used").map_or("", |(before, _)| before).to_owned()
        }
        Some((before, after)) => format!("{before} {}", after.split_once(' ').map_or("", |(_, rest)| rest)),
        None => line.to_owned(),
    };
    text.lines().map(steady).filter(|line| !line.is_empty()).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_do_not_change_with_use() {
        // Recorded from btrfs-progs 6.2 (Debian 12) over a loop device.
        let list = b"ID 256 gen 7 top level 5 path @\nID 257 gen 7 top level 256 path <FS_TREE>/@/var\n";
        assert_eq!(
            without_generations(list),
            "ID 256 top level 5 path @\nID 257 top level 256 path <FS_TREE>/@/var\n"
        );
        assert_eq!(without_generations(b"ID 5 (FS_TREE)\n"), "ID 5 (FS_TREE)\n");
        let show = b"Label: 'data'  uuid: 3b759091-9d98-48f6-9ef5-10bed380c9c4\n\tTotal devices 1 FS bytes used 163840\n\tdevid    1 size 134217728 used 92274688 path /dev/loop3\n\n";
        assert_eq!(
            without_usage(show),
            "Label: 'data'  uuid: 3b759091-9d98-48f6-9ef5-10bed380c9c4\n\tTotal devices 1\n\tdevid    1 size 134217728 path /dev/loop3\n"
        );
    }
}
