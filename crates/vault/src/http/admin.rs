//! Management: the handlers of `stateward_api::admin`.

use super::arm::Manager;
use super::extract::{Json, Segments};
use crate::app::principals::Place;
use crate::app::vaults;
use crate::app::{App, Error};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::VaultCredentials;
use stateward_api::admin::{CredentialsRequest, JobList, RecoveryPointList, ServerList, Vault, VaultList};
use stateward_model::Label;
use std::sync::Arc;

type AppState = State<Arc<App>>;

async fn shown(app: &App, vault: vaults::Vault) -> Result<Vault, Error> {
    let usage = app.vault_usage(vault.id).await?;
    Ok(Vault {
        id: vault.id,
        name: vault.name.into(),
        created_at: vault.created_at,
        servers: usage.servers,
        recovery_points: usage.recovery_points,
        stored_bytes: usage.stored_bytes,
    })
}

/// `GET /admin/preview/vaults`
pub(super) async fn list_vaults(State(app): AppState) -> Result<Answer<VaultList>, Error> {
    let mut value = Vec::new();
    for vault in app.vaults_in(None).await? {
        value.push(shown(&app, vault).await?);
    }
    Ok(Answer(VaultList { value }))
}

/// `PUT /admin/preview/vaults/{name}`
pub(super) async fn put_vault(
    State(app): AppState,
    Segments(name): Segments<Label>,
) -> Result<(StatusCode, Answer<Vault>), Error> {
    let (vault, is_new) = app.create_vault(&name).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(shown(&app, vault).await?)))
}

/// `GET /admin/preview/vaults/{name}`
pub(super) async fn get_vault(
    State(app): AppState,
    Segments(name): Segments<Label>,
) -> Result<Answer<Vault>, Error> {
    Ok(Answer(shown(&app, app.vault(&name).await?).await?))
}

/// `POST /admin/preview/vaults/{name}/credentials`
pub(super) async fn make_credentials(
    State(app): AppState,
    manager: Manager,
    Segments(name): Segments<Label>,
    Json(request): Json<CredentialsRequest>,
) -> Result<Answer<VaultCredentials>, Error> {
    let vault = app.vault(&name).await?;
    let place = Place { group: Some(vault.group.to_string()), vault: Some(vault.name.to_string()) };
    Ok(Answer(app.create_credentials(&manager.actor(), &place, &request).await?))
}

/// `GET /admin/preview/vaults/{name}/servers`
pub(super) async fn list_servers(
    State(app): AppState,
    Segments(name): Segments<Label>,
) -> Result<Answer<ServerList>, Error> {
    Ok(Answer(ServerList { value: app.servers(&name).await? }))
}

/// `GET /admin/preview/vaults/{name}/recovery-points`
pub(super) async fn list_points(
    State(app): AppState,
    Segments(name): Segments<Label>,
) -> Result<Answer<RecoveryPointList>, Error> {
    Ok(Answer(RecoveryPointList { value: app.points_of_vault(&name).await? }))
}

/// `GET /admin/preview/vaults/{name}/jobs`
pub(super) async fn list_jobs(
    State(app): AppState,
    Segments(name): Segments<Label>,
) -> Result<Answer<JobList>, Error> {
    Ok(Answer(JobList { value: app.jobs(&name).await? }))
}
