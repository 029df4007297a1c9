//! Vaults, and the older views of their settings.

use super::etag::{Expected, etag};
use super::place::Manager;
use super::query::Query;
use crate::app::principals::Place;
use crate::app::vaults::{Usage, Vault, VaultChange, redundancy_not_met};
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use stateward_api::ErrorCode;
use stateward_api::arm::vaults as arm;
use stateward_api::arm::{List, PROVIDER, vault_id};
use stateward_model::{Immutability, VaultId};
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// From this version on a deletion is answered with 202 or 204 alone; clients of earlier ones know 200 alone.
const DELETION_GOES_ON: &str = "2024-04-01";

/// The id of the vault that a call is about.
pub(super) async fn id_at(app: &App, manager: &Manager) -> Result<String, Error> {
    Ok(id_of(app, &app.vault_at(&manager.place).await?))
}

/// The id of a vault: its path.
pub(super) fn id_of(app: &App, vault: &Vault) -> String {
    vault_id(&app.config.subscription, vault.group.as_str(), vault.name.as_str())
}

/// How safe the settings are, in the words of the portal's security level ("Secure by default with soft delete").
fn secure_score(vault: &Vault) -> &'static str {
    match (vault.settings.immutability, vault.settings.soft_delete_days) {
        (Immutability::Locked, _) => "Maximum",
        (Immutability::Unlocked, _) => "Adequate",
        (Immutability::Disabled, _) => "Minimum",
    }
}

fn health(vault: &Vault) -> (Option<String>, Option<String>) {
    let reason = redundancy_not_met(vault.settings.redundancy);
    let word = if reason.is_some() { "NotMet" } else { "Met" };
    (Some(word.to_owned()), reason.map(str::to_owned))
}

/// A vault as the management API shows it.
fn shown(app: &App, vault: &Vault, usage: &Usage) -> arm::Vault {
    let settings = &vault.settings;
    let always = || Some("AlwaysON".to_owned());
    let crossing = if settings.cross_region_restore { "Enabled" } else { "Disabled" };
    let guarded = if vault.is_guarded { "Enabled" } else { "Disabled" };
    let (redundancy_health, redundancy_health_reason) = health(vault);
    arm::Vault {
        id: id_of(app, vault),
        name: vault.name.to_string(),
        r#type: format!("{PROVIDER}/vaults"),
        location: vault.location.clone(),
        tags: settings.tags.clone(),
        etag: etag(vault.revision),
        sku: arm::Sku { name: "Standard".to_owned() },
        properties: arm::VaultProperties {
            provisioning_state: Some("Succeeded".to_owned()),
            vault_id: Some(vault.id.to_string()),
            created_at: Some(vault.created_at),
            public_network_access: Some("Enabled".to_owned()),
            redundancy_settings: Some(arm::RedundancySettings {
                standard_tier_storage_redundancy: Some(settings.redundancy),
                cross_region_restore: Some(crossing.to_owned()),
                redundancy_health,
                redundancy_health_reason,
            }),
            security_settings: Some(arm::SecuritySettings {
                immutability_settings: Some(arm::ImmutabilitySettings { state: settings.immutability }),
                soft_delete_settings: Some(arm::SoftDeleteSettings {
                    soft_delete_state: always(),
                    soft_delete_retention_period_in_days: Some(settings.soft_delete_days),
                    enhanced_security_state: always(),
                }),
                multi_user_authorization: Some(guarded.to_owned()),
            }),
            monitoring_settings: Some(monitoring(settings.monitoring.clone())),
            secure_score: Some(secure_score(vault).to_owned()),
            usage: Some(arm::VaultUsage {
                servers: usage.servers,
                items: usage.items,
                recovery_points: usage.recovery_points,
                stored_bytes: usage.stored_bytes,
            }),
        },
    }
}

