//! The keys in the home: `keys/login.json` and `keys/epoch-<number>.json`, for their owner only, one file each.
//!
//! Unattended runs use the data key from here, so no passphrase is ever kept. The keys are made before the server is
//! registered and name the vault that they are for: a registration that was cut short goes on with the same ones.

use crate::document::Document;
use crate::{AgentError, Home, platform};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stateward_api::credentials::{decode_bytes, encode_bytes};
use stateward_crypto::{DataKey, EpochKeys, SigningKey};
use stateward_model::{Random, ServerId, SlotHash, VaultId};
use zeroize::Zeroizing;

/// The first epoch. A later one begins when a data key has leaked.
pub const FIRST_EPOCH: u32 = 1;

/// What stands before bytes that are sealed for this machine, where its operating system does that.
const SEALED: &str = "sealed:";

/// 32 secret bytes in a file, as base64url.
struct SecretBytes(Zeroizing<[u8; 32]>);

impl Serialize for SecretBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match platform::seal(self.0.as_ref()).map_err(serde::ser::Error::custom)? {
            Some(sealed) => serializer.serialize_str(&format!("{SEALED}{}", encode_bytes(&sealed))),
            None => serializer.serialize_str(&Zeroizing::new(encode_bytes(self.0.as_ref()))),
        }
    }
}

impl<'de> Deserialize<'de> for SecretBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = match text.strip_prefix(SEALED) {
            Some(sealed) => decode_bytes(sealed).and_then(|sealed| platform::unseal(&sealed).ok()),
            None => decode_bytes(&text).map(Zeroizing::new),
        };
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        bytes
            .map(|bytes| Self(Zeroizing::new(bytes)))
            .ok_or_else(|| serde::de::Error::custom("no key of 32 bytes"))
    }
}

#[derive(Serialize, Deserialize)]
struct LoginFile {
    vault: VaultId,
    login_key: SecretBytes,
}

impl Document for LoginFile {
    const VERSION: u32 = 1;
}

#[derive(Serialize, Deserialize)]
struct EpochFile {
    vault: VaultId,
    epoch: u32,
    /// Whose data key it is, if the server has joined another's domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<ServerId>,
    data_key: SecretBytes,
    signing_key: SecretBytes,
    slots: Vec<SlotHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<ServerId>,
}

impl Document for EpochFile {
    const VERSION: u32 = 1;
}

const LOGIN_FILE: &str = "keys/login.json";

fn epoch_file(epoch: u32) -> String {
    format!("keys/epoch-{epoch}.json")
}

/// A server's keys.
pub struct ServerKeys {
    /// The vault that they are for.
    pub vault: VaultId,
    /// Signs in.
    pub login: SigningKey,
    /// The generation of data keys that is used now.
    pub epoch: u32,
    /// The deduplication domain, if it is another server's.
    pub domain: Option<ServerId>,
    /// Its data key.
    pub data: DataKey,
    /// Signs recovery points.
    pub signing: SigningKey,
    /// The epoch's slots that the vault has; sorted.
    pub slots: Vec<SlotHash>,
    /// The known server whose keys these are, if they were opened from its slots to register again.
    pub again: Option<ServerId>,
}

impl ServerKeys {
    /// Fresh keys for a vault.
    pub fn generate(vault: VaultId, random: &dyn Random) -> Self {
        Self {
            vault,
            login: SigningKey::generate(random),
            epoch: FIRST_EPOCH,
            domain: None,
            data: DataKey::generate(random),
            signing: SigningKey::generate(random),
            slots: Vec::new(),
            again: None,
        }
    }

    /// The home's keys, if it has any.
    pub fn find(home: &Home) -> Result<Option<Self>, AgentError> {
        let login = home.read::<LoginFile>(LOGIN_FILE)?;
        let epoch = home.read::<EpochFile>(&epoch_file(FIRST_EPOCH))?;
        let (Some(login), Some(epoch)) = (login, epoch) else { return Ok(None) };
        if login.vault != epoch.vault {
            return Ok(None);
        }
        Ok(Some(Self {
            vault: epoch.vault,
            login: SigningKey::from_seed(*login.login_key.0),
            epoch: epoch.epoch,
            domain: epoch.domain,
            data: DataKey::from_bytes(*epoch.data_key.0),
            signing: SigningKey::from_seed(*epoch.signing_key.0),
            slots: epoch.slots,
            again: epoch.again,
        }))
    }

    /// The keys of a registered home.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Self::find(home)?.ok_or_else(|| AgentError::KeysMissing { path: home.keys() })
    }

    /// Keeps them, durably.
    pub fn save(&self, home: &Home) -> Result<(), AgentError> {
        let bytes = |key: &[u8; 32]| SecretBytes(Zeroizing::new(*key));
        home.write(LOGIN_FILE, &LoginFile { vault: self.vault, login_key: bytes(self.login.seed()) })?;
        let epoch = EpochFile {
            vault: self.vault,
            epoch: self.epoch,
            domain: self.domain,
            data_key: bytes(self.data.as_bytes()),
            signing_key: bytes(self.signing.seed()),
            slots: self.slots.clone(),
            again: self.again,
        };
        home.write(&epoch_file(self.epoch), &epoch)
    }

    /// Remembers a slot that the vault has now.
    pub fn add_slot(&mut self, slot: SlotHash) {
        if let Err(place) = self.slots.binary_search(&slot) {
            self.slots.insert(place, slot);
        }
    }

    /// The deduplication domain of that server, whose keys these are.
    pub fn domain_of(&self, server: ServerId) -> ServerId {
        self.domain.unwrap_or(server)
    }

    /// What the data key becomes for this server.
    pub fn epoch_keys(&self, server: ServerId) -> EpochKeys {
        EpochKeys::derive(&self.data, self.vault, self.domain_of(server), self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    #[test]
    fn keys_survive_their_files() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        assert!(ServerKeys::find(&home).unwrap().is_none());
        let mut keys = ServerKeys::generate(VaultId::new(&SystemRandom), &SystemRandom);
        keys.add_slot(SlotHash([2; 32]));
        keys.add_slot(SlotHash([1; 32]));
        keys.add_slot(SlotHash([2; 32]));
        keys.save(&home).unwrap();
        let found = ServerKeys::load(&home).unwrap();
        assert_eq!(found.login.seed(), keys.login.seed());
        assert_eq!(found.data.as_bytes(), keys.data.as_bytes());
        assert_eq!(found.signing.seed(), keys.signing.seed());
        assert_eq!(found.slots, [SlotHash([1; 32]), SlotHash([2; 32])]);
    }

    #[test]
    fn a_damaged_key_file_is_named_without_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        home.prepare().unwrap();
        let keys = ServerKeys::generate(VaultId::new(&SystemRandom), &SystemRandom);
        keys.save(&home).unwrap();
        let path = folder.path().join(epoch_file(FIRST_EPOCH));
        let text = std::fs::read_to_string(&path).unwrap();
        let secret = encode_bytes(keys.data.as_bytes());
        std::fs::write(&path, text.replace(&secret, &secret[1..])).unwrap();
        let error = ServerKeys::find(&home).err().unwrap();
        assert_eq!(error.code().as_str(), "home-damaged");
        assert!(!error.to_string().contains(&secret[1..]));
    }
}
