//! Another clock for one process, by `libfaketime`.

use std::path::PathBuf;
use std::process::Command;

/// Lets a command see the time moved by `shift` (`+2h`, `-10d`).
///
/// # Panics
/// When the library is not installed.
pub fn shift(command: &mut Command, shift: &str) {
    // The monotonic clock stays: waits and time-outs are real.
    command.env("LD_PRELOAD", library()).env("FAKETIME", shift).env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("there is `/usr/lib`");
    let mut found = folders.flatten().map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"));
    found.find(|path| path.is_file()).expect("`libfaketime` is needed (package libfaketime)")
}
