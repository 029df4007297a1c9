//! Why the agent did not do it: one enum, each variant with its code from [`crate::codes`].

mod coded;

use crate::codes::Code;
use crate::disk;
use crate::document::DocumentError;
use crate::notifications::NotificationError;
use crate::service::manager::ServiceProblem;
use stateward_engine::{CacheError, EngineError, VaultError};
use stateward_model::{GroupName, InvalidName, ItemKind, Label, PolicyName, VaultName};
use stateward_system_state::server_backup::backup::ServerBackupError;
use stateward_system_state::server_backup::plan::PlanError;
use stateward_system_state::server_backup::staging::StagingError;
use stateward_system_state::{ExclusionError, OpenError, TargetOpenError};
use std::io;
use std::path::{Path, PathBuf};

/// Why the agent did not do it. The message says what happened; code, exit code and remedy come from the table.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// This user has no home folder, and none was given.
    #[error("This user has no home folder to keep the agent's home in; give `--home`")]
    NoDefaultHome,
    /// The home can't be used.
    #[error("The agent's home `{}` can't be used: {cause}", path.display())]
    HomeUnusable {
        /// Which part of it.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// A file in the home.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A registered home without its keys.
    #[error("`{}` lacks the keys of this server", path.display())]
    KeysMissing {
        /// The folder of keys.
        path: PathBuf,
    },
    /// Another job runs with this home.
    #[error("Another job runs with this home, in the process {holder}")]
    Busy {
        /// The process's number, 0 if it can't be told.
        holder: u32,
    },
    /// Another process serves the home.
    #[error("An agent serves this home already (process {holder})")]
    ServiceRuns {
        /// The process's number, 0 if it can't be told.
        holder: u32,
    },
    /// What was found before a backup blocks it, as this server's settings say.
    #[error("No backup was made: {findings}")]
    PrecheckBlocks {
        /// What was found, each with its code.
        findings: String,
    },
    /// Something would have to be asked.
    #[error("There is no terminal at which `{command}` could ask for what its flags do not say")]
    NoTerminal {
        /// The command.
        command: &'static str,
    },
    /// What was given is no proxy's address. It may hold a password, so it is not shown.
    #[error("The proxy can't be used. {0}")]
    ProxyAddress(stateward_client::ProxyAddressError),
    /// Not registered.
    #[error("The home `{}` is not registered with a vault", home.display())]
    NotRegistered {
        /// The home.
        home: PathBuf,
    },
    /// Registered already.
    #[error("This home is registered already, as server `{label}` of vault `{vault}`")]
    AlreadyRegistered {
        /// As what.
        label: Label,
        /// With which vault.
        vault: Label,
    },
    /// No sign-in of an administrator.
    #[error("Nobody has signed in as an administrator with the home `{}`", home.display())]
    NotSignedIn {
        /// The home.
        home: PathBuf,
    },
    /// The vault-credentials file.
    #[error(transparent)]
    Credentials(#[from] crate::credentials::CredentialsError),
    /// A deduplication domain that can't be joined.
    #[error(transparent)]
    Domain(#[from] crate::domain::DomainError),
    /// An upgrade of the agent.
    #[error(transparent)]
    Upgrade(#[from] crate::upgrade::UpgradeError),
    /// A secret: passphrase, recovery code, or the file with one.
    #[error(transparent)]
    Secret(#[from] crate::secrets::SecretError),
    /// A file that was given can't be read.
    #[error("`{}` can't be read: {cause}", path.display())]
    InputUnreadable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// The vault said no to an administrator or to a registration.
    #[error("{message}")]
    Refused {
        /// Which failure it is.
        code: Code,
        /// The vault's words.
        message: String,
    },
    /// The recovery point that was asked for can't be used.
    #[error("{message}")]
    PointUnusable {
        /// Which failure it is.
        code: Code,
        /// What is wrong with it.
        message: String,
    },
    /// A job of its own process failed before it began.
    #[error("{message}")]
    NotBegun {
        /// Which failure it is.
        code: Code,
        /// What its process said.
        message: String,
    },
    /// No such vault.
    #[error("There is no vault `{name}`{}", in_group(group.as_ref()))]
    UnknownVault {
        /// What was asked for.
        name: VaultName,
        /// Where it was looked for, if not everywhere.
        group: Option<GroupName>,
    },
    /// Which of several items?
    #[error("Several protected items are meant by `{name}`: {}", known.join(", "))]
    AmbiguousItem {
        /// What was asked for.
        name: String,
        /// Those that are meant.
        known: Vec<String>,
    },
    /// No such policy.
    #[error("There is no policy `{0}`")]
    UnknownPolicy(PolicyName),
    /// A policy that was to be made is there.
    #[error("There is a policy `{0}` already")]
    PolicyExists(PolicyName),
    /// What was given is no policy.
    #[error("{0}")]
    WrongPolicy(String),
    /// No such thing of a vault.
    #[error("There is no {what} `{asked}`, or several begin so")]
    UnknownThing {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for.
        asked: String,
    },
    /// A principal that was to be made is there.
    #[error("There is a principal `{0}` already")]
    PrincipalExists(String),
    /// The audit log was altered.
    #[error(
        "The audit log is not as it was written: entry {number}, or one before it, was altered or taken out"
    )]
    AuditAltered {
        /// The first that does not fit.
        number: u64,
    },
    /// No such deleted vault.
    #[error("There is no deleted vault `{0}` that could be had back")]
    NotDeleted(String),
    /// A command that changes something was not told what.
    #[error("Nothing was given that is to be changed; give {0}")]
    NothingAsked(&'static str),
    /// A folder that is no vault.
    #[error(transparent)]
    NoVaultFolder(#[from] stateward_client::FolderError),
    /// A name breaks its rule.
    #[error(transparent)]
    InvalidName(InvalidName),
    /// A path can't be made absolute.
    #[error("`{}` can't be used: {cause}", path.display())]
    PathUnusable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// Nothing is protected.
    #[error("Nothing is protected on this server yet")]
    NoItems,
    /// No such item.
    #[error("There is no protected item `{name}`{}", list(known))]
    UnknownItem {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The newest of which item?
    #[error("`{asked}` needs an item, for there are recovery points of {}", known.join(", "))]
    ItemNeeded {
        /// What was asked for.
        asked: String,
        /// The items.
        known: Vec<String>,
    },
    /// Another kind of item has that name.
    #[error("The item `{label}` exists and holds something else: {kind}")]
    ItemExists {
        /// Its name.
        label: Label,
        /// Its kind.
        kind: ItemKind,
    },
    /// What was to be left out can't be.
    #[error(transparent)]
    ExclusionRefused(#[from] ExclusionError),
    /// No such server in a store or a vault.
    #[error("{}", unknown_server(asked.as_deref(), known))]
    UnknownServer {
        /// What was asked for, if anything.
        asked: Option<String>,
        /// Those that there are.
        known: Vec<String>,
    },
    /// No such recovery point.
    #[error("There is no recovery point `{0}`")]
    UnknownPoint(String),
    /// It is no time.
    #[error("`{asked}` can't be used as a time: {why}")]
    WrongMoment {
        /// What was given.
        asked: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There was no recovery point then.
    #[error(
        "There is no recovery point{} of or before `{asked}`{}",
        item.as_ref().map(|item| format!(" of `{item}`")).unwrap_or_default(),
        nearest.as_ref().map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default()
    )]
    NoPointThen {
        /// What was asked for.
        asked: String,
        /// Of the item that was asked for.
        item: Option<String>,
        /// The nearest one, in words.
        nearest: Option<String>,
    },
    /// There are no recovery points.
    #[error("There are no recovery points{}", item.as_ref().map(|item| format!(" of `{item}`")).unwrap_or_default())]
    NoPoints {
        /// Of the item that was asked for.
        item: Option<String>,
    },
    /// The recovery point lacks the component.
    #[error("The recovery point has no component `{component}`{}", list(known))]
    UnknownComponent {
        /// What was asked for.
        component: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Nothing of what was asked for is in the recovery point.
    #[error("The recovery point holds nothing at any of the paths")]
    NothingAtPaths,
    /// Nothing is at a path that was to be looked into.
    #[error("The recovery point holds nothing at `{path}`")]
    NothingThere {
        /// The path.
        path: String,
    },
    /// No such code.
    #[error("There is no code `{0}`")]
    UnknownCode(String),
    /// No such job.
    #[error("There is no job `{0}`")]
    UnknownJob(String),
    /// The job has ended.
    #[error("The job {0} has ended already")]
    JobEnded(stateward_model::JobId),
    /// A job's own process can't be started.
    #[error("The job's own process can't be started: {0}")]
    JobNotStarted(io::Error),
    /// The target folder.
    #[error(transparent)]
    Target(#[from] TargetOpenError),
    /// A file that would be overwritten.
    #[error("`{}` exists already", path.display())]
    OutputExists {
        /// Which.
        path: PathBuf,
    },
    /// A file that can't be written.
    #[error("`{}` can't be written: {cause}", path.display())]
    OutputUnwritable {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// A restore was asked for at the vault, and there is no folder for such.
    #[error("This server lays nothing back that is asked for at its vault, for no restore root is set")]
    NoRestoreRoot,
    /// In place, with no rule for what lies there.
    #[error(
        "To restore to where it came from, say with `--conflict` what becomes of what lies there: `copy`, `overwrite` or `skip`"
    )]
    OriginalNeedsRule,
    /// A secret that nothing asks for.
    #[error(
        "A passphrase or recovery code is of use with `--credentials` only: this server restores its own with the keys in its home"
    )]
    SecretNotNeeded,
    /// What is of another system would go back in place.
    #[error("The recovery point is of {from}, and this machine is {here}: in place it could not be used")]
    OtherSystem {
        /// The recovery point's system.
        from: String,
        /// This machine's.
        here: String,
    },
    /// No program of this system is recorded.
    #[error(
        "There is nothing to record on this operating system: `--record` writes down what Windows Server Backup and other programs of Windows say"
    )]
    NothingToRecord,
    /// The target's file system is full.
    #[error("`{}` has no space left for the restore{free}{}", path.display(), needed(*bytes_needed))]
    TargetFull {
        /// The target.
        path: PathBuf,
        /// What is free there, in words.
        free: String,
        /// What is still to be restored, in bytes, if it is known.
        bytes_needed: Option<u64>,
    },
    /// The console can't listen.
    #[error("The console can't listen at port {port} of 127.0.0.1: {cause}")]
    ConsoleUnusable {
        /// The port that was asked for; 0: any.
        port: u16,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// No process serves the home.
    #[error("No agent runs for this home")]
    NotServed,
    /// A process serves the home, and does not end.
    #[error("The agent that runs for this home was asked to stop, and goes on")]
    ServiceStays,
    /// What starts services on this machine.
    #[error(transparent)]
    Service(#[from] ServiceProblem),
    /// A trial restore would fill the disk.
    #[error("A trial restore needs {} free in `{}`, and {} are", disk::shown(*bytes_needed), path.display(), disk::shown(*bytes_free))]
    TrialNoRoom {
        /// The folder of trial restores.
        path: PathBuf,
        /// What it needs, in bytes, with what stays free beside it.
        bytes_needed: u64,
        /// What is free, in bytes.
        bytes_free: u64,
    },
    /// The target's disk fails.
    #[error("`{}` can't be written: {cause}", path.display())]
    TargetFailed {
        /// The target, or what in it.
        path: PathBuf,
        /// The operating system's reason.
        cause: io::Error,
    },
    /// The engine.
    #[error(transparent)]
    Engine(EngineError),
    /// What is to be protected can't be opened.
    #[error(transparent)]
    Source(#[from] OpenError),
    /// Windows Server Backup made no backup.
    #[error(transparent)]
    ServerBackup(#[from] ServerBackupError),
    /// There is no place to stage a System State of Windows.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// A System State of Windows can't be put back so.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// System State of Windows is a server's.
    #[error("This is a client edition of Windows, which has no backup of System State")]
    ClientEdition,
    /// An image would be laid where Windows lies.
    #[error("Windows lies on `{}`, and Windows Server Backup restores no System State from there", path.display())]
    CriticalVolume {
        /// The volume's root.
        path: PathBuf,
    },
    /// A line of a plan failed.
    #[error("`{line}` failed{}", ended_with(*.exit_code))]
    LineFailed {
        /// As it was typed.
        line: String,
        /// How it ended.
        exit_code: Option<i32>,
    },
    /// Files were lost in a restore.
    #[error("The restore lost {}", counted(*files, "file"))]
    FilesLost {
        /// How many.
        files: u64,
    },
    /// Verify found damage.
    #[error("Verify found {}", counted(*problems, "problem"))]
    DamageFound {
        /// How many.
        problems: u64,
    },
    /// A job's process died.
    #[error("The job's process ended without a word")]
    JobLost,
    /// A hook before a backup failed, and that is set to stop it.
    #[error("`{}`: {failure}", path.display())]
    HookBlocked {
        /// The hook.
        path: PathBuf,
        /// What became of it, as a sentence.
        failure: String,
    },
    /// Somebody could not be told of a job.
    #[error(transparent)]
    Notification(#[from] NotificationError),
    /// A mistake of ours.
    #[error("A mistake in stateward: {0}")]
    Internal(String),
}

impl AgentError {
    /// A person stopped it.
    pub fn cancelled() -> Self {
        Self::Engine(EngineError::Cancelled)
    }
}

impl From<VaultError> for AgentError {
    fn from(error: VaultError) -> Self {
        Self::Engine(EngineError::Vault(error))
    }
}

impl From<EngineError> for AgentError {
    fn from(error: EngineError) -> Self {
        Self::Engine(match error {
            EngineError::Cache(CacheError { path, cause }) => {
                let cause = disk::explained(Path::new(&path), cause);
                EngineError::Cache(CacheError { path, cause })
            }
            other => other,
        })
    }
}

fn in_group(group: Option<&GroupName>) -> String {
    group.map(|group| format!(" in the resource group `{group}`")).unwrap_or_default()
}

fn list(known: &[String]) -> String {
    match known.is_empty() {
        true => String::new(),
        false => format!("; there are {}", known.join(", ")),
    }
}

fn unknown_server(asked: Option<&str>, known: &[String]) -> String {
    match (asked, known.is_empty()) {
        (_, true) => "There is no server here".to_owned(),
        (Some(asked), false) => {
            format!("No server, or more than one, is named `{asked}`; there are {}", known.join(", "))
        }
        (None, false) => format!("There are several servers here: {}", known.join(", ")),
    }
}

fn needed(bytes: Option<u64>) -> String {
    bytes.map(|bytes| format!("; {} are still to be restored", disk::shown(bytes))).unwrap_or_default()
}

fn ended_with(code: Option<i32>) -> String {
    code.map_or(" (no exit code)".to_owned(), |code| format!(" (exit code {code})"))
}

fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_engine::{Obstacle, TargetError};

    #[test]
    fn each_bad_input_has_its_code_and_exit_code() {
        let vault = |error: VaultError| {
            let error = AgentError::from(error);
            (error.code().as_str(), error.exit().number())
        };
        assert_eq!(vault(VaultError::Unreachable(String::new())), ("vault-unreachable", 10));
        assert_eq!(vault(VaultError::Unavailable(String::new())), ("vault-unavailable", 10));
        assert_eq!(vault(VaultError::NotTrusted(String::new())), ("vault-not-trusted", 10));
        assert_eq!(vault(VaultError::WrongVault(String::new())), ("wrong-vault", 10));
        assert_eq!(
            vault(VaultError::Blocked(Obstacle::ProxyLogin, String::new())),
            ("proxy-sign-in-refused", 10)
        );
        assert_eq!(vault(VaultError::Busy(String::new())), ("vault-busy", 11));
        assert_eq!(vault(VaultError::NotRegistered(String::new())), ("server-refused", 13));
        assert_eq!(vault(VaultError::ClockSkew { seconds: 900 }), ("clock-skew", 13));
        assert_eq!(vault(VaultError::Full(String::new())), ("vault-full", 1));
        assert_eq!(vault(VaultError::OverQuota(String::new())), ("quota-exceeded", 1));
        assert_eq!(vault(VaultError::Cancelled), ("cancelled", 130));
        let full = AgentError::Engine(EngineError::Target(TargetError::Full));
        assert_eq!((full.code().as_str(), full.exit().number()), ("target-full", 1));
    }

    #[test]
    fn messages_begin_with_a_capital_and_end_without_a_full_stop() {
        let known = vec!["files".to_owned()];
        let errors = [
            AgentError::Busy { holder: 7 },
            AgentError::NoItems,
            AgentError::UnknownItem { name: "a".to_owned(), known: known.clone() },
            AgentError::ItemNeeded { asked: "latest".to_owned(), known },
            AgentError::FilesLost { files: 1 },
            AgentError::NoPoints { item: None },
            AgentError::JobLost,
        ];
        for error in errors {
            let text = error.to_string();
            assert!(!text.ends_with('.'), "{text}");
            assert!(text.starts_with(|c: char| c.is_uppercase() || c == '`'), "{text}");
        }
    }
}
