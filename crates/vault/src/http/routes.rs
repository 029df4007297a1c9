//! All calls, and who may make them: one table. The router is made of this table alone, so there is no call without a
//! row.

use super::auth::{self, Guard, Who};
use super::extract::TEXT_BODY_MAX;
use super::{agent, arm, log, sign_in};
use crate::app::{App, Error};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state, map_response_with_state};
use axum::routing::{MethodFilter, MethodRouter, on};
use std::sync::Arc;
use tower::ServiceBuilder;

/// A call.
struct Route {
    /// What it is and who may make it.
    guard: Guard,
    handler: MethodRouter<Arc<App>>,
}

fn route<H: Handler<T, Arc<App>>, T: 'static>(
    method: Method,
    path: &'static str,
    who: Who,
    handler: H,
) -> Route {
    let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
    Route { guard: Guard { method, path, who }, handler: on(filter, handler) }
}

/// A path within the one subscription.
macro_rules! subscription {
    ($rest:literal) => {
        concat!("/subscriptions/{subscription}", $rest)
    };
}

/// A path within a resource group.
macro_rules! group {
    ($rest:literal) => {
        concat!("/subscriptions/{subscription}/resourceGroups/{group}", $rest)
    };
}

/// A path within a vault.
macro_rules! vault {
    ($rest:literal) => {
        concat!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{vault}",
            $rest
        )
    };
}

/// A path within a server of a vault.
macro_rules! container {
    ($rest:literal) => {
        concat!(
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{vault}",
            "/backupFabrics/{fabric}/protectionContainers/{container}",
            $rest
        )
    };
}

/// The table.
fn table() -> Vec<Route> {
    let mut table = sign_in_calls();
    table.extend(outside_of_vaults());
    table.extend(vault_calls());
    table.extend(policy_calls());
    table.extend(item_calls());
    table.extend(security_calls());
    table.extend(agent_calls());
    table
}

const GET: Method = Method::GET;
const HEAD: Method = Method::HEAD;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;

/// Before there is a token.
#[rustfmt::skip]
fn sign_in_calls() -> Vec<Route> {
    vec![
        route(GET, "/health", Who::Anyone, sign_in::health),
        route(GET, "/metadata/endpoints", Who::Anyone, arm::cloud),
        route(GET, "/{tenant}/.well-known/openid-configuration", Who::Anyone, arm::openid_configuration),
        route(GET, "/{tenant}/v2.0/.well-known/openid-configuration", Who::Anyone, arm::openid_configuration),
        route(GET, "/{tenant}/discovery/v2.0/keys", Who::Anyone, arm::signing_keys),
        route(POST, "/{tenant}/oauth2/v2.0/token", Who::Anyone, sign_in::token),
    ]
}

/// Management of what vaults are in.
#[rustfmt::skip]
fn outside_of_vaults() -> Vec<Route> {
    vec![
        route(GET, "/subscriptions", Who::Principal, arm::list_subscriptions),
        route(GET, subscription!(""), Who::Principal, arm::get_subscription),
        route(GET, subscription!("/locations"), Who::Principal, arm::list_locations),
        route(GET, subscription!("/providers"), Who::Principal, arm::list_providers),
        route(GET, subscription!("/providers/Microsoft.RecoveryServices"), Who::Principal, arm::get_provider),
        route(POST, subscription!("/providers/Microsoft.RecoveryServices/register"), Who::Principal, arm::get_provider),
        route(GET, subscription!("/resources"), Who::Principal, arm::list_resources),
        route(GET, subscription!("/resourceGroups"), Who::Principal, arm::list_groups),
        route(HEAD, group!(""), Who::Principal, arm::head_group),
        route(GET, group!(""), Who::Principal, arm::get_group),
        route(PUT, group!(""), Who::Contributor, arm::put_group),
        route(PATCH, group!(""), Who::Contributor, arm::put_group),
        route(DELETE, group!(""), Who::Contributor, arm::delete_group),
        route(GET, subscription!("/providers/Microsoft.RecoveryServices/vaults"), Who::Principal, arm::list_vaults),
        route(GET, group!("/providers/Microsoft.RecoveryServices/vaults"), Who::Principal, arm::list_vaults),
        route(GET, subscription!("/providers/Microsoft.RecoveryServices/locations/{location}/deletedVaults"), Who::Reader, arm::list_deleted_vaults),
        route(GET, subscription!("/providers/Microsoft.RecoveryServices/locations/{location}/deletedVaults/{name}"), Who::Reader, arm::get_deleted_vault),
        route(POST, subscription!("/providers/Microsoft.RecoveryServices/locations/{location}/deletedVaults/{name}/undelete"), Who::Contributor, arm::undelete_vault),
    ]
}

