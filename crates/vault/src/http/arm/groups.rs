//! Subscriptions, resource groups, and what else Azure's clients look up outside of vaults.

use super::place::Manager;
use super::query::Query;
use crate::app::groups::Group;
use crate::app::principals::Place;
use crate::app::{App, Error};
use crate::http::extract::Json;
use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_api::arm::groups::{
    GroupProperties, Location, LocationMetadata, ResourceGroup, ResourceGroupRequest, Subscription,
};
use stateward_api::arm::{List, PROVIDER, group_id};
use std::sync::Arc;

type AppState = State<Arc<App>>;

fn subscription(app: &App) -> Subscription {
    let id = &app.config.subscription;
    Subscription {
        id: format!("/subscriptions/{id}"),
        subscription_id: id.clone(),
        tenant_id: app.config.tenant.clone(),
        display_name: "Stateward".to_owned(),
        state: "Enabled".to_owned(),
    }
}

fn shown(app: &App, group: Group) -> ResourceGroup {
    ResourceGroup {
        id: group_id(&app.config.subscription, group.name.as_str()),
        name: group.name.to_string(),
        r#type: "Microsoft.Resources/resourceGroups".to_owned(),
        location: group.location,
        tags: group.tags,
        properties: GroupProperties { provisioning_state: "Succeeded".to_owned() },
    }
}

fn name_of(manager: &Manager) -> &str {
    manager.place.group.as_deref().unwrap_or_default()
}

/// `GET /subscriptions`
pub(in crate::http) async fn list_subscriptions(State(app): AppState) -> Answer<List<Subscription>> {
    Answer(List::whole(vec![subscription(&app)]))
}

/// `GET /subscriptions/{subscription}`
pub(in crate::http) async fn get_subscription(State(app): AppState) -> Answer<Subscription> {
    Answer(subscription(&app))
}

/// `GET /subscriptions/{subscription}/locations`
pub(in crate::http) async fn list_locations(State(app): AppState) -> Answer<List<Location>> {
    let (id, name) = (&app.config.subscription, &app.config.location);
    Answer(List::whole(vec![Location {
        id: format!("/subscriptions/{id}/locations/{name}"),
        subscription_id: id.clone(),
        name: name.clone(),
        r#type: "Region".to_owned(),
        display_name: name.clone(),
        regional_display_name: name.clone(),
        metadata: LocationMetadata {
            region_type: "Physical".to_owned(),
            region_category: "Recommended".to_owned(),
        },
    }]))
}

fn provider(app: &App) -> Value {
    let kind = |name: &str| json!({ "resourceType": name, "locations": [app.config.location], "apiVersions": ["2024-04-01"] });
    json!({
        "id": format!("/subscriptions/{}/providers/{PROVIDER}", app.config.subscription), "namespace": PROVIDER,
        "registrationState": "Registered", "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [kind("vaults"), kind("locations/deletedVaults")],
    })
}

/// `GET /subscriptions/{subscription}/providers`
pub(in crate::http) async fn list_providers(State(app): AppState) -> Answer<List<Value>> {
    Answer(List::whole(vec![provider(&app)]))
}

/// `GET /subscriptions/{subscription}/providers/Microsoft.RecoveryServices`, and `POST …/register`: it always is.
pub(in crate::http) async fn get_provider(State(app): AppState) -> Answer<Value> {
    Answer(provider(&app))
}

/// `GET /subscriptions/{subscription}/resourceGroups`
pub(in crate::http) async fn list_groups(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<ResourceGroup>>, Error> {
    let mut groups = app.groups().await?;
    groups.retain(|group| manager.principal.sees_group(group.name.as_str()));
    Ok(Answer(query.page(&app, groups.into_iter().map(|group| shown(&app, group)).collect())))
}

/// Refuses a group of which the caller has no role, not even in one of its vaults.
fn check_sees(manager: &Manager) -> Result<(), Error> {
    match manager.principal.sees_group(name_of(manager)) {
        true => Ok(()),
        false => Err(Error::Forbidden("Whoever holds this token has no role in this resource group")),
    }
}

/// `GET /subscriptions/{subscription}/resourceGroups/{group}`
pub(in crate::http) async fn get_group(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<ResourceGroup>, Error> {
    check_sees(&manager)?;
    Ok(Answer(shown(&app, app.group(name_of(&manager)).await?)))
}

/// `HEAD /subscriptions/{subscription}/resourceGroups/{group}`
pub(in crate::http) async fn head_group(State(app): AppState, manager: Manager) -> Result<StatusCode, Error> {
    check_sees(&manager)?;
    match app.group(name_of(&manager)).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(Error::Refused { code: ErrorCode::ResourceGroupNotFound, .. }) => Ok(StatusCode::NOT_FOUND),
        Err(error) => Err(error),
    }
}

/// `PUT /subscriptions/{subscription}/resourceGroups/{group}`
pub(in crate::http) async fn put_group(
    State(app): AppState,
    manager: Manager,
    Json(request): Json<ResourceGroupRequest>,
) -> Result<(StatusCode, Answer<ResourceGroup>), Error> {
    let (group, is_new) = app.put_group(&manager.actor(), name_of(&manager), request).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(shown(&app, group))))
}

/// `DELETE /subscriptions/{subscription}/resourceGroups/{group}`
pub(in crate::http) async fn delete_group(
    State(app): AppState,
    manager: Manager,
) -> Result<StatusCode, Error> {
    app.delete_group(&manager.actor(), name_of(&manager)).await?;
    Ok(StatusCode::OK)
}

/// `GET /subscriptions/{subscription}/resources`: the vaults, as `az resource list` has them.
pub(in crate::http) async fn list_resources(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<Value>>, Error> {
    let filter = query.filter(&["resourceType", "resourceGroup", "name", "location"])?;
    let vaults = super::vaults::visible(&app, &manager, &Place::default()).await?;
    let kind = format!("{PROVIDER}/vaults");
    let listed = vaults.into_iter().filter(|vault| {
        filter.admits("resourceType", &kind)
            && filter.admits("resourceGroup", vault.group.as_str())
            && filter.admits("name", vault.name.as_str())
            && filter.admits("location", &vault.location)
    });
    let shown = listed.map(|vault| {
        json!({
            "id": super::vaults::id_of(&app, &vault), "name": vault.name, "type": kind, "location": vault.location,
            "tags": vault.settings.tags, "sku": { "name": "Standard" },
        })
    });
    Ok(Answer(query.page(&app, shown.collect())))
}
