//! What holds for all jobs of a home unless a command says otherwise.

mod throttle;

pub use throttle::{Limit, ThrottleSettings, ThrottleWish};

use crate::document::Document;
use crate::hooks::{HookFailure, HookSettings};
use crate::items::{StoredPath, absolute};
use crate::jobs::Pace;
use crate::notifications::{NotificationSettings, NotificationWish};
use crate::prechecks::{PrecheckAction, PrecheckSettings};
use crate::proofs::{ProofSettings, ProofWish};
use crate::server_backup::{ServerBackupSettings, ServerBackupWish};
use crate::upgrade::UpgradeMode;
use crate::{AgentError, Home, proxy};
use serde::{Deserialize, Serialize};
use stateward_client::Proxy;
use stateward_model::JobKind;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;

const FILE: &str = "settings.json";

/// What holds for all jobs of a home unless a command says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How much of the machine and of the line jobs may take.
    #[serde(default)]
    pub pace: Pace,
    /// The rates at which jobs move packs in work hours, and restores at any time, where they differ from it.
    #[serde(default)]
    pub throttle: ThrottleSettings,
    /// What findings before a backup do to it.
    #[serde(default)]
    pub prechecks: PrecheckSettings,
    /// Whether backups read from snapshots of the file systems that give them.
    #[serde(default = "usual_source_snapshot")]
    pub source_snapshot: bool,
    /// What holds for hooks.
    #[serde(default)]
    pub hooks: HookSettings,
    /// Whether installed files are compared with their packages, or Windows' own with what it knows of them, before each backup
    /// of System State.
    #[serde(default = "usual_verify_packages")]
    pub verify_packages: bool,
    /// How Windows Server Backup is driven.
    #[serde(default)]
    pub server_backup: ServerBackupSettings,
    /// When it is proven that recovery points come back.
    #[serde(default)]
    pub proofs: ProofSettings,
    /// Which ends of jobs somebody is told of.
    #[serde(default)]
    pub notifications: NotificationSettings,
    /// Below which folder a restore goes that an administrator asks for at the vault; without one there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_root: Option<StoredPath>,
    /// A file with public release keys, besides the usual one: whoever has the secret half of one may make packages that this
    /// server installs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_key: Option<StoredPath>,
    /// Whether a new agent is installed without a person at the server.
    #[serde(default)]
    pub upgrade: UpgradeMode,
}

fn usual_source_snapshot() -> bool {
    true
}

/// On Windows they are, unless somebody says otherwise: `sfc` is Microsoft's own way, and knows of all files.
fn usual_verify_packages() -> bool {
    cfg!(windows)
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            throttle: ThrottleSettings::default(),
            prechecks: PrecheckSettings::default(),
            source_snapshot: usual_source_snapshot(),
            hooks: HookSettings::default(),
            verify_packages: usual_verify_packages(),
            server_backup: ServerBackupSettings::default(),
            proofs: ProofSettings::default(),
            notifications: NotificationSettings::default(),
            restore_root: None,
            release_key: None,
            upgrade: UpgradeMode::default(),
        }
    }
}

impl Document for Settings {
    const VERSION: u32 = 1;
}

/// A folder for a setting, which must be there and readable.
pub fn folder_that_is_there(path: &Path) -> Result<StoredPath, AgentError> {
    let folder = absolute(path)?;
    match std::fs::read_dir(&folder.0) {
        Ok(_) => Ok(folder),
        Err(cause) => Err(AgentError::InputUnreadable { path: folder.0, cause }),
    }
}

/// A wish about the pace; what it does not mention stays as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaceWish {
    /// Whether to give way.
    pub low_priority: Option<bool>,
    /// Bytes a second, or no limit.
    pub bytes_per_second: Option<Option<NonZeroU64>>,
}

impl PaceWish {
    /// The pace that comes of it. A rate that is wished for holds at all hours.
    pub fn over(&self, pace: Pace) -> Pace {
        Pace {
            low_priority: self.low_priority.unwrap_or(pace.low_priority),
            bytes_per_second: self.bytes_per_second.unwrap_or(pace.bytes_per_second),
            work: pace.work.filter(|_| self.bytes_per_second.is_none()),
        }
    }

