//! Kinds of file systems that are not entered: those that only look like files, and those of other machines.
//!
//! The numbers are those of `statfs(2)` and the kernel's `magic.h`.

use rustix::fs::fstatfs;
use std::os::fd::AsFd;

/// What a file system is to a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileSystemKind {
    /// It keeps files on this machine.
    Local,
    /// It keeps files on another machine.
    Network,
    /// It keeps nothing: the kernel makes it up, or it lies in memory.
    Pseudo,
}

const PSEUDO: &[u64] = &[
    0x9fa0,      // proc
    0x6265_6572, // sysfs
    0x0102_1994, // tmpfs, devtmpfs
    0x8584_58f6, // ramfs
    0x1cd1,      // devpts
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x9584_58f6, // hugetlbfs
    0x1980_0202, // mqueue
    0x6265_6570, // configfs
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0x4249_4e4d, // binfmt_misc
    0x0187,      // autofs
    0x6e73_6673, // nsfs
    0x6573_5543, // fusectl
    0xf97c_ff8c, // selinuxfs
    0x6759_6969, // rpc_pipefs
    0x6e66_7364, // nfsd
    0x0bad_1dea, // futexfs
    0x5049_4446, // pidfs
];

const NETWORK: &[u64] = &[
    0x6969,      // nfs
    0xff53_4d42, // cifs
    0xfe53_4d42, // smb2
    0x517b,      // smb
    0x6573_5546, // fuse: sshfs, s3fs, glusterfs and the like
    0x00c3_6400, // ceph
    0x5346_414f, // afs
    0x6b41_4653, // kafs
    0x7375_7245, // coda
    0x564c,      // ncp
    0x0bd0_0bd0, // lustre
    0x0102_1997, // 9p
];

impl FileSystemKind {
    /// The kind of the file system on which `file` lies. One that cannot be asked counts as local: what is read from it
    /// is at worst too much.
    pub fn of(file: impl AsFd) -> Self {
        // Signedness and width differ from one processor to the next; the numbers have 32 bits.
        let Ok(number) = fstatfs(file).map(|found| (found.f_type as u64) & 0xffff_ffff) else {
            return Self::Local;
        };
        match number {
            number if PSEUDO.contains(&number) => Self::Pseudo,
            number if NETWORK.contains(&number) => Self::Network,
            _ => Self::Local,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_a_pseudo_file_system_and_the_crates_own_folder_is_none() {
        let kind = |path: &str| FileSystemKind::of(std::fs::File::open(path).unwrap());
        assert_eq!(kind("/proc"), FileSystemKind::Pseudo);
        assert_ne!(kind(env!("CARGO_MANIFEST_DIR")), FileSystemKind::Pseudo);
    }
}
