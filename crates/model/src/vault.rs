//! The names of vaults and what is in them, and a vault's settings: redundancy, immutability, soft delete. The words are those of Azure's Recovery Services
//! vaults, since its clients speak them.

use crate::{InvalidName, Label};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A vault's name: 2 to 50 letters, digits and `-` of ASCII, beginning with a letter (Azure, "Create and configure a Recovery
/// Services vault", *Create a Recovery Services vault*). Names that differ in case only are the same.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct VaultName(String);

/// A resource group's name: 1 to 90 letters, digits, `-`, `_`, `.`, `(` and `)` of ASCII, not ending with a dot (Azure,
/// "Naming rules and restrictions for Azure resources", *Microsoft.Resources*; there letters beyond ASCII as well).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

/// A policy's name: 3 to 150 letters, digits and `-` of ASCII, beginning with a letter and not ending with `-` (Azure, "Naming
/// rules and restrictions for Azure resources", *Microsoft.RecoveryServices*).
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyName(String);

fn is_vault_name(name: &str) -> bool {
    (2..=50).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
}

fn is_group_name(name: &str) -> bool {
    (1..=90).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_.()".contains(&c))
        && !name.ends_with('.')
}

fn is_policy_name(name: &str) -> bool {
    (3..=150).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
        && !name.ends_with('-')
}

macro_rules! names {
    ($($name:ident: $fits:ident, $what:literal, $rule:literal;)*) => {$(
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The name by which it is told from others: in small letters.
            pub fn key(&self) -> String {
                self.0.to_ascii_lowercase()
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(name: String) -> Result<Self, InvalidName> {
                match $fits(&name) {
                    true => Ok(Self(name)),
                    false => Err(InvalidName { what: $what, name, rule: $rule }),
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;
            fn from_str(name: &str) -> Result<Self, InvalidName> {
                name.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    VaultName: is_vault_name, "vault's name", "2 to 50 letters, digits and `-`, beginning with a letter";
    GroupName: is_group_name, "resource group's name",
        "1 to 90 letters, digits, `-`, `_`, `.`, `(` and `)`, not ending with a dot";
    PolicyName: is_policy_name, "policy's name",
        "3 to 150 letters, digits and `-`, beginning with a letter and not ending with `-`";
}

impl From<VaultName> for Label {
    /// Every vault's name is a label.
    fn from(name: VaultName) -> Self {
        Self::try_from(name.0).expect("the rule of labels allows all that the rule of vaults' names does")
    }
}

/// Over which failure domains a vault's recovery points are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Redundancy {
    /// In one store.
    LocallyRedundant,
    /// Over the zones of a region.
    ZoneRedundant,
    /// In a second region as well.
    GeoRedundant,
}

/// Whether what reduces what is kept is refused.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Immutability {
    /// It is not.
    Disabled,
    /// It is, until somebody disables it.
    Unlocked,
    /// It is, for ever.
    Locked,
}

/// How many days what was deleted can be had back, at least (Azure, "Secure by default with soft delete").
pub const SOFT_DELETE_DAYS_MIN: u32 = 14;

/// The same, at most.
pub const SOFT_DELETE_DAYS_MAX: u32 = 180;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_rules() {
        for right in ["ab", "Main-1", &"a".repeat(50)] {
            assert!(right.parse::<VaultName>().is_ok(), "{right}");
        }
        for wrong in ["", "a", "1a", "-a", "a_b", "a.b", "ä-b", &"a".repeat(51)] {
            assert!(wrong.parse::<VaultName>().is_err(), "{wrong}");
        }
        for right in ["a", "1(b)_.-x", &"a".repeat(90)] {
            assert!(right.parse::<GroupName>().is_ok(), "{right}");
        }
        for wrong in ["", "a.", "a b", "a/b", &"a".repeat(91)] {
            assert!(wrong.parse::<GroupName>().is_err(), "{wrong}");
        }
        for right in ["abc", "Daily-02", &"a".repeat(150)] {
            assert!(right.parse::<PolicyName>().is_ok(), "{right}");
        }
        for wrong in ["", "ab", "1ab", "-ab", "ab-", "a_b", "a b", &"a".repeat(151)] {
            assert!(wrong.parse::<PolicyName>().is_err(), "{wrong}");
        }
        let name: VaultName = "Main".parse().unwrap();
        assert_eq!((name.key().as_str(), Label::from(name).as_str()), ("main", "Main"));
    }
}
