//! What an agent does without a person at its server: what administrators ask of it, and its timetable.

use serde::{Deserialize, Serialize};
use stateward_model::policy::Schedule;
use stateward_model::{CommandId, ComponentName, ItemId, JobId, JobKind, PointHash, PolicyName, Timestamp};

/// The longest time that an agent may wait for commands with one call, in seconds.
pub const COMMAND_WAIT_SECONDS_MAX: u32 = 60;

/// How long to wait for commands, and which timetable is known.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CommandWait {
    /// In seconds, at most [`COMMAND_WAIT_SECONDS_MAX`]; not at all if not said.
    #[serde(default)]
    pub wait_seconds: u32,
    /// The [`Timetable::version`] that the agent has, or any other text; if another holds, the answer comes at once and has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timetable: Option<String>,
    /// The agent's version, such as `stateward 0.1.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
}

/// When a server's items are backed up by themselves, as their policies say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Timetable {
    /// Another one for each other timetable: letters and digits.
    pub version: String,
    /// The items; one that was stopped or deleted, or has no policy, is not among them.
    pub items: Vec<ScheduledItem>,
}

/// When an item is backed up by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ScheduledItem {
    /// Which.
    pub item: ItemId,
    /// What its policy is called.
    pub policy: PolicyName,
    /// What that says.
    pub schedule: Schedule,
}

/// What an agent is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum CommandRequest {
    /// Make a recovery point.
    Backup {
        /// Of this item.
        item: ItemId,
        /// Until when it is to be kept, if that was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retain_until: Option<Timestamp>,
    },
    /// Lay a recovery point into a new folder below the agent's restore root. Where to is not for the vault to say.
    Restore {
        /// Of this item.
        item: ItemId,
        /// Which recovery point.
        point: PointHash,
        /// Only these components; empty means all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        components: Vec<ComponentName>,
    },
}

impl CommandRequest {
    /// What kind of job does it.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Backup { .. } => JobKind::Backup,
            Self::Restore { .. } => JobKind::Restore,
        }
    }

    /// The item that it is about.
    pub fn item(&self) -> ItemId {
        match self {
            Self::Backup { item, .. } | Self::Restore { item, .. } => *item,
        }
    }
}

/// Something that an agent is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// The id of the job that is to do it.
    pub job: JobId,
    /// When it was asked for.
    pub made_at: Timestamp,
    /// Until when it may be taken.
    pub expires_at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub request: CommandRequest,
}

/// What a server is asked to do and has not taken yet.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CommandList {
    /// The first one first.
    pub commands: Vec<Command>,
    /// The timetable, if it is another than the one that the agent said it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timetable: Option<Timetable>,
}
