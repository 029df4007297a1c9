//! Operations: what clients poll, at the many places where they look for it.

use super::place::Manager;
use crate::app::{App, Error};
use crate::http::extract::Segments;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::arm::operations as arm;
use std::sync::Arc;

type AppState = State<Arc<App>>;

async fn find(app: &App, manager: &Manager, name: &str) -> Result<arm::Operation, Error> {
    let id = name.parse().map_err(|_| Error::not_found(format!("operation `{name}`")))?;
    let vault = app.vault_at(&manager.place).await?;
    let operation = app.operation(vault.id, id).await?;
    Ok(arm::Operation {
        id,
        name: id,
        status: "Succeeded".to_owned(),
        start_time: operation.at,
        end_time: Some(operation.at),
        properties: operation.job.map(|job_id| arm::OperationJob {
            object_type: "OperationStatusJobExtendedInfo".to_owned(),
            job_id,
        }),
        error: None,
    })
}

/// Where an operation's name is the last part of the path, whatever stands before it.
pub(in crate::http) struct LastSegment(String);

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for LastSegment {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, state: &S) -> Result<Self, Error> {
        let Segments(all) = Segments::<Vec<(String, String)>>::from_request_parts(parts, state).await?;
        Ok(Self(all.into_iter().last().map(|(_, value)| value).unwrap_or_default()))
    }
}

/// `GET …/operationsStatus/{operation}`, and under its other names
pub(in crate::http) async fn get_operation(
    State(app): AppState,
    manager: Manager,
    LastSegment(name): LastSegment,
) -> Result<Answer<arm::Operation>, Error> {
    find(&app, &manager, &name).await.map(Answer)
}

/// `GET …/operationResults/{operation}`: what an operation leads to is read at its own place.
pub(in crate::http) async fn get_operation_result(
    State(app): AppState,
    manager: Manager,
    LastSegment(name): LastSegment,
) -> Result<StatusCode, Error> {
    find(&app, &manager, &name).await.map(|_| StatusCode::NO_CONTENT)
}