    /// The pace of a job of that kind: as wished, and as the home's settings say where nothing is wished.
    pub fn of_job(&self, home: &Home, kind: JobKind) -> Result<Pace, AgentError> {
        Ok(self.over(Settings::load(home)?.pace_of(kind)))
    }
}

/// A wish about settings; what it does not mention stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsWish {
    /// About the pace.
    pub pace: PaceWish,
    /// About rates by hours and kinds of jobs.
    pub throttle: ThrottleWish,
    /// What findings of these codes do.
    pub prechecks: BTreeMap<String, PrecheckAction>,
    /// Whether to read from snapshots.
    pub source_snapshot: Option<bool>,
    /// The folder of hooks, or the usual one.
    pub hooks: Option<Option<StoredPath>>,
    /// What a hook that fails before a backup does to it.
    pub hook_failure: Option<HookFailure>,
    /// How long each hook may take.
    pub hook_time_out_seconds: Option<u64>,
    /// Whether to compare installed files with their packages.
    pub verify_packages: Option<bool>,
    /// About Windows Server Backup.
    pub server_backup: ServerBackupWish,
    /// About proofs.
    pub proofs: ProofWish,
    /// About notifications.
    pub notifications: NotificationWish,
    /// The folder below which restores go that are asked for at the vault, or none.
    pub restore_root: Option<Option<StoredPath>>,
    /// The file with public release keys, or none.
    pub release_key: Option<Option<StoredPath>>,
    /// Whether to install a new agent without a person.
    pub upgrade: Option<UpgradeMode>,
}

impl SettingsWish {
    fn over(self, settings: Settings) -> Settings {
        let Settings {
            pace,
            throttle,
            prechecks,
            source_snapshot,
            hooks,
            verify_packages,
            server_backup,
            proofs,
            notifications,
            restore_root,
            release_key,
            upgrade,
        } = settings;
        let mut actions = prechecks.0;
        actions.extend(self.prechecks);
        Settings {
            pace: self.pace.over(pace),
            throttle: self.throttle.over(throttle),
            prechecks: PrecheckSettings(actions),
            source_snapshot: self.source_snapshot.unwrap_or(source_snapshot),
            hooks: HookSettings {
                folder: self.hooks.unwrap_or(hooks.folder),
                failure: self.hook_failure.unwrap_or(hooks.failure),
                time_out_seconds: self.hook_time_out_seconds.unwrap_or(hooks.time_out_seconds),
            },
            verify_packages: self.verify_packages.unwrap_or(verify_packages),
            server_backup: self.server_backup.over(server_backup),
            proofs: self.proofs.over(proofs),
            notifications: self.notifications.over(notifications),
            restore_root: self.restore_root.unwrap_or(restore_root),
            release_key: self.release_key.unwrap_or(release_key),
            upgrade: self.upgrade.unwrap_or(upgrade),
        }
    }
}

impl Settings {
    /// How much of the machine and of the line a job of that kind may take.
    pub fn pace_of(&self, kind: JobKind) -> Pace {
        self.throttle.over(self.pace.clone(), kind)
    }

    /// The home's settings; those of a home that has none are the usual ones. Damaged ones are an error: a job that ran
    /// faster than it may could do harm.
    pub fn load(home: &Home) -> Result<Self, AgentError> {
        Ok(home.read(FILE)?.unwrap_or_default())
    }

    /// Changes the home's settings for the jobs that are asked for from now on.
    pub fn change(home: &Home, wish: SettingsWish) -> Result<Self, AgentError> {
        Self::change_with_proxy(home, wish, None)
    }

