//! Owner, mode, attributes and times, in the order that keeps them all.
//!
//! Owners first: setting one clears the setuid bits and capabilities. `user.*` attributes next, as long as we may
//! write. Then the mode, then all other attributes (an access list changes the mode and knows it), times last.

use crate::linux::target::failed;
use rustix::fs::{
    AtFlags, CWD, Gid, Mode, Timespec, Timestamps, UTIME_OMIT, Uid, XattrFlags, chmodat, chownat, fchmod,
    fchown, fgetxattr_query, fremovexattr, fsetxattr, fstatvfs, futimens, getxattr_query, removexattr,
    setxattr, utimensat,
};
use rustix::io::Errno;
use stateward_engine::TargetError;
use stateward_format::entry::ExtendedAttribute;
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Metadata};
use stateward_model::Timestamp;
use std::os::fd::{AsRawFd, BorrowedFd};

const ACCESS_LIST: &str = "system.posix_acl_access";
const DEFAULT_ACCESS_LIST: &str = "system.posix_acl_default";

/// What marks a folder that a restore made and has not finished.
const UNFINISHED: &str = "user.stateward-restore";

/// The largest value that Linux lets an attribute have, in bytes (`XATTR_SIZE_MAX`).
const ATTRIBUTE_BYTES_MAX: u64 = 64 << 10;

/// Setuid and setgid.
const SET_ID: u32 = 0o6000;

/// Whose metadata is set.
#[derive(Clone, Copy)]
pub(super) enum Holder<'a> {
    /// Something that is open for reading or writing.
    Open(BorrowedFd<'a>),
    /// Something that is opened as a place only (`O_PATH`), whatever it is; reached through `/proc`, which leads to just
    /// that and not to what its name means by now.
    Beneath(BorrowedFd<'a>),
}

/// Whether what is made in a folder inherits an access list from it.
pub(super) fn has_default_access_list(folder: BorrowedFd<'_>) -> bool {
    fgetxattr_query(folder, DEFAULT_ACCESS_LIST).is_ok()
}

pub(super) fn proc_path(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

impl Holder<'_> {
    fn set_owner(self, user: Option<u32>, group: u32) -> Result<(), Errno> {
        // To the kernel it means "leave it": whoever restores would own it, with the setuid bit that another had set.
        if user == Some(u32::MAX) || group == u32::MAX {
            return Err(Errno::INVAL);
        }
        let (user, group) = (user.map(Uid::from_raw), Some(Gid::from_raw(group)));
        match self {
            Self::Open(file) => fchown(file, user, group),
            Self::Beneath(file) => chownat(file, "", user, group, AtFlags::EMPTY_PATH),
        }
    }

    /// Sets the mode, of anything but a symbolic link.
    pub fn set_mode(self, mode: Mode) -> Result<(), Errno> {
        match self {
            Self::Open(file) => fchmod(file, mode),
            Self::Beneath(file) => chmodat(CWD, proc_path(file), mode, AtFlags::empty()),
        }
    }

    fn set_attribute(self, attribute: &ExtendedAttribute) -> Result<(), Errno> {
        let ExtendedAttribute { name, value } = attribute;
        match self {
            Self::Open(file) => fsetxattr(file, name.as_slice(), value, XattrFlags::empty()),
            Self::Beneath(file) => setxattr(proc_path(file), name.as_slice(), value, XattrFlags::empty()),
        }
    }

    /// Takes an inherited attribute away. Mostly it is not there, or the file system has none.
    fn forget_attribute(self, name: &str) {
        let _ = match self {
            Self::Open(file) => fremovexattr(file, name),
            Self::Beneath(file) => removexattr(proc_path(file), name),
        };
    }

    /// Marks a folder as one that a restore made and has not finished, where the file system can keep that.
    pub fn mark_unfinished(self) {
        let _ = match self {
            Self::Open(file) => fsetxattr(file, UNFINISHED, b"", XattrFlags::empty()),
            Self::Beneath(file) => setxattr(proc_path(file), UNFINISHED, b"", XattrFlags::empty()),
        };
    }

    /// Whether it is marked so.
    pub fn is_unfinished(self) -> bool {
        match self {
            Self::Open(file) => fgetxattr_query(file, UNFINISHED).is_ok(),
            Self::Beneath(file) => getxattr_query(proc_path(file), UNFINISHED).is_ok(),
        }
    }

    /// Takes that mark away.
    pub fn forget_unfinished(self) {
        self.forget_attribute(UNFINISHED);
    }

    /// Lets what is made in a folder inherit nothing.
    pub fn forget_default_access_list(self) {
        self.forget_attribute(DEFAULT_ACCESS_LIST);
    }

    fn set_time(self, modified_at: Timestamp) -> Result<(), Errno> {
        let times = Timestamps {
            last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            last_modification: Timespec {
                tv_sec: modified_at.seconds(),
                tv_nsec: modified_at.subsecond_nanoseconds().into(),
            },
        };
        match self {
            Self::Open(file) => futimens(file, &times),
            Self::Beneath(file) => utimensat(CWD, proc_path(file), &times, AtFlags::empty()),
        }
    }

    /// Sets all of a file's or folder's metadata. `inherits`: it may have an access list that is not its own.
    pub fn set(self, path: &[u8], metadata: &Metadata, inherits: bool) -> Result<Vec<Warning>, TargetError> {
        self.set_all(path, metadata, inherits, true)
    }

    /// Sets all of a symbolic link's metadata; it has no mode.
    pub fn set_of_link(self, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
        self.set_all(path, metadata, false, false)
    }

    fn set_all(
        self,
        path: &[u8],
        metadata: &Metadata,
        inherits: bool,
        has_mode: bool,
    ) -> Result<Vec<Warning>, TargetError> {
        refuse_raw_content(path, metadata)?;
        let mut warnings = Vec::new();
        let is_owned = self.own(path, metadata, &mut warnings)?;
        let is_user = |attribute: &&ExtendedAttribute| attribute.name.starts_with(b"user.");
        let attributes = &metadata.extended_attributes;
        attributes.iter().filter(is_user).try_for_each(|a| self.put_attribute(path, a, &mut warnings))?;
        if has_mode {
            if inherits {
                self.forget_attribute(ACCESS_LIST);
            }
            // Of another owner these bits would give other rights than they gave.
            let mode = if is_owned { metadata.mode } else { metadata.mode & !SET_ID };
            tell_if_refused(self.set_mode(Mode::from_raw_mode(mode)), "Its mode", path, &mut warnings)?;
        }
        attributes
            .iter()
            .filter(|a| !is_user(a))
            .try_for_each(|a| self.put_attribute(path, a, &mut warnings))?;
        tell_if_refused(self.set_time(metadata.modified_at), "Its time", path, &mut warnings)?;
        warnings.extend(left_off(path, &metadata.attributes));
        Ok(warnings)
    }

    /// Sets the owner, or as much of it as an ordinary user may.
    fn own(self, path: &[u8], metadata: &Metadata, warnings: &mut Vec<Warning>) -> Result<bool, TargetError> {
        match self.set_owner(Some(metadata.user), metadata.group) {
            Ok(()) => return Ok(true),
            // `INVAL`: a container that has no such user.
            Err(Errno::PERM | Errno::INVAL) => {}
            Err(error) => return Err(failed(path, error)),
        }
        let is_group_set = self.set_owner(None, metadata.group).is_ok();
        let lost_bits =
            if metadata.mode & SET_ID == 0 { "" } else { "; its setuid and setgid bits were left off" };
        let what = if is_group_set { "Its owner" } else { "Its owner and group" };
        let message = format!("{what} ({}:{}) can't be set{lost_bits}", metadata.user, metadata.group);
        warnings.push(warning("owner-not-restored", path, message));
        Ok(false)
    }

    /// Sets an attribute. What hinders that mostly concerns the attribute only: a file system without it, one too large
    /// for it, a right that we lack.
    fn put_attribute(
        self,
        path: &[u8],
        attribute: &ExtendedAttribute,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), TargetError> {
        let cause = match self.set_attribute(attribute) {
            Ok(()) => return Ok(()),
            // Said of an attribute that is too large as well, wherever it is stored.
            Err(Errno::NOSPC) if self.has_space() => Errno::NOSPC,
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::IO)) => return Err(failed(path, error)),
            Err(cause) => cause,
        };
        let name = String::from_utf8_lossy(&attribute.name);
        let message = format!("Its attribute `{name}` can't be set: {cause}");
        warnings.push(warning("attribute-not-restored", path, message));
        Ok(())
    }

    /// Whether the file system could still take the largest attribute that there is.
    fn has_space(self) -> bool {
        let (Self::Open(file) | Self::Beneath(file)) = self;
        fstatvfs(file).is_ok_and(|found| found.f_bavail.saturating_mul(found.f_frsize) > ATTRIBUTE_BYTES_MAX)
    }
}

