//! Registered servers: containers, in Azure's word.

use super::paths::{check_fabric, polled_at, server_at, server_of};
use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::agents::is_outdated;
use crate::app::containers::{Ailment, Container, Named};
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::causes::chain;
use crate::http::extract::Segments;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use stateward_api::arm::containers as arm;
use stateward_api::arm::{List, PROVIDER, Resource, container_name, container_path};
use stateward_model::{AgentVersion, ItemKind, ServerId, Timestamp};
use std::sync::Arc;

type AppState = State<Arc<App>>;
type Path<T> = Segments<T>;

/// The keys by which servers are looked for.
const KEYS: &[&str] = &["backupManagementType", "status", "friendlyName", "containerType", "fabricName"];

/// The word for an item's kind.
pub(super) fn workload(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::SystemState => "SystemState",
        ItemKind::Files => "FileFolder",
    }
}

fn status(container: &Container) -> &'static str {
    if container.managed.revoked_at.is_none() { "Registered" } else { "NotRegistered" }
}

/// A number for those who want one: 48 bits, which every client can hold, of the id.
fn number(server: ServerId) -> i64 {
    server.0[..6].iter().fold(0, |number, byte| number << 8 | i64::from(*byte))
}

fn health_detail(ailment: Ailment) -> arm::HealthDetail {
    let (code, title, message, advice) = match ailment {
        Ailment::Forked(at) => (
            1,
            "Recovery points forked",
            format!(
                "At {at} a recovery point came that does not follow the newest one: two agents make backups as this server"
            ),
            "See that no copy of the server or of its agent's home makes backups; register the copy anew",
        ),
        Ailment::Quiet(since) => (
            2,
            "Not heard of",
            format!("The vault has not heard of this server since {since}"),
            "See that the server runs, that its agent does, and that it reaches the vault",
        ),
    };
    arm::HealthDetail { code, title: title.to_owned(), message, recommendations: vec![advice.to_owned()] }
}

/// The newest backup of a server: how it ended.
fn last_backup(container: &Container) -> Option<String> {
    let backups = container.items.iter().filter_map(|item| item.last_backup);
    backups.max_by_key(|(_, began)| *began).map(|(state, _)| format!("{state:?}"))
}

fn common_policy(container: &Container) -> Option<String> {
    let mut policies = container.items.iter().map(|item| item.policy.clone());
    let first = policies.next()??;
    policies.all(|policy| policy.as_deref() == Some(first.as_str())).then_some(first)
}

/// What is known besides the server itself.
#[derive(Clone, Copy)]
struct Beside {
    now: Timestamp,
    /// The newest agent that is offered, and the oldest that may make backups.
    newest: Option<AgentVersion>,
    minimum: Option<AgentVersion>,
}

impl Beside {
    async fn of(app: &App, manager: &Manager) -> Result<Self, Error> {
        // Servers are shown, too, while the index of packages can't be read.
        let newest = app.newest_agent().await.unwrap_or_else(|error| {
            tracing::error!(error = %chain(&error), "the packages that are offered can't be listed");
            None
        });
        Ok(Self { now: app.now(), newest, minimum: app.minimum_agent(&manager.place).await? })
    }
}

fn properties(container: &Container, beside: Beside) -> arm::ContainerProperties {
    let Beside { now, newest, minimum } = beside;
    let server = &container.managed.server;
    let details: Vec<_> = container.ailments(now).into_iter().map(health_detail).collect();
    let health = if details.is_empty() { "Healthy" } else { "Unhealthy" }.to_owned();
    let kinds = || container.items.iter().map(|item| item.kind);
    let kind = kinds().find(|kind| *kind == ItemKind::SystemState).or_else(|| kinds().next());
    arm::ContainerProperties {
        friendly_name: server.label.to_string(),
        backup_management_type: "MAB".to_owned(),
        registration_status: status(container).to_owned(),
        health_status: health.clone(),
        container_type: "Windows".to_owned(),
        protectable_object_type: "Windows".to_owned(),
        can_re_register: container.managed.revoked_at.is_none(),
        container_id: number(server.id),
        protected_item_count: container.managed.items,
        agent_version: server.agent_version.clone(),
        container_health_state: health,
        mab_container_health_details: details,
        extended_info: arm::ContainerExtendedInfo {
            last_refreshed_at: server.seen_at,
            backup_item_type: kind.map(|kind| workload(kind).to_owned()),
            backup_items: container.items.iter().map(|item| item.label.to_string()).collect(),
            policy_name: common_policy(container),
            last_backup_status: last_backup(container),
            server_id: server.id,
            operating_system: server.operating_system.clone(),
            domain: server.domain,
            is_outdated: is_outdated(&server.agent_version, newest, minimum),
            registered_at: server.registered_at,
            unregistered_at: container.managed.revoked_at,
            last_seen: server.seen_at,
            forked_at: server.forked_at,
        },
    }
}

