//! A known server whose home was lost registers again: an administrator made the vault credentials for it, and its
//! passphrase opens the key slots that the vault holds. So it has its data key and its signing key, goes on with its chain,
//! and finds its packs. Only the login key is new; the old one is no longer taken.
//!
//! What was protected stood in the home alone. The vault knows the items' labels and kinds: whatever is protected again
//! under its old label is the old item.

use crate::items::{FormerItem, Items};
use crate::keys::ServerKeys;
use crate::points::{self, ListedPoint};
use crate::secrets::Secret;
use crate::slots::open_slots;
use crate::{Agent, AgentError, RegisteredServer};
use stateward_api::agent::{RegisterRequest, RegisterSlotsRequest};
use stateward_api::credentials::{VaultCredentials, encode_bytes};
use stateward_client::{Connection, Manner, slots_for_registration};
use stateward_crypto::SigningKey;
use stateward_engine::Cancellation;
use stateward_format::slot::{self, KeySlot};
use stateward_model::{Label, ServerId};

/// The keys of the server, and what it is called. They are durable before the vault hears of the new login key; a
/// registration that was cut short goes on with the same ones.
pub(super) fn keys_for(
    agent: &Agent,
    credentials: &VaultCredentials,
    connection: &Connection,
    server: ServerId,
    secret: Secret<'_>,
) -> Result<ServerKeys, AgentError> {
    if let Some(begun) = ServerKeys::find(agent.home())?.filter(|keys| keys.again == Some(server)) {
        return Ok(begun);
    }
    let request =
        RegisterSlotsRequest { credential: credentials.credential, secret: credentials.secret.clone() };
    let objects = slots_for_registration(connection, &request)?;
    let opened = open_slots(&objects, secret, (credentials.vault, server))?;
    let newest = opened.into_iter().next();
    let newest =
        newest.ok_or_else(|| AgentError::Internal("slots were opened, and there is none".to_owned()))?;
    let random = &*agent.surroundings().random;
    let (epoch, owner) = (newest.owner.epoch, newest.owner);
    let of_epoch =
        objects.iter().filter(|object| KeySlot::decode(object).is_ok_and(|slot| slot.epoch == epoch));
    let mut keys = ServerKeys {
        vault: credentials.vault,
        login: SigningKey::generate(random),
        epoch,
        domain: (owner.domain != server).then_some(owner.domain),
        data: newest.data_key,
        signing: newest.signing_key,
        slots: Vec::new(),
        again: Some(server),
    };
    of_epoch.for_each(|object| keys.add_slot(slot::hash(object)));
    keys.save(agent.home())?;
    Ok(keys)
}

/// Proves to the vault that this is the server.
pub(super) fn prove(request: &mut RegisterRequest, keys: &ServerKeys) {
    request.proof = Some(encode_bytes(&keys.signing.sign(&request.proved_bytes())));
}

/// What the vault calls the server.
pub(super) fn label(agent: &Agent, server: &RegisteredServer) -> Result<Label, AgentError> {
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    Ok(vault.server().label.clone())
}

/// Remembers the items that the server's recovery points are of, for when they are protected again.
pub(super) fn remember_items(agent: &Agent, server: &RegisteredServer) -> Result<(), AgentError> {
    let vault = server.connect(agent, Manner::interactive(Cancellation::default()), None)?;
    let listed = points::list(&vault, &server.trust(), &[server.epoch_keys()], Some(agent.home()))?;
    let mut items = Items::load(agent.home())?;
    for point in listed {
        let ListedPoint::Usable(point) = point else { continue };
        let former = FormerItem { id: point.item, label: point.item_label, kind: point.kind };
        // Newest first: the first label is the one that it was last known by.
        if items.by_id(former.id).is_none() && items.former.iter().all(|known| known.id != former.id) {
            items.former.push(former);
        }
    }
    items.save(agent.home())
}
