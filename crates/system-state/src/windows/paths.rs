//! Paths of Windows as they stand in a recovery point: `C:\Data` is `/C/Data`, in WTF-8.
//!
//! A drive's colon is left off: with it, what reads the names could take them for something else on Windows.

use stateward_format::wtf8;
use std::ffi::OsString;
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf, Prefix};

/// The letter of the drive that an absolute path is on, and the names below it.
pub(super) fn on_drive(path: &Path) -> Option<(u8, Vec<Vec<u16>>)> {
    let mut parts = path.components();
    let drive = match parts.next()? {
        Component::Prefix(prefix) => match prefix.kind() {
            Prefix::Disk(letter) | Prefix::VerbatimDisk(letter) => letter.to_ascii_uppercase(),
            _ => return None,
        },
        _ => return None,
    };
    Some((drive, names_below(parts)?))
}

/// The names of the rest of a path, `..` taking one away.
fn names_below<'a>(parts: impl Iterator<Item = Component<'a>>) -> Option<Vec<Vec<u16>>> {
    let mut names = Vec::new();
    for part in parts {
        match part {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => names.push(name.encode_wide().collect()),
            Component::ParentDir => _ = names.pop(),
            Component::Prefix(_) => return None,
        }
    }
    Some(names)
}

/// How a path stands in a recovery point. What begins at the root and names no drive is taken to be written that way already:
/// so paths of recovery points of any system can be named. `None` for what lies on no drive.
pub fn point_path(path: &Path) -> Option<Vec<u8>> {
    let (mut bytes, names) = match path.components().next()? {
        Component::RootDir => (Vec::new(), names_below(path.components().skip(1))?),
        _ => on_drive(path).map(|(drive, names)| (vec![b'/', drive], names))?,
    };
    for name in names {
        bytes.push(b'/');
        bytes.extend(wtf8::encode(&name));
    }
    Some(if bytes.is_empty() { b"/".to_vec() } else { bytes })
}

/// The root of a drive, as a path that Win32 leaves as it is.
pub(super) fn root_of_drive(drive: u8) -> PathBuf {
    PathBuf::from(format!(r"\\?\{}:\", char::from(drive)))
}

/// The path without what tells Win32 to leave it as it is, for people.
pub(super) fn shown(path: &Path) -> PathBuf {
    match on_drive(path) {
        Some((drive, names)) => {
            let mut units: Vec<u16> = vec![drive.into(), b':'.into()];
            if names.is_empty() {
                units.push(b'\\'.into());
            }
            for name in names {
                units.push(b'\\'.into());
                units.extend(name);
            }
            OsString::from_wide(&units).into()
        }
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stand_in_a_recovery_point_without_a_colon() {
        for (path, expected) in [
            (r"C:\Data\file.txt", Some("/C/Data/file.txt")),
            (r"\\?\c:\Data\x.", Some("/C/Data/x.")),
            (r"d:\", Some("/D")),
            (r"C:\a\..\b", Some("/C/b")),
            ("/etc/passwd", Some("/etc/passwd")),
            (r"\C\Data", Some("/C/Data")),
            ("/", Some("/")),
            (r"\\server\share\x", None),
            ("relative", None),
        ] {
            let found = point_path(Path::new(path));
            assert_eq!(found, expected.map(|text| text.as_bytes().to_vec()), "{path}");
        }
        assert_eq!(shown(Path::new(r"\\?\c:\Data\x")), Path::new(r"C:\Data\x"));
        assert_eq!(shown(&root_of_drive(b'C')), Path::new(r"C:\"));
    }
}
