//! What lies in a folder, by a look that shares nothing with the code that is tested.

use rustix::fs::{lgetxattr, llistxattr, major, minor};
use stateward_format::entry::ExtendedAttribute;
use stateward_model::Timestamp;
use stateward_testing::{Listed, Listing, Segments, Thing};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// Everything beneath a folder, by path from it; not the folder itself. Holes are read as zeros: whether they come back as
/// holes is proved elsewhere.
pub fn look(top: &Path) -> Listing {
    let mut found = BTreeMap::new();
    let mut numbers: BTreeMap<u64, Vec<Vec<u8>>> = BTreeMap::new();
    let mut waiting = vec![top.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(top).unwrap().as_os_str().as_bytes().to_vec();
            if metadata.is_dir() {
                waiting.push(path.clone());
            } else if metadata.is_file() {
                numbers.entry(metadata.ino()).or_default().push(name.clone());
            }
            found.insert(name, listed(&path, &metadata));
        }
    }
    for mut names in numbers.into_values().filter(|names| names.len() > 1) {
        names.sort();
        for name in &names {
            if let Some(Thing::File { linked_with, .. }) = found.get_mut(name).map(|listed| &mut listed.thing)
            {
                *linked_with = Some(names[0].clone());
            }
        }
    }
    Listing(found)
}

fn listed(path: &Path, metadata: &fs::Metadata) -> Listed {
    let kind = metadata.file_type();
    let device = (major(metadata.rdev()), minor(metadata.rdev()));
    let thing = if kind.is_dir() {
        Thing::Folder
    } else if kind.is_file() {
        plain(fs::read(path).unwrap(), None)
    } else if kind.is_symlink() {
        Thing::SymbolicLink(fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec())
    } else if kind.is_block_device() {
        Thing::BlockDevice(device.0, device.1)
    } else if kind.is_char_device() {
        Thing::CharacterDevice(device.0, device.1)
    } else if kind.is_fifo() {
        Thing::Fifo
    } else {
        Thing::Socket
    };
    Listed {
        thing,
        mode: metadata.mode() & 0o7777,
        user: metadata.uid(),
        group: metadata.gid(),
        modified_at: Timestamp::from_seconds(metadata.mtime(), metadata.mtime_nsec() as u32).unwrap(),
        extended_attributes: attributes(path),
    }
}

fn plain(content: Vec<u8>, linked_with: Option<Vec<u8>>) -> Thing {
    let mut segments = Segments::default();
    segments.write(0, &content);
    Thing::File { size: content.len() as u64, segments, linked_with }
}

fn attributes(path: &Path) -> Vec<ExtendedAttribute> {
    let mut names = vec![0; 4096];
    let length = llistxattr(path, &mut names[..]).unwrap_or(0);
    let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let read = |name: &[u8]| {
        let mut value = vec![0; 4096];
        let length = lgetxattr(path, name, &mut value[..]).unwrap();
        ExtendedAttribute { name: name.to_vec(), value: value[..length].to_vec() }
    };
    let mut found: Vec<_> = names.map(read).collect();
    found.sort();
    found
}

/// The same listing with holes read as zeros, of what lies beneath a folder.
pub fn beneath(listing: Listing, top: &Path) -> Listing {
    let prefix = [top.strip_prefix("/").unwrap().as_os_str().as_bytes(), b"/"].concat();
    let mut found = BTreeMap::new();
    for (path, mut listed) in listing.0 {
        let Some(path) = path.strip_prefix(prefix.as_slice()) else { continue };
        if let Thing::File { size, segments, linked_with } = listed.thing {
            let mut content = vec![0; size as usize];
            segments.read(0, &mut content);
            let linked_with = linked_with.map(|first| first[prefix.len()..].to_vec());
            listed.thing = plain(content, linked_with);
        }
        found.insert(path.to_vec(), listed);
    }
    Listing(found)
}