/// The settings of alerts with what `az backup vault update --classic-alerts` reads before it changes them.
fn monitoring(mut kept: serde_json::Value) -> serde_json::Value {
    for (settings, field) in [
        ("azureMonitorAlertSettings", "alertsForAllJobFailures"),
        ("classicAlertSettings", "alertsForCriticalOperations"),
    ] {
        if let Some(all) = kept.as_object_mut() {
            all.entry(settings).or_insert_with(|| serde_json::json!({ field: "Enabled" }));
        }
    }
    kept
}

async fn answer(app: &App, vault: &Vault) -> Result<Answer<arm::Vault>, Error> {
    Ok(Answer(shown(app, vault, &app.vault_usage(vault.id).await?)))
}

/// The vaults at a place in which the caller has a role.
pub(super) async fn visible(app: &App, manager: &Manager, place: &Place) -> Result<Vec<Vault>, Error> {
    let mut vaults = app.vaults_in(place.group.as_deref()).await?;
    vaults.retain(|vault| manager.principal.role_at(&Place::of(vault)).is_some());
    Ok(vaults)
}

fn not_here(what: &str) -> Error {
    Error::refused(ErrorCode::NotSupportedHere, what)
}

/// Refuses a state of soft delete that is not on.
fn check_always_on(given: Option<&str>) -> Result<(), Error> {
    let is_on = |state: &str| ["AlwaysON", "Enabled"].iter().any(|on| on.eq_ignore_ascii_case(state));
    match given.is_none_or(is_on) {
        true => Ok(()),
        false => Err(not_here("Soft delete and its security features are always on and can't be disabled")),
    }
}

fn switch(given: Option<&str>, what: &str) -> Result<Option<bool>, Error> {
    match given {
        None => Ok(None),
        Some(state) if state.eq_ignore_ascii_case("Enabled") => Ok(Some(true)),
        Some(state) if state.eq_ignore_ascii_case("Disabled") => Ok(Some(false)),
        Some(other) => Err(Error::invalid(format!("`{what}` is `Enabled` or `Disabled`, not `{other}`"))),
    }
}

/// What a request means for a vault's settings.
fn change(app: &App, request: arm::VaultRequest) -> Result<VaultChange, Error> {
    if let Some(location) = &request.location {
        app.check_location(location)?;
    }
    let identity = request.identity.as_ref().and_then(|identity| identity["type"].as_str());
    if identity.is_some_and(|kind| !kind.eq_ignore_ascii_case("None")) {
        return Err(not_here("A vault has no managed identity here"));
    }
    let properties = request.properties.unwrap_or_default();
    if properties
        .public_network_access
        .as_deref()
        .is_some_and(|access| access.eq_ignore_ascii_case("Disabled"))
    {
        return Err(not_here(
            "Who reaches the vault's address is decided by its network: there are no private endpoints",
        ));
    }
    let redundancy = properties.redundancy_settings.unwrap_or_default();
    let security = properties.security_settings.unwrap_or_default();
    let soft_delete = security.soft_delete_settings.unwrap_or_default();
    check_always_on(soft_delete.soft_delete_state.as_deref())?;
    check_always_on(soft_delete.enhanced_security_state.as_deref())?;
    Ok(VaultChange {
        tags: request.tags,
        redundancy: redundancy.standard_tier_storage_redundancy,
        cross_region_restore: switch(redundancy.cross_region_restore.as_deref(), "crossRegionRestore")?,
        immutability: security.immutability_settings.map(|settings| settings.state),
        soft_delete_days: soft_delete.soft_delete_retention_period_in_days,
        monitoring: properties.monitoring_settings,
    })
}

