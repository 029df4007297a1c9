//! Choosing what is protected.

use crate::items::{Item, Items, Protected, Selection};
use crate::{Agent, AgentError, RegisteredServer, Registration, source};
use stateward_client::Manner;
use stateward_engine::Cancellation;
use stateward_model::Label;

/// What [`protect`] did.
#[derive(Debug)]
pub struct ProtectOutcome {
    /// The item.
    pub item: Item,
    /// Whether it is new.
    pub done: Protected,
    /// Why the vault could not be told of it; the next backup tells it.
    pub untold: Option<AgentError>,
}

/// Protects a selection (see [`Items::protect`]), after trying that it can be opened at all.
pub fn protect(
    agent: &Agent,
    selection: Selection,
    label: Option<Label>,
) -> Result<ProtectOutcome, AgentError> {
    source::check(&selection)?;
    agent.home().prepare()?;
    let _settings = agent.home().lock_settings()?;
    let mut items = Items::load(agent.home())?;
    let (item, done) = items.protect(selection, label, &*agent.surroundings().random)?;
    if done != Protected::Unchanged {
        items.save(agent.home())?;
    }
    Ok(ProtectOutcome { untold: tell_vault(agent, &item).err(), item, done })
}

/// A home that is not registered yet has no vault to tell.
fn tell_vault(agent: &Agent, item: &Item) -> Result<(), AgentError> {
    if Registration::find(agent.home())?.is_none() {
        return Ok(());
    }
    let server = RegisteredServer::load(agent.home())?;
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    Ok(vault.put_item(item.id, &item.label, item.selection.kind())?)
}
