//! Which entries a restore by paths wants.

use stateward_format::FileName;

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

/// The chosen paths as names from the topmost folder down. Empty: everything.
pub(super) struct Selection(Vec<Vec<Vec<u8>>>);

impl Selection {
    /// From absolute paths; empty parts and `.` are passed over.
    pub(super) fn new(paths: &[Vec<u8>]) -> Self {
        let parts = |path: &Vec<u8>| {
            path.split(|c| *c == b'/')
                .filter(|part| !part.is_empty() && *part != b".")
                .map(<[u8]>::to_vec)
                .collect()
        };
        Self(paths.iter().map(parts).collect())
    }

    /// Where the entry lies whose names from below the topmost folder on are these.
    pub(super) fn place(&self, names: &[FileName]) -> Place {
        if self.0.is_empty() {
            return Place::Inside;
        }
        let same = |path: &Vec<Vec<u8>>| path.iter().zip(names).all(|(part, name)| part == name.as_bytes());
        let lies = |path: &Vec<Vec<u8>>| match (same(path), names.len() >= path.len()) {
            (true, true) => Place::Inside,
            (true, false) => Place::OnTheWay,
            (false, _) => Place::Outside,
        };
        let places: Vec<_> = self.0.iter().map(lies).collect();
        [Place::Inside, Place::OnTheWay]
            .into_iter()
            .find(|place| places.contains(place))
            .unwrap_or(Place::Outside)
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
}
