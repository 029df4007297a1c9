//! `stateward settings set`

use super::notify::{self, NotifyFlags};
use super::proofs::{self, ProofFlags};
use super::server_backup::{self, ServerBackupFlags};
use super::throttle::{FLAGS, ThrottleFlags};
use crate::context::Context;
use crate::pace::{PaceFlags, switch};
use crate::proxy_flags::ProxyFlags;
use clap::{ArgGroup, Args, ValueEnum};
use stateward_agent::hooks::HookFailure;
use stateward_agent::items::{StoredPath, absolute};
use stateward_agent::prechecks::{CODES, PrecheckAction};
use stateward_agent::settings::{Settings, SettingsWish, folder_that_is_there};
use stateward_agent::upgrade::{self, UpgradeError, UpgradeMode};
use stateward_agent::{AgentError, Exit, notifications};
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args([
    "low_priority", "limit_rate", "source_snapshot", "hooks", "hook_failure", "hook_time_out", "verify_packages",
    "restore_root", "prechecks", "release_key", "upgrade", "proxy", "no_proxy",
]).args(FLAGS).args(proofs::FLAGS).args(server_backup::FLAGS).args(notify::FLAGS))]
pub struct Arguments {
    #[command(flatten)]
    pace: PaceFlags,
    #[command(flatten)]
    throttle: ThrottleFlags,
    #[command(flatten)]
    proofs: ProofFlags,
    #[command(flatten)]
    server_backup: ServerBackupFlags,
    #[command(flatten)]
    notify: NotifyFlags,
    /// Read from snapshots of the file systems that give them (btrfs, LVM, on Windows VSS), so that a recovery point is of one moment
    #[arg(
        long,
        value_name = "on|off",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "on",
        value_parser = switch
    )]
    source_snapshot: Option<bool>,
    /// The folder whose `before.d` and `after.d` hold the hooks of backups; `usual` for the usual one
    #[arg(long, value_name = "FOLDER")]
    hooks: Option<PathBuf>,
    /// What a hook that fails before a backup does to it
    #[arg(long, value_name = "warn|block", value_enum)]
    hook_failure: Option<Failure>,
    /// Stop each hook after so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    hook_time_out: Option<u64>,
    /// What a finding before a backup does to it, such as `pending-restart=block`; may be given several times
    #[arg(long = "precheck", value_name = "CODE=pass|warn|block", value_parser = precheck)]
    prechecks: Vec<(String, PrecheckAction)>,
    /// Compare all installed files with their packages before each backup of System State, which reads all of them; on Windows,
    /// Windows' own by `sfc /verifyonly` [default: off; on Windows on]
    #[arg(long, value_name = "on|off", value_parser = switch)]
    verify_packages: Option<bool>,
    /// The folder in which restores make theirs that administrators ask for at the vault; `none` for no such restores
    #[arg(long, value_name = "FOLDER")]
    restore_root: Option<PathBuf>,
    /// A file with public release keys: packages that one of them signed can be installed from the vault; `none` for no such
    /// file besides the usual one
    #[arg(long, value_name = "FILE")]
    release_key: Option<PathBuf>,
    /// Whether the running agent installs a newer one by itself, between jobs
    #[arg(long, value_name = "WHEN", value_enum)]
    upgrade: Option<Upgrade>,
    #[command(flatten)]
    proxy: ProxyFlags,
    /// Reach the vault directly from now on
    #[arg(long, conflicts_with_all = ["proxy", "proxy_password_file"])]
    no_proxy: bool,
}

/// When a newer agent is installed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Upgrade {
    /// By the running agent, between jobs
    Automatically,
    /// When somebody runs `stateward agent upgrade`
    OnCommand,
}

/// What a hook that fails before a backup does to it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Failure {
    /// The backup is made, with a warning
    Warn,
    /// The backup is not made
    Block,
}

/// Changes what the flags name; jobs that run already keep what they were given.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let Arguments {
        pace,
        throttle,
        proofs,
        server_backup,
        notify,
        prechecks,
        source_snapshot,
        hooks,
        hook_failure,
        hook_time_out,
        verify_packages,
        restore_root,
        release_key,
        upgrade,
        proxy,
        no_proxy,
    } = arguments;
    let new_proxy = proxy.get("stateward settings set")?;
    let wish = SettingsWish {
        pace: pace.wish(),
        throttle: throttle.wish(),
        prechecks: prechecks.into_iter().collect(),
        source_snapshot,
        hooks: hooks.map(folder).transpose()?,
        hook_failure: hook_failure.map(|failure| match failure {
            Failure::Warn => HookFailure::Warn,
            Failure::Block => HookFailure::Block,
        }),
        hook_time_out_seconds: hook_time_out,
        verify_packages,
        server_backup: server_backup.wish()?,
        proofs: proofs.wish()?,
        notifications: notify.wish(),
        restore_root: restore_root.map(root).transpose()?,
        release_key: release_key.map(keys).transpose()?,
        upgrade: upgrade.map(|when| match when {
            Upgrade::Automatically => UpgradeMode::Automatically,
            Upgrade::OnCommand => UpgradeMode::OnCommand,
        }),
    };
    if wish.upgrade == Some(UpgradeMode::Automatically)
        && wish.release_key.as_ref().is_none_or(Option::is_none)
        && upgrade::trusted(context.agent().home())?.is_empty()
    {
        return Err(UpgradeError::NoReleaseKey.into());
    }
    let home = context.agent().home();
    let webhook = notify.webhook_wish()?;
    if webhook.is_any() {
        notifications::set_webhook(home, webhook)?;
    }
    let new_proxy = (no_proxy || new_proxy.is_some()).then_some(new_proxy.as_ref());
    super::print(context, &Settings::change_with_proxy(home, wish, new_proxy)?)?;
    Ok(Exit::Done)
}

fn precheck(text: &str) -> Result<(String, PrecheckAction), String> {
    let (code, action) = text.split_once('=').ok_or("it must be of the form `CODE=block`")?;
    if !CODES.contains(&code) {
        return Err(format!("its code must be one of {}", CODES.join(", ")));
    }
    let actions = [PrecheckAction::Pass, PrecheckAction::Warn, PrecheckAction::Block];
    let action = actions.into_iter().find(|known| known.to_string() == action);
    let action = action.ok_or("what it does must be `pass`, `warn` or `block`")?;
    Ok((code.to_owned(), action))
}

/// The folder from the root, or the usual one.
fn folder(path: PathBuf) -> Result<Option<StoredPath>, AgentError> {
    match path.as_os_str() == "usual" {
        true => Ok(None),
        false => absolute(&path).map(Some),
    }
}

/// A file with release keys that can be trusted, or none.
fn keys(path: PathBuf) -> Result<Option<StoredPath>, AgentError> {
    if path.as_os_str() == "none" {
        return Ok(None);
    }
    let file = absolute(&path)?;
    match upgrade::keys_in(&file.0)?.is_empty() {
        true => Err(UpgradeError::NoReleaseKey.into()),
        false => Ok(Some(file)),
    }
}

/// A folder that is there, or none.
pub(super) fn root(path: PathBuf) -> Result<Option<StoredPath>, AgentError> {
    if path.as_os_str() == "none" {
        return Ok(None);
    }
    folder_that_is_there(&path).map(Some)
}
