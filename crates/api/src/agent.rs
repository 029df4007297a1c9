//! The agent plane, `/agent/v1`. Every call is idempotent: after any failure it can be repeated as it was.
//!
//! | call | body → answer |
//! |---|---|
//! | `POST /agent/v1/register` (no token: the credential's secret is in the body) | [`RegisterRequest`] → [`Registered`] |
//! | `POST /agent/v1/register/slots` (no token, as above) | [`RegisterSlotsRequest`] → [`SlotList`] |
//! | `GET  /agent/v1/server` | → [`ServerInfo`] |
//! | `PUT  /agent/v1/items/{item}` | [`ItemRequest`] → 204 |
//! | `POST /agent/v1/items/{item}/stop` | [`StopRequest`] → 204; needs a security PIN |
//! | `POST /agent/v1/items/{item}/delete` | [`DeleteRequest`] → 204; needs a security PIN |
//! | `POST /agent/v1/sessions` | [`OpenSessionRequest`] → [`SessionOpened`] |
//! | `POST /agent/v1/sessions/{session}/heartbeat` | → [`Lease`] |
//! | `PUT  /agent/v1/sessions/{session}/packs/{pack}` | the pack → 201, or 200 if it was there |
//! | `PUT  /agent/v1/sessions/{session}/packs/{pack}/parts` (with `Content-Range: bytes a-b/length`) | a part of the pack → 202, or 201 or 200 as above if it was the last; [`PartTaken`] |
//! | `POST /agent/v1/sessions/{session}/commit` | the point object → 200, the receipt object |
//! | `POST /agent/v1/sessions/{session}/close` | → 204 |
//! | `GET  /agent/v1/packs/{pack}` (with `Range: bytes=a-b`) | → 206, the bytes |
//! | `GET  /agent/v1/points` | → [`PointList`] |
//! | `GET  /agent/v1/points/{sequence}/{hash}` | → the point object |
//! | `GET  /agent/v1/receipts/{sequence}/{hash}` | → the receipt object |
//! | `GET  /agent/v1/slots` | → [`SlotList`] |
//! | `PUT  /agent/v1/slots/{epoch}/{hash}` | the slot object → 201, or 200 if it was there |
//! | `POST /agent/v1/slots/{epoch}/{hash}/keep` | [`KeepSlotRequest`] → 204; needs a security PIN |
//! | `PUT  /agent/v1/jobs/{job}` | [`JobReport`] → [`JobAnswer`] |
//! | `GET  /agent/v1/commands` (with `?waitSeconds=N&timetable=VERSION`) | → [`CommandList`], once there is one, the timetable is another, or the time is over |
//! | `POST /agent/v1/commands/{command}/take` | → [`Command`]; taking it again is no error |
//! | `GET  /agent/v1/packages` | → [`PackageList`] |
//! | `GET  /agent/v1/packages/{name}` | → the package's bytes |
//!
//! A server whose home was lost *registers again*: with vault credentials that an administrator made for that server, and
//! with its passphrase, which opens the key slots and so yields the signing key. It proves by a signature of that key that
//! it has it. From then on the old login key is no longer taken, and a session that was open is over.
//!
//! All but `register` need the server's token, and see that server's things only; its packs are those of its
//! deduplication domain, without what another server has put there and not committed. Without a security PIN,
//! which an administrator makes at the vault for one act, there is no call that deletes; there is none that replaces a slot,
//! writes a policy or shortens a retention. What is deleted can be had back.
//!
//! A session has a lease; any call within it (and the heartbeat) renews it. Opening a session while another's lease is
//! alive is refused with `SessionBusy`; a session whose lease ran out is replaced by the next, and its calls are
//! answered with `SessionLost` from then on. Its holder may close it, or open the next one with `replaces`, which only
//! the holder of the session's secret can.
//!
//! *Commands* are what an administrator asks of a server: the agent waits for them, takes one, and runs it as the job that
//! the command names. One that is not taken within a day is not to be run any more. The same call brings the *timetable*:
//! when each item is backed up by itself. Its master is the vault; an agent keeps a copy and asks whether that still holds.
//!
//! A pack of at most [`ASSEMBLED_BYTES_MAX`] bytes may come in *parts*, in any order and over several connections at the
//! same time. The vault puts them together in memory and stores the pack when it has all of it; nothing of it is durable
//! before. A part may be sent again. One whose bytes are just coming in by another call is refused with `Unavailable`. What
//! the vault has of a pack is lost when it is started again, when no part came for a minute, and with the session:
//! [`PartTaken::assembly`] shows it.

