//! Knows the data folder of a vault when it sees one, wherever its owner put it.

use crate::linux::folder::Folder;
use crate::linux::listing::Listed;
use rustix::fs::{AtFlags, FileType, statat};
use std::sync::Arc;

/// The settings file of a vault: the one or the other.
const SETTINGS: [&[u8]; 2] = [b"vault.json", b"vault.toml"];

/// What stands beside the settings: the vault's signing key, or at least objects in its store. The settings' name alone
/// could be another product's.
const SIGNS: [(&str, FileType); 2] =
    [("signing.key", FileType::RegularFile), ("store/vaults", FileType::Directory)];

/// Whether a folder that holds these names is the data folder of a vault. The names decide for nearly every folder.
pub(crate) fn is_data_folder(folder: &Arc<Folder>, listed: &[Listed]) -> bool {
    let holds = |name: &[u8]| listed.binary_search_by(|listed| (*listed.name).cmp(name)).is_ok();
    if !holds(b"store") || !SETTINGS.iter().any(|name| holds(name)) {
        return false;
    }
    let Ok(descriptor) = folder.descriptor() else { return false };
    let is = |path: &str, kind: FileType| {
        statat(&descriptor, path, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|raw| FileType::from_raw_mode(raw.st_mode) == kind)
    };
    is("store", FileType::Directory) && SIGNS.iter().any(|(path, kind)| is(path, *kind))
}
