//! What a file or folder gets besides its content; each of it read back, for a call that succeeds need not have done
//! anything: not every file system has all of it, and what stands in for Windows says yes to much.

use super::failed;
use stateward_engine::TargetError;
use stateward_format::manifest::Warning;
use stateward_format::{Attribute, Metadata};
use stateward_windows::handle::{Handle, rights};
use stateward_windows::metadata::Basic;
use stateward_windows::time::to_ticks;
use stateward_windows::{descriptor, encrypted};
use std::io;

/// The file attributes that are set as they are: read-only, hidden, system, archive, temporary, offline, not indexed.
pub(super) const SETTABLE: u32 = 0x1 | 0x2 | 0x4 | 0x20 | 0x100 | 0x1000 | 0x2000;

/// No attribute at all, which must be said: 0 would leave them.
const NORMAL: u32 = 0x80;

/// NTFS keeps the content compressed.
const COMPRESSED: u32 = 0x800;

/// EFS encrypts the content, or what is made in the folder.
const ENCRYPTED: u32 = 0x4000;

/// Attributes that make content stored otherwise, by their names: sparse is told by its holes.
const STORED: [(u32, &str); 2] = [(COMPRESSED, "compression by NTFS"), (ENCRYPTED, "encryption by EFS")];

/// What a target that keeps owners off gives: nobody is told of that.
const REDUCED_MODES: [u32; 2] = [0o666, 0o777];

/// A warning about a path of the target, told as the path of the recovery point.
fn warning(code: &str, path: &[u8], message: String) -> Warning {
    Warning { code: code.to_owned(), path: [b"/", path].concat(), message }
}

/// What is told of a link or another reparse point that could not be made.
pub(super) fn not_made(path: &[u8], why: &str) -> Warning {
    warning("link-not-restored", path, format!("This link or reparse point was not restored: {why}"))
}

/// What is told of what Windows does not have.
pub(super) fn no_such_thing(path: &[u8], what: &str) -> Warning {
    warning("device-not-restored", path, format!("It is a {what} of Unix, which Windows does not have"))
}

/// Whether it was a reparse point.
pub(super) fn is_reparse_point(metadata: &Metadata) -> bool {
    metadata.attributes.iter().any(|attribute| matches!(attribute, Attribute::ReparsePoint { .. }))
}

/// Makes a reparse point of something, if it was one, and sees that it is.
pub(super) fn set_reparse_point(handle: &Handle, metadata: &Metadata) -> io::Result<()> {
    let point = metadata.attributes.iter().find_map(|attribute| match attribute {
        Attribute::ReparsePoint { tag, data } => Some((*tag, data)),
        _ => None,
    });
    let Some((tag, data)) = point else { return Ok(()) };
    handle.set_reparse_point(tag, data)?;
    match handle.reparse_point()? {
        Some((found, what)) if found == tag && what == *data => Ok(()),
        _ => Err(io::Error::other("it was set, and is not there")),
    }
}

/// What could not be set, by its names.
#[derive(Default)]
struct Missed(Vec<String>);

impl Missed {
    /// Notes what was refused, or was not there when it was looked for. A full or failing disk ends the restore.
    fn note(&mut self, path: &[u8], what: &str, done: io::Result<bool>) -> Result<(), TargetError> {
        match done {
            Ok(true) => {}
            Ok(false) => self.0.push(what.to_owned()),
            Err(cause) => match failed(path, cause) {
                error if error.ends_restore() => return Err(error),
                TargetError::Failed { cause, .. } => self.0.push(format!("{what} ({cause})")),
                _ => self.0.push(what.to_owned()),
            },
        }
        Ok(())
    }
}

