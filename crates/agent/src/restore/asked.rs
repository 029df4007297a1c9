//! Whether what a person asked for by its path is there: a mistyped path must not look like success.

use crate::items::StoredPath;
use crate::platform;
use stateward_format::manifest::Warning;

/// A warning for each path that the recovery point holds nothing of, by its place in `asked`, unless it was named as lost.
pub fn missing(asked: &[StoredPath], not_found: &[usize], lost: &[Warning]) -> Vec<Warning> {
    let paths = not_found.iter().filter_map(|number| asked.get(*number));
    let is_missing = |path: &Vec<u8>| lost.iter().all(|lost| !lost.path.starts_with(path));
    let warning = |path| Warning {
        code: "path-not-found".to_owned(),
        path,
        message: "The recovery point holds nothing at this path".to_owned(),
    };
    paths.map(|path| platform::point_path(&path.0)).filter(is_missing).map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_nothing_came_of_is_named_unless_it_is_lost() {
        let asked = ["/etc", "/etc/b", "/etc/a/f"].map(|path| StoredPath(path.into()));
        let lost = Warning {
            code: "file-lost".to_owned(),
            path: b"/etc/a/f".to_vec(),
            message: "It is lost".to_owned(),
        };
        let paths = |lost: &[Warning]| -> Vec<_> {
            missing(&asked, &[1, 2], lost).into_iter().map(|warning| warning.path).collect()
        };
        assert_eq!(paths(&[]), [b"/etc/b".to_vec(), b"/etc/a/f".to_vec()]);
        assert_eq!(paths(&[lost]), [b"/etc/b".to_vec()]);
    }
}
