//! A limit on the memory of processes, as an administrator's service manager sets it: a control group of the kernel.

use rustix::process::geteuid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A control group with a limit; removed when it is dropped, which must be after its processes.
#[derive(Debug)]
pub struct MemoryLimit {
    group: PathBuf,
    peak: &'static str,
}

/// Where groups are made, the file that bears the limit, and the one that tells the peak: version 2, then version 1.
const KINDS: [(&str, &str, &str); 3] = [
    ("/sys/fs/cgroup", "memory.max", "memory.peak"),
    ("/sys/fs/cgroup/unified", "memory.max", "memory.peak"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes"),
];

impl MemoryLimit {
    /// A group whose processes may have so many bytes together, pages of files included. `None` where this machine does
    /// not let one be made: not as root, or in a container without control groups.
    pub fn of(name: &str, bytes: u64) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        KINDS.into_iter().find_map(|(top, limit, peak)| {
            let group = Path::new(top).join(format!("stateward-test-{name}-{}", std::process::id()));
            fs::create_dir(&group).ok()?;
            let made = Self { group, peak };
            fs::write(made.group.join(limit), bytes.to_string()).ok()?;
            made.peak_bytes().map(|_| made)
        })
    }

    /// The same command, to run within the limit.
    pub fn over(&self, command: &Command) -> Command {
        let mut limited = Command::new("sh");
        limited.args(["-c", "echo $$ >\"$0\" && exec \"$@\""]).arg(self.group.join("cgroup.procs"));
        limited.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            limited.current_dir(folder);
        }
        limited
    }

    /// The most that its processes had at one time, pages of files included.
    pub fn peak_bytes(&self) -> Option<u64> {
        fs::read_to_string(self.group.join(self.peak)).ok()?.trim().parse().ok()
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        // Fails while a process is in it: an empty group is left, which costs nothing.
        let _ = fs::remove_dir(&self.group);
    }
}
