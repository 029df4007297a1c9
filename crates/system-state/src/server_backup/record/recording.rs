//! A recording as a file: transcripts by name, what the registry said, and what could not be recorded.

use crate::server_backup::machine::RegistryValue;
use crate::server_backup::transcript::Transcript;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The form that this program writes and reads.
const FORM: u32 = 1;

/// What the registry said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RegistryAnswer {
    /// There is no such key, or no such value.
    Absent,
    /// The key has these keys below it.
    Subkeys {
        /// Their names.
        names: Vec<String>,
    },
    /// `REG_SZ`, `REG_EXPAND_SZ`.
    Text {
        /// It.
        text: String,
    },
    /// `REG_MULTI_SZ`.
    Texts {
        /// Them.
        texts: Vec<String>,
    },
    /// `REG_DWORD`, `REG_QWORD`.
    Number {
        /// It.
        number: u64,
    },
    /// Anything else.
    Other {
        /// How long it is.
        bytes: usize,
    },
    /// It can't be read.
    Unreadable {
        /// The operating system's reason.
        cause: String,
    },
}

impl From<Option<RegistryValue>> for RegistryAnswer {
    fn from(value: Option<RegistryValue>) -> Self {
        match value {
            None => Self::Absent,
            Some(RegistryValue::Text(text)) => Self::Text { text },
            Some(RegistryValue::Texts(texts)) => Self::Texts { texts },
            Some(RegistryValue::Number(number)) => Self::Number { number },
            Some(RegistryValue::Other(bytes)) => Self::Other { bytes },
        }
    }
}

/// A question to the registry, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryFact {
    /// The key.
    pub key: String,
    /// The value's name; none if the keys below were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was answered.
    pub answer: RegistryAnswer,
}

/// What was asked and is not in the recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotRecorded {
    /// Its name, as the transcript would have had it.
    pub name: String,
    /// Why not.
    pub why: String,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    form: u32,
    /// The program that recorded it.
    pub made_by: String,
    /// The Windows it was recorded on.
    pub system: String,
    /// Each call of a program.
    pub transcripts: BTreeMap<String, Transcript>,
    /// The registry's markers of restarts and facts of the product.
    pub registry: Vec<RegistryFact>,
    /// What is missing.
    pub not_recorded: Vec<NotRecorded>,
}

/// Why a file is no recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It isn't one.
    #[error("This is no recording: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is of another form.
    #[error("The recording is of form {0}, and this program reads form {FORM}")]
    OtherForm(u32),
}

impl Recording {
    /// An empty one.
    pub(super) fn new(made_by: &str, system: &str) -> Self {
        Self {
            form: FORM,
            made_by: made_by.to_owned(),
            system: system.to_owned(),
            transcripts: BTreeMap::new(),
            registry: Vec::new(),
            not_recorded: Vec::new(),
        }
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// If it is none, or of another form.
    pub fn read(text: &str) -> Result<Self, RecordingError> {
        let recording: Self = serde_json::from_str(text)?;
        match recording.form {
            FORM => Ok(recording),
            other => Err(RecordingError::OtherForm(other)),
        }
    }

    /// A file's text.
    ///
    /// # Errors
    /// None that is known: all of it can be written.
    pub fn write(&self) -> Result<String, RecordingError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }
}
