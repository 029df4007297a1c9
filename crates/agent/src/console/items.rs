//! What is protected: chosen, stopped, deleted, had back.

use super::Console;
use super::answer::{Answer, answered};
use super::body::{Body, Part};
use super::schedule::administrator;
use super::shapes;
use crate::items::{Items, Protected, Selection, absolute};
use crate::protect::{self, ProtectOutcome};
use crate::schedule::{OwnVault, one_item};
use crate::{AgentError, Registration};
use axum::extract::State;
use stateward_api::console::{
    AdministratorRequest, DeleteItemRequest, Item, ItemChange, ItemList, ItemProtected, ProtectFilesRequest,
    ProtectSystemStateRequest, ResumeItemRequest, StopItemRequest,
};
use stateward_model::Label;
use std::path::Path;
use std::sync::Arc;

/// All of them.
pub(super) async fn list(State(console): State<Arc<Console>>) -> Answer<ItemList> {
    answered(console, |console| {
        let items = Items::load(console.agent.home())?;
        Ok(ItemList { value: items.items.iter().map(Into::into).collect() })
    })
    .await
}

/// Protects files and folders.
pub(super) async fn protect_files(
    State(console): State<Arc<Console>>,
    Body(request): Body<ProtectFilesRequest>,
) -> Answer<ItemProtected> {
    answered(console, move |console| {
        let paths = request.paths.into_iter().map(shapes::whole_path).collect::<Result<_, _>>()?;
        let exclusions = request.exclusions.into_iter().map(shapes::exclusion).collect::<Result<_, _>>()?;
        Ok(protected(console, Selection::Files { paths, exclusions }, request.name)?)
    })
    .await
}

/// Protects System State.
pub(super) async fn protect_system_state(
    State(console): State<Arc<Console>>,
    Body(request): Body<ProtectSystemStateRequest>,
) -> Answer<ItemProtected> {
    answered(console, move |console| {
        let mut components = request.components;
        components.sort();
        components.dedup();
        let components = (!components.is_empty()).then_some(components);
        let selection = Selection::SystemState { components, root: absolute(Path::new("/"))? };
        Ok(protected(console, selection, request.name)?)
    })
    .await
}

fn protected(
    console: &Console,
    selection: Selection,
    label: Option<Label>,
) -> Result<ItemProtected, AgentError> {
    let ProtectOutcome { item, done, untold } = protect::protect(&console.agent, selection, label)?;
    let change = match done {
        Protected::Added => ItemChange::Added,
        Protected::Changed => ItemChange::Changed,
        Protected::Unchanged => ItemChange::Unchanged,
    };
    Ok(ItemProtected { item: (&item).into(), change, untold: untold.map(|error| error.to_string()) })
}

/// Stops one's backups.
pub(super) async fn stop(
    State(console): State<Arc<Console>>,
    Part(item): Part,
    Body(request): Body<StopItemRequest>,
) -> Answer<Item> {
    answered(console, move |console| {
        let pin = request.security_pin.0;
        Ok((&protect::stop(&console.agent, &item, request.keeps, pin)?).into())
    })
    .await
}

/// Deletes one's recovery points at the vault.
pub(super) async fn delete(
    State(console): State<Arc<Console>>,
    Part(item): Part,
    Body(request): Body<DeleteItemRequest>,
) -> Answer<Item> {
    answered(console, move |console| {
        Ok((&protect::delete(&console.agent, &item, request.security_pin.0)?).into())
    })
    .await
}

/// Resumes one's backups.
pub(super) async fn resume(
    State(console): State<Arc<Console>>,
    Part(item): Part,
    Body(request): Body<ResumeItemRequest>,
) -> Answer<Item> {
    answered(console, move |console| {
        let agent = &console.agent;
        Registration::load(agent.home())?;
        let item = one_item(agent, Some(&item))?;
        OwnVault::open(agent, request.administrator.map(administrator))?.resume(&item, request.policy)?;
        Ok((&item).into())
    })
    .await
}

/// Has one back.
pub(super) async fn undelete(
    State(console): State<Arc<Console>>,
    Part(item): Part,
    Body(request): Body<AdministratorRequest>,
) -> Answer<Item> {
    answered(console, move |console| {
        let agent = &console.agent;
        Registration::load(agent.home())?;
        let item = one_item(agent, Some(&item))?;
        OwnVault::open(agent, request.administrator.map(administrator))?.undelete(&item)?;
        Ok((&item).into())
    })
    .await
}