/// `GET …/vaults`, of the subscription or of a resource group
pub(in crate::http) async fn list_vaults(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<arm::Vault>>, Error> {
    let mut listed = Vec::new();
    for vault in visible(&app, &manager, &manager.place).await? {
        listed.push(shown(&app, &vault, &app.vault_usage(vault.id).await?));
    }
    Ok(Answer(query.page(&app, listed)))
}

/// `GET {vault}`
pub(in crate::http) async fn get_vault(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<arm::Vault>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    answer(&app, &vault).await
}

/// `PUT {vault}`
pub(in crate::http) async fn put_vault(
    State(app): AppState,
    manager: Manager,
    Expected(revision): Expected,
    Json(request): Json<arm::VaultRequest>,
) -> Result<(StatusCode, Answer<arm::Vault>), Error> {
    let change = change(&app, request)?;
    let (vault, is_new) = app.put_vault(&manager.actor(), &manager.place, change, revision).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, answer(&app, &vault).await?))
}

/// `PATCH {vault}`
pub(in crate::http) async fn patch_vault(
    State(app): AppState,
    manager: Manager,
    Expected(revision): Expected,
    Json(request): Json<arm::VaultRequest>,
) -> Result<Answer<arm::Vault>, Error> {
    let change = change(&app, request)?;
    let vault = app.update_vault(&manager.actor(), &manager.place, change, revision).await?;
    answer(&app, &vault).await
}

/// `DELETE {vault}`
pub(in crate::http) async fn delete_vault(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<StatusCode, Error> {
    app.delete_vault(&manager.actor(), &manager.place).await?;
    Ok(if query.version.as_str() < DELETION_GOES_ON { StatusCode::OK } else { StatusCode::NO_CONTENT })
}

fn shown_deleted(app: &App, vault: &Vault) -> Option<arm::DeletedVault> {
    let deleted = vault.deleted?;
    let location = format!(
        "/subscriptions/{}/providers/{PROVIDER}/locations/{}/deletedVaults/{}",
        app.config.subscription, vault.location, vault.id
    );
    Some(arm::DeletedVault {
        id: location,
        name: vault.id.to_string(),
        r#type: format!("{PROVIDER}/locations/deletedVaults"),
        properties: arm::DeletedVaultProperties {
            vault_id: id_of(app, vault),
            vault_deletion_time: deleted.at,
            purge_at: deleted.purge_at,
        },
    })
}

/// `GET …/locations/{location}/deletedVaults`
pub(in crate::http) async fn list_deleted_vaults(
    State(app): AppState,
    query: Query,
) -> Result<Answer<List<arm::DeletedVault>>, Error> {
    let vaults = app.deleted_vaults().await?;
    Ok(Answer(query.page(&app, vaults.iter().filter_map(|vault| shown_deleted(&app, vault)).collect())))
}

type DeletedSegments = Segments<(String, String, String)>;

fn deleted_id(name: &str) -> Result<VaultId, Error> {
    name.parse().map_err(|_| Error::not_found(format!("deleted vault `{name}`")))
}

/// `GET …/locations/{location}/deletedVaults/{name}`
pub(in crate::http) async fn get_deleted_vault(
    State(app): AppState,
    Segments((_, _, name)): DeletedSegments,
) -> Result<Answer<arm::DeletedVault>, Error> {
    let id = deleted_id(&name)?;
    let vaults = app.deleted_vaults().await?;
    let found = vaults.iter().find(|vault| vault.id == id).and_then(|vault| shown_deleted(&app, vault));
    found.map(Answer).ok_or_else(|| Error::not_found(format!("deleted vault `{name}`")))
}

/// `POST …/locations/{location}/deletedVaults/{name}/undelete`
pub(in crate::http) async fn undelete_vault(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, name)): DeletedSegments,
) -> Result<Answer<arm::Vault>, Error> {
    let vault = app.undelete_vault(&manager.actor(), deleted_id(&name)?).await?;
    answer(&app, &vault).await
}