/// Content that EFS encrypted is not what its user saw: laid as a file here it would be taken for that.
fn refuse_raw_content(path: &[u8], metadata: &Metadata) -> Result<(), TargetError> {
    match metadata.attributes.iter().any(|attribute| matches!(attribute, Attribute::EfsRaw { .. })) {
        true => {
            let why = "its content is encrypted by EFS and can be restored on Windows only";
            let cause = std::io::Error::new(std::io::ErrorKind::Unsupported, why);
            Err(TargetError::Failed { path: String::from_utf8_lossy(path).into_owned(), cause })
        }
        false => Ok(()),
    }
}

/// One warning that names everything which this target cannot set: Windows' metadata, and what a newer writer added.
fn left_off(path: &[u8], attributes: &[Attribute]) -> Option<Warning> {
    // How an image was cut concerns its chunks, not the file.
    let is_left = |attribute: &&Attribute| !matches!(attribute, Attribute::DiskImage(_));
    let names: Vec<_> = attributes.iter().filter(is_left).map(Attribute::name).collect();
    let message = || format!("What can't be set here was left off: {}", names.join(", "));
    (!names.is_empty()).then(|| warning("attribute-not-restored", path, message()))
}

/// A file system that knows no modes or times refuses them: what it holds is no less whole.
fn tell_if_refused(
    set: Result<(), Errno>,
    what: &str,
    path: &[u8],
    warnings: &mut Vec<Warning>,
) -> Result<(), TargetError> {
    match set {
        Err(cause @ (Errno::PERM | Errno::INVAL | Errno::NOTSUP)) => {
            warnings.push(warning("attribute-not-restored", path, format!("{what} can't be set: {cause}")));
            Ok(())
        }
        set => set.map_err(|error| failed(path, error)),
    }
}

/// A warning about a path of the target, told as the path of the recovery point.
pub(super) fn warning(code: &str, path: &[u8], message: String) -> Warning {
    Warning { code: code.to_owned(), path: [b"/", path].concat(), message }
}