mod commands;
mod packages;

pub use commands::*;
pub use packages::*;

use serde::{Deserialize, Serialize};
use stateward_model::{
    CredentialId, ItemId, ItemKind, JobId, JobKind, JobState, Label, OnDemand, PackId, Phase, PointHash,
    Sequence, ServerId, SessionId, StopKeeps, Timestamp, VaultId,
};

/// The longest pack that the vault takes, in bytes.
pub const PACK_BYTES_MAX: usize = 64 << 20;

/// The longest pack that may come in parts, in bytes.
pub const ASSEMBLED_BYTES_MAX: usize = 32 << 20;

/// Stops the backups of an item, or changes what becomes of its points then.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StopRequest {
    /// The digits of a security PIN.
    #[serde(rename = "securityPIN")]
    pub security_pin: String,
    /// What becomes of the item's points.
    pub keeps: StopKeeps,
}

/// Deletes an item with its points; they can be had back for as many days as the vault's soft delete has.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct DeleteRequest {
    /// The digits of a security PIN.
    #[serde(rename = "securityPIN")]
    pub security_pin: String,
}

/// Registers a server. Repeating it with the same `login_public_key` gives the same server.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisterRequest {
    /// Which credentials file.
    pub credential: CredentialId,
    /// Its secret.
    pub secret: String,
    /// What people will call the server.
    pub label: Label,
    /// The server's login key: Ed25519 public key, base64url.
    pub login_public_key: String,
    /// The server's signing key: Ed25519 public key, base64url. The vault checks points with it.
    pub signing_public_key: String,
    /// `Debian GNU/Linux 12 (bookworm)`.
    pub operating_system: String,
    /// The agent's version.
    pub agent_version: String,
    /// For credentials by which a known server registers again: its signing key's signature (base64url) over
    /// [`Self::proved_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

impl RegisterRequest {
    /// What a server that registers again signs: for which credentials, and which login key is its from now on.
    pub fn proved_bytes(&self) -> Vec<u8> {
        format!("stateward registers again 1\n{}\n{}\n", self.credential, self.login_public_key).into_bytes()
    }
}

/// Asks for the key slots of the server that may register again with these credentials.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RegisterSlotsRequest {
    /// Which credentials file.
    pub credential: CredentialId,
    /// Its secret.
    pub secret: String,
}

/// A registered server.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// Its id, from now on.
    pub server: ServerId,
    /// The vault.
    pub vault: VaultId,
    /// Its deduplication domain: its own id, or that of the server that founded it.
    pub domain: ServerId,
    /// The vault's time.
    pub time: Timestamp,
}

/// What the vault knows of the calling server.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerInfo {
    /// The server.
    pub server: ServerId,
    /// Its label.
    pub label: Label,
    /// The vault.
    pub vault: VaultId,
    /// The vault's name.
    pub vault_name: Label,
    /// The vault's time.
    pub time: Timestamp,
}

/// Makes a protected item known, or changes its label.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemRequest {
    /// What people call it.
    pub label: Label,
    /// What kind it is.
    pub kind: ItemKind,
}

/// Opens a session.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenSessionRequest {
    /// Made by the agent, so that a repeated request finds the session that the first one opened.
    pub session: SessionId,
    /// Random, base64url of 32 bytes, made by the agent and kept in its home: who knows it may replace the session.
    pub secret: String,
    /// What for.
    pub kind: JobKind,
    /// The item, for a backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// BLAKE3 (hex) over the sorted ids of the packs in the agent's index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packs_digest: Option<String>,
    /// A session of this same home whose process is known to be dead: ended by this call, even if its lease lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaces>,
    /// For a backup that somebody asked for now. What it asks for can lengthen for how long the recovery point is kept, and
    /// never shorten it. A request that is repeated says it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<OnDemand>,
    /// The agent's version, such as `stateward 0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
}

