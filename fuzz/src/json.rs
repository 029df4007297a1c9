//! JSON of the contract: what the vault reads from anybody, and what an agent reads from a vault.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stateward_api::{VaultCredentials, agent, arm, credentials, error, token};

/// Reads a body and spells it again, which must read as the same.
fn read<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    if let Ok(body) = serde_json::from_slice::<T>(bytes) {
        let spelled = serde_json::to_vec(&body).unwrap();
        let again: T = serde_json::from_slice(&spelled).unwrap();
        assert_eq!(serde_json::to_vec(&again).unwrap(), spelled);
    }
}

/// A type, and what reads it.
type Body = (&'static str, fn(&[u8]));

macro_rules! bodies {
    ($($body:ty,)*) => {
        &[$((stringify!($body), read::<$body>)),*]
    };
}

/// Every type of the contract that is read.
pub const BODIES: &[Body] = bodies![
    agent::RegisterRequest,
    agent::RegisterSlotsRequest,
    agent::Registered,
    agent::ServerInfo,
    agent::ItemRequest,
    agent::OpenSessionRequest,
    agent::Replaces,
    agent::KnownPack,
    agent::ListedPoint,
    agent::SessionOpened,
    agent::Lease,
    agent::PartTaken,
    agent::PointList,
    agent::SlotList,
    agent::JobReport,
    agent::JobAnswer,
    agent::CommandWait,
    agent::CommandRequest,
    agent::Command,
    agent::CommandList,
    agent::ScheduledItem,
    agent::Timetable,
    agent::OfferedPackage,
    agent::PackageList,
    agent::StopRequest,
    agent::DeleteRequest,
    agent::KeepSlotRequest,
    arm::List<Value>,
    arm::Resource<Value>,
    arm::agents::AgentPackageProperties,
    arm::agents::AgentSettingsProperties,
    arm::agents::AgentSettingsRequest,
    arm::clouds::Cloud,
    arm::clouds::EarlyCloud,
    arm::clouds::Authentication,
    arm::clouds::OpenIdConfiguration,
    arm::containers::ContainerProperties,
    arm::containers::HealthDetail,
    arm::containers::ContainerExtendedInfo,
    arm::containers::FabricProperties,
    arm::credentials::CredentialsRequest,
    arm::credentials::CertificateRequest,
    arm::credentials::CertificateRequestProperties,
    arm::credentials::VaultCertificate,
    arm::credentials::VaultCertificateProperties,
    arm::groups::Subscription,
    arm::groups::Location,
    arm::groups::LocationMetadata,
    arm::groups::ResourceGroup,
    arm::groups::GroupProperties,
    arm::groups::ResourceGroupRequest,
    arm::items::ItemProperties,
    arm::items::ItemExtendedInfo,
    arm::items::ItemRequest,
    arm::items::ItemChange,
    arm::items::BackupRequest,
    arm::items::BackupWishes,
    arm::jobs::JobProperties,
    arm::jobs::JobError,
    arm::jobs::JobExtendedInfo,
    arm::jobs::JobTask,
    arm::operations::Operation,
    arm::operations::OperationJob,
    arm::operations::OperationError,
    arm::policies::Policy,
    arm::policies::PolicyRequest,
    arm::policies::PolicyProperties,
    arm::policies::SchedulePolicy,
    arm::policies::Frequency,
    arm::policies::RetentionPolicy,
    arm::policies::DailyRetention,
    arm::policies::WeeklyRetention,
    arm::policies::MonthlyRetention,
    arm::policies::YearlyRetention,
    arm::policies::DaysOfMonth,
    arm::policies::DaysFormat,
    arm::policies::NumberedDays,
    arm::policies::Day,
    arm::policies::WeekdaysOfMonth,
    arm::policies::Duration,
    arm::policies::DurationType,
    arm::policies::ClockTime,
    arm::previews::PolicyPreviewRequest,
    arm::previews::PolicyPreview,
    arm::previews::PreviewedRun,
    arm::previews::PreviewedMoment,
    arm::previews::PreviewedPoint,
    arm::previews::PreviewedEffect,
    arm::recovery_points::RecoveryPoint,
    arm::recovery_points::RecoveryPointProperties,
    arm::recovery_points::Lifetime,
    arm::recovery_points::AdditionalInfo,
    arm::recovery_points::RestoreRequestProperties,
    arm::recovery_points::RestoreRequest,
    arm::recovery_points::UndeleteRequest,
    arm::recovery_points::ConfirmExpiryRequest,
    arm::recovery_points::ConfirmClockRequest,
    arm::recovery_points::ClockState,
    arm::alerts::AlertProperties,
    arm::approvals::ApprovalProperties,
    arm::approvals::ApprovalRequest,
    arm::approvals::ApprovalRequestProperties,
    arm::approvals::ApprovalState,
    arm::audit::AuditCheck,
    arm::audit::AuditEntry,
    arm::guards::GuardProperties,
    arm::guards::GuardRequest,
    arm::guards::GuardedOperation,
    arm::principals::PrincipalProperties,
    arm::principals::PrincipalRequest,
    arm::principals::PrincipalRequestProperties,
    arm::quotas::QuotasProperties,
    arm::quotas::QuotasRequest,
    arm::pins::SecurityPin,
    arm::quotas::ServerBytes,
    arm::guards::UnlockRequest,
    arm::guards::UnlockResponse,
    arm::clouds::KeySet,
    arm::usages::UsageCount,
    arm::usages::CountName,
    arm::usages::ReplicationUsage,
    arm::usages::JobsSummary,
    arm::vaults::Vault,
    arm::vaults::Sku,
    arm::vaults::VaultProperties,
    arm::vaults::VaultUsage,
    arm::vaults::RedundancySettings,
    arm::vaults::SecuritySettings,
    arm::vaults::ImmutabilitySettings,
    arm::vaults::SoftDeleteSettings,
    arm::vaults::VaultRequest,
    arm::vaults::DeletedVaultProperties,
    arm::vaults::StorageConfigProperties,
    arm::vaults::StorageConfigRequest,
    arm::vaults::VaultConfigProperties,
    arm::vaults::VaultConfigRequest,
    credentials::CredentialPurpose,
    credentials::VaultCredentials,
    error::ErrorBody,
    error::ErrorDetail,
    error::ErrorCode,
    stateward_api::Health,
    token::TokenRequest,
    token::AssertionClaims,
    token::TokenResponse,
    token::TokenError,
];

/// All of them, since a body does not say which it is.
pub fn any_body(bytes: &[u8]) {
    BODIES.iter().for_each(|(_, read)| read(bytes));
    if let Ok(credentials) = serde_json::from_slice::<VaultCredentials>(bytes) {
        let _ = credentials.signed_bytes();
    }
}
