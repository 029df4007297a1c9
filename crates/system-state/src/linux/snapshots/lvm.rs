//! LVM: snapshots of logical volumes, mounted read-only, by `lvs`, `lvcreate`, `mount`, `umount`, `lvremove`.
//!
//! The machines on which Stateward is built have no device mapper: what is asked of these programs and what they answer is
//! tested over recorded output, and never was run.

use super::TIME_OUT;
use crate::linux::command::{CommandError, run};
use crate::snapshots::SnapshotPlace;
use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// What a snapshot outside of a pool may take at least: what is written meanwhile is kept twice.
const BYTES_MIN: u64 = 256 << 20;

/// A logical volume, as `lvs` tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    group: String,
    name: String,
    /// The thin pool that it is in, if it is in one.
    pool: Option<String>,
    bytes: u64,
    group_free_bytes: u64,
}

/// A device that may be a logical volume.
pub(super) fn volume_of(source: &Path) -> Option<PathBuf> {
    let is_mapped = source.starts_with("/dev/mapper") || source.starts_with("/dev/dm-");
    is_mapped.then(|| source.to_owned())
}

/// Asks for the volume behind a device.
pub(super) fn describe(device: &Path) -> Result<Volume, io::Error> {
    let columns = "vg_name,lv_name,pool_lv,lv_size,vg_free";
    let arguments = ["--reportformat", "json", "--units", "b", "--nosuffix", "--options", columns, "--"];
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).chain([device.as_os_str()]).collect();
    let output = run("lvs", &arguments, &[0], TIME_OUT).map_err(io::Error::other)?;
    parse(&output).ok_or_else(|| io::Error::other("`lvs` tells of no logical volume there"))
}

fn parse(output: &[u8]) -> Option<Volume> {
    let report: serde_json::Value = serde_json::from_slice(output).ok()?;
    let volume = report.get("report")?.get(0)?.get("lv")?.get(0)?;
    let text = |field: &str| volume.get(field)?.as_str().map(str::to_owned);
    Some(Volume {
        group: text("vg_name")?,
        name: text("lv_name")?,
        pool: text("pool_lv").filter(|pool| !pool.is_empty()),
        bytes: text("lv_size")?.parse().ok()?,
        group_free_bytes: text("vg_free")?.parse().ok()?,
    })
}

impl Volume {
    /// What a snapshot of that name is called, as `group/name`.
    pub(super) fn snapshot(&self, name: &str) -> String {
        format!("{}/{name}", self.group)
    }

    /// The arguments of `lvcreate`; `None` if the group has no room. In a pool a snapshot needs no size of its own; outside
    /// it gets a tenth of the volume, or what there is.
    pub(super) fn plan(&self, name: &str) -> Option<Vec<String>> {
        let mut arguments =
            vec!["--snapshot", "--permission", "r", "--setactivationskip", "n", "--name", name];
        let size = (self.bytes / 10).max(BYTES_MIN).min(self.group_free_bytes);
        let (size, origin) = (format!("{size}b"), format!("{}/{}", self.group, self.name));
        if self.pool.is_none() {
            if self.group_free_bytes < BYTES_MIN {
                return None;
            }
            arguments.extend(["--size", &size]);
        }
        arguments.push(&origin);
        Some(arguments.into_iter().map(str::to_owned).collect())
    }
}

/// How a snapshot's file system is mounted: nothing in it is run or trusted. XFS refuses a second one of the same id, and
/// both it and ext4 would write to replay their journal, which `lvcreate` has emptied.
fn mount_options(kind: &str) -> &'static str {
    match kind {
        "xfs" => "ro,nosuid,nodev,noexec,nouuid,norecovery",
        "ext3" | "ext4" => "ro,nosuid,nodev,noexec,noload",
        _ => "ro,nosuid,nodev,noexec",
    }
}

/// Makes a snapshot and mounts it.
pub(super) fn make(plan: &[String], place: &SnapshotPlace, kind: &str) -> Result<(), CommandError> {
    run("lvcreate", &plan.iter().map(OsStr::new).collect::<Vec<_>>(), &[0], TIME_OUT)?;
    let unusable = |cause| CommandError::Unusable { program: "mount".to_owned(), cause };
    DirBuilder::new().mode(0o700).create(&place.path).map_err(unusable)?;
    let device = format!("/dev/{}", place.volume.as_deref().unwrap_or_default());
    let arguments = ["-t", kind, "-o", mount_options(kind), "--", &device].map(OsStr::new);
    run("mount", &[&arguments[..], &[place.path.as_os_str()]].concat(), &[0], TIME_OUT).map(drop)
}

/// Unmounts a snapshot and removes it.
pub(super) fn remove(place: &SnapshotPlace) -> Result<(), String> {
    let Some(volume) = place.volume.as_deref() else { return Ok(()) };
    if place.path.exists() {
        // Fails when it never was mounted; what follows tells if it still is.
        let _ = run("umount", &[OsStr::new("--"), place.path.as_os_str()], &[0], TIME_OUT);
        fs::remove_dir(&place.path).map_err(|error| error.to_string())?;
    }
    if !Path::new("/dev").join(volume).exists() {
        return Ok(());
    }
    let removed = run("lvremove", &["--yes", "--", volume].map(OsStr::new), &[0], TIME_OUT);
    removed.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As lvs(8) of LVM 2.03 writes it, put together from its manual page: never captured on a machine.
    const PLAIN: &[u8] = br#"{"report": [{"lv": [
        {"vg_name":"vg", "lv_name":"root", "pool_lv":"", "lv_size":"21474836480", "vg_free":"10737418240"}]}]}"#;

    #[test]
    fn a_volume_gets_a_tenth_of_its_size_or_what_there_is_and_none_without_room() {
        let volume = parse(PLAIN).unwrap();
        let size = |volume: &Volume| {
            let plan = volume.plan("s")?;
            let at = plan.iter().position(|argument| argument == "--size")?;
            Some(plan[at + 1].clone())
        };
        assert_eq!(size(&volume).unwrap(), "2147483648b");
        assert_eq!(volume.plan("s").unwrap().last().unwrap(), "vg/root");
        let little = Volume { group_free_bytes: 300 << 20, ..volume.clone() };
        assert_eq!(size(&little).unwrap(), format!("{}b", 300 << 20));
        assert_eq!(Volume { group_free_bytes: 1 << 20, ..volume.clone() }.plan("s"), None);
        assert_eq!(volume.snapshot("s"), "vg/s");
    }

    #[test]
    fn a_volume_in_a_pool_needs_no_size() {
        let thin = Volume { pool: Some("pool".to_owned()), group_free_bytes: 0, ..parse(PLAIN).unwrap() };
        let plan = thin.plan("s").unwrap();
        assert!(!plan.contains(&"--size".to_owned()), "{plan:?}");
        assert!(plan.contains(&"--setactivationskip".to_owned()));
    }

    #[test]
    fn an_answer_without_a_volume_is_none() {
        for answer in [&b""[..], b"{}", br#"{"report": [{"lv": []}]}"#, b"not json"] {
            assert_eq!(parse(answer), None);
        }
    }

    #[test]
    fn only_mapped_devices_are_asked_about() {
        assert!(volume_of(Path::new("/dev/mapper/vg-root")).is_some());
        assert!(volume_of(Path::new("/dev/vda1")).is_none());
        assert!(volume_of(Path::new("tmpfs")).is_none());
    }
}
