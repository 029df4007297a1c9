//! Names that people choose, with one rule for each kind.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A name that breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` can't be a {what}: {rule}")]
pub struct InvalidName {
    /// What was to be named.
    pub what: &'static str,
    /// What was given.
    pub name: String,
    /// The rule, as a sentence.
    pub rule: &'static str,
}

/// A label that the vault may see: of a vault, a server, an item. 1 to 64 characters: letters and digits of ASCII,
/// `-`, `_`, `.`; begins with a letter or digit.
///
/// Paths and selections are never labels: they stay on the server or travel sealed.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = InvalidName;
    fn try_from(name: String) -> Result<Self, InvalidName> {
        let fits = (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        match fits {
            true => Ok(Self(name)),
            false => Err(InvalidName {
                what: "label",
                name,
                rule: "1 to 64 letters, digits, `-`, `_` and `.`, beginning with a letter or digit",
            }),
        }
    }
}

impl std::str::FromStr for Label {
    type Err = InvalidName;
    fn from_str(name: &str) -> Result<Self, InvalidName> {
        name.to_owned().try_into()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a part of a protected item, such as `os-files`: 1 to 64 lower-case letters, digits and `-`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct ComponentName(String);

impl ComponentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ComponentName {
    type Error = InvalidName;
    fn try_from(name: String) -> Result<Self, InvalidName> {
        let fits = (1..=64).contains(&name.len())
            && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        match fits {
            true => Ok(Self(name)),
            false => Err(InvalidName {
                what: "component name",
                name,
                rule: "1 to 64 lower-case letters, digits and `-`",
            }),
        }
    }
}

impl std::str::FromStr for ComponentName {
    type Err = InvalidName;
    fn from_str(name: &str) -> Result<Self, InvalidName> {
        name.to_owned().try_into()
    }
}

impl From<ComponentName> for String {
    fn from(name: ComponentName) -> String {
        name.0
    }
}

impl fmt::Display for ComponentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_component_names_keep_their_rules() {
        assert!("web-01.example".parse::<Label>().is_ok());
        for wrong in ["", "-a", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert!(wrong.parse::<Label>().is_err(), "{wrong}");
        }
        assert!("os-files".parse::<ComponentName>().is_ok());
        assert!("OS".parse::<ComponentName>().is_err());
    }
}
