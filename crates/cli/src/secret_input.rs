//! Where secrets come from: a file, a generator, or a person at a terminal.

use crate::context::Context;
use clap::Args;
use stateward_agent::AgentError;
use stateward_agent::secrets::{self, Passphrase, RecoveryCode, Secret, SecretError};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

/// A new passphrase.
#[derive(Debug, Default, Args)]
pub struct NewPassphrase {
    /// Take the passphrase from this file (one trailing line break is dropped) instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "generate_passphrase")]
    passphrase_file: Option<PathBuf>,
    /// Let a passphrase be made
    #[arg(long, requires = "passphrase_out")]
    generate_passphrase: bool,
    /// Write the passphrase that was made into this new file
    #[arg(long, value_name = "FILE", requires = "generate_passphrase")]
    passphrase_out: Option<PathBuf>,
}

impl NewPassphrase {
    /// One that is made and written into a new file.
    pub fn made_into(path: PathBuf) -> Self {
        Self { passphrase_file: None, generate_passphrase: true, passphrase_out: Some(path) }
    }

    /// Whether flags say where it comes from.
    pub fn is_said(&self) -> bool {
        self.passphrase_file.is_some() || self.passphrase_out.is_some()
    }

    /// The passphrase: from the file, made and written into the file that comes with it, or typed twice.
    pub fn get(&self, context: &Context) -> Result<(Passphrase, Option<NewSecretFile>), AgentError> {
        if let Some(path) = &self.passphrase_file {
            return Ok((secrets::read_passphrase(path)?, None));
        }
        if let Some(path) = &self.passphrase_out {
            let passphrase = Passphrase::generate(&*context.agent().surroundings().random);
            let written = NewSecretFile::write(path, passphrase.expose())?;
            return Ok((passphrase, Some(written)));
        }
        Ok((self.ask_twice(context)?, None))
    }

    /// The passphrase of a server that is known: from the file, or typed once.
    pub fn known(&self) -> Result<Passphrase, AgentError> {
        match self.passphrase_out.is_some() {
            true => Err(SecretError::IsKnown.into()),
            false => known_passphrase(self.passphrase_file.as_deref(), "Passphrase of this server: "),
        }
    }

    fn ask_twice(&self, context: &Context) -> Result<Passphrase, AgentError> {
        let output = context.output();
        if !is_person_there() {
            return Err(SecretError::NoTerminal.into());
        }
        output.say("The passphrase encrypts everything before it leaves this server. Nobody can reset it:");
        output.say("without it and without a recovery code, the recovery points are lost.");
        let first =
            Passphrase::new(ask("Passphrase (16 characters or more): ")?).map_err(SecretError::from)?;
        let second = Passphrase::new(ask("The same again: ")?).ok();
        match second.is_some_and(|second| second.expose() == first.expose()) {
            true => Ok(first),
            false => Err(SecretError::Differ.into()),
        }
    }
}

/// A file with a secret that was just made, taken away again unless it is kept: a secret that opens nothing must not
/// lie around and be trusted.
pub struct NewSecretFile {
    path: PathBuf,
    is_kept: bool,
}

impl NewSecretFile {
    /// Writes the secret into a new file.
    pub fn write(path: &Path, secret: &str) -> Result<Self, AgentError> {
        secrets::write_new_secret_file(path, secret)?;
        Ok(Self { path: path.to_owned(), is_kept: false })
    }

    /// The secret opens what it should: the file stays. Gives its path.
    pub fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }
}

impl Drop for NewSecretFile {
    fn drop(&mut self) {
        if !self.is_kept
            && let Err(cause) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(%cause, "a secret's file that opens nothing can't be removed");
        }
    }
}

/// A secret that exists.
#[derive(Debug, Args)]
pub struct KnownSecret {
    /// Take the passphrase from this file (one trailing line break is dropped) instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "recovery_code_file")]
    passphrase_file: Option<PathBuf>,
    /// Use the recovery code in this file instead of the passphrase
    #[arg(long, value_name = "FILE")]
    recovery_code_file: Option<PathBuf>,
}

/// A passphrase or a recovery code.
pub enum OwnedSecret {
    /// A passphrase.
    Passphrase(Passphrase),
    /// A recovery code.
    RecoveryCode(RecoveryCode),
}

impl OwnedSecret {
    /// As the agent takes it.
    pub fn borrow(&self) -> Secret<'_> {
        match self {
            Self::Passphrase(passphrase) => Secret::Passphrase(passphrase),
            Self::RecoveryCode(code) => Secret::RecoveryCode(code),
        }
    }
}

impl KnownSecret {
    /// Whether a flag gives it.
    pub fn is_given(&self) -> bool {
        self.passphrase_file.is_some() || self.recovery_code_file.is_some()
    }

    /// The secret: from a file, or typed once.
    pub fn get(&self) -> Result<OwnedSecret, AgentError> {
        if let Some(path) = &self.recovery_code_file {
            return Ok(OwnedSecret::RecoveryCode(secrets::read_recovery_code(path)?));
        }
        Ok(OwnedSecret::Passphrase(known_passphrase(self.passphrase_file.as_deref(), "Passphrase: ")?))
    }
}

/// A passphrase that exists: from a file, or typed once.
pub fn known_passphrase(file: Option<&Path>, prompt: &str) -> Result<Passphrase, AgentError> {
    if let Some(path) = file {
        return Ok(secrets::read_passphrase(path)?);
    }
    if !is_person_there() {
        return Err(SecretError::NoTerminal.into());
    }
    Ok(Passphrase::new(ask(prompt)?).map_err(SecretError::from)?)
}

/// Whether there is somebody to ask.
pub fn is_person_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(prompt: &str) -> Result<String, AgentError> {
    rpassword::prompt_password(prompt).map_err(|_| SecretError::NoTerminal.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_a_failed_command_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code");
        drop(NewSecretFile::write(&path, "secret").unwrap());
        assert!(!path.exists());
        assert_eq!(NewSecretFile::write(&path, "secret").unwrap().keep(), path);
        assert!(path.exists());
    }
}
