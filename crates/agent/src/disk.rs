//! What an error of the operating system says of the disk below a path: it is full, or it fails. A person does something
//! else about each of these than about a right that is missing.

use crate::codes::Code;
use crate::platform::{self, FreeSpace};
use std::io;
use std::path::Path;

/// The code of a failure at a path: `full` if there is no space, [`Code::DiskFailed`] if the disk fails, `otherwise` else.
pub fn code_of(cause: &io::Error, full: Code, otherwise: Code) -> Code {
    match () {
        () if is_full(cause) => full,
        () if platform::is_disk_failure(cause) => Code::DiskFailed,
        () => otherwise,
    }
}

/// Whether there is no space left, no file can be added, or a quota is used up.
pub fn is_full(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The same error; one that says that there is no space tells how much is free at `path`, too.
pub fn explained(path: &Path, cause: io::Error) -> io::Error {
    match is_full(&cause) {
        true => io::Error::new(cause.kind(), format!("{cause}{}", free(path))),
        false => cause,
    }
}

/// ` (so much is free there)`; nothing if it can't be told.
pub fn free(path: &Path) -> String {
    platform::free_space(path).map(told).unwrap_or_default()
}

fn told(free: FreeSpace) -> String {
    let files = match free.files {
        Some(files) => format!(" and room for {files} more files"),
        None => String::new(),
    };
    format!(" ({} free{files} on its file system)", shown(free.bytes))
}

/// Bytes for people.
pub fn shown(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_failing_and_forbidden_are_told_apart() {
        let code = |cause: io::Error| code_of(&cause, Code::HomeFull, Code::HomeUnusable);
        assert_eq!(code(io::ErrorKind::StorageFull.into()), Code::HomeFull);
        assert_eq!(code(io::ErrorKind::QuotaExceeded.into()), Code::HomeFull);
        assert_eq!(code(io::Error::from_raw_os_error(5)), Code::DiskFailed);
        assert_eq!(code(io::ErrorKind::ReadOnlyFilesystem.into()), Code::DiskFailed);
        assert_eq!(code(io::ErrorKind::PermissionDenied.into()), Code::HomeUnusable);
    }

    #[test]
    fn a_lack_of_space_tells_what_is_free_even_of_a_path_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there");
        let told = explained(&path, io::ErrorKind::StorageFull.into());
        assert!(is_full(&told) && told.to_string().contains("free"), "{told}");
        let other = explained(&path, io::ErrorKind::PermissionDenied.into());
        assert!(!other.to_string().contains("free"), "{other}");
    }

    #[test]
    fn bytes_are_shown_in_a_fitting_unit() {
        let texts = [0, 999, 1_500, 2_000_000, 3_210_000_000].map(shown);
        assert_eq!(texts, ["0 bytes", "999 bytes", "1.5 kB", "2.0 MB", "3.2 GB"]);
    }
}