    /// The same with the home's proxy, which has a file of its own: both or, if one can't be written, neither. `Some(None)`: no
    /// proxy from now on. A machine that goes down in between keeps the settings only.
    pub fn change_with_proxy(
        home: &Home,
        wish: SettingsWish,
        proxy: Option<Option<&Proxy>>,
    ) -> Result<Self, AgentError> {
        home.prepare()?;
        let _settings = home.lock_settings()?;
        let before: Option<Self> = home.read(FILE)?;
        let settings = wish.over(before.clone().unwrap_or_default());
        home.write(FILE, &settings)?;
        let kept = proxy.map_or(Ok(()), |proxy| proxy::put(home, proxy));
        if let Err(error) = kept {
            let put_back = match &before {
                Some(before) => home.write(FILE, before),
                None => home.remove(FILE),
            };
            if let Err(cause) = put_back {
                tracing::error!(%cause, "settings were changed, though the proxy can't be set");
            }
            return Err(error);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_mentioned_stays_and_what_is_said_wins() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        assert!(Settings::load(&home).unwrap().pace.is_full());
        let rate = NonZeroU64::new(5_000_000);
        let of_pace = |pace| SettingsWish { pace, ..SettingsWish::default() };
        let low = PaceWish { low_priority: Some(true), bytes_per_second: None };
        Settings::change(&home, of_pace(low)).unwrap();
        let limit = PaceWish { low_priority: None, bytes_per_second: Some(rate) };
        Settings::change(&home, of_pace(limit)).unwrap();
        let kept = Settings::load(&home).unwrap().pace;
        assert_eq!(kept, Pace { low_priority: true, bytes_per_second: rate, work: None });
        let off = PaceWish { low_priority: Some(false), bytes_per_second: Some(None) };
        assert!(off.over(kept.clone()).is_full());
        assert_eq!(PaceWish::default().over(kept.clone()), kept);
        let without = SettingsWish { source_snapshot: Some(false), ..SettingsWish::default() };
        assert!(Settings::load(&home).unwrap().source_snapshot);
        let kept = Settings { pace: kept, source_snapshot: false, ..Settings::default() };
        assert_eq!(Settings::change(&home, without).unwrap(), kept);
        assert_eq!(Settings::load(&home).unwrap(), kept);
    }

    #[test]
    fn a_proxy_that_can_t_be_kept_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        // In the place of its file.
        std::fs::create_dir_all(folder.path().join("keys/proxy.json/in the way")).unwrap();
        let proxy = Proxy::parse("http://proxy.example:3128").unwrap();
        let wish = |on| SettingsWish { source_snapshot: Some(on), ..SettingsWish::default() };
        Settings::change_with_proxy(&home, wish(false), Some(Some(&proxy))).unwrap_err();
        assert!(!folder.path().join(FILE).exists(), "there were none before");
        Settings::change(&home, wish(false)).unwrap();
        Settings::change_with_proxy(&home, wish(true), Some(Some(&proxy))).unwrap_err();
        assert!(!Settings::load(&home).unwrap().source_snapshot);
        std::fs::remove_dir_all(folder.path().join("keys/proxy.json")).unwrap();
        Settings::change_with_proxy(&home, wish(true), Some(Some(&proxy))).unwrap();
        assert!(Settings::load(&home).unwrap().source_snapshot);
        assert_eq!(proxy::find(&home).unwrap(), Some(proxy));
        Settings::change_with_proxy(&home, SettingsWish::default(), Some(None)).unwrap();
        assert_eq!(proxy::find(&home).unwrap(), None);
    }

    #[test]
    fn hooks_and_checks_are_set_one_by_one_and_earlier_settings_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(Some(folder.path())).unwrap();
        let hooks = Some(StoredPath("/etc/hooks".into()));
        let wishes = [
            SettingsWish { hooks: Some(hooks.clone()), ..SettingsWish::default() },
            SettingsWish { hook_failure: Some(HookFailure::Block), ..SettingsWish::default() },
            SettingsWish { hook_time_out_seconds: Some(5), ..SettingsWish::default() },
            SettingsWish { verify_packages: Some(true), ..SettingsWish::default() },
        ];
        for wish in wishes {
            Settings::change(&home, wish).unwrap();
        }
        let kept = Settings::load(&home).unwrap();
        let expected = HookSettings { folder: hooks, failure: HookFailure::Block, time_out_seconds: 5 };
        assert_eq!((kept.hooks, kept.verify_packages), (expected, true));
        let earlier: Settings = serde_json::from_str("{\"pace\":{}}").unwrap();
        assert_eq!(earlier, Settings::default());
    }
}
