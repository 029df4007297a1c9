//! What was asked for and goes on by itself: clients poll it, and find the job that does it.

use serde::{Deserialize, Serialize};
use stateward_model::{JobId, OperationId, Timestamp};

/// `{vault}/backupOperations/{id}`, and all other places where clients look for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// The same.
    pub name: OperationId,
    /// `InProgress`, `Succeeded`, `Failed` or `Canceled`.
    pub status: String,
    /// When it was asked for.
    pub start_time: Timestamp,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
    /// The job that does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<OperationJob>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<OperationError>,
}

/// The job that does an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationJob {
    /// `OperationStatusJobExtendedInfo`: the SDKs know by it that there is a job.
    pub object_type: String,
    /// The job's id.
    pub job_id: JobId,
}

/// Why an operation failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OperationError {
    /// Which kind of failure.
    pub code: String,
    /// In words.
    pub message: String,
}
