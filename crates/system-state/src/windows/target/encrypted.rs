//! Raw content of EFS that is given back to it.
//!
//! It comes in any order and must be given from its beginning to its end. So it is written into the new file like any content; then
//! that is set aside, without a name that anybody knows and gone once it is closed, and EFS makes the file of it in its place.

use super::made::Place;
use stateward_format::{Attribute, Metadata};
use stateward_windows::encrypted;
use stateward_windows::handle::{Expected, Handle, Wish, rights};
use stateward_windows::metadata::{is_disk_failure, is_full};
use stateward_windows::raw_content::RawGiver;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// What an encrypted file is opened with: nobody needs a key for that, as for its content.
const SET: u32 = rights::DESCRIBE | rights::SETTLE | rights::OWN | rights::DELETE;

/// How many bytes its user sees, of a file whose content is raw.
pub(super) fn size_seen(metadata: &Metadata) -> Option<u64> {
    metadata.attributes.iter().find_map(|attribute| match attribute {
        Attribute::EfsRaw { size } => Some(*size),
        _ => None,
    })
}

/// Has EFS make the file at a place of the `size` bytes of raw content in the file that is open as `raw` and lies there now; its
/// user must see `seen` bytes then. Whatever becomes of it, `raw` is gone once it is closed. What EFS has half made is taken away by
/// whoever asked for the file, as anything is that can't be finished.
///
/// Until it gets its own access list it has the one that its folder hands down: nobody reads it without a key.
pub(super) fn give_back(raw: &Handle, place: &Place, size: u64, seen: u64) -> io::Result<Handle> {
    set_aside(raw, &place.folder)?;
    import(raw, place, size).and_then(|()| look_at(place, seen)).map_err(refused)
}

/// Takes a file's name away; it can be read by its handle until that is closed.
fn set_aside(raw: &Handle, folder: &Handle) -> io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!(".stateward-restore-raw-{:x}-{number:x}", std::process::id());
    let name: Vec<u16> = name.encode_utf16().collect();
    raw.rename_at(folder, &name, false)?;
    raw.delete()
}

fn import(raw: &Handle, place: &Place, size: u64) -> io::Result<()> {
    let mut path = place.folder.path()?;
    let slash = u16::from(b'\\');
    // Only the root of a volume ends in one.
    if path.last() != Some(&slash) {
        path.push(slash);
    }
    path.extend(&place.name);
    let mut giver = RawGiver::new(size, |offset, buffer: &mut [u8]| raw.read_at(offset, buffer));
    encrypted::import(&path, &mut |room| giver.give(room))?;
    match giver.is_at_end() {
        true => Ok(()),
        false => Err(io::Error::other("it has not taken all of it")),
    }
}

/// A success is no proof: the file must lie in the folder, encrypted, and as long as it was.
fn look_at(place: &Place, seen: u64) -> io::Result<Handle> {
    let made = place.folder.open_at(&place.name, Wish::to(SET).expecting(Expected::File))?;
    let look = made.look()?;
    match look.is_encrypted() && !look.is_reparse_point() && look.size == seen {
        true => Ok(made),
        false => Err(io::Error::other("what came of it is not the file that it was")),
    }
}

/// A disk that is full or fails ends the restore, as always.
fn refused(cause: io::Error) -> io::Error {
    if is_full(&cause) || is_disk_failure(&cause) {
        return cause;
    }
    let why = format!("its content is encrypted by EFS, which does not take it back here: {cause}");
    io::Error::new(io::ErrorKind::Unsupported, why)
}
