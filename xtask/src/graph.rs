//! What a program links in the end: the resolved graph of all packages, over every platform.
//!
//! The table of rooms speaks of edges that a `Cargo.toml` names; this proves what follows from all of them together:
//! the vault does not hold what could decrypt a backup, and no program holds OpenSSL or a second TLS provider.

use crate::tidy::Problem;
use cargo_metadata::{DependencyKind, Metadata, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Program → packages that it must not reach, and why.
const UNREACHABLE: &[(&str, &[&str], &str)] = &[
    (
        "stateward-vault",
        &[
            "stateward-crypto",
            "stateward-engine",
            "stateward-client",
            "argon2",
            "aes-gcm",
            "chacha20poly1305",
        ],
        "the vault must not be able to decrypt what it keeps",
    ),
    ("stateward-format", &["ring", "argon2"], "the format treats sealed parts as opaque bytes"),
    ("stateward-engine", &["reqwest", "hyper", "tokio"], "the engine does not know HTTP"),
];

/// Packages that no room may link: one TLS provider (`ring`), and nothing of the system's OpenSSL.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys"];

/// Package → the packages it is built from, without what only tests need.
struct Graph<'a> {
    names: BTreeMap<&'a PackageId, &'a str>,
    uses: BTreeMap<&'a PackageId, Vec<&'a PackageId>>,
}

impl<'a> Graph<'a> {
    fn of(metadata: &'a Metadata) -> Self {
        let names = metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
        let mut uses = BTreeMap::new();
        for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
            let linked = node
                .deps
                .iter()
                .filter(|edge| edge.dep_kinds.iter().any(|found| found.kind != DependencyKind::Development));
            uses.insert(&node.id, linked.map(|edge| &edge.pkg).collect());
        }
        Self { names, uses }
    }

    /// The names of all packages that `name` is built from, with one way to each: `a → b → c`.
    fn reached(&self, name: &str) -> BTreeMap<&'a str, String> {
        let mut ways = BTreeMap::new();
        let start = self.names.iter().filter(|(_, found)| **found == name).map(|(id, _)| *id);
        let mut waiting: Vec<(&PackageId, String)> = start.map(|id| (id, name.to_owned())).collect();
        let mut seen = BTreeSet::new();
        while let Some((id, way)) = waiting.pop() {
            if !seen.insert(id) {
                continue;
            }
            for next in self.uses.get(id).into_iter().flatten() {
                let name = self.names.get(next).copied().unwrap_or_default();
                let way = format!("{way} → {name}");
                ways.entry(name).or_insert_with(|| way.clone());
                waiting.push((*next, way));
            }
        }
        ways
    }
}

/// Checks what every room links.
pub fn check(metadata: &Metadata) -> Vec<Problem> {
    let graph = Graph::of(metadata);
    let mut problems = Vec::new();
    for (program, banned, reason) in UNREACHABLE {
        let reached = graph.reached(program);
        problems
            .extend(banned.iter().filter_map(|name| reached.get(name)).map(|way| Problem::at(way, *reason)));
    }
    for package in metadata.workspace_packages() {
        let reached = graph.reached(&package.name);
        let found = BANNED.iter().filter_map(|name| reached.get(name));
        problems.extend(found.map(|way| Problem::at(way, "`ring` is the only provider of cryptography")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Metadata {
        let manifest = crate::tree::workspace_root().join("Cargo.toml");
        cargo_metadata::MetadataCommand::new().manifest_path(manifest).exec().unwrap()
    }

    /// Guards the rule itself: were the graph read wrongly, it would reach nothing and forbid nothing.
    #[test]
    fn the_graph_reaches_what_is_linked_and_not_what_only_tests_use() {
        let metadata = metadata();
        let graph = Graph::of(&metadata);
        assert!(graph.reached("stateward-engine").contains_key("stateward-crypto"));
        assert!(graph.reached("stateward-cli").contains_key("stateward-crypto"));
        assert!(graph.reached("stateward-vault").contains_key("ring"));
        assert!(!graph.reached("stateward-engine").contains_key("stateward-testing"));
    }
}
