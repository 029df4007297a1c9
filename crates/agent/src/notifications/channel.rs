//! Where notifications go. The log of another operating system is one more of these.

use super::webhook::KeptWebhook;
use super::{Notification, NotificationError, Occasion};
use crate::platform::{self, LogAnswer};
use crate::settings::Settings;
use crate::{Agent, AgentError};
use std::time::Duration;

/// For how long a person waits for a test.
const TEST_PATIENCE: Duration = Duration::from_secs(5);

/// What came back of a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// What the other side said, if it says anything.
    pub answer: Option<(u16, String)>,
}

/// A way to tell somebody.
pub(super) trait Channel {
    /// Its name, for people.
    fn name(&self) -> String;

    /// Tells of an end of that kind.
    fn send(&self, notification: &Notification, occasion: Occasion) -> Result<Delivered, NotificationError>;
}

/// The log of this machine's operating system: of syslog's and the journal's kind on Linux.
#[derive(Debug, Clone, Copy)]
pub struct SystemLog;

impl Channel for SystemLog {
    fn name(&self) -> String {
        "the system's log".to_owned()
    }

    fn send(&self, notification: &Notification, occasion: Occasion) -> Result<Delivered, NotificationError> {
        match platform::write_system_log(occasion, &notification.text) {
            Ok(LogAnswer::Told) => Ok(Delivered { answer: None }),
            Ok(LogAnswer::NotShownYet) => Err(NotificationError::NotShownYet { channel: self.name() }),
            Err(cause) => Err(NotificationError::NotDelivered {
                channel: self.name(),
                why: cause.to_string(),
                is_away: false,
            }),
        }
    }
}

/// One channel of a test.
#[derive(Debug)]
pub struct Told {
    /// Which.
    pub channel: String,
    /// What came of it.
    pub outcome: Result<Delivered, NotificationError>,
}

/// Sends a notification to every channel that is set, whatever ends are told of.
pub fn test(agent: &Agent) -> Result<Vec<Told>, AgentError> {
    let notification = Notification::test(agent);
    let webhook = KeptWebhook::find(agent.home())?;
    let webhook = webhook.map(|kept| kept.channel(agent, TEST_PATIENCE)).transpose()?;
    let log = Settings::load(agent.home())?.notifications.system_log.then_some(SystemLog);
    let channels = log.iter().map(|log| log as &dyn Channel);
    let channels = channels.chain(webhook.iter().map(|webhook| webhook as &dyn Channel));
    let told: Vec<Told> = channels
        .map(|channel| Told {
            channel: channel.name(),
            outcome: channel.send(&notification, Occasion::Completed),
        })
        .collect();
    match told.is_empty() {
        true => Err(NotificationError::NoChannel.into()),
        false => Ok(told),
    }
}