/// Management of a vault.
#[rustfmt::skip]
fn vault_calls() -> Vec<Route> {
    vec![
        route(GET, vault!(""), Who::Reader, arm::get_vault),
        route(PUT, vault!(""), Who::Contributor, arm::put_vault),
        route(PATCH, vault!(""), Who::Contributor, arm::patch_vault),
        route(DELETE, vault!(""), Who::Contributor, arm::delete_vault),
        route(GET, vault!("/backupstorageconfig/vaultstorageconfig"), Who::Reader, arm::get_storage_config),
        route(PUT, vault!("/backupstorageconfig/vaultstorageconfig"), Who::Contributor, arm::put_storage_config),
        route(PATCH, vault!("/backupstorageconfig/vaultstorageconfig"), Who::Contributor, arm::patch_storage_config),
        route(GET, vault!("/backupconfig/vaultconfig"), Who::Reader, arm::get_vault_config),
        route(PUT, vault!("/backupconfig/vaultconfig"), Who::Contributor, arm::put_vault_config),
        route(PATCH, vault!("/backupconfig/vaultconfig"), Who::Contributor, arm::put_vault_config),
    ]
}

/// Management of policies and recovery points.
#[rustfmt::skip]
fn policy_calls() -> Vec<Route> {
    vec![
        route(GET, vault!("/backupPolicies"), Who::Reader, arm::list_policies),
        route(GET, vault!("/backupPolicies/{policy}"), Who::Reader, arm::get_policy),
        route(PUT, vault!("/backupPolicies/{policy}"), Who::Contributor, arm::put_policy),
        route(DELETE, vault!("/backupPolicies/{policy}"), Who::Contributor, arm::delete_policy),
        route(POST, vault!("/stateward/policyPreview"), Who::Reader, arm::preview_policy),
        route(GET, vault!("/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}/recoveryPoints"), Who::Reader, arm::list_recovery_points),
        route(GET, vault!("/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}/recoveryPoints/{point}"), Who::Reader, arm::get_recovery_point),
        route(POST, vault!("/stateward/restoreRequests"), Who::Operator, arm::request_restore),
        route(POST, vault!("/stateward/recoveryPoints/{point}/undelete"), Who::Contributor, arm::undelete_recovery_point),
        route(POST, vault!("/stateward/recoveryPoints/{point}/confirmExpiry"), Who::Contributor, arm::confirm_expiry_of_one),
        route(POST, vault!("/stateward/confirmExpiry"), Who::Contributor, arm::confirm_expiry),
        route(POST, subscription!("/providers/Microsoft.RecoveryServices/stateward/confirmClock"), Who::Contributor, arm::confirm_clock),
    ]
}

