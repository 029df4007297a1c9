//! The two licences are there, and every crate takes the workspace's.

use crate::tidy::Problem;
use crate::tree::Tree;

/// Checks the licence files and the crates' manifests.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, beginning) in [("LICENSE-APACHE", "Apache License"), ("LICENSE-MIT", "MIT License")] {
        if !tree.text(path).is_some_and(|text| text.trim_start().starts_with(beginning)) {
            problems.push(Problem::at(path, format!("it must begin with `{beginning}`")));
        }
    }
    for file in tree.below("crates/").filter(|file| file.path.ends_with("/Cargo.toml")) {
        let mut lines = vec!["license.workspace = true", "publish.workspace = true"];
        match file.path.as_str() {
            OWN_LINTS => lines.extend(lints(tree)),
            _ => lines.push("[lints]\nworkspace = true"),
        }
        for line in lines {
            if !file.text.as_deref().unwrap_or_default().contains(line) {
                problems.push(Problem::at(&file.path, format!("it must have `{}`", line.replace('\n', " "))));
            }
        }
    }
    problems
}

/// The one room that may hold `unsafe`: cargo lets a crate take all of the workspace's lints or none.
const OWN_LINTS: &str = "crates/windows/Cargo.toml";

/// The workspace's lints, but for the one about `unsafe`.
fn lints(tree: &Tree) -> impl Iterator<Item = &str> {
    let manifest = tree.text("Cargo.toml").unwrap_or_default();
    let tables = manifest.split("\n[").filter(|table| table.starts_with("workspace.lints."));
    let lines = tables.flat_map(|table| table.lines().skip(1).take_while(|line| line.contains('=')));
    lines.filter(|line| !line.starts_with("unsafe_code"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_without_the_workspaces_lints_is_found() {
        let licences = [("LICENSE-APACHE", "Apache License"), ("LICENSE-MIT", "MIT License")];
        let whole = "license.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n";
        let tree = |manifest| Tree::of(&[licences[0], licences[1], ("crates/model/Cargo.toml", manifest)]);
        assert_eq!(check(&tree(whole)), []);
        assert_eq!(check(&tree("license.workspace = true\npublish.workspace = true\n")).len(), 1);
    }

    #[test]
    fn the_room_with_lints_of_its_own_has_all_but_the_one_about_unsafe() {
        let root = "[workspace.lints.rust]\nunsafe_code = \"forbid\"\nunused = \"deny\"\n\n[profile.release]\ndebug = 1\n";
        let root = format!("[workspace]\n{root}");
        let manifest = "license.workspace = true\npublish.workspace = true\n[lints.rust]\n";
        let of = |lints: &str| {
            let manifest = format!("{manifest}{lints}");
            let files = [("LICENSE-APACHE", "Apache License"), ("LICENSE-MIT", "MIT License")];
            check(&Tree::of(&[files[0], files[1], ("Cargo.toml", &root), (OWN_LINTS, &manifest)])).len()
        };
        assert_eq!((of("unused = \"deny\"\n"), of("")), (0, 1));
    }
}
