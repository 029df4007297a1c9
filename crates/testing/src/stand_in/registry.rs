//! A registry that answers what was recorded of one.

use stateward_system_state::server_backup::record::{Recording, RegistryAnswer};
use stateward_system_state::server_backup::{Registry, RegistryValue};
use std::io;

/// Plays the registry of a recording; what wasn't asked when it was recorded isn't there.
#[derive(Debug)]
pub struct PlayedRegistry<'a>(pub &'a Recording);

impl PlayedRegistry<'_> {
    fn answer(&self, key: &str, name: Option<&str>) -> io::Result<&RegistryAnswer> {
        let fact = self.0.registry.iter().find(|fact| fact.key == key && fact.name.as_deref() == name);
        match fact.map_or(&RegistryAnswer::Absent, |fact| &fact.answer) {
            RegistryAnswer::Unreadable { cause } => Err(io::Error::other(cause.clone())),
            answer => Ok(answer),
        }
    }
}

impl Registry for PlayedRegistry<'_> {
    fn subkeys(&self, key: &str) -> io::Result<Option<Vec<String>>> {
        Ok(match self.answer(key, None)? {
            RegistryAnswer::Subkeys { names } => Some(names.clone()),
            _ => None,
        })
    }

    fn value(&self, key: &str, name: &str) -> io::Result<Option<RegistryValue>> {
        Ok(match self.answer(key, Some(name))? {
            RegistryAnswer::Text { text } => Some(RegistryValue::Text(text.clone())),
            RegistryAnswer::Texts { texts } => Some(RegistryValue::Texts(texts.clone())),
            RegistryAnswer::Number { number } => Some(RegistryValue::Number(*number)),
            RegistryAnswer::Other { bytes } => Some(RegistryValue::Other(*bytes)),
            _ => None,
        })
    }
}