/// Management of servers, items and jobs.
#[rustfmt::skip]
fn item_calls() -> Vec<Route> {
    vec![
        route(GET, vault!("/backupProtectionContainers"), Who::Reader, arm::list_containers),
        route(GET, vault!("/backupDeletedProtectionContainers"), Who::Reader, arm::list_deleted_containers),
        route(GET, vault!("/backupFabrics"), Who::Reader, arm::list_fabrics),
        route(GET, vault!("/backupFabrics/{fabric}/protectionContainers"), Who::Reader, arm::list_containers_of_fabric),
        route(POST, vault!("/backupFabrics/{fabric}/refreshContainers"), Who::Operator, arm::refresh_containers),
        route(GET, container!(""), Who::Reader, arm::get_container),
        route(DELETE, container!(""), Who::Contributor, arm::delete_container),
        route(DELETE, vault!("/registeredIdentities/{name}"), Who::Contributor, arm::delete_identity),
        route(GET, vault!("/backupProtectedItems"), Who::Reader, arm::list_items),
        route(GET, container!("/protectedItems/{item}"), Who::Reader, arm::get_item),
        route(PUT, container!("/protectedItems/{item}"), Who::Contributor, arm::put_item),
        route(DELETE, container!("/protectedItems/{item}"), Who::Contributor, arm::delete_item),
        route(POST, container!("/protectedItems/{item}/backup"), Who::Operator, arm::back_up_item),
        route(GET, vault!("/backupJobs"), Who::Reader, arm::list_jobs),
        route(GET, vault!("/backupJobs/{job}"), Who::Reader, arm::get_job),
        route(POST, vault!("/backupJobs/{job}/cancel"), Who::Operator, arm::cancel_job),
        route(GET, vault!("/backupOperations/{operation}"), Who::Reader, arm::get_operation),
        route(GET, vault!("/backupOperationResults/{operation}"), Who::Reader, arm::get_operation_result),
        route(GET, vault!("/operationStatus/{operation}"), Who::Reader, arm::get_operation),
        route(GET, vault!("/operationResults/{operation}"), Who::Reader, arm::get_operation_result),
        route(GET, vault!("/backupFabrics/{fabric}/operationsStatus/{operation}"), Who::Reader, arm::get_operation),
        route(GET, vault!("/backupFabrics/{fabric}/operationResults/{operation}"), Who::Reader, arm::get_operation_result),
        route(GET, container!("/operationsStatus/{operation}"), Who::Reader, arm::get_operation),
        route(GET, container!("/operationResults/{operation}"), Who::Reader, arm::get_operation_result),
        route(GET, container!("/protectedItems/{item}/operationsStatus/{operation}"), Who::Reader, arm::get_operation),
        route(GET, container!("/protectedItems/{item}/operationResults/{operation}"), Who::Reader, arm::get_operation_result),
        route(GET, vault!("/usages"), Who::Reader, arm::list_usages),
        route(GET, vault!("/replicationUsages"), Who::Reader, arm::list_replication_usages),
        route(GET, vault!("/backupUsageSummaries"), Who::Reader, arm::list_usage_summaries),
        route(GET, vault!("/backupEngines"), Who::Reader, arm::list_nothing),
        route(GET, vault!("/backupProtectionIntents"), Who::Reader, arm::list_nothing),
        route(GET, vault!("/backupProtectableItems"), Who::Reader, arm::list_nothing),
        route(GET, vault!("/extendedInformation/vaultExtendedInfo"), Who::Reader, arm::get_extended_info),
        route(GET, vault!("/backupEncryptionConfigs/backupResourceEncryptionConfig"), Who::Reader, arm::get_encryption),
    ]
}

/// Vault credentials, security PINs, guards, the audit log, alerts, packages of the agent.
#[rustfmt::skip]
fn security_calls() -> Vec<Route> {
    vec![
        route(POST, vault!("/stateward/credentials"), Who::Operator, arm::make_credentials),
        route(PUT, vault!("/certificates/{name}"), Who::Operator, arm::put_certificate),
        route(POST, vault!("/backupSecurityPIN"), Who::Contributor, arm::make_pin),
        route(GET, vault!("/backupResourceGuardProxies"), Who::Reader, arm::list_guards),
        route(GET, vault!("/backupResourceGuardProxies/{name}"), Who::Reader, arm::get_guard),
        route(PUT, vault!("/backupResourceGuardProxies/{name}"), Who::Contributor, arm::put_guard),
        route(DELETE, vault!("/backupResourceGuardProxies/{name}"), Who::Contributor, arm::delete_guard),
        route(POST, vault!("/backupResourceGuardProxies/{name}/unlockDelete"), Who::Contributor, arm::unlock_delete),
        route(GET, vault!("/stateward/approvals"), Who::Reader, arm::list_approvals),
        route(POST, vault!("/stateward/approvals"), Who::Contributor, arm::ask_for_approval),
        route(POST, vault!("/stateward/approvals/{id}/approve"), Who::Contributor, arm::approve),
        route(GET, vault!("/stateward/principals"), Who::Reader, arm::list_principals),
        route(PUT, vault!("/stateward/principals/{name}"), Who::Contributor, arm::put_principal),
        route(DELETE, vault!("/stateward/principals/{name}"), Who::Contributor, arm::delete_principal),
        route(GET, vault!("/stateward/auditLog"), Who::Reader, arm::list_audit),
        route(GET, vault!("/stateward/auditLog/verify"), Who::Reader, arm::check_audit),
        route(GET, vault!("/stateward/alerts"), Who::Reader, arm::list_alerts),
        route(POST, vault!("/stateward/alerts/{id}/resolve"), Who::Operator, arm::resolve_alert),
        route(GET, vault!("/stateward/quotas"), Who::Reader, arm::get_quotas),
        route(PUT, vault!("/stateward/quotas"), Who::Contributor, arm::put_quotas),
        route(GET, vault!("/stateward/agentPackages"), Who::Reader, arm::list_packages),
        route(GET, vault!("/stateward/agentPackages/{name}"), Who::Reader, arm::get_package),
        route(GET, vault!("/stateward/agentPackages/{name}/content"), Who::Reader, arm::get_package_content),
        route(GET, vault!("/stateward/agentSettings"), Who::Reader, arm::get_agent_settings),
        route(PUT, vault!("/stateward/agentSettings"), Who::Contributor, arm::put_agent_settings),
    ]
}

