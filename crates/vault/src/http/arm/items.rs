//! Protected items.

use super::containers::workload;
use super::paths::{item_at, polled_at};
use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::items::Item;
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use stateward_api::arm::items as arm;
use stateward_api::arm::jobs::duration_text;
use stateward_api::arm::{List, PROVIDER, Resource, container_name, item_path};
use stateward_model::{JobState, Timestamp};
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// The keys by which items are looked for.
const KEYS: &[&str] = &[
    "backupManagementType",
    "itemType",
    "workloadType",
    "policyName",
    "containerName",
    "friendlyName",
    "protectionStatus",
    "healthState",
    "backupEngineName",
    "backupSetName",
    "fabricName",
];

/// A day, in seconds.
const DAY: i64 = 86_400;

/// How an item stands, in Azure's words.
fn protection_state(item: &Item) -> &'static str {
    match item.last_backup {
        _ if item.stopped.is_some() || item.deleted.is_some() => "ProtectionStopped",
        Some((JobState::Failed, _)) => "ProtectionError",
        _ if item.points == 0 => "IRPending",
        _ => "Protected",
    }
}

fn properties(vault: &Vault, vault_id: String, item: &Item, now: Timestamp) -> arm::ItemProperties {
    let seconds_left = item.deleted.map(|deleted| (deleted.purge_at.0 - now.0) / 1_000_000_000);
    let days = item.deleted.map(|deleted| (deleted.purge_at.0 - deleted.at.0) / 1_000_000_000 / DAY);
    let (policy_id, policy_name) = match &item.policy {
        Some(name) => (format!("{vault_id}/backupPolicies/{name}"), name.clone()),
        None => (String::new(), String::new()),
    };
    let (first, last) = item.span.unzip();
    arm::ItemProperties {
        protected_item_type: "MabFileFolderProtectedItem".to_owned(),
        backup_management_type: "MAB".to_owned(),
        workload_type: workload(item.kind).to_owned(),
        container_name: container_name(item.server),
        friendly_name: item.label.to_string(),
        computer_name: item.server_label.to_string(),
        policy_id,
        policy_name,
        last_recovery_point: last,
        last_backup_status: item.last_backup.map(|(state, _)| format!("{state:?}")).unwrap_or_default(),
        last_backup_time: item.last_backup.map(|(_, began)| began),
        protection_state: protection_state(item).to_owned(),
        is_scheduled_for_deferred_delete: item.deleted.is_some(),
        deferred_delete_time: item.deleted.map(|deleted| deleted.at),
        deferred_delete_time_remaining: seconds_left.map(duration_text),
        is_deferred_delete_schedule_upcoming: seconds_left.is_some_and(|left| left < DAY),
        is_archive_enabled: false,
        soft_delete_retention_period_in_days: days
            .and_then(|days| u32::try_from(days).ok())
            .unwrap_or(vault.settings.soft_delete_days),
        vault_id,
        stop_keeps: item.stopped,
        extended_info: arm::ItemExtendedInfo {
            last_refreshed_at: last,
            oldest_recovery_point: first,
            recovery_point_count: item.points,
        },
    }
}

fn shown(app: &App, vault: &Vault, item: &Item) -> arm::ProtectedItem {
    let vault_id = id_of(app, vault);
    Resource {
        id: format!("{vault_id}/{}", item_path(item.server, item.id)),
        name: item.id.to_string(),
        r#type: format!("{PROVIDER}/vaults/backupFabrics/protectionContainers/protectedItems"),
        properties: properties(vault, vault_id, item, app.now()),
    }
}

/// `GET {vault}/backupProtectedItems`
pub(in crate::http) async fn list_items(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::ProtectedItem>>, Error> {
    let filter = query.filter(KEYS)?;
    let vault = app.vault_at(&manager.place).await?;
    let items = app.items(vault.id).await?;
    let listed = items.iter().filter(|item| {
        let container = container_name(item.server);
        filter.admits("backupManagementType", "MAB")
            && filter.admits("itemType", workload(item.kind))
            && filter.admits("workloadType", workload(item.kind))
            && filter.admits("policyName", item.policy.as_deref().unwrap_or_default())
            && filter.admits("containerName", &container)
            && filter.admits("friendlyName", item.label.as_str())
            && filter.admits("protectionStatus", protection_state(item))
            && filter.admits("fabricName", "Azure")
            && ["healthState", "backupEngineName", "backupSetName"].iter().all(|key| filter.admits(key, ""))
    });
    Ok(Answer(query.page(&app, listed.map(|item| shown(&app, &vault, item)).collect())))
}

/// Subscription, group, vault, fabric, container, item.
type ItemSegments = Segments<(String, String, String, String, String, String)>;

/// `GET {vault}/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}`
pub(in crate::http) async fn get_item(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, container, item)): ItemSegments,
    query: Query,
) -> Result<Answer<arm::ProtectedItem>, Error> {
    // What can be expanded is always shown.
    query.filter(&["expand"])?;
    let of = item_at(&fabric, &container, &item)?;
    let vault = app.vault_at(&manager.place).await?;
    let item = app.item(vault.id, of).await?;
    Ok(Answer(shown(&app, &vault, &item)))
}

/// `PUT {vault}/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}`
pub(in crate::http) async fn put_item(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, container, item)): ItemSegments,
    query: Query,
    Json(request): Json<arm::ItemRequest>,
) -> Result<(HeaderMap, Answer<arm::ProtectedItem>), Error> {
    let of = item_at(&fabric, &container, &item)?;
    let vault = app.vault_at(&manager.place).await?;
    let (item, operation) =
        app.change_item(&manager.actor(), &manager.place, of, &request.properties).await?;
    let item = shown(&app, &vault, &item);
    let headers = operation.map(|operation| polled_at(&app, &query, &item.id, operation));
    Ok((headers.unwrap_or_default(), Answer(item)))
}

/// `DELETE {vault}/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}`
pub(in crate::http) async fn delete_item(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, container, item)): ItemSegments,
    query: Query,
) -> Result<(StatusCode, HeaderMap), Error> {
    let of = item_at(&fabric, &container, &item)?;
    let vault = app.vault_at(&manager.place).await?;
    match app.delete_item(&manager.actor(), &manager.place, of).await? {
        Some(operation) => {
            let path = format!("{}/{}", id_of(&app, &vault), item_path(of.0, of.1));
            Ok((StatusCode::ACCEPTED, polled_at(&app, &query, &path, operation)))
        }
        None => Ok((StatusCode::NO_CONTENT, HeaderMap::new())),
    }
}

/// `POST {vault}/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}/backup`
pub(in crate::http) async fn back_up_item(
    State(app): AppState,
    manager: Manager,
    Segments((.., fabric, container, item)): ItemSegments,
    query: Query,
    Json(request): Json<arm::BackupRequest>,
) -> Result<(StatusCode, HeaderMap), Error> {
    let of = item_at(&fabric, &container, &item)?;
    let vault = app.vault_at(&manager.place).await?;
    let until = request.properties.retain_until;
    let operation = app.ask_for_backup(&manager.actor(), &manager.place, of, until).await?;
    let path = format!("{}/{}", id_of(&app, &vault), item_path(of.0, of.1));
    Ok((StatusCode::ACCEPTED, polled_at(&app, &query, &path, operation)))
}
