//! Which entries a restore by paths wants.

use stateward_format::FileName;
use std::cell::Cell;

/// How an entry lies to the chosen paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// At or below one of them: restored.
    Inside,
    /// A folder on the way to one of them: made, so that what is below has a place.
    OnTheWay,
    /// Neither.
    Outside,
}

/// The chosen paths. Empty: everything.
pub(super) struct Selection(Vec<Chosen>);

/// A chosen path.
struct Chosen {
    /// Its names from the topmost folder down.
    names: Vec<Vec<u8>>,
    /// Whether anything was at or below it.
    is_found: Cell<bool>,
}

impl Selection {
    /// From absolute paths; empty parts and `.` are passed over.
    pub(super) fn new(paths: &[Vec<u8>]) -> Self {
        let parts = |path: &Vec<u8>| {
            path.split(|c| *c == b'/')
                .filter(|part| !part.is_empty() && *part != b".")
                .map(<[u8]>::to_vec)
                .collect()
        };
        let chosen = |path| Chosen { names: parts(path), is_found: Cell::new(false) };
        Self(paths.iter().map(chosen).collect())
    }

    /// Where the entry lies whose names from below the topmost folder on are these.
    pub(super) fn place(&self, names: &[FileName]) -> Place {
        if self.0.is_empty() {
            return Place::Inside;
        }
        let same = |path: &[Vec<u8>]| path.iter().zip(names).all(|(part, name)| part == name.as_bytes());
        let lies = |path: &Chosen| match (same(&path.names), names.len() >= path.names.len()) {
            (true, true) => {
                path.is_found.set(true);
                Place::Inside
            }
            (true, false) => Place::OnTheWay,
            (false, _) => Place::Outside,
        };
        let places: Vec<_> = self.0.iter().map(lies).collect();
        [Place::Inside, Place::OnTheWay]
            .into_iter()
            .find(|place| places.contains(place))
            .unwrap_or(Place::Outside)
    }

    /// Which of the paths, as they were given, nothing was at or below of all that was asked for its place.
    pub(super) fn not_found(&self) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, path)| !path.is_found.get()).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(paths: &[&str], path: &str) -> Place {
        let paths: Vec<_> = paths.iter().map(|path| path.as_bytes().to_vec()).collect();
        let names: Vec<_> = path
            .split('/')
            .filter(|name| !name.is_empty())
            .map(|name| FileName::new(name.as_bytes()).unwrap())
            .collect();
        Selection::new(&paths).place(&names)
    }

    #[test]
    fn entries_are_inside_on_the_way_or_outside() {
        assert_eq!(place(&[], "/etc"), Place::Inside);
        assert_eq!(place(&["/etc/ssh"], "/"), Place::OnTheWay);
        assert_eq!(place(&["/etc/ssh"], "/etc"), Place::OnTheWay);
        assert_eq!(place(&["/etc/ssh/"], "/etc/ssh"), Place::Inside);
        assert_eq!(place(&["/etc/ssh"], "/etc/ssh/key"), Place::Inside);
        assert_eq!(place(&["/etc/ssh"], "/etc/sshd"), Place::Outside);
        assert_eq!(place(&["/etc/ssh", "/etc"], "/etc/passwd"), Place::Inside);
        assert_eq!(place(&["/"], "/usr"), Place::Inside);
    }

    #[test]
    fn a_path_that_nothing_is_at_is_told() {
        let selection = Selection::new(&["/a/b", "/c", "/a/d"].map(|path| path.as_bytes().to_vec()));
        let names =
            |path: &str| path.split('/').map(|name| FileName::new(name.as_bytes()).unwrap()).collect();
        for path in ["a", "a/b/x", "b", "a/dd"] {
            let names: Vec<_> = names(path);
            selection.place(&names);
        }
        assert_eq!(selection.not_found(), [1, 2]);
    }
}
