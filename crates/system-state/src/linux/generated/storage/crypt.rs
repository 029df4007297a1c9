//! Headers of encrypted devices (LUKS).
//!
//! A damaged header makes all that the device holds unreadable for ever, so each is kept. It is a secret: together
//! with a passphrase that once opened the device it opens it still, also after that passphrase was taken away. It is
//! written to a folder in memory for a moment, and goes nowhere but into the sealed recovery point.

use super::devices::Device;
use super::{Content, Made};
use crate::linux::command::{CommandError, TIME_OUT, run};
use crate::linux::scratch::Scratch;
use std::fs::File;

/// Keeps each device's header, and what it says of itself.
pub(super) fn make(devices: &[Device], made: &mut Made) {
    for device in devices.iter().filter(|device| device.holds("crypto_LUKS")) {
        let name = format!("luks-header-{}.img", device.id());
        match header(&device.path) {
            Ok(header) => made.keep(name, header),
            Err(HeaderError::Command(CommandError::Missing { .. })) => {
                let here = format!("`{}` is encrypted", device.path);
                made.lack(&name, &here, "cryptsetup", "cryptsetup-bin, or cryptsetup");
            }
            Err(error) => made.fail(&name, error),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum HeaderError {
    #[error("{0}")]
    Command(#[from] CommandError),
    #[error("there is no place for a temporary file: {0}")]
    Place(#[from] std::io::Error),
}

/// The header, as a file that has lost its name: 16 MiB for each device are better not held by this process.
fn header(device: &str) -> Result<Content, HeaderError> {
    let scratch = Scratch::in_memory()?;
    let path = scratch.path().join("header");
    let arguments = ["luksHeaderBackup", device, "--header-backup-file", &path.to_string_lossy()];
    run("cryptsetup", &arguments, &[0], TIME_OUT)?;
    Ok(Content::of_file(File::open(&path)?)?)
}