fn shown(app: &App, vault: &Vault, container: &Container, beside: Beside) -> arm::Container {
    let server = container.managed.server.id;
    Resource {
        id: format!("{}/{}", id_of(app, vault), container_path(server)),
        name: container_name(server),
        r#type: format!("{PROVIDER}/vaults/backupFabrics/protectionContainers"),
        properties: properties(container, beside),
    }
}

/// The servers that a filter lets through.
async fn listed(
    app: &App,
    manager: &Manager,
    query: &Query,
    only: impl Fn(&Container) -> bool,
) -> Result<Answer<List<arm::Container>>, Error> {
    let filter = query.filter(KEYS)?;
    let vault = app.vault_at(&manager.place).await?;
    let containers = app.containers(vault.id).await?;
    let beside = Beside::of(app, manager).await?;
    let listed = containers.iter().filter(|container| {
        only(container)
            && filter.admits("backupManagementType", "MAB")
            && filter.admits("containerType", "Windows")
            && filter.admits("fabricName", "Azure")
            && filter.admits("status", status(container))
            && filter.admits("friendlyName", container.managed.server.label.as_str())
    });
    Ok(Answer(query.page(app, listed.map(|container| shown(app, &vault, container, beside)).collect())))
}

/// `GET {vault}/backupProtectionContainers`
pub(in crate::http) async fn list_containers(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Container>>, Error> {
    listed(&app, &manager, &query, |_| true).await
}

/// `GET {vault}/backupFabrics/{fabric}/protectionContainers`
pub(in crate::http) async fn list_containers_of_fabric(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric)): Path<(String, String, String, String)>,
    query: Query,
) -> Result<Answer<List<arm::Container>>, Error> {
    check_fabric(&fabric)?;
    listed(&app, &manager, &query, |_| true).await
}

/// `GET {vault}/backupDeletedProtectionContainers`: servers that were unregistered and of which something is still there.
pub(in crate::http) async fn list_deleted_containers(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Container>>, Error> {
    listed(&app, &manager, &query, |container| container.managed.revoked_at.is_some()).await
}

type ContainerSegments = Path<(String, String, String, String, String)>;

/// `GET {vault}/backupFabrics/{fabric}/protectionContainers/{container}`
pub(in crate::http) async fn get_container(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, name)): ContainerSegments,
) -> Result<Answer<arm::Container>, Error> {
    let server = server_at(&fabric, &name)?;
    let vault = app.vault_at(&manager.place).await?;
    let container = app.container(vault.id, server).await?;
    let beside = Beside::of(&app, &manager).await?;
    Ok(Answer(shown(&app, &vault, &container, beside)))
}

/// `DELETE {vault}/backupFabrics/{fabric}/protectionContainers/{container}`
pub(in crate::http) async fn delete_container(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, name)): ContainerSegments,
) -> Result<StatusCode, Error> {
    let named = Named::Id(server_at(&fabric, &name)?);
    app.unregister(&manager.actor(), &manager.place, &named).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE {vault}/registeredIdentities/{name}`: what people call the server, or its name among the containers.
pub(in crate::http) async fn delete_identity(
    State(app): AppState,
    manager: Manager,
    Segments((.., name)): Path<(String, String, String, String)>,
) -> Result<StatusCode, Error> {
    let named = server_of(&name).map_or(Named::Label(&name), Named::Id);
    app.unregister(&manager.actor(), &manager.place, &named).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET {vault}/backupFabrics`
pub(in crate::http) async fn list_fabrics(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<List<arm::Fabric>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(List::whole(vec![Resource {
        id: format!("{}/backupFabrics/Azure", id_of(&app, &vault)),
        name: "Azure".to_owned(),
        r#type: format!("{PROVIDER}/vaults/backupFabrics"),
        properties: arm::FabricProperties { friendly_name: "Azure".to_owned() },
    }])))
}

/// `POST {vault}/backupFabrics/{fabric}/refreshContainers`: there is nothing to look for, agents come by themselves.
pub(in crate::http) async fn refresh_containers(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric)): Path<(String, String, String, String)>,
    query: Query,
) -> Result<(StatusCode, HeaderMap), Error> {
    check_fabric(&fabric)?;
    let vault = app.vault_at(&manager.place).await?;
    let operation = app.refresh(vault.id).await?;
    let path = format!("{}/backupFabrics/Azure", id_of(&app, &vault));
    Ok((StatusCode::ACCEPTED, polled_at(&app, &query, &path, operation)))
}
