//! The files of the working tree: all that a clone would hold or a commit would add, and nothing that was built.

use crate::tidy::Failure;
use std::path::{Path, PathBuf};

/// Folders that are no part of the source. `target-…` is what several builds side by side use.
const SKIPPED: &[&str] = &[".git", ".stateward", "node_modules"];

/// A file that is longer is data, not text, and is not looked into.
const TEXT_BYTES_MAX: u64 = 4 << 20;

/// A file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path from the root, with `/`.
    pub path: String,
    /// Its text; `None` if it is not UTF-8 or very long.
    pub text: Option<String>,
}

impl File {
    /// Its text as lines, counted from 1; none if it is no text.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.as_deref().unwrap_or_default().lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether it is Rust source.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether all of it is test code.
    pub fn is_test(&self) -> bool {
        let in_folder = self.path.contains("/tests/") || self.path.contains("/benches/");
        let room = |name| self.path.starts_with(&format!("crates/{name}/"));
        in_folder
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("/testing.rs")
            || self.path.ends_with("_tests.rs")
            || ["testing", "simulation", "e2e"].into_iter().any(room)
    }
}

/// All files, sorted by path.
#[derive(Debug, Default)]
pub struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads everything below `root`.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        let mut waiting = vec![root.to_path_buf()];
        while let Some(folder) = waiting.pop() {
            for found in std::fs::read_dir(&folder).map_err(access(&folder))? {
                let found = found.map_err(access(&folder))?;
                let (path, kind) = (found.path(), found.file_type().map_err(access(&found.path()))?);
                if kind.is_dir() {
                    if !is_skipped(&found.file_name().to_string_lossy()) {
                        waiting.push(path);
                    }
                } else if kind.is_file()
                    && let Some(file) = read_file(root, &path)?
                {
                    files.push(file);
                }
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { files })
    }

    /// A tree of given files, for the tests of the rules.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).into(), text: Some((*text).into()) };
        Self { files: files.iter().map(file).collect() }
    }

    /// All files.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// The files below a folder, whose name ends with `/`.
    pub fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }

    /// The names of the rooms: the folders of `crates/` with a `Cargo.toml`.
    pub fn rooms(&self) -> Vec<&str> {
        let room = |file: &'_ File| -> Option<usize> {
            let rest = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!rest.contains('/')).then_some(rest.len())
        };
        self.files.iter().filter_map(|file| room(file).map(|n| &file.path[7..7 + n])).collect()
    }
}

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this crate lies in a folder of the workspace").to_path_buf()
}

fn is_skipped(name: &str) -> bool {
    SKIPPED.contains(&name) || name == "target" || name.starts_with("target-")
}

/// Reads one file; `None` if it vanished meanwhile, as editors' temporary files do.
fn read_file(root: &Path, path: &Path) -> Result<Option<File>, Failure> {
    let relative = path.strip_prefix(root).expect("the walk stays below the root");
    let name = relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
    let read = || -> std::io::Result<Option<String>> {
        if std::fs::metadata(path)?.len() > TEXT_BYTES_MAX {
            return Ok(None);
        }
        Ok(String::from_utf8(std::fs::read(path)?).ok())
    };
    match read() {
        Ok(text) => Ok(Some(File { path: name, text })),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(access(path)(error)),
    }
}

/// Names the path in an input or output error.
pub fn access(path: &Path) -> impl FnOnce(std::io::Error) -> Failure + use<> {
    let path = path.display().to_string();
    move |source| Failure::Access { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_not_read() {
        let top = tempfile::tempdir().unwrap();
        for path in ["a.rs", "target/b.rs", "target-x/c.rs", ".git/d", "crates/model/Cargo.toml"] {
            std::fs::create_dir_all(top.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(top.path().join(path), "text").unwrap();
        }
        let tree = Tree::read(top.path()).unwrap();
        let paths: Vec<&str> = tree.files().iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.rs", "crates/model/Cargo.toml"]);
        assert_eq!(tree.rooms(), ["model"]);
    }
}
