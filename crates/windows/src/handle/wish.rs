//! How a file or folder is opened or made.

/// What a handle may do. Rights are put together with `|`.
pub mod rights {
    use windows_sys::Win32::Storage::FileSystem as fs;

    /// Look at attributes and times.
    pub const LOOK: u32 = fs::FILE_READ_ATTRIBUTES | fs::SYNCHRONIZE;
    /// Read content, extended attributes and the access list too; list a folder.
    pub const READ: u32 =
        LOOK | fs::FILE_READ_DATA | fs::FILE_READ_EA | fs::READ_CONTROL | fs::FILE_LIST_DIRECTORY;
    /// Read all but content: so files can be opened that are encrypted for somebody else.
    pub const DESCRIBE: u32 = LOOK | fs::FILE_READ_EA | fs::READ_CONTROL;
    /// Write content, attributes and extended attributes; make things in a folder.
    pub const WRITE: u32 = fs::FILE_WRITE_DATA
        | fs::FILE_APPEND_DATA
        | fs::FILE_WRITE_ATTRIBUTES
        | fs::FILE_WRITE_EA
        | fs::FILE_ADD_FILE
        | fs::FILE_ADD_SUBDIRECTORY;
    /// Set the access list and the owner.
    pub const OWN: u32 = fs::WRITE_DAC | fs::WRITE_OWNER;
    /// Set attributes and times, and give it one more name: possible with what may only be read, too.
    pub const MARK: u32 = fs::FILE_WRITE_ATTRIBUTES;
    /// Set attributes, times and extended attributes, not the content.
    pub const SETTLE: u32 = fs::FILE_WRITE_ATTRIBUTES | fs::FILE_WRITE_EA;
    /// Remove it, or give it another name.
    pub const DELETE: u32 = fs::DELETE;
    /// Read and set the audit list; needs a privilege.
    pub const AUDIT: u32 = 0x0100_0000;
    /// Go through a folder.
    pub const GO_THROUGH: u32 = fs::FILE_TRAVERSE;
    /// Remove what lies in a folder; whether it tells names apart by their case takes that, too.
    pub const EMPTY: u32 = fs::FILE_DELETE_CHILD;
}

/// What is expected at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Any,
    /// A folder.
    Folder,
    /// Anything but a folder.
    File,
}

/// How a name is opened.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// See [`rights`].
    pub rights: u32,
    /// What it must be.
    pub expected: Expected,
    /// Whether it is made, and must not be there yet.
    pub makes: bool,
    /// Whether a reparse point is followed instead of being opened itself.
    pub follows: bool,
    /// Whether a name that differs by case only is meant, too: always, where it is made.
    pub in_any_case: bool,
    /// The self-relative security descriptor that what is made has from its first moment on; otherwise the folder's own
    /// rules say which.
    pub descriptor: Option<&'a [u8]>,
}

impl<'a> Wish<'a> {
    /// Opens what is there with these rights, itself and not what it leads to.
    pub fn to(rights: u32) -> Self {
        Self {
            rights,
            expected: Expected::Any,
            makes: false,
            follows: false,
            in_any_case: false,
            descriptor: None,
        }
    }

    /// The same, whatever the case of the name.
    pub fn in_any_case(self) -> Self {
        Self { in_any_case: true, ..self }
    }

    /// The same, if it is of that kind.
    pub fn expecting(self, expected: Expected) -> Self {
        Self { expected, ..self }
    }

    /// Makes it, with that descriptor.
    pub fn making(self, expected: Expected, descriptor: Option<&'a [u8]>) -> Self {
        Self { expected, makes: true, descriptor, ..self }
    }
}
