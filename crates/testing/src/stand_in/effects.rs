//! What a stand-in does besides talking.

use super::Scene;
use crate::virtual_disk::{Block, vhd, vhdx};
use serde::Deserialize;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// One thing that is done.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Effect {
    /// Makes a backup below `WindowsImageBackup` at `{root}`, for `{machine}`.
    Image {
        /// `YYYY-MM-DD hhmmss`: the name of its folder.
        stamp: String,
        /// `vhd` or `vhdx`.
        format: String,
        /// Ids of the writers that took part.
        writers: Vec<String>,
        /// What goes wrong with it.
        fault: Option<ImageFault>,
    },
    /// Adds lines to a file.
    Append {
        /// Which.
        path: String,
        /// What.
        lines: Vec<String>,
    },
    /// Removes a file or a folder with all it holds.
    Remove {
        /// Which.
        path: String,
    },
    /// Makes the file that the script of `diskpart` names first.
    MakeDisk,
    /// Never ends.
    Hang,
    /// Is ended from outside.
    Die,
}

/// What can go wrong with a backup that is said to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageFault {
    /// The disk was full in the middle of the image.
    CutOff,
    /// The image's headers are of another file.
    Headers,
    /// There is no image.
    NoImage,
    /// A document ends in the middle.
    TornDocument,
    /// The list of components is missing.
    NoComponents,
}

/// As long as a System State's is, and a block: long enough for the tests.
const DISK_BYTES: u64 = 64 << 20;
const BLOCK_BYTES: usize = 2 << 20;

impl Effect {
    pub(super) fn take(&self, scene: &Scene, arguments: &[String]) -> io::Result<()> {
        match self {
            Self::Image { stamp, format, writers, fault } => {
                let machine = PathBuf::from(scene.filled("{root}/WindowsImageBackup/{machine}"));
                make_backup(&machine, stamp, format, writers, *fault)
            }
            Self::Append { path, lines } => {
                let text: String =
                    lines.iter().flat_map(|line| [scene.filled(line), "\r\n".to_owned()]).collect();
                OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(scene.filled(path))
                    .and_then(|mut file| file.write_all(text.as_bytes()))
            }
            Self::Remove { path } => {
                let path = PathBuf::from(scene.filled(path));
                if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
            }
            Self::MakeDisk => {
                let script = fs::read_to_string(&arguments[1])?;
                let named = script.split('"').nth(1).ok_or(io::ErrorKind::InvalidData)?;
                fs::write(named, vhdx(DISK_BYTES, BLOCK_BYTES, &[]))
            }
            Self::Hang => loop {
                std::thread::park();
            },
            Self::Die => std::process::abort(),
        }
    }
}

/// A backup as published listings show one.
fn make_backup(
    machine: &Path,
    stamp: &str,
    format: &str,
    writers: &[String],
    fault: Option<ImageFault>,
) -> io::Result<()> {
    // Of an older version its folder is gone: it lives in shadow copies only.
    if let Ok(entries) = fs::read_dir(machine) {
        for path in entries.map(|entry| entry.map(|entry| entry.path())) {
            let path = path?;
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("Backup ")) {
                fs::remove_dir_all(path)?;
            }
        }
    }
    let folder = machine.join(format!("Backup {stamp}"));
    fs::create_dir_all(&folder)?;
    fs::create_dir_all(machine.join("Catalog"))?;
    fs::write(machine.join("MediaId"), [7; 16])?;
    fs::write(machine.join("Catalog/GlobalCatalog"), b"catalog")?;
    fs::write(machine.join("Catalog/BackupGlobalCatalog"), b"catalog")?;
    if fault != Some(ImageFault::NoImage) {
        let block = |number: u64| -> Block { (number, vec![number as u8 + 1; BLOCK_BYTES]) };
        let blocks: Vec<Block> = [3, 0, 9].map(block).to_vec();
        let mut image = match format {
            "vhd" => vhd(DISK_BYTES, BLOCK_BYTES, &blocks),
            _ => vhdx(DISK_BYTES, BLOCK_BYTES, &blocks),
        };
        match fault {
            Some(ImageFault::CutOff) => image.truncate(image.len() - BLOCK_BYTES / 2),
            Some(ImageFault::Headers) => image[(64 << 10) + 4..(192 << 10)].fill(1),
            _ => {}
        }
        fs::write(folder.join(format!("d2f4ae85-0000-0000-0000-100000000000.{format}")), image)?;
    }
    let set = "9f2c0a3e-1f10-4a51-8a7c-3d9b3e5c2f11";
    let document = |content: &str| -> Vec<u8> {
        let text = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>\r\n{content}\r\n");
        [b"\xff\xfe".to_vec(), text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    let specs = match fault {
        Some(ImageFault::TornDocument) => "<BackupSpecs><FileSpecs>",
        _ => "<BackupSpecs><FileSpecs/></BackupSpecs>",
    };
    fs::write(folder.join("BackupSpecs.xml"), document(specs))?;
    if fault != Some(ImageFault::NoComponents) {
        fs::write(folder.join(format!("{set}_Components.xml")), document("<Components/>"))?;
    }
    fs::write(folder.join(format!("{set}_RegistryExcludes.xml")), document("<RegistryExcludes/>"))?;
    for writer in writers {
        let content = format!("<WRITER_METADATA writer=\"{writer}\"/>");
        fs::write(folder.join(format!("{set}_Writer{writer}.xml")), document(&content))?;
    }
    Ok(())
}
