//! Key slots: kept, listed, never replaced. A server retires those of its old passphrases with a security PIN.

use super::audit::{Actor, Change};
use super::tokens::ServerCaller;
use super::{App, Error};
use crate::db::{self, Scope};
use bytes::Bytes;
use serde_json::json;
use stateward_format::layout;
use stateward_format::slot::{self, KeySlot, SLOT_BYTES_MAX, SlotSecret};
use stateward_model::SlotHash;
use stateward_store::StoreError;

/// How many slots a server may have: no person needs as many, and one who steals a token may not fill the vault.
const SLOTS_MAX: usize = 256;

impl App {
    /// Stores a key slot, durably before this returns; tells whether it is new.
    pub(crate) async fn put_slot(
        &self,
        caller: ServerCaller,
        epoch: u32,
        hash: SlotHash,
        object: Bytes,
    ) -> Result<bool, Error> {
        if slot::hash(&object) != hash {
            return Err(Error::WrongContent(format!(
                "The bytes that came are not those of the key slot `{hash}`"
            )));
        }
        let slot = KeySlot::decode(&object).map_err(|error| Error::invalid(error.to_string()))?;
        let expected = (caller.vault, caller.server, caller.domain, epoch);
        if (slot.vault, slot.server, slot.domain, slot.epoch) != expected {
            return Err(Error::invalid(
                "The key slot was made for another vault, server, domain or key epoch",
            ));
        }
        let known = db::slots::list(&mut *self.database.read().await?, caller.server).await?;
        if known.len() >= SLOTS_MAX && !known.contains(&(epoch, hash)) {
            return Err(Error::invalid(format!("A server may have {SLOTS_MAX} key slots")));
        }
        let name = Self::object(caller.vault, &layout::slot(caller.server, epoch, hash));
        self.reserve.make_room();
        match self.store.create(&name, vec![object.clone()]).await {
            // Named by its hash, so the one in the store is damaged.
            Err(StoreError::AlreadyExists(_)) => self.store.heal(&name, vec![object]).await?,
            other => drop(other?),
        }
        let mut transaction = self.write_in(Scope::Domain(caller.domain)).await?;
        let is_new = db::slots::insert(&mut transaction, caller.server, epoch, hash, self.now()).await?;
        transaction.commit().await?;
        Ok(is_new)
    }

