//! Which code of the table each error has: its exit code, and what is told beside it, follow from that.

mod server_backup;

use super::AgentError;
use crate::codes::Code;
use crate::document::DocumentError;
use crate::{Exit, disk};
use stateward_engine::{EngineError, Obstacle, PointError, SourceError, TargetError, VaultError};
use stateward_system_state::{OpenError, TargetOpenError};

impl AgentError {
    /// Which failure it is.
    pub fn code(&self) -> Code {
        match self {
            Self::NoDefaultHome => Code::HomeUnusable,
            Self::HomeUnusable { cause, .. } => disk::code_of(cause, Code::HomeFull, Code::HomeUnusable),
            Self::Document(error) => document_code(error),
            Self::KeysMissing { .. } => Code::HomeDamaged,
            Self::Busy { .. } => Code::Busy,
            Self::ServiceRuns { .. } => Code::ServiceRuns,
            Self::ProxyAddress(_) => Code::Usage,
            Self::NotRegistered { .. } => Code::NotRegistered,
            Self::AlreadyRegistered { .. } => Code::AlreadyRegistered,
            Self::NotSignedIn { .. } => Code::NotSignedIn,
            Self::Credentials(error) => error.code(),
            Self::Domain(error) => error.code(),
            Self::Upgrade(error) => error.code(),
            Self::Secret(error) => error.code(),
            Self::InputUnreadable { .. } => Code::InputUnreadable,
            Self::Refused { code, .. } | Self::PointUnusable { code, .. } | Self::NotBegun { code, .. } => {
                *code
            }
            Self::UnknownVault { .. } => Code::UnknownVault,
            Self::AmbiguousItem { .. } => Code::AmbiguousItem,
            Self::UnknownPolicy(_) => Code::UnknownPolicy,
            Self::PolicyExists(_) => Code::AlreadyExists,
            Self::WrongPolicy(_) => Code::WrongPolicy,
            Self::UnknownThing { .. } => Code::NotFound,
            Self::PrincipalExists(_) => Code::AlreadyExists,
            Self::AuditAltered { .. } => Code::AuditAltered,
            Self::NotDeleted(_) => Code::NotFound,
            Self::NothingAsked(_) => Code::Usage,
            Self::NoTerminal { .. } => Code::NoTerminal,
            Self::PrecheckBlocks { .. } => Code::PrecheckBlocks,
            Self::NoVaultFolder(_) => Code::NoVaultFolder,
            Self::InvalidName(_) => Code::Usage,
            Self::PathUnusable { .. } => Code::SourceUnreadable,
            Self::NoItems => Code::NoItems,
            Self::UnknownItem { .. } => Code::UnknownItem,
            Self::ItemNeeded { .. } => Code::ItemNeeded,
            Self::ItemExists { .. } => Code::ItemExists,
            Self::UnknownServer { .. } => Code::UnknownServer,
            Self::UnknownPoint(_) | Self::NoPoints { .. } | Self::NoPointThen { .. } => {
                Code::UnknownRecoveryPoint
            }
            Self::WrongMoment { .. } => Code::WrongMoment,
            Self::NothingThere { .. } => Code::NothingAtPaths,
            Self::UnknownComponent { .. } => Code::UnknownComponent,
            Self::NothingAtPaths => Code::NothingAtPaths,
            Self::UnknownCode(_) => Code::UnknownCode,
            Self::UnknownJob(_) => Code::UnknownJob,
            Self::JobEnded(_) => Code::JobEnded,
            Self::JobNotStarted(cause) => disk::code_of(cause, Code::HomeFull, Code::JobNotStarted),
            Self::HookBlocked { .. } => Code::HookBlocked,
            Self::Target(error) => target_code(error),
            Self::OutputExists { .. } => Code::OutputExists,
            Self::OutputUnwritable { cause, .. } => {
                disk::code_of(cause, Code::OutputFull, Code::OutputUnwritable)
            }
            Self::NoRestoreRoot => Code::NoRestoreRoot,
            Self::OriginalNeedsRule | Self::SecretNotNeeded => Code::Usage,
            Self::OtherSystem { .. } => Code::OtherSystemRefused,
            Self::NothingToRecord => Code::Unsupported,
            Self::TargetFull { .. } => Code::TargetFull,
            Self::TrialNoRoom { .. } => Code::TrialNoRoom,
            Self::ConsoleUnusable { .. } => Code::ConsoleUnusable,
            Self::NotServed => Code::ServiceNotRunning,
            Self::ServiceStays => Code::ServiceStays,
            Self::Service(problem) => problem.code(),
            Self::TargetFailed { cause, .. } => disk::code_of(cause, Code::TargetFull, Code::TargetFailed),
            Self::Engine(error) => engine_code(error),
            Self::Source(OpenError::NotAbsolute(_) | OpenError::NothingGiven) => Code::Usage,
            Self::Source(OpenError::LeavesNothingOut(_)) | Self::ExclusionRefused(_) => {
                Code::ExclusionRefused
            }
            Self::Source(OpenError::Unreadable { .. }) => Code::SourceUnreadable,
            Self::Source(OpenError::NoSuchComponent(_)) => Code::UnknownComponent,
            Self::Source(OpenError::NotBuilt(_)) => Code::Unsupported,
            Self::ServerBackup(error) => server_backup::code(error),
            Self::Staging(error) => server_backup::staging_code(error),
            Self::Plan(error) => server_backup::plan_code(error),
            Self::CriticalVolume { .. } => Code::CriticalVolume,
            Self::ClientEdition => Code::ClientEdition,
            Self::LineFailed { .. } => Code::LineFailed,
            Self::FilesLost { .. } => Code::FilesLost,
            Self::DamageFound { .. } => Code::DamageFound,
            Self::JobLost => Code::JobLost,
            Self::Notification(error) => error.code(),
            Self::Internal(_) => Code::Internal,
        }
    }

