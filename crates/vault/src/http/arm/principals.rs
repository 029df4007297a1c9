//! Principals with a role in a vault.

use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::certificates::{Certificate, hex};
use crate::app::principals::KnownPrincipal;
use crate::app::principals::{Assignment, Role};
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::arm::principals as arm;
use stateward_api::arm::{List, PROVIDER, group_id};
use stateward_model::Label;
use std::sync::Arc;

type AppState = State<Arc<App>>;
type PrincipalSegments = Segments<(String, String, String, Label)>;

fn scope_of(app: &App, vault: &Vault, assignment: &Assignment) -> String {
    match assignment {
        Assignment { vault: name, .. } if !name.is_empty() => id_of(app, vault),
        Assignment { group, .. } if !group.is_empty() => {
            group_id(&app.config.subscription, vault.group.as_str())
        }
        _ => format!("/subscriptions/{}", app.config.subscription),
    }
}

/// A principal as it is shown, if it has a role in the vault.
fn shown(app: &App, vault: &Vault, known: &KnownPrincipal) -> Option<arm::Principal> {
    let assignment = known.role_in(vault)?;
    let read = known.certificates.iter().filter_map(|body| Certificate::read(body).ok());
    Some(arm::Principal {
        id: format!("{}/stateward/principals/{}", id_of(app, vault), known.client_id),
        name: known.client_id.clone(),
        r#type: format!("{PROVIDER}/vaults/stateward/principals"),
        properties: arm::PrincipalProperties {
            client_id: known.client_id.clone(),
            display_name: known.name.clone(),
            role: assignment.role.as_str().to_owned(),
            scope: scope_of(app, vault, assignment),
            thumbprints: read.map(|certificate| hex(&certificate.thumbprint)).collect(),
            client_secret: None,
        },
    })
}

/// `GET {vault}/stateward/principals`
pub(in crate::http) async fn list_principals(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Principal>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    let all = app.principals().await?;
    Ok(Answer(query.page(&app, all.iter().filter_map(|known| shown(&app, &vault, known)).collect())))
}

/// `PUT {vault}/stateward/principals/{name}`
pub(in crate::http) async fn put_principal(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): PrincipalSegments,
    Json(request): Json<arm::PrincipalRequest>,
) -> Result<(StatusCode, Answer<arm::Principal>), Error> {
    let role = &request.properties.role;
    let role = Role::parse(role).ok_or_else(|| {
        Error::invalid(format!(
            "`role` is `BackupReader`, `BackupOperator` or `BackupContributor`, not `{role}`"
        ))
    })?;
    let (client_id, made) = app.grant(&manager.principal, &manager.place, name.as_str(), role).await?;
    let vault = app.vault_at(&manager.place).await?;
    let all = app.principals().await?;
    let found =
        all.iter().find(|known| known.client_id == client_id).and_then(|known| shown(&app, &vault, known));
    let mut principal = found.ok_or_else(|| Error::not_found(format!("principal `{client_id}`")))?;
    let status = if made.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    principal.properties.client_secret = made.map(|made| made.client_secret);
    Ok((status, Answer(principal)))
}

/// `DELETE {vault}/stateward/principals/{client id}`
pub(in crate::http) async fn delete_principal(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, name)): PrincipalSegments,
) -> Result<StatusCode, Error> {
    let had_one = app.withdraw(&manager.actor(), &manager.place, name.as_str()).await?;
    Ok(if had_one { StatusCode::OK } else { StatusCode::NO_CONTENT })
}

#[cfg(test)]
mod tests;
