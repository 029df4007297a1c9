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
        for line in ["license.workspace = true", "publish.workspace = true", "[lints]\nworkspace = true"] {
            if !file.text.as_deref().unwrap_or_default().contains(line) {
                problems.push(Problem::at(&file.path, format!("it must have `{}`", line.replace('\n', " "))));
            }
        }
    }
    problems
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
}
