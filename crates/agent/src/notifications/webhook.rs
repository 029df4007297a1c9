//! The home's webhook: `keys/webhook.json`, for its owner only, because of its token and because whoever knows its address may
//! post there.

use super::channel::{Channel, Delivered};
use super::{Notification, NotificationError, Occasion};
use crate::document::Document;
use crate::{Agent, AgentError, Home, platform};
use serde::{Deserialize, Serialize};
use stateward_client::{Proxy, Trusted, Webhook, WebhookError};
use stateward_model::Random;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

const FILE: &str = "keys/webhook.json";

/// What is kept. No `Debug`: it holds secrets.
#[derive(Serialize, Deserialize)]
pub struct KeptWebhook {
    webhook_address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// The one authority that is trusted there, as PEM; without it those that the machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
}

impl Document for KeptWebhook {
    const VERSION: u32 = 1;
}

/// Whose certificates a webhook's may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookTrust {
    /// Those of this authority, as PEM.
    Only(String),
    /// Those that this machine trusts.
    System,
}

/// A wish about the webhook; what it does not mention stays as it is. No `Debug`: it holds secrets.
#[derive(Default)]
pub struct WebhookWish {
    /// Where to post, or nowhere.
    pub webhook: Option<Option<Webhook>>,
    /// What to sign in with, or nothing.
    pub token: Option<Option<Zeroizing<String>>>,
    /// Whom to trust.
    pub trust: Option<HookTrust>,
}

impl WebhookWish {
    /// Whether anything is wished for.
    pub fn is_any(&self) -> bool {
        self.webhook.is_some() || self.token.is_some() || self.trust.is_some()
    }
}

/// Changes the home's webhook. With another address the token goes that belonged to the one before.
pub fn set_webhook(home: &Home, wish: WebhookWish) -> Result<(), AgentError> {
    home.prepare()?;
    let _settings = home.lock_settings()?;
    let before = KeptWebhook::find(home)?;
    let (mut token, mut authority) = (None, before.as_ref().and_then(|kept| kept.authority.clone()));
    let webhook = match wish.webhook {
        Some(None) => return home.remove(FILE),
        Some(Some(webhook)) => webhook,
        None => {
            let kept = before.ok_or(NotificationError::NoWebhook)?;
            token = kept.token.clone();
            kept.webhook()?
        }
    };
    if let Some(trust) = wish.trust {
        authority = match trust {
            HookTrust::Only(pem) => Some(pem),
            HookTrust::System => None,
        };
    }
    if let Some(new) = wish.token {
        token = new.map(|token| token.to_string());
    }
    // A token that could never be sent is refused here.
    let webhook = webhook.with_token(token.map(Zeroizing::new)).map_err(NotificationError::Address)?;
    let token = webhook.token().map(str::to_owned);
    home.write(FILE, &KeptWebhook { webhook_address: webhook.address().to_owned(), token, authority })
}

impl KeptWebhook {
    /// The home's, if it has one.
    pub fn find(home: &Home) -> Result<Option<Self>, AgentError> {
        home.read(FILE)
    }

    /// As it is posted to; its text shows the host alone.
    pub fn webhook(&self) -> Result<Webhook, AgentError> {
        let webhook = Webhook::parse(&self.webhook_address).map_err(NotificationError::Address)?;
        let token = self.token.clone().map(Zeroizing::new);
        Ok(webhook.with_token(token).map_err(NotificationError::Address)?)
    }

    /// Whether a token is sent.
    pub fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Whether it has an authority of its own.
    pub fn has_authority(&self) -> bool {
        self.authority.is_some()
    }

    pub(super) fn channel(self, agent: &Agent, patience: Duration) -> Result<WebhookChannel, AgentError> {
        let webhook = self.webhook()?;
        let trust = match self.authority {
            Some(pem) => Trust::Only(pem),
            None => Trust::List(platform::trusted_authorities().map_err(NotificationError::NoAuthorities)?),
        };
        let (proxy, random) = (agent.proxy()?, Arc::clone(&agent.surroundings().random));
        Ok(WebhookChannel { webhook, trust, proxy, patience, random })
    }
}

enum Trust {
    Only(String),
    List(String),
}

/// A webhook as it is reached from here.
pub(super) struct WebhookChannel {
    webhook: Webhook,
    trust: Trust,
    proxy: Option<Proxy>,
    patience: Duration,
    random: Arc<dyn Random>,
}

impl Channel for WebhookChannel {
    fn name(&self) -> String {
        format!("the webhook at `{}`", self.webhook)
    }

    fn send(&self, notification: &Notification, _: Occasion) -> Result<Delivered, NotificationError> {
        let told =
            |why: String, is_away| NotificationError::NotDelivered { channel: self.name(), why, is_away };
        let body = serde_json::to_vec(notification).map_err(|cause| told(cause.to_string(), false))?;
        let trusted = match &self.trust {
            Trust::Only(pem) => Trusted::Only(pem),
            Trust::List(pem) => Trusted::List(pem),
        };
        let way = (trusted, self.proxy.as_ref());
        match self.webhook.post(&body, way, self.patience, &*self.random) {
            Ok(answer) => Ok(Delivered { answer: Some((answer.status, answer.words)) }),
            Err(WebhookError::Away(why)) => Err(told(why, true)),
            Err(WebhookError::Refused(why)) => Err(told(why, false)),
        }
    }
}