/// The agent plane.
#[rustfmt::skip]
fn agent_calls() -> Vec<Route> {
    vec![
        route(POST, "/agent/v1/register", Who::Anyone, agent::register),
        route(POST, "/agent/v1/register/slots", Who::Anyone, agent::register_slots),

        route(GET, "/agent/v1/server", Who::Restorer, agent::server),
        route(PUT, "/agent/v1/items/{item}", Who::Server, agent::put_item),
        route(POST, "/agent/v1/items/{item}/stop", Who::Server, agent::stop_item),
        route(POST, "/agent/v1/items/{item}/delete", Who::Server, agent::delete_item),
        route(POST, "/agent/v1/sessions", Who::Server, agent::open_session),
        route(POST, "/agent/v1/sessions/{session}/heartbeat", Who::Server, agent::heartbeat),
        route(PUT, "/agent/v1/sessions/{session}/packs/{pack}", Who::Server, agent::put_pack),
        route(PUT, "/agent/v1/sessions/{session}/packs/{pack}/parts", Who::Server, agent::put_part),
        route(POST, "/agent/v1/sessions/{session}/commit", Who::Server, agent::commit),
        route(POST, "/agent/v1/sessions/{session}/close", Who::Server, agent::close_session),
        route(GET, "/agent/v1/packs/{pack}", Who::Restorer, agent::get_pack),
        route(GET, "/agent/v1/points", Who::Restorer, agent::list_points),
        route(GET, "/agent/v1/points/{sequence}/{hash}", Who::Restorer, agent::get_point),
        route(GET, "/agent/v1/receipts/{sequence}/{hash}", Who::Restorer, agent::get_receipt),
        route(GET, "/agent/v1/slots", Who::Restorer, agent::list_slots),
        route(PUT, "/agent/v1/slots/{epoch}/{hash}", Who::Server, agent::put_slot),
        route(POST, "/agent/v1/slots/{epoch}/{hash}/keep", Who::Server, agent::keep_slot),
        route(PUT, "/agent/v1/jobs/{job}", Who::Server, agent::put_job),
        route(GET, "/agent/v1/commands", Who::Server, agent::list_commands),
        route(POST, "/agent/v1/commands/{command}/take", Who::Server, agent::take_command),
        route(GET, "/agent/v1/packages", Who::Server, agent::list_packages),
        route(GET, "/agent/v1/packages/{name}", Who::Server, agent::get_package),
    ]
}

/// The router of the table.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    let table = table();
    let spelling = arm::Spelling::of(table.iter().map(|route| route.guard.path));
    for route in table {
        let path = route.guard.path;
        let guard = from_fn_with_state((Arc::clone(&app), route.guard), auth::check);
        router = router.route(path, route.handler.route_layer(guard));
    }
    let router = router
        .fallback(|| async { Error::not_found("such call") })
        .method_not_allowed_fallback(|| async { Error::not_found("such call") })
        .layer(DefaultBodyLimit::max(TEXT_BODY_MAX))
        .layer(map_response_with_state(Arc::clone(&app), auth::say_where_to_sign_in))
        .layer(from_fn(log::log))
        .with_state(app);
    // Layers of a router run after it has found the call; the spelling must be right before.
    let spelled = ServiceBuilder::new().map_request(move |request| spelling.correct(request)).service(router);
    Router::new().fallback_service(spelled)
}

#[cfg(test)]
mod tests;
