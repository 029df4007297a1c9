//! Who may make packages that this server installs: nobody, until somebody at the server says so.

use super::UpgradeError;
use crate::settings::Settings;
use crate::{AgentError, Home, platform};
use stateward_crypto::ReleaseKeys;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// A file with some keys is far shorter than this.
const KEYS_BYTES_MAX: u64 = 64 << 10;

/// The keys that are trusted on this server: those of the usual file, if it is there, and those of the file that was set.
pub fn trusted(home: &Home) -> Result<ReleaseKeys, AgentError> {
    let set = Settings::load(home)?.release_key;
    let usual = match platform::default_release_keys() {
        Some(path) => read(&path, true)?,
        None => ReleaseKeys::default(),
    };
    let set = set.map(|path| read(&path.0, false)).transpose()?;
    Ok(usual.and(set.unwrap_or_default()))
}

/// The keys in a file.
pub fn keys_in(path: &Path) -> Result<ReleaseKeys, UpgradeError> {
    read(path, false)
}

/// The keys in a file, which others must not be able to write: whoever can becomes whoever runs the agent.
fn read(path: &Path, may_be_missing: bool) -> Result<ReleaseKeys, UpgradeError> {
    let unusable = |why: String| UpgradeError::KeysUnusable { path: path.to_owned(), why };
    let file = match File::open(path) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && may_be_missing => {
            return Ok(ReleaseKeys::default());
        }
        opened => opened.map_err(|cause| unusable(cause.to_string()))?,
    };
    if let Some(why) = platform::why_not_to_trust(path, &file).map_err(|cause| unusable(cause.to_string()))? {
        return Err(unusable(why));
    }
    let mut text = String::new();
    file.take(KEYS_BYTES_MAX).read_to_string(&mut text).map_err(|cause| unusable(cause.to_string()))?;
    ReleaseKeys::parse(&text).map_err(|wrong| unusable(wrong.to_string()))
}
