//! Choosing what is protected, and what is not any more.

use crate::items::{Item, Items, Protected, Selection};
use crate::{Agent, AgentError, RegisteredServer, Registration, source};
use stateward_client::{HttpVault, Manner};
use stateward_engine::Cancellation;
use stateward_model::{Label, StopKeeps};

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
    source::check(agent, &selection)?;
    agent.home().prepare()?;
    let _settings = agent.home().lock_settings()?;
    let mut items = Items::load(agent.home())?;
    let (item, done) = items.protect(selection, label, &*agent.surroundings().random)?;
    if done != Protected::Unchanged {
        items.save(agent.home())?;
    }
    Ok(ProtectOutcome { untold: tell_vault(agent, &item).err(), item, done })
}

/// Stops an item's backups at the vault, by a security PIN that an administrator made there.
pub fn stop(agent: &Agent, name: &str, keeps: StopKeeps, pin: String) -> Result<Item, AgentError> {
    let item = find(agent, name)?;
    connect(agent)?.stop_item(item.id, keeps, pin)?;
    Ok(item)
}

/// Deletes an item's recovery points at the vault, where they can be had back. It stays among the home's items: once it
/// was had back there, it can be backed up again.
pub fn delete(agent: &Agent, name: &str, pin: String) -> Result<Item, AgentError> {
    let item = find(agent, name)?;
    connect(agent)?.delete_item(item.id, pin)?;
    Ok(item)
}

fn find(agent: &Agent, name: &str) -> Result<Item, AgentError> {
    Items::load(agent.home())?.find(name).cloned()
}

fn connect(agent: &Agent) -> Result<HttpVault, AgentError> {
    let server = RegisteredServer::load(agent.home())?;
    server.connect(agent, Manner::interactive(Cancellation::default()), None)
}

/// A home that is not registered yet has no vault to tell.
fn tell_vault(agent: &Agent, item: &Item) -> Result<(), AgentError> {
    if Registration::find(agent.home())?.is_none() {
        return Ok(());
    }
    Ok(connect(agent)?.put_item(item.id, &item.label, item.selection.kind())?)
}
