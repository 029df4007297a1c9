//! Recovery points over HTTP, and the vault's clock, by which they expire.

use super::paths::{item_at, polled_at};
use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::items::ItemPlace;
use crate::app::recovery_points::{Seen, SeenItem};
use crate::app::vaults::Vault;
use crate::app::{App, Error};
use crate::http::extract::{Json, Segments};
use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use stateward_api::arm::recovery_points::{
    self as arm, AdditionalInfo, ClockState, ConfirmClockRequest, ConfirmExpiryRequest, Lifetime,
    RestoreRequest, UndeleteRequest,
};
use stateward_api::arm::{List, PROVIDER, item_path};
use stateward_model::PointHash;
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// What a filter may name, as the SDKs and `az` do. Kinds of queries that Azure has for databases change nothing here.
const FILTER_KEYS: [&str; 6] = [
    "startDate",
    "endDate",
    "restorePointQueryType",
    "extendedInfo",
    "moveReadyRPOnly",
    "includeSoftDeletedRP",
];

fn hash_of(name: &str) -> Result<PointHash, Error> {
    // Names are told apart without regard to case.
    name.to_ascii_lowercase().parse().map_err(|_| Error::not_found(format!("recovery point `{name}`")))
}

fn shown(app: &App, vault: &Vault, of: &SeenItem, seen: &Seen) -> arm::RecoveryPoint {
    let Seen { point, kept, has_ended } = seen;
    let (server, item) = (of.item.whose.server, of.item.id);
    let items = format!("{}/backupFabrics/Azure/protectionContainers/Windows;{server}", id_of(app, vault));
    let info = AdditionalInfo {
        sequence: point.sequence,
        pack_bytes: point.pack_bytes,
        is_good: point.is_good,
        reasons: kept.reasons.clone(),
        is_held: *has_ended && !point.is_expiry_confirmed,
        purge_at: point.expired.map(|expired| expired.purge_at),
    };
    let kind = if point.is_on_demand { "OnDemand" } else { "Scheduled" };
    arm::RecoveryPoint {
        id: format!("{items}/protectedItems/{item}/recoveryPoints/{}", point.hash),
        name: point.hash.to_string(),
        r#type: format!("{PROVIDER}/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints"),
        properties: arm::RecoveryPointProperties {
            object_type: "GenericRecoveryPoint".to_owned(),
            friendly_name: format!("{} {}", of.item.label, point.sequence),
            recovery_point_type: kind.to_owned(),
            recovery_point_time: point.received_at,
            recovery_point_additional_info: serde_json::to_string(&info).unwrap_or_default(),
            recovery_point_properties: Lifetime {
                expiry_time: kept.until,
                rule_name: kept.rule.to_owned(),
                is_soft_deleted: point.expired.is_some(),
            },
        },
    }
}

/// `GET …/protectedItems/{item}/recoveryPoints`, the newest first
pub(in crate::http) async fn list_recovery_points(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, fabric, container, item)): Segments<(String, String, String, String, String, String)>,
    query: Query,
) -> Result<Answer<List<arm::RecoveryPoint>>, Error> {
    let filter = query.filter(&FILTER_KEYS)?;
    let (from, to) = (filter.moment("startDate")?, filter.moment("endDate")?);
    let (server, item) = item_at(&fabric, &container, &item)?;
    let vault = app.vault_at(&manager.place).await?;
    let of = app.recovery_points(&manager.place, server, item).await?;
    let is_asked_for = |seen: &&Seen| {
        let at = seen.point.received_at;
        from.is_none_or(|from| from <= at)
            && to.is_none_or(|to| at <= to)
            && (seen.point.expired.is_none() || filter.admits("includeSoftDeletedRP", "true"))
    };
    let listed = of.points.iter().rev().filter(is_asked_for).map(|seen| shown(&app, &vault, &of, seen));
    Ok(Answer(query.page(&app, listed.collect())))
}

