//! Whether what a person asked for by its path is there after a restore: a mistyped path must not look like success.

use crate::items::StoredPath;
use crate::platform;
use stateward_format::manifest::Warning;
use std::fs;
use std::path::{Component, Path};

/// A warning for each path that the restore brought nothing of, unless it was named as lost.
pub fn missing(target: &Path, asked: &[StoredPath], lost: &[Warning]) -> Vec<Warning> {
    let is_missing = |path: &&StoredPath| {
        let bytes = platform::path_bytes(&path.0);
        !is_there(target, &path.0) && lost.iter().all(|lost| !lost.path.starts_with(&bytes))
    };
    let warning = |path: &StoredPath| Warning {
        code: "path-not-found".to_owned(),
        path: platform::path_bytes(&path.0),
        message: "The recovery point holds nothing at this path".to_owned(),
    };
    asked.iter().filter(is_missing).map(warning).collect()
}

/// Looks beneath the target without following a link: an absolute one would lead to this machine's own files.
fn is_there(target: &Path, path: &Path) -> bool {
    let mut here = target.to_owned();
    let mut names = path.components().filter(|part| matches!(part, Component::Normal(_))).peekable();
    while let Some(name) = names.next() {
        here.push(name);
        match fs::symlink_metadata(&here) {
            Ok(found) if names.peek().is_none() || found.is_dir() => (),
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(target: &Path, asked: &[&str], lost: &[Warning]) -> Vec<String> {
        let asked: Vec<StoredPath> = asked.iter().map(|path| StoredPath(path.into())).collect();
        let text = |warning: Warning| String::from_utf8(warning.path).unwrap();
        missing(target, &asked, lost).into_iter().map(text).collect()
    }

    #[test]
    fn a_path_that_nothing_came_of_is_named() {
        let target = tempfile::tempdir().unwrap();
        fs::create_dir_all(target.path().join("etc/a")).unwrap();
        fs::write(target.path().join("etc/a/f"), "").unwrap();
        let asked = ["/", "/etc", "/etc/a/f", "/etc/b", "/etc/a/f/below"];
        assert_eq!(codes(target.path(), &asked, &[]), ["/etc/b", "/etc/a/f/below"]);
    }

    #[test]
    fn a_link_in_what_was_restored_is_not_followed() {
        let target = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/etc", target.path().join("link")).unwrap();
        assert_eq!(codes(target.path(), &["/link", "/link/passwd"], &[]), ["/link/passwd"]);
    }

    #[test]
    fn what_was_named_as_lost_is_not_named_twice() {
        let target = tempfile::tempdir().unwrap();
        let lost = Warning {
            code: "file-lost".to_owned(),
            path: b"/etc/a/f".to_vec(),
            message: "It is lost".to_owned(),
        };
        assert_eq!(codes(target.path(), &["/etc/a/f", "/etc/a"], &[lost]), [""; 0]);
    }
}
