//! Who may use whom among the rooms (crates) of the house.
//!
//! The rule: a room may depend on a room that its row names, and on whatever the named rooms may use, at any depth
//! (they show those types in their own signatures). Nothing else. Development dependencies are free, but the rooms of
//! [`PROOF`] may be nothing else than that. A new edge is a new entry in [`TABLE`] and a sentence in ARCHITECTURE.md.

use crate::tidy::Problem;
use cargo_metadata::{DependencyKind, Metadata};
use std::collections::BTreeSet;

/// What every room's crate name begins with.
pub const PREFIX: &str = "stateward-";

/// Room → the rooms that it may name.
const TABLE: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("format", &["model"]),
    ("crypto", &["model", "format"]),
    ("windows", &["model"]),
    ("engine", &["model", "format", "crypto"]),
    ("system-state", &["engine", "windows"]),
    ("api", &["model"]),
    ("client", &["api", "engine"]),
    ("store", &["model"]),
    ("vault", &["api", "store", "format", "model"]),
    ("agent", &["engine", "system-state", "client", "windows"]),
    ("cli", &["agent", "client"]),
];

/// Rooms that prove the others: they may use anything, and no program may use them.
const PROOF: &[&str] = &["testing", "simulation", "e2e", "fuzz"];

/// Names that say nothing about what a room holds.
const NAMELESS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "shared", "core"];

/// All rooms that `room` may use, directly or through others; `None` if the table does not know it.
fn allowed(room: &str) -> Option<BTreeSet<&'static str>> {
    let row = |name: &str| TABLE.iter().find(|(found, _)| *found == name).map(|(_, uses)| *uses);
    let mut reached = BTreeSet::new();
    let mut waiting = row(room)?.to_vec();
    while let Some(next) = waiting.pop() {
        if reached.insert(next) {
            waiting.extend(row(next).unwrap_or_default());
        }
    }
    Some(reached)
}

/// Whether `from` may depend on `to` in this way.
fn check_edge(from: &str, to: &str, kind: DependencyKind) -> Option<Problem> {
    let place = format!("{from} → {to}");
    if kind == DependencyKind::Development || PROOF.contains(&from) {
        return None;
    }
    if PROOF.contains(&to) {
        return Some(Problem::at(place, format!("`{to}` may only be a dev-dependency")));
    }
    let Some(rooms) = allowed(from) else {
        return Some(Problem::at(place, format!("`{from}` has no row in the table of who may use whom")));
    };
    (!rooms.contains(to)).then(|| Problem::at(place, "the table of who may use whom does not allow this"))
}

/// Checks every edge between rooms, and their names.
pub fn check(metadata: &Metadata) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in metadata.workspace_packages() {
        let Some(room) = package.name.strip_prefix(PREFIX) else { continue };
        if !PROOF.contains(&room) && !TABLE.iter().any(|(name, _)| *name == room) {
            problems.push(Problem::at(room, "this room has no row in the table of who may use whom"));
        }
        if room.split('-').any(|word| NAMELESS.contains(&word)) {
            problems.push(Problem::at(room, "name the room by what it holds"));
        }
        for dependency in &package.dependencies {
            if let Some(used) = dependency.name.strip_prefix(PREFIX) {
                problems.extend(check_edge(room, used, dependency.kind));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_may_use_what_the_rooms_it_names_may_use() {
        for (from, to) in
            [("agent", "crypto"), ("system-state", "format"), ("cli", "engine"), ("vault", "format")]
        {
            assert_eq!(check_edge(from, to, DependencyKind::Normal), None, "{from} → {to}");
        }
    }

    #[test]
    fn the_vault_may_use_neither_ciphers_nor_the_engine() {
        for to in ["crypto", "engine", "client", "agent"] {
            assert!(check_edge("vault", to, DependencyKind::Normal).is_some(), "vault → {to}");
            assert!(check_edge("vault", to, DependencyKind::Build).is_some(), "vault → {to}");
        }
    }

    #[test]
    fn a_room_of_proof_is_a_dev_dependency_or_none() {
        assert!(check_edge("engine", "testing", DependencyKind::Normal).is_some());
        assert_eq!(check_edge("engine", "testing", DependencyKind::Development), None);
        assert_eq!(check_edge("e2e", "vault", DependencyKind::Normal), None);
    }

    #[test]
    fn a_room_without_a_row_may_use_nothing() {
        assert!(check_edge("attic", "model", DependencyKind::Normal).is_some());
    }

    #[test]
    fn the_table_has_no_circle() {
        for (room, _) in TABLE {
            assert!(!allowed(room).unwrap().contains(room), "{room} reaches itself");
        }
    }
}