/// Proof of having held a session.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replaces {
    /// Which.
    pub session: SessionId,
    /// Its secret.
    pub secret: String,
}

/// A pack that may be referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KnownPack {
    /// Which.
    pub id: PackId,
    /// Its length in bytes.
    pub length: u32,
}

/// A recovery point as it is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListedPoint {
    /// Its place in the chain.
    pub sequence: Sequence,
    /// Its id.
    pub hash: PointHash,
    /// Whose.
    pub item: ItemId,
    /// When the vault committed it.
    pub received_at: Timestamp,
    /// Since when it can't be restored from, though it has its place in the chain: its retention ended, or its item was
    /// deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Timestamp>,
}

/// An opened session.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionOpened {
    /// Its id.
    pub session: SessionId,
    /// Its lease.
    pub lease: Lease,
    /// The newest recovery point of this server.
    pub head: Option<ListedPoint>,
    /// The packs that are pinned for this session: `null` if their digest is the one that was sent.
    pub packs: Option<Vec<KnownPack>>,
}

/// How long a session lives without a call.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Seconds from now.
    pub lease_seconds: u32,
    /// How often to call, in seconds.
    pub heartbeat_seconds: u32,
    /// The vault's time.
    pub time: Timestamp,
}

/// What became of a part of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PartTaken {
    /// What the part was put into; no text but its own means the same. Whatever was put into another one is lost and must
    /// come again. `null`: the pack is whole and durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assembly: Option<String>,
    /// How many bytes of parts have come in for this session over all connections, those of parts under way included:
    /// what a sender needs to know how fast it is. Begins at 0 again now and then.
    pub received_bytes: u64,
}

/// All points of the server, by sequence: those that can't be restored from any more as well, for they are links of its chain.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PointList {
    /// The points.
    pub points: Vec<ListedPoint>,
}

/// All key slots of the server.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SlotList {
    /// The objects, base64url.
    pub slots: Vec<String>,
}

/// Keeps a passphrase's key slot, and retires those of the server's other passphrases of that epoch: nobody who asks the vault opens
/// anything by these any more.
#[derive(Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KeepSlotRequest {
    /// The digits of a security PIN.
    #[serde(rename = "securityPIN")]
    pub security_pin: String,
}

/// How a job stands. Codes and counts only: names and paths stay on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobReport {
    /// Its id, the same in the path.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The item, if it has one.
    pub item: Option<ItemId>,
    /// How it stands.
    pub state: JobState,
    /// Whether a person on the server has made it wait.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_paused: bool,
    /// What it is at.
    pub phase: Phase,
    /// When it began, by the agent's clock.
    pub started_at: Timestamp,
    /// When it ended, by the agent's clock.
    pub ended_at: Option<Timestamp>,
    /// Files and other entries done.
    pub files: u64,
    /// Bytes done.
    pub bytes: u64,
    /// Bytes moved.
    pub moved_bytes: u64,
    /// How many things were left out or are not as they should be.
    pub warnings: u64,
    /// The error's stable code, if it failed.
    pub error_code: Option<String>,
    /// The recovery point that it made or used.
    pub point: Option<PointHash>,
}

impl JobReport {
    /// Of a job that has not begun: nothing of it is done.
    pub fn queued(job: JobId, kind: JobKind, item: Option<ItemId>, at: Timestamp) -> Self {
        Self {
            job,
            kind,
            item,
            state: JobState::Queued,
            is_paused: false,
            phase: Phase::Preparing,
            started_at: at,
            ended_at: None,
            files: 0,
            bytes: 0,
            moved_bytes: 0,
            warnings: 0,
            error_code: None,
            point: None,
        }
    }
}

/// What the vault says to a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobAnswer {
    /// Somebody asked for the job's end.
    pub cancel_requested: bool,
}
