//! The description of the bytes at rest is pinned to the code that writes them, and to the vaults that it wrote.
//!
//! `docs/format.md` bears a hash of that code. Who changes the code must read the description again and renew the pin
//! with `cargo xtask pin-format`; until then `tidy` fails. Tests are not part of the hash.
//!
//! It bears a hash of each golden vault too. These are what makes the format frozen: a vault that is listed may not change
//! and may not go away, whatever changes in the code, and `pin-format` only ever adds one. (Packs, recovery points and key
//! slots go into the hash by their names, which are hashes of them.)

use crate::source_text::production_part;
use crate::tidy::{Failure, Problem};
use crate::tree::{Tree, access};
use std::collections::BTreeMap;
use std::path::Path;

/// The description.
pub const DOCUMENT: &str = "docs/format.md";

/// The folders that decide what lies in a store: how it is laid out, and how it is sealed.
const PINNED: &[&str] = &["crates/format/src/", "crates/crypto/src/"];

/// How the line with the pin begins.
const BEGINNING: &str = "<!-- Pinned to crates/format/src and crates/crypto/src: ";

/// How it ends.
const END: &str = " -->";

/// The folder of the golden vaults.
const VAULTS: &str = "testdata/vaults/";

/// How the line with the hash of one begins: its name and the hash follow.
const VAULT_BEGINNING: &str = "<!-- Kept for ever: testdata/vaults/";

/// What is said of a vault that is no longer what it was.
const FROZEN: &str = "version 1 of the format is frozen, and this golden vault, which an earlier build wrote, is not what it \
                      was: a change of version 1 is refused. Put the vault back; what a writer does otherwise goes into \
                      another one, what the format does otherwise into another version (section 11)";

/// The hashes of all golden vaults, by name.
fn vaults(tree: &Tree) -> BTreeMap<String, String> {
    let mut hashers: BTreeMap<String, blake3::Hasher> = BTreeMap::new();
    for file in tree.below(VAULTS) {
        let Some((name, path)) = file.path[VAULTS.len()..].split_once('/') else { continue };
        let hasher = hashers.entry(name.to_owned()).or_default();
        for part in [path, file.text.as_deref().unwrap_or_default()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
    }
    let short = |hasher: blake3::Hasher| hasher.finalize().to_hex()[..32].to_owned();
    hashers.into_iter().map(|(name, hasher)| (name, short(hasher))).collect()
}

/// The golden vaults that a document lists, and their hashes.
fn listed_vaults(document: &str) -> BTreeMap<String, String> {
    let listed = document.lines().filter_map(|line| line.strip_prefix(VAULT_BEGINNING)?.strip_suffix(END));
    let pair = |line: &str| line.split_once(' ').map(|(name, hash)| (name.to_owned(), hash.to_owned()));
    listed.filter_map(pair).collect()
}

/// The first listed vault that is not what it was.
fn changed_vault(document: &str, vaults: &BTreeMap<String, String>) -> Option<String> {
    listed_vaults(document)
        .into_iter()
        .find(|(name, hash)| vaults.get(name) != Some(hash))
        .map(|(name, _)| name)
}

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
    let document = tree.text(DOCUMENT).unwrap_or_default();
    let Some(found) = line(document) else {
        return vec![Problem::at(DOCUMENT, format!("it must have a line that begins with `{BEGINNING}`"))];
    };
    let vaults = vaults(tree);
    if let Some(name) = changed_vault(document, &vaults) {
        return vec![Problem::at(format!("{VAULTS}{name}"), FROZEN)];
    }
    let listed = listed_vaults(document);
    if let Some(name) = vaults.keys().find(|name| !listed.contains_key(*name)) {
        let advice = format!("{DOCUMENT} does not list this golden vault: run `cargo xtask pin-format`");
        return vec![Problem::at(format!("{VAULTS}{name}"), advice)];
    }
    if found[BEGINNING.len()..found.len() - END.len()] == pin(tree) {
        return Vec::new();
    }
    let advice = "the code of the format has changed, and version 1 is frozen: what was written must be read as before, and \
                  what is written must be what earlier builds read. If the tests of the golden vaults pass, bring this \
                  document up to date and run `cargo xtask pin-format`";
    vec![Problem::at(DOCUMENT, advice)]
}

/// Writes the hash of the code as it stands into the description, and those of golden vaults that it does not list yet.
///
/// # Errors
/// When a golden vault that it lists is not what it was, when the document has no line for the hash, or cannot be written.
pub fn renew(root: &Path, tree: &Tree) -> Result<String, Failure> {
    let pin = pin(tree);
    let document = tree.text(DOCUMENT).unwrap_or_default();
    let old = line(document).ok_or(Failure::NoPin { document: DOCUMENT, prefix: BEGINNING })?;
    let (vaults, listed) = (vaults(tree), listed_vaults(document));
    if let Some(name) = changed_vault(document, &vaults) {
        return Err(Failure::Frozen { vault: format!("{VAULTS}{name}"), why: FROZEN });
    }
    let mut new = format!("{BEGINNING}{pin}{END}");
    for (name, hash) in vaults.iter().filter(|(name, _)| !listed.contains_key(*name)) {
        new += &format!("\n{VAULT_BEGINNING}{name} {hash}{END}");
    }
    let path = root.join(DOCUMENT);
    std::fs::write(&path, document.replacen(old, &new, 1)).map_err(access(&path))?;
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

    #[test]
    fn a_golden_vault_that_is_listed_may_not_change_or_go_and_another_may_come() {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join("docs")).unwrap();
        let document = format!("# Format\n\n{BEGINNING}0{END}\n");
        let points = ("testdata/vaults/0.1/points.jsonl", "{}");
        let pack = ("testdata/vaults/0.1/store/packs/ab/abcd", "");
        let renew_and_read = |tree: &Tree| {
            renew(top.path(), tree).unwrap();
            std::fs::read_to_string(top.path().join(DOCUMENT)).unwrap()
        };
        let unlisted = Tree::of(&[points, pack, (DOCUMENT, &document)]);
        assert!(check(&unlisted)[0].message.contains("does not list"));
        let document = renew_and_read(&unlisted);
        assert_eq!(check(&Tree::of(&[points, pack, (DOCUMENT, &document)])), []);
        for changed in
            [vec![points], vec![pack], vec![(points.0, "{ }"), pack], vec![points, (pack.0, "other")]]
        {
            let tree = Tree::of(&[&changed[..], &[(DOCUMENT, &*document)]].concat());
            assert!(check(&tree)[0].message.contains("is refused"), "{changed:?}");
            assert!(matches!(renew(top.path(), &tree), Err(Failure::Frozen { .. })), "{changed:?}");
        }
        let newer = ("testdata/vaults/0.2/points.jsonl", "{}");
        let document = renew_and_read(&Tree::of(&[points, pack, newer, (DOCUMENT, &document)]));
        assert_eq!(listed_vaults(&document).len(), 2);
        assert_eq!(check(&Tree::of(&[points, pack, newer, (DOCUMENT, &document)])), []);
    }
}