    /// How the program ends with it.
    pub fn exit(&self) -> Exit {
        self.code().exit()
    }
}

fn document_code(error: &DocumentError) -> Code {
    match error {
        DocumentError::Unusable { cause, .. } => disk::code_of(cause, Code::HomeFull, Code::HomeUnusable),
        DocumentError::Damaged { .. } => Code::HomeDamaged,
        DocumentError::Newer { .. } => Code::HomeNewer,
    }
}

fn engine_code(error: &EngineError) -> Code {
    match error {
        EngineError::Cancelled => Code::Cancelled,
        EngineError::Vault(error) => vault_code(error),
        EngineError::Source(SourceError::NoSuchComponent(_)) => Code::UnknownComponent,
        EngineError::Source(SourceError::Unreadable { .. }) => Code::SourceUnreadable,
        EngineError::Target(TargetError::Full) => Code::TargetFull,
        EngineError::Target(TargetError::InTheWay { .. }) => Code::TargetInTheWay,
        EngineError::Target(TargetError::Failed { cause, .. } | TargetError::Broken { cause, .. }) => {
            disk::code_of(cause, Code::TargetFull, Code::TargetFailed)
        }
        EngineError::Point(error) => point_code(error),
        EngineError::Cache(error) => disk::code_of(&error.cause, Code::CacheFull, Code::CacheUnusable),
        EngineError::SelfCheckFailed => Code::SelfCheckFailed,
    }
}

/// The code of each of the vault's ways to say no.
fn vault_code(error: &VaultError) -> Code {
    match error {
        VaultError::Unreachable(_) => Code::VaultUnreachable,
        VaultError::Unavailable(_) => Code::VaultUnavailable,
        VaultError::NotTrusted(_) => Code::VaultNotTrusted,
        VaultError::WrongVault(_) => Code::WrongVault,
        VaultError::Blocked(obstacle, _) => obstacle_code(*obstacle),
        VaultError::NotRegistered(_) => Code::ServerRefused,
        VaultError::ClockSkew { .. } => Code::ClockSkew,
        VaultError::Busy(_) => Code::VaultBusy,
        VaultError::SessionLost(_) => Code::SessionLost,
        VaultError::ProtectionStopped(_) => Code::ProtectionStopped,
        VaultError::AgentTooOld(_) => Code::AgentTooOld,
        VaultError::RedundancyNotMet(_) => Code::RedundancyNotMet,
        VaultError::NotFound(_) => Code::VaultAnswer,
        VaultError::Full(_) => Code::VaultFull,
        VaultError::OverQuota(_) => Code::QuotaExceeded,
        VaultError::PacksMissing(_) => Code::PacksMissing,
        VaultError::WrongHead => Code::WrongHead,
        VaultError::BadAnswer(_) => Code::VaultAnswer,
        VaultError::Failed(_) => Code::VaultFailed,
        VaultError::Cancelled => Code::Cancelled,
    }
}

fn obstacle_code(obstacle: Obstacle) -> Code {
    match obstacle {
        Obstacle::ProxyAway => Code::ProxyUnreachable,
        Obstacle::ProxyLogin => Code::ProxySignInRefused,
        Obstacle::ProxyRefusal => Code::ProxyRefused,
        Obstacle::Portal => Code::CaptivePortal,
        Obstacle::Interception => Code::TlsIntercepted,
    }
}

fn target_code(error: &TargetOpenError) -> Code {
    match error {
        TargetOpenError::NotEmpty { .. } | TargetOpenError::OtherPoint { .. } => Code::TargetNotEmpty,
        TargetOpenError::InUse { .. } => Code::TargetInUse,
        TargetOpenError::Unusable { cause, .. } => {
            disk::code_of(cause, Code::TargetFull, Code::TargetUnusable)
        }
    }
}

fn point_code(error: &PointError) -> Code {
    match error {
        PointError::Damaged { .. } => Code::PointDamaged,
        PointError::NotSigned(_) | PointError::Foreign(_) => Code::PointNotGenuine,
        PointError::OtherKey { .. } => Code::PointOtherKey,
        PointError::Unknown(_) => Code::UnknownRecoveryPoint,
        PointError::Incomplete { .. } => Code::PointIncomplete,
    }
}
