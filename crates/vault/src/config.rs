//! The vault's settings, `vault.json` in its data folder. The last thing that `init` writes: where it is, there is a
//! vault.

use serde::{Deserialize, Serialize};

/// The form of the file that this build reads and writes.
const VERSION: u32 = 1;

/// The settings.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Config {
    /// The form of this file: 1.
    version: u32,
    /// Where `serve` listens: `host:port`.
    pub(crate) listen: String,
    /// How others reach the vault: `https://host:port`. It stands in vault credentials, so it must last.
    pub(crate) url: String,
    /// The tenant's id: part of the token endpoint's path.
    pub(crate) tenant: String,
    /// The one subscription's id.
    pub(crate) subscription: String,
    /// The one location that vaults are in.
    #[serde(default = "default_location")]
    pub(crate) location: String,
    /// Where the database is: `postgres://…`. Without it, a file in the data folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) database: Option<String>,
    /// How long a session lives without a call, in seconds.
    #[serde(default = "default_lease")]
    pub(crate) lease_seconds: u32,
    /// How often agents are told to call, in seconds.
    #[serde(default = "default_heartbeat")]
    pub(crate) heartbeat_seconds: u32,
}

fn default_location() -> String {
    "local".to_owned()
}

fn default_lease() -> u32 {
    60
}

fn default_heartbeat() -> u32 {
    10
}

impl Config {
    /// Settings of a new vault.
    pub(crate) fn new(listen: String, url: String, tenant: String, subscription: String) -> Self {
        Self {
            version: VERSION,
            listen,
            url,
            tenant,
            subscription,
            location: default_location(),
            database: None,
            lease_seconds: default_lease(),
            heartbeat_seconds: default_heartbeat(),
        }
    }

    /// Reads the file's text; an error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let config: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if config.version != VERSION {
            return Err(format!(
                "it has form {}, and this release knows form {VERSION} only",
                config.version
            ));
        }
        if config.heartbeat_seconds == 0 || config.lease_seconds <= config.heartbeat_seconds {
            return Err(
                "`lease_seconds` must be more than `heartbeat_seconds`, and both more than 0".to_owned()
            );
        }
        Ok(config)
    }

    /// The file's text.
    pub(crate) fn to_text(&self) -> String {
        let json = serde_json::to_string_pretty(self).expect("text and numbers always have a JSON form");
        json + "\n"
    }
}

/// Without the database's URL: there may be a password in it.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { listen, url, .. } = self;
        f.debug_struct("Config").field("listen", listen).field("url", url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::new("127.0.0.1:1".into(), "https://127.0.0.1:1".into(), "t".into(), "s".into())
    }

    #[test]
    fn settings_survive_their_text() {
        assert_eq!(Config::parse(&config().to_text()).unwrap(), config());
        let with_database = Config { database: Some("postgres://u:hunter2@h/d".into()), ..config() };
        assert_eq!(Config::parse(&with_database.to_text()).unwrap(), with_database);
        assert!(!format!("{with_database:?}").contains("hunter2"));
    }

    #[test]
    fn settings_that_cannot_be_are_refused_with_a_reason() {
        let newer = Config { version: 2, ..config() };
        assert!(Config::parse(&newer.to_text()).unwrap_err().contains("form 2"));
        for (lease_seconds, heartbeat_seconds) in [(10, 10), (10, 0)] {
            let wrong = Config { lease_seconds, heartbeat_seconds, ..config() };
            assert!(Config::parse(&wrong.to_text()).unwrap_err().contains("lease_seconds"));
        }
    }
}
