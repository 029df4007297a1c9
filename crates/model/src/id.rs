//! Ids: 128 random bits that mean one thing each, written like a UUID (RFC 9562, version 4).
//!
//! They are never derived from a name, so renaming a server or a vault changes nothing.

use crate::{ParseError, Random};
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $what:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A new id from the injected random source.
            pub fn new(random: &dyn Random) -> Self {
                let mut bytes = [0; 16];
                random.fill(&mut bytes);
                bytes[6] = bytes[6] & 0x0f | 0x40;
                bytes[8] = bytes[8] & 0x3f | 0x80;
                Self(bytes)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_uuid(f, &self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> {
                read_uuid(text).map(Self).ok_or_else(|| ParseError { what: $what, text: text.to_owned() })
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseError;
            fn try_from(text: String) -> Result<Self, ParseError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
    )*};
}

ids! {
    /// A Recovery Services vault.
    VaultId = "vault id";
    /// A registered server (the ARM API's container).
    ServerId = "server id";
    /// A protected item of one server.
    ItemId = "item id";
    /// One run.
    JobId = "job id";
    /// One open, fenced conversation of an agent with the vault.
    SessionId = "session id";
    /// One downloaded vault-credentials file.
    CredentialId = "credential id";
    /// A policy of one vault.
    PolicyId = "policy id";
    /// What was asked for over the management API and goes on by itself.
    OperationId = "operation id";
    /// What an agent is asked to do.
    CommandId = "command id";
    /// An act that needs a second person.
    ApprovalId = "approval id";
    /// Something that people should know.
    AlertId = "alert id";
}

fn write_uuid(f: &mut fmt::Formatter<'_>, bytes: &[u8; 16]) -> fmt::Result {
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            f.write_str("-")?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

fn read_uuid(text: &str) -> Option<[u8; 16]> {
    let text = text.as_bytes();
    if text.len() != 36 {
        return None;
    }
    let mut out = [0; 16];
    let mut digits = 0;
    for (i, &c) in text.iter().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return None;
            }
            continue;
        }
        let value = (c as char).to_digit(16)? as u8;
        out[digits / 2] = out[digits / 2] << 4 | value;
        digits += 1;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemRandom;

    #[test]
    fn an_id_survives_its_text() {
        let id = VaultId::new(&SystemRandom);
        assert_eq!(id.to_string().parse::<VaultId>().unwrap(), id);
        assert_eq!(serde_json::from_str::<VaultId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "0", "0000000000000000-0000-0000-0000-0000", "zzzzzzzz-0000-4000-8000-000000000000"]
        {
            assert!(text.parse::<ServerId>().is_err(), "{text}");
        }
    }
}