/// `GET …/protectedItems/{item}/recoveryPoints/{point}`
pub(in crate::http) async fn get_recovery_point(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, fabric, container, item, point)): Segments<(
        String,
        String,
        String,
        String,
        String,
        String,
        String,
    )>,
) -> Result<Answer<arm::RecoveryPoint>, Error> {
    let (server, item) = item_at(&fabric, &container, &item)?;
    let hash = hash_of(&point)?;
    let vault = app.vault_at(&manager.place).await?;
    let of = app.recovery_points(&manager.place, server, item).await?;
    let seen = of.points.iter().find(|seen| seen.point.hash == hash);
    let seen = seen.ok_or_else(|| Error::not_found(format!("recovery point `{point}`")))?;
    Ok(Answer(shown(&app, &vault, &of, seen)))
}

/// `POST {vault}/stateward/restoreRequests`
pub(in crate::http) async fn request_restore(
    State(app): AppState,
    manager: Manager,
    query: Query,
    Json(RestoreRequest { properties }): Json<RestoreRequest>,
) -> Result<(StatusCode, HeaderMap), Error> {
    let vault = app.vault_at(&manager.place).await?;
    let vault_id = id_of(&app, &vault);
    let (of, point) = point_at(&vault_id, &properties.recovery_point_id)?;
    let components = properties.components;
    let operation = app.ask_for_restore(&manager.actor(), &manager.place, of, point, components).await?;
    let path = format!("{vault_id}/{}", item_path(of.0, of.1));
    Ok((StatusCode::ACCEPTED, polled_at(&app, &query, &path, operation)))
}

/// The recovery point that a path means, which must be in this vault.
fn point_at(vault_id: &str, path: &str) -> Result<(ItemPlace, PointHash), Error> {
    let refused = || {
        Error::invalid(format!(
            "`recoveryPointId` must be the id of a recovery point of this vault, as lists give it: \
             {vault_id}/backupFabrics/Azure/protectionContainers/…/protectedItems/…/recoveryPoints/…"
        ))
    };
    let (vault, rest) = path.split_at_checked(vault_id.len()).ok_or_else(refused)?;
    let names: Vec<&str> = rest.split('/').collect();
    let ["", fabrics, fabric, containers, container, items, item, points, point] = names[..] else {
        return Err(refused());
    };
    let kinds = [fabrics, containers, items, points];
    let expected = ["backupFabrics", "protectionContainers", "protectedItems", "recoveryPoints"];
    let is_path = kinds.iter().zip(expected).all(|(kind, expected)| kind.eq_ignore_ascii_case(expected));
    match is_path && vault.eq_ignore_ascii_case(vault_id) {
        true => Ok((item_at(fabric, container, item)?, hash_of(point)?)),
        false => Err(refused()),
    }
}

type PointSegments = Segments<(String, String, String, String)>;

/// `POST {vault}/stateward/recoveryPoints/{point}/undelete`
pub(in crate::http) async fn undelete_recovery_point(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, point)): PointSegments,
    Json(request): Json<UndeleteRequest>,
) -> Result<StatusCode, Error> {
    app.undelete_point(&manager.actor(), &manager.place, hash_of(&point)?, request.retain_until).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST {vault}/stateward/recoveryPoints/{point}/confirmExpiry`
pub(in crate::http) async fn confirm_expiry_of_one(
    State(app): AppState,
    manager: Manager,
    Segments((_, _, _, point)): PointSegments,
) -> Result<StatusCode, Error> {
    app.confirm_expiry(&manager.actor(), &manager.place, &[hash_of(&point)?]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST {vault}/stateward/confirmExpiry`
pub(in crate::http) async fn confirm_expiry(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<ConfirmExpiryRequest>,
) -> Result<StatusCode, Error> {
    app.confirm_expiry(&manager.actor(), &manager.place, &request.recovery_points).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /subscriptions/{subscription}/providers/Microsoft.RecoveryServices/stateward/confirmClock`
pub(in crate::http) async fn confirm_clock(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<ConfirmClockRequest>,
) -> Result<Answer<ClockState>, Error> {
    let time = app.confirm_clock(&manager.actor(), request.time).await?;
    Ok(Answer(ClockState { time, high_water: time }))
}

#[cfg(test)]
mod tests;
