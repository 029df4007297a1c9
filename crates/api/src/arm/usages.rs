//! How much of a vault is used, in the forms that clients and the portal's tiles ask for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A count, of `{vault}/usages` and `{vault}/backupUsageSummaries`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageCount {
    /// `Count` or `Bytes`.
    pub unit: String,
    /// How many there are.
    pub current_value: i64,
    /// How many there may be; -1 for any number.
    pub limit: i64,
    /// What is counted.
    pub name: CountName,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CountName {
    /// In one word.
    pub value: String,
    /// In words.
    pub localized_value: String,
}

/// `{vault}/replicationUsages`: what Azure counts of a vault's jobs and servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplicationUsage {
    /// What is monitored.
    pub monitoring_summary: Value,
    /// Its jobs of the last day.
    pub jobs_summary: JobsSummary,
    /// Items that are protected.
    pub protected_item_count: i64,
    /// Plans for a disaster, which are another product's.
    pub recovery_plan_count: i64,
    /// Servers that are registered.
    pub registered_servers_count: i64,
    /// `0`: nothing of a replication of machines is here.
    pub recovery_services_provider_auth_type: i64,
}

/// Jobs of the last day by how they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobsSummary {
    /// That failed.
    pub failed_jobs: i64,
    /// That wait for somebody.
    pub suspended_jobs: i64,
    /// That go on.
    pub in_progress_jobs: i64,
}