fn storage_config(app: &App, vault: &Vault, usage: &Usage) -> arm::StorageConfig {
    let (redundancy_health, redundancy_health_reason) = health(vault);
    arm::StorageConfig {
        id: format!("{}/backupstorageconfig/vaultstorageconfig", id_of(app, vault)),
        name: "vaultstorageconfig".to_owned(),
        r#type: format!("{PROVIDER}/vaults/backupstorageconfig"),
        properties: arm::StorageConfigProperties {
            storage_model_type: Some(vault.settings.redundancy),
            storage_type: Some(vault.settings.redundancy),
            storage_type_state: Some(storage_state(usage)),
            cross_region_restore_flag: Some(vault.settings.cross_region_restore),
            redundancy_health,
            redundancy_health_reason,
        },
    }
}

fn storage_state(usage: &Usage) -> String {
    if usage.holds_items() { "Locked" } else { "Unlocked" }.to_owned()
}

/// `GET {vault}/backupstorageconfig/vaultstorageconfig`
pub(in crate::http) async fn get_storage_config(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<arm::StorageConfig>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(storage_config(&app, &vault, &app.vault_usage(vault.id).await?)))
}

/// `PUT {vault}/backupstorageconfig/vaultstorageconfig`
pub(in crate::http) async fn put_storage_config(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<arm::StorageConfigRequest>,
) -> Result<Answer<arm::StorageConfig>, Error> {
    let arm::StorageConfigProperties { storage_model_type, storage_type, cross_region_restore_flag, .. } =
        request.properties;
    let change = VaultChange {
        redundancy: storage_type.or(storage_model_type),
        cross_region_restore: cross_region_restore_flag,
        ..VaultChange::default()
    };
    let vault = app.update_vault(&manager.actor(), &manager.place, change, None).await?;
    Ok(Answer(storage_config(&app, &vault, &app.vault_usage(vault.id).await?)))
}

/// `PATCH {vault}/backupstorageconfig/vaultstorageconfig`
pub(in crate::http) async fn patch_storage_config(
    app: AppState,
    manager: Manager,
    request: Json<arm::StorageConfigRequest>,
) -> Result<StatusCode, Error> {
    put_storage_config(app, manager, request).await.map(|_| StatusCode::NO_CONTENT)
}

fn vault_config(app: &App, vault: &Vault, usage: &Usage) -> arm::VaultConfig {
    arm::VaultConfig {
        id: format!("{}/backupconfig/vaultconfig", id_of(app, vault)),
        name: "vaultconfig".to_owned(),
        r#type: format!("{PROVIDER}/vaults/backupconfig"),
        properties: arm::VaultConfigProperties {
            soft_delete_feature_state: Some("AlwaysON".to_owned()),
            soft_delete_retention_period_in_days: Some(vault.settings.soft_delete_days),
            enhanced_security_state: Some("Enabled".to_owned()),
            is_soft_delete_feature_state_editable: Some(false),
            storage_model_type: Some(vault.settings.redundancy),
            storage_type: Some(vault.settings.redundancy),
            storage_type_state: Some(storage_state(usage)),
            resource_guard_operation_requests: None,
        },
    }
}

/// `GET {vault}/backupconfig/vaultconfig`
pub(in crate::http) async fn get_vault_config(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<arm::VaultConfig>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(vault_config(&app, &vault, &app.vault_usage(vault.id).await?)))
}

/// `PUT` and `PATCH {vault}/backupconfig/vaultconfig`
pub(in crate::http) async fn put_vault_config(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<arm::VaultConfigRequest>,
) -> Result<Answer<arm::VaultConfig>, Error> {
    let properties = request.properties;
    check_always_on(properties.soft_delete_feature_state.as_deref())?;
    check_always_on(properties.enhanced_security_state.as_deref())?;
    let change = VaultChange {
        soft_delete_days: properties.soft_delete_retention_period_in_days,
        ..VaultChange::default()
    };
    let vault = app.update_vault(&manager.actor(), &manager.place, change, None).await?;
    Ok(Answer(vault_config(&app, &vault, &app.vault_usage(vault.id).await?)))
}
