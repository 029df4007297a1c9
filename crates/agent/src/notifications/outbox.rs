//! What a webhook is still to hear: a file each in `notifications/`, gone once it was delivered, refused for good, or too old to be
//! of use.
//!
//! One process at a time posts ([`deliver`]); it is started when a job ends, and by the running agent now and then while
//! anything waits.

use super::channel::Channel as _;
use super::webhook::KeptWebhook;
use super::{Notification, NotificationError, Occasion};
use crate::document::Document;
use crate::jobs::detach;
use crate::{Agent, AgentError, Home, lock, platform};
use serde::{Deserialize, Serialize};
use stateward_model::Timestamp;
use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

/// For how long one round tries to deliver what may pass by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is older is given up.
const KEPT_SECONDS: i64 = 86_400;

/// More than these do not wait; the newest count.
const WAITING_MAX: usize = 1000;

#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    since: Timestamp,
    notification: Notification,
}

impl Document for Waiting {
    const VERSION: u32 = 1;
}

fn folder(home: &Home) -> std::path::PathBuf {
    home.path().join("notifications")
}

/// The names of what waits, oldest first.
fn names(home: &Home) -> Vec<String> {
    let names = fs::read_dir(folder(home)).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
    names.sort();
    names
}

/// Whether anything waits.
pub(super) fn has_any(home: &Home) -> bool {
    !names(home).is_empty()
}

/// Lays a notification there, and starts a process that posts it.
pub(super) fn put(home: &Home, notification: &Notification, now: Timestamp) -> Result<Child, AgentError> {
    lay(home, notification, now)?;
    begin(home)
}

fn lay(home: &Home, notification: &Notification, now: Timestamp) -> Result<(), AgentError> {
    let folder = folder(home);
    platform::make_private_folder(&folder)
        .and_then(|()| platform::restrict_folder(&folder))
        .map_err(|cause| home.unusable(&folder, cause))?;
    let id = notification.job.as_ref().map(|job| job.job.to_string()).unwrap_or_default();
    let waiting = Waiting { since: now, notification: notification.clone() };
    home.write(&format!("notifications/{:020}-{id}.json", now.0), &waiting)?;
    let all = names(home);
    for name in &all[..all.len().saturating_sub(WAITING_MAX)] {
        tracing::warn!(name, "a notification was given up: too many wait");
        home.remove(&format!("notifications/{name}"))?;
    }
    Ok(())
}

/// Starts a process that posts what waits; it need not be waited for.
pub(super) fn begin(home: &Home) -> Result<Child, AgentError> {
    let mut command = detach::this_program(home)?;
    command.args(["job", "notify"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    platform::begin_own_group(&mut command);
    command.spawn().map_err(AgentError::JobNotStarted)
}

/// Posts what waits, the oldest first. It is over when nothing waits any more, or the webhook is away.
pub fn deliver(agent: &Agent) -> Result<(), AgentError> {
    deliver_within(agent, PATIENCE)
}

fn deliver_within(agent: &Agent, patience: Duration) -> Result<(), AgentError> {
    let home = agent.home();
    let path = folder(home).join("lock");
    let _alone = lock::wait(&path).map_err(|cause| home.unusable(&path, cause))?;
    let Some(kept) = KeptWebhook::find(home)? else {
        return names(home).iter().try_for_each(|name| home.remove(&format!("notifications/{name}")));
    };
    let channel = kept.channel(agent, patience)?;
    // What is laid there meanwhile has a process of its own, which waits for the lock.
    for name in names(home) {
        let file = format!("notifications/{name}");
        let waiting = match home.read::<Waiting>(&file) {
            Ok(Some(waiting)) => waiting,
            Ok(None) => continue,
            Err(error) => {
                tracing::warn!(%error, "a notification can't be read and is given up");
                home.remove(&file)?;
                continue;
            }
        };
        match channel.send(&waiting.notification, Occasion::Completed) {
            Ok(_) => home.remove(&file)?,
            Err(error @ NotificationError::NotDelivered { is_away: true, .. })
                if waiting.since.plus_seconds(KEPT_SECONDS) > agent.now() =>
            {
                tracing::warn!(%error, "a notification waits to be delivered");
                return Err(error.into());
            }
            Err(error) => {
                let text = &waiting.notification.text;
                tracing::warn!(%error, text, "a notification was given up");
                home.remove(&file)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{WebhookWish, set_webhook};
    use super::*;
    use stateward_client::{Surroundings, Webhook};
    use stateward_model::SystemRandom;
    use stateward_testing::FakeClock;
    use std::net::TcpListener;
    use std::sync::Arc;

    fn agent(folder: &std::path::Path, clock: &Arc<FakeClock>) -> Agent {
        let surroundings = Surroundings { clock: clock.clone(), random: Arc::new(SystemRandom) };
        let agent = Agent::new(Home::at(Some(folder)).unwrap(), surroundings, "stateward 0.1.0");
        agent.home().prepare().unwrap();
        agent
    }

    /// An address at which nobody listens.
    fn nowhere() -> Webhook {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Webhook::parse(&format!("https://{address}/secret-7")).unwrap()
    }

    #[test]
    fn what_a_webhook_that_is_away_was_to_hear_waits_for_a_day_and_is_given_up_then() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(Timestamp::from_seconds(1_800_000_000, 0).unwrap()));
        let agent = agent(folder.path(), &clock);
        let pem = rcgen::generate_simple_self_signed(["somebody".to_owned()]).unwrap().cert.pem();
        let trust = Some(super::super::HookTrust::Only(pem));
        let wish = WebhookWish { webhook: Some(Some(nowhere())), trust, ..WebhookWish::default() };
        set_webhook(agent.home(), wish).unwrap();
        lay(agent.home(), &Notification::test(&agent), agent.now()).unwrap();
        let error = deliver_within(&agent, Duration::ZERO).unwrap_err();
        assert!(!error.to_string().contains("secret-7"), "{error}");
        assert_eq!(error.code(), crate::Code::NotificationFailed);
        assert!(has_any(agent.home()));
        clock.set(agent.now().plus_seconds(KEPT_SECONDS));
        deliver_within(&agent, Duration::ZERO).unwrap();
        assert!(!has_any(agent.home()));
    }

    #[test]
    fn without_a_webhook_nothing_waits_any_more_and_no_more_than_some_wait_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FakeClock::at(Timestamp(0)));
        let agent = agent(folder.path(), &clock);
        for number in 0..3 + WAITING_MAX as i64 {
            lay(agent.home(), &Notification::test(&agent), Timestamp(number)).unwrap();
        }
        let all = names(agent.home());
        assert_eq!((all.len(), all[0].starts_with("00000000000000000003-")), (WAITING_MAX, true));
        deliver_within(&agent, Duration::ZERO).unwrap();
        assert!(!has_any(agent.home()));
    }
}
