//! What becomes of a part's lists: files, and warnings about those that could not be made.

use super::FOLDER;
use crate::components::Part;
use crate::linux::command::{CommandError, TIME_OUT, run};
use stateward_format::manifest::Warning;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// A name has 255 bytes at most; some are for telling it from another of the same name.
const NAME_BYTES_MAX: usize = 240;

/// What a generated file holds.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A list, in memory.
    Bytes(Arc<[u8]>),
    /// A dump, in a file without a name.
    Spilled(Arc<File>, u64),
}

impl Content {
    /// What a program wrote to `file`.
    pub fn of_file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self::Spilled(Arc::new(file), length))
    }

    /// Its length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Spilled(_, length) => *length,
        }
    }

    /// Reads from `offset` on; 0 bytes only at the end.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(bytes) => {
                let rest = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or(&[]);
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
            Self::Spilled(file, _) => file.read_at(buffer, offset),
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

/// A part's lists as far as they are made.
#[derive(Debug)]
pub(super) struct Made {
    part: Part,
    /// Each with its name.
    pub files: Vec<(String, Content)>,
    /// What could not be made.
    pub warnings: Vec<Warning>,
}

impl Made {
    /// Nothing of `part` yet.
    pub fn nothing(part: Part) -> Self {
        Self { part, files: Vec::new(), warnings: Vec::new() }
    }

    /// Keeps a file. One that would be empty says nothing and is left out. Names may come from the system: what can't
    /// stand in one is replaced, and a second file of a name is told from the first.
    pub fn keep(&mut self, name: impl Into<String>, content: impl Into<Content>) {
        let content = content.into();
        if content.length() == 0 {
            return;
        }
        let mut plain = name.into().replace(['/', '\0'], "-");
        while plain.len() > NAME_BYTES_MAX {
            plain.pop();
        }
        let is_free = |name: &String| !self.files.iter().any(|(known, _)| known == name);
        let numbered = (2..).map(|number| format!("{plain}.{number}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(is_free);
        self.files.push((name.unwrap_or(plain), content));
    }

    /// The file of that name, if it was made and is in memory.
    pub fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find_map(|(known, content)| match content {
            Content::Bytes(bytes) if known == name => Some(&**bytes),
            _ => None,
        })
    }

    /// A file could not be made, though what it tells of is here.
    pub fn fail(&mut self, name: &str, why: impl std::fmt::Display) {
        self.warn("command-failed", self.path(name), format!("It could not be made: {why}"));
    }

    /// A program that is needed for what is here isn't installed.
    pub fn lack(&mut self, name: &str, here: &str, program: &str, package: &str) {
        let message = format!(
            "{here}, but `{program}` isn't installed, so this is not kept: install it (package `{package}`)"
        );
        self.warn("tool-missing", self.path(name), message);
    }

    /// Warns of a path of the system, or of a generated one.
    pub fn warn(&mut self, code: &str, path: Vec<u8>, message: String) {
        self.warnings.push(Warning { code: code.to_owned(), path, message });
    }

    fn path(&self, name: &str) -> Vec<u8> {
        let names = [FOLDER, self.part.info().name.as_bytes(), name.as_bytes()];
        super::path(&names)
    }

    /// Asks a program because what it tells of is here, and gives what it said.
    pub fn need(&mut self, name: &str, need: &Need<'_>) -> Option<Vec<u8>> {
        match run(need.program, need.arguments, &[0], TIME_OUT) {
            Ok(output) => return Some(output),
            Err(CommandError::Missing { .. }) => self.lack(name, need.here, need.program, need.package),
            Err(error) => self.fail(name, error),
        }
        None
    }
}

/// A program that is needed because of what is here.
pub(super) struct Need<'a> {
    /// What is here, as the beginning of a sentence.
    pub here: &'a str,
    /// The program.
    pub program: &'a str,
    /// The package that has it, as most distributions call it.
    pub package: &'a str,
    /// What it is asked.
    pub arguments: &'a [&'a str],
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::STORAGE_LAYOUT;

    #[test]
    fn a_program_that_is_missing_though_it_is_needed_is_named_with_its_package() {
        let mut made = Made::nothing(STORAGE_LAYOUT);
        let need = Need {
            here: "A disk holds LVM",
            program: "no-such-program-here",
            package: "lvm2",
            arguments: &[],
        };
        assert_eq!(made.need("volume-group-x", &need), None);
        let warning = &made.warnings[0];
        assert_eq!(warning.code, "tool-missing");
        assert_eq!(warning.path, b"/stateward-generated/storage-layout/volume-group-x");
        assert!(warning.message.contains("A disk holds LVM") && warning.message.contains("`lvm2`"));
        made.need("x", &Need { program: "false", ..need });
        assert_eq!(made.warnings[1].code, "command-failed");
    }

    #[test]
    fn every_name_is_valid_and_none_stands_twice() {
        let mut made = Made::nothing(STORAGE_LAYOUT);
        for name in ["luks-header-1.img", "luks-header-1.img", "luks-header-1.img", "a/../b\0c"] {
            made.keep(name, b"x".to_vec());
        }
        made.keep("\u{1F4BE}".repeat(300), b"x".to_vec());
        made.keep("empty", Vec::new());
        let names: Vec<&str> = made.files.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names[..3], ["luks-header-1.img", "luks-header-1.img.2", "luks-header-1.img.3"]);
        assert_eq!((names[3], names.len()), ("a-..-b-c", 5));
        assert!(names.iter().all(|name| stateward_format::FileName::new(name.as_bytes()).is_ok()));
    }

    #[test]
    fn spilled_and_other_content_read_the_same() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"content", 0).unwrap();
        let made = [Content::of_file(file).unwrap(), Content::from(b"content".to_vec())];
        for content in made {
            let mut buffer = [0; 16];
            assert_eq!(content.length(), 7);
            assert_eq!(content.read_at(3, &mut buffer).unwrap(), 4);
            assert_eq!(&buffer[..4], b"tent");
            assert_eq!(content.read_at(7, &mut buffer).unwrap(), 0);
        }
    }
}
