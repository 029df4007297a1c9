//! Resource guards.

use super::place::Manager;
use super::vaults::id_at;
use crate::app::approvals::ACTS;
use crate::app::guards::Guard;
use crate::app::{App, Error};
use crate::http::extract::{Json, MaybeJson, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use stateward_api::arm::guards as arm;
use stateward_api::arm::{List, PROVIDER};
use std::sync::Arc;

type AppState = State<Arc<App>>;
type GuardSegments = Segments<(String, String, String, String)>;

async fn shown(app: &App, manager: &Manager, guards: Vec<Guard>) -> Result<Vec<arm::Guard>, Error> {
    let vault = id_at(app, manager).await?;
    let operations = || {
        let request = format!("{vault}/stateward/approvals");
        let one = |act: &&str| arm::GuardedOperation {
            vault_critical_operation: (*act).to_owned(),
            default_resource_request: request.clone(),
        };
        ACTS.iter().map(one).collect()
    };
    let shown = guards.into_iter().map(|guard| {
        let kept: arm::GuardProperties = serde_json::from_value(guard.body).unwrap_or_default();
        arm::Guard {
            id: format!("{vault}/backupResourceGuardProxies/{}", guard.name),
            name: guard.name,
            r#type: format!("{PROVIDER}/vaults/backupResourceGuardProxies"),
            properties: arm::GuardProperties {
                resource_guard_operation_details: operations(),
                last_updated_time: Some(guard.created_at),
                ..kept
            },
        }
    });
    Ok(shown.collect())
}

async fn answer(app: &App, manager: &Manager, guard: Guard) -> Result<Answer<arm::Guard>, Error> {
    let shown = shown(app, manager, vec![guard]).await?;
    shown.into_iter().next().map(Answer).ok_or_else(|| Error::not_found("resource guard"))
}

/// `GET {vault}/backupResourceGuardProxies`
pub(in crate::http) async fn list_guards(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<List<arm::Guard>>, Error> {
    let guards = app.guards(&manager.place).await?;
    Ok(Answer(List::whole(shown(&app, &manager, guards).await?)))
}

/// `GET {vault}/backupResourceGuardProxies/{name}`
pub(in crate::http) async fn get_guard(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): GuardSegments,
) -> Result<Answer<arm::Guard>, Error> {
    let guard = app.guard(&manager.place, &name).await?;
    answer(&app, &manager, guard).await
}

/// `PUT {vault}/backupResourceGuardProxies/{name}`
pub(in crate::http) async fn put_guard(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): GuardSegments,
    Json(request): Json<arm::GuardRequest>,
) -> Result<Answer<arm::Guard>, Error> {
    let arm::GuardProperties { resource_guard_resource_id, description, .. } = request.properties;
    let body = json!({ "resourceGuardResourceId": resource_guard_resource_id, "description": description });
    let guard = app.put_guard(&manager.actor(), &manager.place, &name, body).await?;
    answer(&app, &manager, guard).await
}

/// `DELETE {vault}/backupResourceGuardProxies/{name}`
pub(in crate::http) async fn delete_guard(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): GuardSegments,
) -> Result<StatusCode, Error> {
    let was_there = app.delete_guard(&manager.actor(), &manager.place, &name).await?;
    Ok(if was_there { StatusCode::OK } else { StatusCode::NO_CONTENT })
}

/// `POST {vault}/backupResourceGuardProxies/{name}/unlockDelete`
pub(in crate::http) async fn unlock_delete(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): GuardSegments,
    MaybeJson(request): MaybeJson<arm::UnlockRequest>,
) -> Result<Answer<arm::UnlockResponse>, Error> {
    let guard = app.guard(&manager.place, &name).await?;
    let asked = request.and_then(|request| request.resource_to_be_deleted).filter(|path| !path.is_empty());
    let resource = asked.unwrap_or_else(|| format!("/backupResourceGuardProxies/{}", guard.name));
    let until = app.unlock_delete(&manager.actor(), &manager.place, &resource).await?;
    Ok(Answer(arm::UnlockResponse { unlock_delete_expiry_time: until.to_string() }))
}
