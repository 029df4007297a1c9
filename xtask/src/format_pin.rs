//! The description of the bytes at rest is pinned to the code that writes them.
//!
//! `docs/format.md` bears a hash of that code. Who changes the code must read the description again and renew the pin
//! with `cargo xtask pin-format`; until then `tidy` fails. Tests are not part of the hash.

use crate::source_text::production_part;
use crate::tidy::{Failure, Problem};
use crate::tree::{Tree, access};
use std::path::Path;

/// The description.
pub const DOCUMENT: &str = "docs/format.md";

/// The folders that decide what lies in a store: how it is laid out, and how it is sealed.
const PINNED: &[&str] = &["crates/format/src/", "crates/crypto/src/"];

/// How the line with the pin begins.
const BEGINNING: &str = "<!-- Pinned to crates/format/src and crates/crypto/src: ";

/// How it ends.
const END: &str = " -->";

/// The hash of the code as it stands.
fn pin(tree: &Tree) -> String {
    let mut hasher = blake3::Hasher::new();
    for folder in PINNED {
        for file in tree.below(folder).filter(|file| file.is_rust() && !file.is_test()) {
            let text = production_part(file.text.as_deref().unwrap_or_default());
            for part in [file.path.as_str(), text] {
                // Lengths keep `a` + `bc` apart from `ab` + `c`.
                hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
            }
        }
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// The line of a document that holds the pin.
fn line(document: &str) -> Option<&str> {
    document.lines().find(|line| line.starts_with(BEGINNING) && line.ends_with(END))
}

/// Checks the pin.
pub fn check(tree: &Tree) -> Vec<Problem> {
    let Some(found) = tree.text(DOCUMENT).and_then(line) else {
        return vec![Problem::at(DOCUMENT, format!("it must have a line that begins with `{BEGINNING}`"))];
    };
    if found[BEGINNING.len()..found.len() - END.len()] == pin(tree) {
        return Vec::new();
    }
    let advice = "the code of the format has changed: bring this document up to date, then run `cargo xtask pin-format`";
    vec![Problem::at(DOCUMENT, advice)]
}

/// Writes the hash of the code as it stands into the description.
///
/// # Errors
/// When the document has no line for it, or cannot be written.
pub fn renew(root: &Path, tree: &Tree) -> Result<String, Failure> {
    let pin = pin(tree);
    let document = tree.text(DOCUMENT).unwrap_or_default();
    let old = line(document).ok_or(Failure::NoPin { document: DOCUMENT, prefix: BEGINNING })?;
    let path = root.join(DOCUMENT);
    std::fs::write(&path, document.replacen(old, &format!("{BEGINNING}{pin}{END}"), 1))
        .map_err(access(&path))?;
    Ok(pin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_the_code_breaks_the_pin_and_a_change_of_its_tests_does_not() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("docs")).unwrap();
        let document = format!("# Format\n\n{BEGINNING}0{END}\n");
        let code = "fn write() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
        let tree =
            |code: &str, document: &str| Tree::of(&[("crates/format/src/a.rs", code), (DOCUMENT, document)]);
        assert_eq!(check(&tree(code, &document)).len(), 1);
        renew(top.path(), &tree(code, &document)).unwrap();
        let renewed = std::fs::read_to_string(top.path().join(DOCUMENT)).unwrap();
        assert_eq!(check(&tree(code, &renewed)), []);
        assert_eq!(check(&tree(&code.replace("mod tests {\n", "mod tests {\n// more\n"), &renewed)), []);
        assert_eq!(check(&tree(&code.replace("write", "read"), &renewed)).len(), 1);
    }
}
