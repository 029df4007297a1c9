//! The codes of what goes wrong with Windows Server Backup.

use crate::codes::Code;
use crate::disk;
use stateward_system_state::server_backup::CommandError;
use stateward_system_state::server_backup::backup::ServerBackupError;
use stateward_system_state::server_backup::plan::PlanError;
use stateward_system_state::server_backup::staging::StagingError;
use stateward_system_state::server_backup::wbadmin::failure::Failure;

pub(super) fn code(error: &ServerBackupError) -> Code {
    match error {
        ServerBackupError::Command(error) => command_code(error),
        ServerBackupError::Failed { failure, .. } => Code::ServerBackup(*failure),
        ServerBackupError::NoVersion | ServerBackupError::NoFolder { .. } => Code::ServerBackupWithoutVersion,
        ServerBackupError::NoImage { .. } | ServerBackupError::Image { .. } => Code::StagedImageDamaged,
        ServerBackupError::NoDocument { .. } | ServerBackupError::Document { .. } => {
            Code::StagedDocumentDamaged
        }
        ServerBackupError::NoWriter { .. } => Code::WriterMissing,
        ServerBackupError::Unreadable { .. } => Code::StagingUnreadable,
    }
}

fn command_code(error: &CommandError) -> Code {
    match error {
        CommandError::Missing { .. } => Code::ServerBackup(Failure::NotInstalled),
        CommandError::TimedOut { .. } => Code::ServerBackupTimedOut,
        CommandError::Cancelled { .. } => Code::Cancelled,
        CommandError::Unusable { .. } => Code::ServerBackup(Failure::Unknown),
    }
}

pub(super) fn staging_code(error: &StagingError) -> Code {
    match error {
        StagingError::Command(CommandError::Cancelled { .. }) => Code::Cancelled,
        StagingError::Command(_) | StagingError::Refused { .. } | StagingError::NoVolume { .. } => {
            Code::StagingDiskFailed
        }
        StagingError::Path(_) | StagingError::Unfit { .. } => Code::ServerBackup(Failure::WrongTarget),
        StagingError::NotTrimmed(_) => Code::StagingUnreadable,
        StagingError::Unusable { cause, .. } => {
            disk::code_of(cause, Code::ServerBackup(Failure::TargetFull), Code::StagingUnreadable)
        }
    }
}

pub(super) fn plan_code(error: &PlanError) -> Code {
    match error {
        PlanError::NotSystemState(_) => Code::NoSystemState,
        PlanError::Place(_) | PlanError::Machine(_) | PlanError::NotDomainController(_) => Code::Usage,
        PlanError::OlderWindows { .. } => Code::OlderWindows,
        PlanError::Tombstoned { .. } => Code::PointTombstoned,
        PlanError::Clock(_) => Code::PointOfTheFuture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_that_system_state_names() {
        let cancelled = ServerBackupError::Command(CommandError::Cancelled { program: "wbadmin" });
        let errors = [
            cancelled,
            ServerBackupError::Command(CommandError::Missing { program: "wbadmin" }),
            ServerBackupError::Command(CommandError::TimedOut {
                program: "wbadmin",
                time_out: std::time::Duration::ZERO,
            }),
            ServerBackupError::NoVersion,
            ServerBackupError::NoImage { folder: "x".into() },
            ServerBackupError::NoDocument { folder: "x".into(), name: "y" },
            ServerBackupError::NoWriter { writer: "w" },
            ServerBackupError::Unreadable { path: "x".into(), cause: std::io::ErrorKind::Other.into() },
        ];
        let failed = Failure::all().map(|failure| ServerBackupError::Failed {
            failure,
            exit_code: Some(1),
            code: None,
        });
        for error in errors.into_iter().chain(failed) {
            assert_eq!(code(&error).as_str(), error.code(), "{error}");
        }
    }
}
