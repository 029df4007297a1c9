//! Telling somebody of jobs that ended: the system's log of this machine, and a webhook.
//!
//! What is told is codes, counts and labels, never a path: a [`Notification`]. The system's log takes it at once. What a webhook
//! is to hear is laid into an [`outbox`] and posted by a process of its own, so that no job waits for a server that is away; what
//! can't be delivered within a day is given up, and the agent's log says so.

mod channel;
mod notification;
mod outbox;
mod webhook;

pub use channel::{Delivered, SystemLog, Told, test};
pub use notification::{Notification, Occasion};
pub use outbox::deliver;
pub use webhook::{HookTrust, KeptWebhook, WebhookWish, set_webhook};

use crate::jobs::{JobFolder, JobRecord};
use crate::settings::Settings;
use crate::{Agent, AgentError, Code};
use channel::Channel as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::process::Child;

/// So many warnings of a job are counted by their codes.
const WARNINGS_COUNTED: usize = 100_000;

/// What is told, and whether the system's log hears it. The webhook lies with the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationSettings {
    /// Of which ends.
    #[serde(default = "usual_occasions")]
    pub on: BTreeSet<Occasion>,
    /// Whether they go to the system's log.
    #[serde(default)]
    pub system_log: bool,
}

fn usual_occasions() -> BTreeSet<Occasion> {
    [Occasion::Failed, Occasion::Warnings].into()
}

impl Default for NotificationSettings {
    fn default() -> Self {
        Self { on: usual_occasions(), system_log: false }
    }
}

/// A wish about notifications; what it does not mention stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotificationWish {
    /// Of which ends to tell.
    pub on: Option<BTreeSet<Occasion>>,
    /// Whether to tell the system's log.
    pub system_log: Option<bool>,
}

impl NotificationWish {
    /// The settings that come of it.
    pub(crate) fn over(self, settings: NotificationSettings) -> NotificationSettings {
        NotificationSettings {
            on: self.on.unwrap_or(settings.on),
            system_log: self.system_log.unwrap_or(settings.system_log),
        }
    }
}

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub enum NotificationError {
    /// There is no channel.
    #[error("Nobody is told of anything here: neither the system's log nor a webhook is set")]
    NoChannel,
    /// The webhook's address or token is none.
    #[error(transparent)]
    Address(#[from] stateward_client::WebhookAddressError),
    /// A token or an authority without a webhook.
    #[error("There is no webhook that this could belong to")]
    NoWebhook,
    /// What this machine trusts is not known.
    #[error("The list of authorities that this machine trusts can't be read: {0}")]
    NoAuthorities(std::io::Error),
    /// It was not delivered.
    #[error("The notification was not delivered to {channel}: {why}")]
    NotDelivered {
        /// Which channel.
        channel: String,
        /// What happened.
        why: String,
        /// Whether it may be delivered later.
        is_away: bool,
    },
    /// It was taken, and isn't seen so far.
    #[error(
        "The notification was given to {channel}, which has not shown it yet: look there; a slow server may show it later"
    )]
    NotShownYet {
        /// Which channel.
        channel: String,
    },
}

impl NotificationError {
    /// Its code.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NoChannel | Self::NoWebhook => Code::NoNotifications,
            Self::Address(_) => Code::Usage,
            Self::NoAuthorities(_) => Code::AuthoritiesUnreadable,
            Self::NotDelivered { .. } | Self::NotShownYet { .. } => Code::NotificationFailed,
        }
    }
}

/// Tells of a job that ended, to whoever is to hear it. What goes wrong is logged: the job has ended as it has. Gives the
/// process that posts, if one was started; it need not be waited for.
pub(crate) fn tell(agent: &Agent, record: &JobRecord) -> Option<Child> {
    let told = try_tell(agent, record);
    told.inspect_err(|error| tracing::warn!(%error, job = %record.id, "nobody could be told of the job"))
        .ok()?
}

fn try_tell(agent: &Agent, record: &JobRecord) -> Result<Option<Child>, AgentError> {
    let settings = Settings::load(agent.home())?.notifications;
    let Some(occasion) = Occasion::of(record.state).filter(|occasion| settings.on.contains(occasion)) else {
        return Ok(None);
    };
    let has_webhook = KeptWebhook::find(agent.home())?.is_some();
    if !settings.system_log && !has_webhook {
        return Ok(None);
    }
    let warnings = JobFolder::of(agent.home()).warnings(record.id, WARNINGS_COUNTED).unwrap_or_default();
    let notification = Notification::of(agent, record, &warnings);
    if settings.system_log
        && let Err(error) = SystemLog.send(&notification, occasion)
    {
        tracing::warn!(%error, job = %record.id, "it isn't sure that the system's log was told of the job");
    }
    match has_webhook {
        true => outbox::put(agent.home(), &notification, agent.now()).map(Some),
        false => Ok(None),
    }
}

/// Has what waits in the outbox posted by a process of its own, if anything does.
pub(crate) fn deliver_what_waits(agent: &Agent) -> Option<Child> {
    let home = agent.home();
    outbox::has_any(home).then(|| outbox::begin(home)).and_then(|begun| {
        begun.inspect_err(|error| tracing::warn!(%error, "what waits can't be posted")).ok()
    })
}
