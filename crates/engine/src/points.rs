//! Recovery points as the agent sees them: fetched, checked against hash, signature and receipt, opened.

use crate::EngineError;
use crate::vault_store::{PointSummary, VaultRead};
use stateward_crypto::{EpochKeys, SealError, verify_signature};
use stateward_format::manifest::Manifest;
use stateward_format::point::{self, Point, PointHeader};
use stateward_format::{FormatError, receipt};
use stateward_model::{PointHash, ServerId, Timestamp, VaultId};

/// Whom a server's recovery points are believed of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTrust {
    /// The vault.
    pub vault: VaultId,
    /// The server.
    pub server: ServerId,
    /// The server's signing keys, newest last: each point must be signed by one of them.
    pub signing_public_keys: Vec<[u8; 32]>,
    /// The vault's signing key, if it is known: receipts are checked with it.
    pub vault_public_key: Option<[u8; 32]>,
}

/// A recovery point whose hash, signature and place were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPoint {
    /// Which.
    pub summary: PointSummary,
    /// What the vault knows of it too.
    pub header: PointHeader,
    /// What it holds.
    pub manifest: Manifest,
    /// The vault's time of it, from a receipt whose signature was checked; `None` if there is no receipt (the point is
    /// unconfirmed) or the vault's key is not known.
    pub received_at: Option<Timestamp>,
}

/// Why a recovery point is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PointError {
    /// Its bytes do not have the hash that names it, or its parts do not decode.
    #[error("Recovery point {point} is damaged: {why}")]
    Damaged {
        /// Which.
        point: PointHash,
        /// What is wrong.
        why: String,
    },
    /// Its signature is not this server's.
    #[error("Recovery point {0} was not signed by this server")]
    NotSigned(PointHash),
    /// It is another server's or another vault's.
    #[error("Recovery point {0} belongs to another server or vault")]
    Foreign(PointHash),
    /// No key of this home opens it.
    #[error(
        "Recovery point {point} was sealed with a key that is not at hand (epoch {epoch}, or another domain's)"
    )]
    OtherKey {
        /// Which.
        point: PointHash,
        /// Its epoch.
        epoch: u32,
    },
    /// There is no such point.
    #[error("There is no recovery point {0}")]
    Unknown(String),
    /// It lacks something that it needs.
    #[error("Recovery point {point} is incomplete: {why}")]
    Incomplete {
        /// Which.
        point: PointHash,
        /// What is missing.
        why: String,
    },
}

/// Fetches one point and checks it; opens its manifest with the one of `keys` that has its epoch.
pub fn open_point(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    keys: &[EpochKeys],
    summary: PointSummary,
) -> Result<TrustedPoint, EngineError> {
    let object = vault.point(summary)?;
    let point = check(&object, trust, summary)?;
    let hash = summary.hash;
    let other_key = || PointError::OtherKey { point: hash, epoch: point.header.epoch };
    let keys = keys.iter().find(|keys| keys.epoch() == point.header.epoch).ok_or_else(other_key)?;
    let header = point::encode_header(&point.header);
    let manifest = keys.open_manifest(&header, &point.sealed_manifest).map_err(|error| match error {
        SealError::WrongKey => other_key(),
        SealError::Tampered => PointError::Damaged { point: hash, why: error.to_string() },
    })?;
    let manifest = Manifest::decode(&manifest).map_err(|error| damaged(hash, error))?;
    // What these keys opened was sealed for their domain, which may be another server's; the manifest must say the same.
    if manifest.domain != keys.domain() {
        return Err(PointError::Foreign(hash).into());
    }
    let received_at = received_at(vault, trust, summary)?;
    Ok(TrustedPoint { summary, header: point.header, manifest, received_at })
}

/// Fetches one point and checks it, but opens nothing.
pub fn open_header(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    summary: PointSummary,
) -> Result<PointHeader, EngineError> {
    let object = vault.point(summary)?;
    Ok(check(&object, trust, summary)?.header)
}

/// Hash, place and signature.
fn check(object: &[u8], trust: &ServerTrust, summary: PointSummary) -> Result<Point, PointError> {
    let hash = summary.hash;
    if point::hash(object) != hash {
        return Err(PointError::Damaged { point: hash, why: "its bytes do not have its hash".to_owned() });
    }
    let (point, unsigned) = point::decode(object).map_err(|error| damaged(hash, error))?;
    if (point.header.vault, point.header.server) != (trust.vault, trust.server) {
        return Err(PointError::Foreign(hash));
    }
    if point.header.sequence != summary.sequence {
        return Err(PointError::Damaged {
            point: hash,
            why: "it was given another place in the chain".to_owned(),
        });
    }
    let message = point::signed_message(unsigned);
    let is_signed = |key: &[u8; 32]| verify_signature(key, &message, &point.signature).is_ok();
    match trust.signing_public_keys.iter().any(is_signed) {
        true => Ok(point),
        false => Err(PointError::NotSigned(hash)),
    }
}

fn damaged(point: PointHash, error: FormatError) -> PointError {
    PointError::Damaged { point, why: error.to_string() }
}

/// The vault's time of a point, if its receipt is there, for it, and signed.
fn received_at(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    summary: PointSummary,
) -> Result<Option<Timestamp>, EngineError> {
    let Some(key) = &trust.vault_public_key else { return Ok(None) };
    let Some(object) = vault.receipt(summary)? else { return Ok(None) };
    let Ok((receipt, signed, signature)) = receipt::decode(&object) else { return Ok(None) };
    let is_for_it = (receipt.vault, receipt.server) == (trust.vault, trust.server)
        && (receipt.sequence, receipt.point) == (summary.sequence, summary.hash)
        && verify_signature(key, signed, &signature).is_ok();
    Ok(is_for_it.then_some(receipt.received_at))
}

/// Whether the vault still gives a point, whole and signed.
pub fn is_shown(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    point: PointSummary,
) -> Result<bool, EngineError> {
    match open_header(vault, trust, point) {
        Ok(_) => Ok(true),
        Err(EngineError::Point(_)) => Ok(false),
        Err(EngineError::Vault(error)) if error.damage().is_some() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether `head` is `pinned` or comes after it in one unbroken, signed chain.
pub fn follows(
    vault: &dyn VaultRead,
    trust: &ServerTrust,
    pinned: PointSummary,
    head: Option<PointSummary>,
) -> Result<bool, EngineError> {
    let mut next = head;
    while let Some(summary) = next {
        if summary.sequence <= pinned.sequence {
            return Ok(summary == pinned);
        }
        let header = match open_header(vault, trust, summary) {
            Ok(header) => header,
            Err(EngineError::Point(_)) => return Ok(false),
            Err(EngineError::Vault(error)) if error.damage().is_some() => return Ok(false),
            Err(error) => return Err(error),
        };
        next = header.previous.map(|hash| PointSummary { sequence: header.sequence - 1, hash });
    }
    Ok(false)
}

/// Finds the point that `text` names: `latest`, a whole id, or the beginning of one (6 digits or more) that only one
/// point has.
pub fn find_point(points: &[PointSummary], text: &str) -> Result<PointSummary, PointError> {
    let unknown = || PointError::Unknown(text.to_owned());
    if text == "latest" {
        return points.iter().max().copied().ok_or_else(unknown);
    }
    if text.len() < 6 {
        return Err(unknown());
    }
    let mut found = points.iter().filter(|point| point.hash.to_string().starts_with(text));
    match (found.next(), found.next()) {
        (Some(point), None) => Ok(*point),
        _ => Err(unknown()),
    }
}