    /// Retires the passphrases' slots of an epoch but the one that stays, by a security PIN: from then on nobody who asks this
    /// vault opens anything by an old passphrase. Recovery codes stay good.
    pub(crate) async fn retire_slots(
        &self,
        caller: ServerCaller,
        (epoch, stays): (u32, SlotHash),
        pin: &str,
    ) -> Result<(), Error> {
        let of_passphrases = self.slots_of_passphrases(caller, epoch).await?;
        if !of_passphrases.contains(&stays) {
            return Err(Error::invalid("The key slot that is to stay is none of this server's passphrases"));
        }
        let transaction = self.write().await?;
        let (actor, act) = (Actor::Server(caller), "slot.retire");
        let mut transaction = self.consume_pin(transaction, caller.vault, pin, &actor, act).await?;
        let mut retired = 0;
        for hash in of_passphrases.into_iter().filter(|hash| *hash != stays) {
            db::slots::retire(&mut transaction, caller.server, (epoch, hash), self.now()).await?;
            retired += 1;
        }
        let (subject, detail) = (caller.server.to_string(), json!({ "epoch": epoch, "retired": retired }));
        let change = Change { vault: Some(caller.vault), actor: &actor, act, subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        Ok(transaction.commit().await?)
    }

    async fn slots_of_passphrases(&self, caller: ServerCaller, epoch: u32) -> Result<Vec<SlotHash>, Error> {
        let objects = self.slots(caller).await?;
        let of_passphrase = |object: &Bytes| {
            let slot = KeySlot::decode(object).ok()?;
            let is_one = slot.epoch == epoch && matches!(slot.secret, SlotSecret::Passphrase { .. });
            is_one.then(|| slot::hash(object))
        };
        Ok(objects.iter().filter_map(of_passphrase).collect())
    }

    /// All key slot objects of the calling server. One that is gone from the store is left out: another may still open
    /// the same key.
    pub(crate) async fn slots(&self, caller: ServerCaller) -> Result<Vec<Bytes>, Error> {
        let known = db::slots::list(&mut *self.database.read().await?, caller.server).await?;
        let mut objects = Vec::with_capacity(known.len());
        for (epoch, hash) in known {
            let name = Self::object(caller.vault, &layout::slot(caller.server, epoch, hash));
            match self.store.read(&name, SLOT_BYTES_MAX as u64).await {
                Ok(object) => objects.push(object),
                Err(StoreError::NotFound(_)) => {
                    tracing::error!(server = %caller.server, slot = %hash, "a key slot is gone from the store");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, TestServer};
    use stateward_api::ErrorCode;

    fn object(server: &TestServer, salt: u8, change: impl FnOnce(&mut KeySlot)) -> Bytes {
        let mut slot = KeySlot {
            vault: server.caller.vault,
            server: server.caller.server,
            domain: server.caller.server,
            server_label: "web-01".parse().unwrap(),
            epoch: 1,
            secret: SlotSecret::RecoveryCode,
            salt: [salt; 32],
            commitment: [2; 32],
            wrapped_data_key: vec![3; 48],
            wrapped_signing_key: vec![4; 48],
            signing_public_key: [5; 32],
        };
        change(&mut slot);
        slot.encode().into()
    }

    #[tokio::test]
    async fn slots_are_added_and_never_replaced() {
        let test = TestApp::new().await;
        let (server, other) = (test.server("web-01").await, test.server("web-02").await);
        let (first, second) = (object(&server, 1, |_| {}), object(&server, 2, |_| {}));
        for (object, is_new) in [(&first, true), (&second, true), (&first, false)] {
            let put = test.app.put_slot(server.caller, 1, slot::hash(object), object.clone()).await;
            assert_eq!(put.unwrap(), is_new);
        }
        let mut listed = test.app.slots(server.caller).await.unwrap();
        listed.sort();
        let mut expected = vec![first, second];
        expected.sort();
        assert_eq!(listed, expected);
        assert!(test.app.slots(other.caller).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_is_no_slot_of_this_server_is_refused() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let changes: [fn(&mut KeySlot); 4] = [
            |slot| slot.vault.0[0] ^= 1,
            |slot| slot.server.0[0] ^= 1,
            |slot| slot.domain.0[0] ^= 1,
            |slot| slot.epoch = 2,
        ];
        for change in changes {
            let object = object(&server, 1, change);
            let refused = test.app.put_slot(server.caller, 1, slot::hash(&object), object).await;
            assert!(matches!(refused, Err(Error::InvalidRequest(_))));
        }
        let garbage = Bytes::from_static(b"SWKSLOT");
        let refused = test.app.put_slot(server.caller, 1, slot::hash(&garbage), garbage).await;
        assert!(matches!(refused, Err(Error::InvalidRequest(_))));
        let wrong = test.app.put_slot(server.caller, 1, SlotHash([0; 32]), object(&server, 1, |_| {})).await;
        assert!(matches!(wrong, Err(Error::WrongContent(_))));
    }

    #[tokio::test]
    async fn their_number_is_bounded() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        for number in 0..=SLOTS_MAX {
            let object =
                object(&server, 1, |slot| slot.commitment[..8].copy_from_slice(&number.to_le_bytes()));
            let put = test.app.put_slot(server.caller, 1, slot::hash(&object), object).await;
            assert_eq!(put.is_ok(), number < SLOTS_MAX, "{number}");
        }
    }

    #[tokio::test]
    async fn the_slots_of_old_passphrases_are_retired_by_a_pin_and_recovery_codes_stay() {
        let test = TestApp::new().await;
        let (app, server) = (&test.app, test.server("web-01").await);
        let secret = SlotSecret::Passphrase { memory_kib: 128 << 10, passes: 3, lanes: 1 };
        let old = object(&server, 1, |slot| slot.secret = secret);
        let new = object(&server, 2, |slot| slot.secret = secret);
        let code = object(&server, 3, |_| {});
        for object in [&old, &new, &code] {
            app.put_slot(server.caller, 1, slot::hash(object), object.clone()).await.unwrap();
        }
        let listed = async || {
            let mut listed = app.slots(server.caller).await.unwrap();
            listed.sort();
            listed
        };
        let sorted = |mut objects: Vec<Bytes>| {
            objects.sort();
            objects
        };
        let stays = (1, slot::hash(&new));
        let wrong = app.retire_slots(server.caller, stays, "12345678").await;
        assert!(matches!(wrong, Err(Error::Refused { code: ErrorCode::SecurityPinWrong, .. })), "{wrong:?}");
        let admin = Actor::Principal("one".to_owned());
        let pin = app.create_pin(&admin, &test.place()).await.unwrap();
        let of_code = app.retire_slots(server.caller, (1, slot::hash(&code)), &pin.digits).await;
        assert!(matches!(of_code, Err(Error::InvalidRequest(_))), "{of_code:?}");
        assert_eq!(listed().await, sorted(vec![old, new.clone(), code.clone()]));
        app.retire_slots(server.caller, stays, &pin.digits).await.unwrap();
        assert_eq!(listed().await, sorted(vec![new, code]));
        assert!(test.audit().await.iter().any(|entry| entry.act == "slot.retire"));
    }
}
