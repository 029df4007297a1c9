//! Who is told of jobs that ended, and of which.

use crate::pace::switch;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::notifications::{
    HookTrust, KeptWebhook, NotificationError, NotificationWish, Occasion, WebhookWish,
};
use stateward_agent::settings::Settings;
use stateward_agent::{AgentError, secrets};
use stateward_client::Webhook;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The flags.
#[derive(Args)]
#[command(next_help_heading = "Notifications")]
pub struct NotifyFlags {
    /// Tell of jobs that end so: `failed`, `warnings`, `completed`, several with commas between them; `nothing` for none
    #[arg(long, value_name = "WHEN", value_parser = occasions)]
    notify_on: Option<Occasions>,
    /// Whether the system's log is told
    #[arg(long, value_name = "on|off", value_parser = switch)]
    notify_system_log: Option<bool>,
    /// Post to this webhook (HTTPS); `none` for no webhook
    #[arg(long, value_name = "URL")]
    notify_webhook: Option<String>,
    /// The same, with the address in a file: other users of the machine may see what a command is given
    #[arg(long, value_name = "FILE", conflicts_with = "notify_webhook")]
    notify_webhook_file: Option<PathBuf>,
    /// Sign in to the webhook with the token in this file; `none` for no token
    #[arg(long, value_name = "FILE")]
    notify_webhook_token_file: Option<PathBuf>,
    /// Trust the authority in this file (PEM) for the webhook, and no other; `system` for those that this machine trusts
    #[arg(long, value_name = "FILE")]
    notify_webhook_ca: Option<PathBuf>,
}

/// The names of the flags, for the group of those of which one must be given.
pub const FLAGS: [&str; 6] = [
    "notify_on",
    "notify_system_log",
    "notify_webhook",
    "notify_webhook_file",
    "notify_webhook_token_file",
    "notify_webhook_ca",
];

/// Without the address, which may be a secret.
impl std::fmt::Debug for NotifyFlags {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotifyFlags").finish_non_exhaustive()
    }
}

/// A set of its own: a `BTreeSet` would be taken for a flag that is given several times.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Occasions(BTreeSet<Occasion>);

fn occasions(text: &str) -> Result<Occasions, String> {
    if text == "nothing" {
        return Ok(Occasions(BTreeSet::new()));
    }
    let known = |word: &str| {
        let found = Occasion::ALL.into_iter().find(|occasion| occasion.to_string() == word);
        found.ok_or_else(|| format!("`{word}` is none of `failed`, `warnings`, `completed` and `nothing`"))
    };
    text.split(',').map(known).collect::<Result<_, _>>().map(Occasions)
}

fn is_word(path: &Path, word: &str) -> bool {
    path.as_os_str() == word
}

impl NotifyFlags {
    /// What the flags ask for, as far as it is no secret.
    pub fn wish(&self) -> NotificationWish {
        NotificationWish {
            on: self.notify_on.as_ref().map(|occasions| occasions.0.clone()),
            system_log: self.notify_system_log,
        }
    }

    /// What they ask for of the webhook.
    pub fn webhook_wish(&self) -> Result<WebhookWish, AgentError> {
        let parsed = |text: &str| Webhook::parse(text).map_err(NotificationError::Address);
        let webhook = match (&self.notify_webhook, &self.notify_webhook_file) {
            (Some(word), _) if word == "none" => Some(None),
            (Some(address), _) => Some(Some(parsed(address)?)),
            (None, Some(path)) => Some(Some(parsed(&secrets::read_secret(path)?)?)),
            (None, None) => None,
        };
        let token = match &self.notify_webhook_token_file {
            None => None,
            Some(path) if is_word(path, "none") => Some(None),
            Some(path) => Some(Some(secrets::read_secret(path)?)),
        };
        let trust = match &self.notify_webhook_ca {
            None => None,
            Some(path) if is_word(path, "system") => Some(HookTrust::System),
            Some(path) => {
                let text = std::fs::read_to_string(path);
                let unreadable = |cause| AgentError::InputUnreadable { path: path.clone(), cause };
                Some(HookTrust::Only(text.map_err(unreadable)?))
            }
        };
        Ok(WebhookWish { webhook, token, trust })
    }
}

/// Adds them to the object of the settings: of the webhook its host.
pub fn put(object: &mut Value, settings: &Settings, webhook: Option<&KeptWebhook>) -> Result<(), AgentError> {
    object["notify_on"] = json!(settings.notifications.on);
    object["notify_system_log"] = json!(settings.notifications.system_log);
    let webhook = webhook.map(|kept| {
        let (has_token, has_authority) = (kept.has_token(), kept.has_authority());
        let host = kept.webhook()?.to_string();
        Ok::<_, AgentError>(json!({ "host": host, "has_token": has_token, "has_own_ca": has_authority }))
    });
    object["notify_webhook"] = webhook.transpose()?.unwrap_or_default();
    Ok(())
}

/// Who is told of what, in words.
pub fn text(settings: &Settings, webhook: Option<&KeptWebhook>) -> Result<String, AgentError> {
    let mut whom: Vec<String> = Vec::new();
    whom.extend(settings.notifications.system_log.then(|| "the system's log".to_owned()));
    if let Some(kept) = webhook {
        let token = if kept.has_token() { " with a token" } else { "" };
        whom.push(format!("{}{token}", kept.webhook()?));
    }
    let on: Vec<String> = settings.notifications.on.iter().map(Occasion::to_string).collect();
    Ok(match (whom.is_empty(), on.is_empty()) {
        (true, _) => "nobody is told".to_owned(),
        (_, true) => format!("{} of nothing", whom.join(" and ")),
        _ => format!("{} of {}", whom.join(" and "), on.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_jobs_are_named_with_commas_between_them() {
        let all = |text: &str| occasions(text).map(|found| found.0.into_iter().collect::<Vec<_>>());
        assert_eq!(all("completed,failed"), Ok(vec![Occasion::Failed, Occasion::Completed]));
        assert_eq!(all("nothing"), Ok(Vec::new()));
        for wrong in ["", "failed,", "everything", "failed, warnings"] {
            assert!(all(wrong).is_err(), "{wrong}");
        }
    }
}
