//! What the vault does after it answered: waited for where it is told how it goes on.

use super::AdminClient;
use super::address::followed;
use crate::call::{Answer, CallError};
use stateward_api::ErrorCode;
use stateward_api::arm::operations::Operation;
use stateward_api::error::ErrorDetail;
use stateward_model::JobId;
use std::time::Duration;

/// Between the first two questions; each later one waits twice as long as the one before.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Between two questions at most.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

impl AdminClient {
    /// Waits until what was asked for is done; gives the job that did it, if there is one. A person who waits can stop the
    /// waiting, not what goes on.
    pub(super) fn done(&self, answer: &Answer) -> Result<Option<JobId>, CallError> {
        let Some(link) = &answer.operation else { return Ok(None) };
        let (address, mut wait) = (followed(link)?, FIRST_WAIT);
        loop {
            let operation: Operation = self.get(&address)?;
            match operation.status.as_str() {
                "InProgress" => self.connection.pause(wait)?,
                "Succeeded" => return Ok(operation.properties.map(|of| of.job_id)),
                _ => return Err(refusal(operation)),
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// The job that does what was asked for, without a wait for its end.
    pub(super) fn begun(&self, answer: &Answer) -> Result<Option<JobId>, CallError> {
        let Some(link) = &answer.operation else { return Ok(None) };
        let operation: Operation = self.get(&followed(link)?)?;
        match operation.error {
            Some(_) => Err(refusal(operation)),
            None => Ok(operation.properties.map(|of| of.job_id)),
        }
    }
}

/// Why an operation failed, as if it had been refused at once.
fn refusal(operation: Operation) -> CallError {
    let status = operation.status;
    let (code, message) = match operation.error {
        Some(error) => (error.code, error.message),
        None => (String::new(), format!("The vault says that it is {status}, and not why")),
    };
    let code = serde_json::from_value(code.into()).unwrap_or(ErrorCode::Internal);
    CallError::Refused(Box::new(ErrorDetail::new(code, message)))
}
