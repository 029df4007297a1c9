//! Where dependencies come from: crates.io, and nowhere else.

use crate::tidy::Problem;
use crate::tree::Tree;

/// The one source that may stand in `Cargo.lock`.
const REGISTRY: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// Checks every source in `Cargo.lock`.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let file = tree.files().iter().find(|file| file.path == "Cargo.lock");
    let Some(file) = file else { return vec![Problem::at("Cargo.lock", "it must be committed")] };
    let foreign = file.lines().filter(|(_, line)| line.starts_with("source = ") && *line != REGISTRY);
    foreign
        .map(|(number, _)| Problem::in_line(&file.path, number, "dependencies come from crates.io only"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_from_elsewhere_is_found() {
        let git = "source = \"git+https://example.org/thing\"\n";
        assert_eq!(check(&Tree::of(&[("Cargo.lock", git)])).len(), 1);
        assert_eq!(check(&Tree::of(&[("Cargo.lock", REGISTRY)])), []);
        assert_eq!(check(&Tree::of(&[])).len(), 1);
    }
}
