//! Passphrases and recovery codes from files, and files with secrets for their owner only.
//!
//! Asking at a terminal is the CLI's part. No error here holds a secret.

use crate::codes::Code;
use crate::{AgentError, disk, platform};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub use stateward_crypto::{Passphrase, PassphraseError, RecoveryCode, RecoveryCodeError, Secret};

/// A file with a secret is far shorter than this.
const SECRET_BYTES_MAX: u64 = 16 << 10;

/// Why a secret is of no use.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file can't be read.
    #[error("The file `{}` can't be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// The file is no text.
    #[error("The file `{}` holds no text in UTF-8", path.display())]
    NoText {
        /// Which file.
        path: PathBuf,
    },
    /// The passphrase is too short or too long.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The two times differ.
    #[error("The passphrase was not typed the same twice")]
    Differ,
    /// A new one was to be made for a server that has one.
    #[error("The server that registers again has a passphrase: it can't be made anew")]
    IsKnown,
    /// There is no way to ask for one.
    #[error("A passphrase is needed, and there is no terminal to ask for it")]
    NoTerminal,
    /// A code was made, and there is nowhere to put it.
    #[error("There is no terminal to show a recovery code on, and no file was named for it")]
    NoPlaceForCode,
    /// The recovery code can't be right.
    #[error(transparent)]
    RecoveryCode(#[from] RecoveryCodeError),
    /// The passphrase opens nothing.
    #[error("The passphrase is wrong: it opens no key slot of this server")]
    WrongPassphrase,
    /// The recovery code opens nothing.
    #[error("The recovery code is wrong: it opens no key slot of this server")]
    WrongRecoveryCode,
    /// There is no slot for such a secret.
    #[error("There is no key slot of this server that a {0} could open")]
    NoSlot(&'static str),
    /// The slots are damaged or unsafe.
    #[error("A key slot can't be used: {0}")]
    SlotUnusable(String),
}

impl SecretError {
    /// Which failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } | Self::NoText { .. } => Code::InputUnreadable,
            Self::Passphrase(_) => Code::PassphraseUnfit,
            Self::Differ => Code::PassphrasesDiffer,
            Self::NoTerminal | Self::IsKnown => Code::PassphraseNeeded,
            Self::NoPlaceForCode => Code::RecoveryCodeNowhere,
            Self::RecoveryCode(_) => Code::RecoveryCodeMistyped,
            Self::WrongPassphrase => Code::WrongPassphrase,
            Self::WrongRecoveryCode => Code::WrongRecoveryCode,
            Self::NoSlot(_) => Code::NoKeySlot,
            Self::SlotUnusable(_) => Code::KeySlotUnusable,
        }
    }
}

/// Reads a passphrase from a file; one trailing line break is no part of it.
pub fn read_passphrase(path: &Path) -> Result<Passphrase, SecretError> {
    let text = read_text(path)?;
    Ok(Passphrase::new(without_line_break(&text).to_owned())?)
}

/// Reads a recovery code from a file. Lines that begin with `#` are passed over.
pub fn read_recovery_code(path: &Path) -> Result<RecoveryCode, SecretError> {
    let text = read_text(path)?;
    let mut code = Zeroizing::new(String::with_capacity(text.len()));
    text.lines().filter(|line| !line.starts_with('#')).for_each(|line| code.push_str(line));
    Ok(RecoveryCode::parse(&code)?)
}

/// Reads any other secret from a file; one trailing line break is no part of it.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let text = read_text(path)?;
    Ok(Zeroizing::new(without_line_break(&text).to_owned()))
}

fn without_line_break(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let unreadable = |cause| SecretError::Unreadable { path: path.to_owned(), cause };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_BYTES_MAX as usize));
    file.take(SECRET_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| SecretError::NoText { path: path.to_owned() })?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Makes a new file for its owner only and writes `text` and a line break into it, durably. One that is there is never
/// touched.
pub fn write_new_secret_file(path: &Path, text: &str) -> Result<(), AgentError> {
    let unwritable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => AgentError::OutputExists { path: path.to_owned() },
        _ => AgentError::OutputUnwritable { path: path.to_owned(), cause: disk::explained(path, cause) },
    };
    let mut file = platform::make_private_options().create_new(true).open(path).map_err(unwritable)?;
    let written =
        file.write_all(text.as_bytes()).and_then(|()| file.write_all(b"\n")).and_then(|()| file.sync_all());
    written.map_err(|cause| {
        // Half a secret would be trusted, and would be in the way of the next try.
        let _ = std::fs::remove_file(path);
        unwritable(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    #[test]
    fn one_trailing_line_break_is_dropped_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        let read = |content: &str| {
            std::fs::write(&path, content).unwrap();
            read_passphrase(&path).unwrap().expose().to_owned()
        };
        assert_eq!(read("a long enough passphrase"), "a long enough passphrase");
        assert_eq!(read("a long enough passphrase\n"), "a long enough passphrase");
        assert_eq!(read("a long enough passphrase\r\n"), "a long enough passphrase");
        assert_eq!(read(" a long enough passphrase \n\n"), " a long enough passphrase \n");
    }

    #[test]
    fn a_recovery_code_is_read_from_a_file_with_remarks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code");
        let code = RecoveryCode::generate(&SystemRandom);
        std::fs::write(&path, format!("# Stateward\n{}\n", *code.printable())).unwrap();
        assert_eq!(*read_recovery_code(&path).unwrap().printable(), *code.printable());
        std::fs::write(&path, "0000-0000").unwrap();
        assert_eq!(read_recovery_code(&path).unwrap_err().code(), Code::RecoveryCodeMistyped);
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_is_never_written_over_another_file_and_only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_new_secret_file(&path, "first").unwrap();
        let refused = write_new_secret_file(&path, "second").unwrap_err();
        assert_eq!(refused.code(), Code::OutputExists);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
