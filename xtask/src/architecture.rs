//! ARCHITECTURE.md explains every room.

use crate::tidy::Problem;
use crate::tree::Tree;

/// The document with the code map.
const DOCUMENT: &str = "ARCHITECTURE.md";

/// Checks that the code map has an entry for each room, and none for a room that is gone.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let text = tree.text(DOCUMENT).unwrap_or_default();
    let rooms = tree.rooms();
    let mut problems = Vec::new();
    for room in &rooms {
        if !text.contains(&heading(room)) {
            problems.push(Problem::at(DOCUMENT, format!("the code map has no entry `{}`", heading(room))));
        }
    }
    let explained = text.lines().filter_map(|line| line.strip_prefix("### `crates/")?.strip_suffix('`'));
    for room in explained.filter(|room| !rooms.contains(room)) {
        problems.push(Problem::at(DOCUMENT, format!("`crates/{room}` is explained but does not exist")));
    }
    problems
}

/// How an entry begins.
fn heading(room: &str) -> String {
    format!("### `crates/{room}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_room_needs_its_entry_and_every_entry_its_room() {
        let cargo = ("crates/model/Cargo.toml", "");
        assert_eq!(check(&Tree::of(&[cargo, (DOCUMENT, "### `crates/model`\n")])), []);
        assert_eq!(check(&Tree::of(&[cargo, (DOCUMENT, "")])).len(), 1);
        assert_eq!(check(&Tree::of(&[(DOCUMENT, "### `crates/model`\n")])).len(), 1);
    }
}
