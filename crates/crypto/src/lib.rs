//! Passphrases to keys, seal and open, keyed ids, the chunker's secret. The only room with ciphers in it.
//!
//! ```text
//! passphrase --Argon2id--> |             wraps                    HKDF-SHA256, labelled
//! recovery code ---------> | slot key ----------> data key (epoch) ------------------> chunk ids, cutter's table,
//!                          |           \                                               packs, manifests
//!                                       `--wraps--> signing key
//! ```
//! Invariants: every AES-256-GCM key seals under a nonce once (keys of packs, manifests and slots come from 32 fresh
//! random bytes each); every label of a derivation is a constant beside its use and is used for one thing; nothing is
//! opened before the commitment to its key was compared, because AES-GCM by itself opens under several keys; errors
//! never hold a secret. No I/O: random bytes come through [`stateward_model::Random`].
//!
//! Our own copies of secrets are erased when dropped. The key schedules inside `ring` are not: it has no way to.
//!
//! Begin with [`epoch`] (what a data key becomes), then [`pack`] and [`slot`].

mod aead;
pub mod data_key;
pub mod domain;
pub mod epoch;
mod hkdf;
pub mod kdf;
#[cfg(feature = "ledger")]
pub mod ledger;
pub mod manifest;
pub mod pack;
pub mod padding;
pub mod passphrase;
pub mod recovery_code;
pub mod release;
pub mod signing;
pub mod slot;
#[cfg(test)]
mod testing;

pub use aead::{SealError, TAG_BYTES};
pub use data_key::DataKey;
pub use domain::{DomainKeyError, DomainOwner, open_domain_key, seal_domain_key};
pub use epoch::EpochKeys;
pub use kdf::{KdfCosts, UnacceptableCosts};
pub use pack::PackKeys;
pub use padding::padme;
pub use passphrase::{Passphrase, PassphraseError};
pub use recovery_code::{RecoveryCode, RecoveryCodeError};
pub use release::{FileHash, ReleaseKeys, Unsigned, WrongReleaseKeys};
pub use signing::{BadSignature, SigningKey, verify_signature};
pub use slot::{OpenedSlot, Secret, SlotError, SlotOwner, create_slot, open_slot};