/// Sets all of it but streams' content and reparse data. What could not be set comes back as warnings.
pub(super) fn set(handle: &Handle, path: &[u8], metadata: &Metadata) -> Result<Vec<Warning>, TargetError> {
    let mut missed = Missed::default();
    let streams = handle.streams().map_err(|error| failed(path, error))?;
    for attribute in &metadata.attributes {
        let done = match attribute {
            Attribute::ExtendedAttributeBlock(block) => Some(set_extended(handle, block)),
            Attribute::SecurityDescriptor(descriptor) => Some(set_security(handle, descriptor)),
            // Compressed before its times are set, for that changes them.
            Attribute::FileAttributes(bits) if bits & COMPRESSED != 0 => {
                if let Err(cause) = handle.compress() {
                    tracing::debug!(%cause, "it can't be compressed");
                }
                None
            }
            Attribute::Stream(stream) => Some(Ok(streams.iter().any(|found| {
                stateward_format::wtf8::encode(&found.name) == stream.name && found.size == stream.size
            }))),
            // With the times, after everything that changes them.
            Attribute::FileAttributes(_) | Attribute::CreatedAt(_) | Attribute::AccessedAt(_) => None,
            // How an image was cut concerns its chunks; a reparse point was set before, and so did EFS take its file back.
            Attribute::DiskImage(_) | Attribute::ReparsePoint { .. } | Attribute::EfsRaw { .. } => None,
            Attribute::ObjectId(id) => Some(set_object_id(handle, id)),
            // Set before anything was made in it.
            Attribute::CaseSensitive => Some(handle.is_case_sensitive()),
            Attribute::ShortName(_)
            | Attribute::InodeFlags(_)
            | Attribute::ProjectId(_)
            | Attribute::Unknown { .. } => Some(Ok(false)),
        };
        if let Some(done) = done {
            missed.note(path, &attribute.name(), done)?;
        }
        if let Attribute::SecurityDescriptor(descriptor) = attribute
            && descriptor::has_audit_list(descriptor)
        {
            missed.note(path, "audit list", set_audit_list(handle, descriptor))?;
        }
    }
    for attribute in &metadata.extended_attributes {
        let name = String::from_utf8_lossy(&attribute.name);
        missed.note(path, &format!("attribute `{name}`"), Ok(false))?;
    }
    set_basic(handle, path, metadata, &mut missed)?;
    let mut warnings = Vec::new();
    if !missed.0.is_empty() {
        let message = format!("What can't be set here was left off: {}", missed.0.join(", "));
        warnings.push(warning("attribute-not-restored", path, message));
    }
    warnings.extend(of_unix(path, metadata));
    Ok(warnings)
}

/// What was read on Unix has an owner and a mode, which Windows has not.
fn of_unix(path: &[u8], metadata: &Metadata) -> Option<Warning> {
    let is_of_windows =
        metadata.attributes.iter().any(|attribute| matches!(attribute, Attribute::FileAttributes(_)));
    let is_reduced = REDUCED_MODES.contains(&metadata.mode) && (metadata.user, metadata.group) == (0, 0);
    let Metadata { mode, user, group, .. } = metadata;
    let message = format!("Its owner and mode of Unix ({user}:{group}, {mode:o}) can't be set on Windows");
    (!is_of_windows && !is_reduced).then(|| warning("owner-not-restored", path, message))
}

fn set_extended(handle: &Handle, block: &[u8]) -> io::Result<bool> {
    handle.set_extended_attributes(block)?;
    Ok(handle.extended_attributes()? == block)
}

/// Gives an object id, where no other file of the volume has it: there links lead to that one, which came of the same file,
/// and nothing is missing.
fn set_object_id(handle: &Handle, id: &[u8; 64]) -> io::Result<bool> {
    match handle.set_object_id(id)? {
        true => Ok(handle.object_id()?.as_ref() == Some(id)),
        false => Ok(true),
    }
}

/// What the file that was replaced had as long as it was there, so that the new one could not get it.
pub(super) fn take_over(handle: &Handle, metadata: &Metadata) {
    for attribute in &metadata.attributes {
        if let Attribute::ObjectId(id) = attribute
            && let Err(cause) = handle.set_object_id(id)
        {
            tracing::debug!(%cause, "an object id can't be set");
        }
    }
}

