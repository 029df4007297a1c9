//! Which decoders there are, by the source: so that none is added without a target.

use std::fs;
use std::path::Path;

/// Rooms that read foreign bytes by themselves, and how a decoder's name begins there.
const ROOMS: &[&str] = &["format", "crypto", "engine", "api"];
const BEGINNINGS: &[&str] = &["decode", "parse", "open_", "read_contents", "verify_", "from_utf16"];

/// What bears such a name, or `open`, and is no decoder of its own; why.
pub const NONE: &[(&str, &str)] = &[
    ("crypto::pack::PackKeys::open_frame", "opens by key; what it gives is `FrameReader::open`'s to decode"),
    ("crypto::pack::PackKeys::open_table", "opens by key; what it gives is `PackTable::decode`'s"),
    ("crypto::pack::PackKeys::open_trailer", "opens by key; what it gives is `read_contents`'s to decode"),
    ("crypto::aead::NumberedKey::open", "the cipher itself"),
    ("format::magic::open", "how every object begins: its decoders call it"),
    ("engine::cache::CacheFolder::open", "opens a folder and reads nothing"),
    ("engine::index::tables::Tables::open", "gives a table that the journal has read"),
];

/// `room::module::[Type::]function` for every function outside of tests that takes foreign bytes by its name.
///
/// # Panics
/// If the source can't be read.
pub fn decoders() -> Vec<String> {
    let mut found = Vec::new();
    for room in ROOMS {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(room).join("src");
        for (module, text) in files(&top) {
            let path = if module.is_empty() { (*room).to_owned() } else { format!("{room}::{module}") };
            found.extend(functions(&text).into_iter().map(|name| format!("{path}::{name}")));
        }
    }
    found.sort();
    found
}

/// The names of the types of the contract that are read from JSON.
///
/// # Panics
/// If the source can't be read.
pub fn bodies() -> Vec<String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/api/src");
    let mut found = Vec::new();
    for (_, text) in files(&top) {
        let mut is_read = false;
        for line in text.lines() {
            is_read |= line.starts_with("#[derive(") && line.contains("Deserialize");
            let name = ["pub struct ", "pub enum "].iter().find_map(|word| line.strip_prefix(word));
            if let Some(name) = name
                && std::mem::take(&mut is_read)
            {
                found.push(name.split([' ', '<', '(']).next().unwrap_or_default().to_owned());
            }
        }
    }
    found
}

/// Each file's module and what stands before its tests.
fn files(top: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![top.to_path_buf()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let module =
                path.strip_prefix(top).unwrap().with_extension("").display().to_string().replace('/', "::");
            let is_test = ["tests", "testing"].iter().any(|name| module.rsplit("::").next() == Some(name));
            if !is_test && path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let production = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
                found.push((if module == "lib" { String::new() } else { module }, production));
            }
        }
    }
    found
}

/// Functions that others can call, with the type that they are of.
fn functions(text: &str) -> Vec<String> {
    let (mut found, mut of) = (Vec::new(), None);
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let name = rest.split(" for ").last().unwrap_or_default().trim_start_matches(|c| c != ' ').trim();
            let name = name.split(['<', ' ']).next().unwrap_or_default();
            of = Some(name.to_owned());
        } else if line == "}" {
            of = None;
        }
        let code = line.trim_start();
        let Some(rest) =
            ["pub fn ", "pub(crate) fn ", "pub(super) fn "].iter().find_map(|word| code.strip_prefix(word))
        else {
            continue;
        };
        let name = rest.split(['(', '<']).next().unwrap_or_default();
        if BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)) || name == "open" {
            found.push(match &of {
                Some(of) if !of.is_empty() => format!("{of}::{name}"),
                _ => name.to_owned(),
            });
        }
    }
    found
}
