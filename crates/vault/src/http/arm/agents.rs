//! Agents: their packages, and what the vault asks of them.

use super::place::Manager;
use super::query::Query;
use super::vaults::{id_at, id_of};
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use crate::http::objects;
use crate::packages::Offered;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, HeaderValue};
use axum::response::Response;
use stateward_api::arm::agents as arm;
use stateward_api::arm::{List, PROVIDER, VERSION};
use std::sync::Arc;

type AppState = State<Arc<App>>;
type PackageSegments = Segments<(String, String, String, String)>;

fn shown(app: &App, vault: &str, offered: Offered) -> arm::AgentPackage {
    let Offered { statement, signature, added_at } = offered;
    let name = statement.file.to_string();
    let id = format!("{vault}/stateward/agentPackages/{name}");
    arm::AgentPackage {
        name,
        r#type: format!("{PROVIDER}/vaults/stateward/agentPackages"),
        properties: arm::AgentPackageProperties {
            kind: statement.file.kind,
            version: statement.file.version,
            architecture: statement.file.architecture,
            size_bytes: statement.size_bytes,
            sha256: statement.sha256,
            signature,
            download_url: format!("{}{id}/content?api-version={VERSION}", app.config.url),
            added_at,
        },
        id,
    }
}

/// `GET {vault}/stateward/agentPackages`
pub(in crate::http) async fn list_packages(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::AgentPackage>>, Error> {
    let vault = id_at(&app, &manager).await?;
    let all = app.packages().await?.into_iter().map(|offered| shown(&app, &vault, offered));
    Ok(Answer(query.page(&app, all.collect())))
}

/// `GET {vault}/stateward/agentPackages/{name}`
pub(in crate::http) async fn get_package(
    State(app): AppState,
    manager: Manager,
    Segments((.., name)): PackageSegments,
) -> Result<Answer<arm::AgentPackage>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    let (offered, _) = app.package(&name).await?;
    Ok(Answer(shown(&app, &id_of(&app, &vault), offered)))
}

/// `GET {vault}/stateward/agentPackages/{name}/content`
pub(in crate::http) async fn get_package_content(
    State(app): AppState,
    manager: Manager,
    Segments((.., name)): PackageSegments,
) -> Result<Response, Error> {
    app.vault_at(&manager.place).await?;
    let (offered, pieces) = app.package(&name).await?;
    let mut answer = objects::pieces(pieces, offered.statement.size_bytes, None);
    // For browsers. The name has letters, digits and four other characters.
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", offered.statement.file)) {
        answer.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    Ok(answer)
}

/// `GET {vault}/stateward/agentSettings`
pub(in crate::http) async fn get_agent_settings(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<arm::AgentSettings>, Error> {
    let minimum_agent_version = app.minimum_agent(&manager.place).await?;
    let vault = id_at(&app, &manager).await?;
    Ok(Answer(arm::AgentSettings {
        id: format!("{vault}/stateward/agentSettings"),
        name: "agentSettings".to_owned(),
        r#type: format!("{PROVIDER}/vaults/stateward/agentSettings"),
        properties: arm::AgentSettingsProperties {
            minimum_agent_version,
            newest_agent_version: app.newest_agent().await?,
        },
    }))
}

/// `PUT {vault}/stateward/agentSettings`
pub(in crate::http) async fn put_agent_settings(
    app: AppState,
    manager: Manager,
    Json(request): Json<arm::AgentSettingsRequest>,
) -> Result<Answer<arm::AgentSettings>, Error> {
    let minimum = request.properties.minimum_agent_version;
    app.set_minimum_agent(&manager.actor(), &manager.place, minimum).await?;
    get_agent_settings(app, manager).await
}

#[cfg(test)]
mod tests;
