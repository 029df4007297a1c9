//! Where secrets come from: a file, a generator, or a person at a terminal.

use crate::context::Context;
use clap::Args;
use stateward_agent::AgentError;
use stateward_agent::secrets::{self, Passphrase, RecoveryCode, Secret, SecretError};
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// A new passphrase.
#[derive(Debug, Args)]
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
    /// The passphrase: from the file, made and written, or typed twice.
    pub fn get(&self, context: &Context) -> Result<Passphrase, AgentError> {
        if let Some(path) = &self.passphrase_file {
            return Ok(secrets::read_passphrase(path)?);
        }
        if let Some(path) = &self.passphrase_out {
            let passphrase = Passphrase::generate(&*context.agent().surroundings().random);
            secrets::write_new_secret_file(path, passphrase.expose())?;
            return Ok(passphrase);
        }
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

    /// The file into which a made passphrase was written.
    pub fn written(&self) -> Option<&PathBuf> {
        self.passphrase_out.as_ref()
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
    /// The secret: from a file, or typed once.
    pub fn get(&self) -> Result<OwnedSecret, AgentError> {
        if let Some(path) = &self.recovery_code_file {
            return Ok(OwnedSecret::RecoveryCode(secrets::read_recovery_code(path)?));
        }
        if let Some(path) = &self.passphrase_file {
            return Ok(OwnedSecret::Passphrase(secrets::read_passphrase(path)?));
        }
        if !is_person_there() {
            return Err(SecretError::NoTerminal.into());
        }
        let typed = Passphrase::new(ask("Passphrase: ")?).map_err(SecretError::from)?;
        Ok(OwnedSecret::Passphrase(typed))
    }
}

/// Whether there is somebody to ask.
pub fn is_person_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(prompt: &str) -> Result<String, AgentError> {
    rpassword::prompt_password(prompt).map_err(|_| SecretError::NoTerminal.into())
}