/// Lets the names in a new folder differ by case only if they did, which must be before anything lies in it; what its own folder
/// hands down is taken back. Whether it is so is looked at when it is finished.
pub(super) fn settle_case(folder: &Handle, metadata: &Metadata) {
    let wanted = metadata.attributes.contains(&Attribute::CaseSensitive);
    let is = folder.is_case_sensitive().unwrap_or(false);
    if is != wanted
        && let Err(cause) = folder.set_case_sensitive(wanted)
    {
        tracing::debug!(%cause, "whether names may differ by case only can't be set");
    }
}

/// Has EFS encrypt what is made in a folder from now on, as it did.
fn mark_encrypted(folder: &Handle) {
    if let Err(cause) = folder.path().and_then(|path| encrypted::mark_folder(&path)) {
        tracing::debug!(%cause, "a folder can't be marked for EFS");
    }
}

/// Owner and all if it may be, else the access list alone, which is told as missed.
fn set_security(handle: &Handle, wanted: &[u8]) -> io::Result<bool> {
    let to_set = descriptor::to_set(wanted);
    match handle.set_security(&to_set, true) {
        Ok(()) => {}
        Err(error) => {
            handle.set_security(&to_set, false).map_err(|_| error)?;
        }
    }
    Ok(descriptor::is_same(&handle.security(false)?, wanted))
}

/// Only with a privilege, which most restores of ordinary users lack.
fn set_audit_list(handle: &Handle, wanted: &[u8]) -> io::Result<bool> {
    let handle = handle.again(rights::DESCRIBE | rights::AUDIT)?;
    handle.set_audit_list(&descriptor::to_set(wanted))?;
    Ok(descriptor::is_same_audit_list(&handle.security(true)?, wanted))
}

/// Marks a folder for EFS, sets times and file attributes, and looks whether they are.
fn set_basic(
    handle: &Handle,
    path: &[u8],
    metadata: &Metadata,
    missed: &mut Missed,
) -> Result<(), TargetError> {
    let mut wish = Basic { written: to_ticks(metadata.modified_at), ..Basic::default() };
    let mut stored = 0;
    for attribute in &metadata.attributes {
        match attribute {
            Attribute::FileAttributes(bits) => {
                stored = *bits;
                wish.attributes = Some(bits & SETTABLE).filter(|bits| *bits > 0).unwrap_or(NORMAL);
            }
            Attribute::CreatedAt(moment) => wish.created = to_ticks(*moment),
            Attribute::AccessedAt(moment) => wish.accessed = to_ticks(*moment),
            _ => {}
        }
    }
    // After its streams, which would be encrypted, and before its times, which that changes.
    if stored & ENCRYPTED != 0 && handle.look().is_ok_and(|look| look.is_folder()) {
        mark_encrypted(handle);
    }
    let done = handle.set_basic(wish);
    let is_set = done.is_ok();
    missed.note(path, "times and file attributes", done.map(|()| true))?;
    let look = handle.look().map_err(|error| failed(path, error))?;
    if !is_set {
        return Ok(());
    }
    missed.note(path, "time", Ok(look.written == wish.written))?;
    missed.note(path, "creation time", Ok(wish.created == 0 || look.created == wish.created))?;
    let same = wish.attributes == 0 || look.attributes & SETTABLE == wish.attributes & SETTABLE;
    missed.note(path, "file attributes", Ok(same))?;
    // In a folder that is marked for EFS: only the account of this restore can read it then.
    let is_plain = look.is_folder() || stored & ENCRYPTED != 0 || !look.is_encrypted();
    missed.note(path, "being readable without a key of EFS", Ok(is_plain))?;
    for (bit, name) in STORED {
        missed.note(path, name, Ok(stored & bit == 0 || look.attributes & bit != 0))?;
    }
    Ok(())
}
