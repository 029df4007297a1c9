//! Policies over HTTP.

use super::etag::{Expected, etag};
use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::policies::Policy;
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::ErrorCode;
use stateward_api::arm::policies::{self as arm, MANAGEMENT_TYPE, PolicyProperties, WrongPolicy};
use stateward_api::arm::{List, PROVIDER};
use std::sync::Arc;

type AppState = State<Arc<App>>;
type PolicySegments = Segments<(String, String, String, String)>;

/// The workloads whose policies these are, in Azure's words.
const WORKLOADS: &[&str] = &["SystemState", "FileFolder"];

fn shown(app: &App, vault: &Vault, policy: &Policy) -> arm::Policy {
    arm::Policy {
        id: format!("{}/backupPolicies/{}", id_of(app, vault), policy.name),
        name: policy.name.to_string(),
        r#type: format!("{PROVIDER}/vaults/backupPolicies"),
        e_tag: etag(policy.revision),
        properties: PolicyProperties {
            protected_items_count: Some(policy.items),
            ..PolicyProperties::of(&policy.body)
        },
    }
}

/// The policy that a client means.
pub(super) fn meant(properties: &PolicyProperties) -> Result<stateward_model::Policy, Error> {
    properties.to_policy().map_err(|error| match error {
        WrongPolicy::NotHere(why) => Error::refused(ErrorCode::NotSupportedHere, why),
        other => Error::invalid(other.to_string()),
    })
}

/// `GET {vault}/backupPolicies`
pub(in crate::http) async fn list_policies(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Policy>>, Error> {
    let keys = ["backupManagementType", "workloadType", "fabricName", "moveRecoveryPoints"];
    let filter = query.filter(&keys)?;
    let vault = app.vault_at(&manager.place).await?;
    let is_asked_for = filter.admits("backupManagementType", MANAGEMENT_TYPE)
        && WORKLOADS.iter().any(|workload| filter.admits("workloadType", workload));
    let policies = if is_asked_for { app.policies(&manager.place).await? } else { Vec::new() };
    let listed = policies.iter().map(|policy| shown(&app, &vault, policy)).collect();
    Ok(Answer(query.page(&app, listed)))
}

/// `GET {vault}/backupPolicies/{policy}`
pub(in crate::http) async fn get_policy(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): PolicySegments,
) -> Result<Answer<arm::Policy>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(shown(&app, &vault, &app.policy(&manager.place, &name).await?)))
}

/// `PUT {vault}/backupPolicies/{policy}`
pub(in crate::http) async fn put_policy(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): PolicySegments,
    Expected(revision): Expected,
    Json(request): Json<arm::PolicyRequest>,
) -> Result<Answer<arm::Policy>, Error> {
    let body = meant(&request.properties)?;
    let (policy, _) = app.put_policy(&manager.actor(), &manager.place, &name, body, revision).await?;
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(shown(&app, &vault, &policy)))
}

/// `DELETE {vault}/backupPolicies/{policy}`
pub(in crate::http) async fn delete_policy(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): PolicySegments,
    Expected(revision): Expected,
) -> Result<StatusCode, Error> {
    let was_there = app.delete_policy(&manager.actor(), &manager.place, &name, revision).await?;
    Ok(if was_there { StatusCode::OK } else { StatusCode::NO_CONTENT })
}

#[cfg(test)]
mod tests;
