//! Linux' software RAID (md): what `mdadm --assemble` and `--create` need.

use super::devices::Device;
use super::{Made, Need, Tree};

/// Keeps them if there is an array, or a device that belongs to one.
pub(super) fn make(tree: &Tree, devices: &[Device], made: &mut Made) {
    let state = tree.text("/proc/mdstat").map(|text| without_progress(&text)).unwrap_or_default();
    let has_arrays = state.lines().any(|line| line.starts_with("md"));
    let has_members = devices.iter().any(|device| device.holds("linux_raid_member"));
    if !has_arrays && !has_members {
        return;
    }
    let need =
        |arguments| Need { here: "A disk belongs to a RAID", program: "mdadm", package: "mdadm", arguments };
    if has_arrays {
        made.keep("raid-state", state);
        if let Some(arrays) = made.need("raid-arrays", &need(&["--detail", "--scan", "--verbose"])) {
            made.keep("raid-arrays", whole_lines(&arrays));
        }
    }
    // From the disks themselves: of an array that does not run, too.
    if let Some(arrays) = made.need("raid-members", &need(&["--examine", "--scan", "--verbose"])) {
        made.keep("raid-members", whole_lines(&arrays));
    }
}

/// `/proc/mdstat` without what counts: how far a rebuild or check is, and how much of a bitmap is in use.
fn without_progress(text: &str) -> String {
    let beginnings = ["Personalities", "unused devices", "bitmap:", "resync="];
    let counts = |line: &str| {
        let is_bar = line.starts_with('[') && line.contains("speed=");
        line.is_empty() || is_bar || beginnings.iter().any(|beginning| line.starts_with(beginning))
    };
    text.lines().filter(|line| !counts(line.trim_start())).flat_map(|line| [line, "\n"]).collect()
}

/// What mdadm writes over two lines as one, sorted.
fn whole_lines(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match lines.last_mut() {
            Some(last) if line.starts_with([' ', '\t']) => last.extend([" ", line.trim()]),
            _ => lines.push(line.trim().to_owned()),
        }
    }
    lines.sort_unstable();
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a virtual machine `otuslinux`, as its owner published what `mdadm --detail --scan --verbose` said there.
    /// Where these tests are run the kernel has no md.
    const ARRAYS: &[u8] = b"\
ARRAY /dev/md1 level=raid6 num-devices=5 metadata=1.2 name=otuslinux:1 UUID=397adee8:66045e00:d7eb1126:d641cd80
   devices=/dev/sdd,/dev/sde,/dev/sdf,/dev/sdg,/dev/sdh
ARRAY /dev/md0 level=raid1 num-devices=2 metadata=1.2 name=otuslinux:0 UUID=f57177ee:f25b4feb:61bcdab1:8dc69618
   devices=/dev/sdb,/dev/sdc
";

    /// A published `/proc/mdstat` of a RAID 10 that was being rebuilt, and the lines that the kernel's
    /// `Documentation/admin-guide/md.rst` and `drivers/md` add to it for bitmaps and waiting rebuilds.
    const STATE: &str = "\
Personalities : [raid10]
md0 : active raid10 sdb[6] sde[5] sdf[4] sdd[2] sdc[1]
      634880 blocks super 1.2 512K chunks 2 near-copies [5/3] [_UU_U]
      [==>..................]  recovery = 12.4% (31872/253952) finish=0.4min speed=7968K/sec
      bitmap: 1/15 pages [4KB], 65536KB chunk
      \tresync=PENDING

unused devices: <none>
";

    #[test]
    fn arrays_stand_in_one_line_each_and_in_order() {
        let text = whole_lines(ARRAYS);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].starts_with("ARRAY /dev/md0 level=raid1")
                && lines[0].ends_with(" devices=/dev/sdb,/dev/sdc")
        );
        assert!(lines[1].starts_with("ARRAY /dev/md1"));
    }

    #[test]
    fn the_state_says_what_is_wrong_but_not_how_far_it_is_mended() {
        let state = without_progress(STATE);
        assert_eq!(
            state,
            "md0 : active raid10 sdb[6] sde[5] sdf[4] sdd[2] sdc[1]\n      634880 blocks super 1.2 512K chunks 2 near-copies [5/3] [_UU_U]\n"
        );
        assert_eq!(without_progress("Personalities : \nunused devices: <none>\n"), "");
    }

    #[test]
    fn a_machine_without_raid_says_nothing_of_it() {
        let home = tempfile::tempdir().unwrap();
        let mut made = Made::nothing(crate::components::STORAGE_LAYOUT);
        make(&Tree::open(home.path()).unwrap(), &[], &mut made);
        assert!(made.files.is_empty() && made.warnings.is_empty());
    }
}
