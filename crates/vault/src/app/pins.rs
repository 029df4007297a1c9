//! Security PINs: what an act that was begun on a server needs beside that server's own rights. Whoever has taken over a
//! server has no sign-in at the vault, and so no PIN.
//!
//! A PIN is good for five minutes and one act. A wrong one counts against every PIN that is out: after some of them none of
//! these is good any more. So nobody gets more guesses than that out of one PIN, over all processes.

use super::alerts::{NewAlert, Severity};
use super::approvals;
use super::audit::{Actor, Change};
use super::certificates::hex;
use super::principals::Place;
use super::{App, Error, vaults};
use crate::db::{self, Write};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::{Timestamp, VaultId};

/// How long a PIN is good, in seconds: as long as Azure's.
const PIN_SECONDS: i64 = 300;

/// So many wrong ones, and it is good no more.
const WRONG_MAX: u32 = 5;

/// How many of a vault may be out.
const PINS_MAX: u64 = 10;

/// How many digits a PIN has.
const DIGITS: usize = 8;

/// A PIN that was just made. It is shown once and kept nowhere.
pub(crate) struct NewPin {
    /// Its digits.
    pub(crate) digits: String,
    /// What it is called in the audit log.
    pub(crate) name: String,
    /// When it ends.
    pub(crate) expires_at: Timestamp,
}

impl App {
    /// Makes a PIN.
    pub(crate) async fn create_pin(&self, actor: &Actor, place: &Place) -> Result<NewPin, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let mut transaction =
            self.require_approval(transaction, vault.id, actor, approvals::PIN, vault.name.as_str()).await?;
        let now = self.now();
        if db::pins::count(&mut transaction, vault.id, WRONG_MAX, now).await? >= PINS_MAX {
            let why =
                format!("There are {PINS_MAX} security PINs that were not used yet; wait until one ends");
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        let digits = self.new_digits();
        let (hash, expires_at) = (self.pin_hash(vault.id, &digits), now.plus_seconds(PIN_SECONDS));
        db::pins::insert(&mut transaction, vault.id, hash, &actor.to_string(), (now, expires_at)).await?;
        let name = name_of(hash);
        let detail = json!({ "expiresAt": expires_at });
        let change = Change { vault: Some(vault.id), actor, act: "pin.create", subject: &name, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(NewPin { digits, name, expires_at })
    }

    /// Uses a PIN up for an act, in the act's own transaction, which must be of the whole database and have written nothing
    /// yet: a wrong PIN is counted in it and kept.
    pub(crate) async fn consume_pin(
        &self,
        mut transaction: Write,
        vault: VaultId,
        pin: &str,
        actor: &Actor,
        act: &'static str,
    ) -> Result<Write, Error> {
        let now = self.now();
        let hash = self.pin_hash(vault, pin.trim());
        let is_right = db::pins::take(&mut transaction, vault, hash, WRONG_MAX, now).await?;
        if is_right {
            let (name, detail) = (name_of(hash), json!({ "act": act }));
            let change = Change { vault: Some(vault), actor, act: "pin.use", subject: &name, detail };
            self.record(&mut transaction, change).await?;
            return Ok(transaction);
        }
        let before = db::pins::count(&mut transaction, vault, WRONG_MAX, now).await?;
        db::pins::count_wrong(&mut transaction, vault, now).await?;
        let after = db::pins::count(&mut transaction, vault, WRONG_MAX, now).await?;
        let detail = json!({ "act": act, "pinsVoided": before - after });
        let change = Change { vault: Some(vault), actor, act: "pin.refuse", subject: "security PIN", detail };
        self.record(&mut transaction, change).await?;
        if after < before {
            let subject = actor.to_string();
            let message =
                format!("{WRONG_MAX} wrong security PINs came, the last from {subject}, for `{act}`");
            let alert = NewAlert {
                vault,
                severity: Severity::Critical,
                kind: "security-pin-guessed",
                subject: &subject,
                message,
            };
            self.raise(&mut transaction, alert).await?;
        }
        transaction.commit().await?;
        let why = format!(
            "The security PIN is wrong, or it was used, or it ended; one is good for {} minutes, one act and \
             {WRONG_MAX} tries. A Backup Contributor makes a new one (`POST …/backupSecurityPIN`)",
            PIN_SECONDS / 60
        );
        Err(Error::refused(ErrorCode::SecurityPinWrong, why))
    }

    /// Random digits, each as likely as any other.
    fn new_digits(&self) -> String {
        let mut digits = String::with_capacity(DIGITS);
        while digits.len() < DIGITS {
            let mut bytes = [0; 16];
            self.random.fill(&mut bytes);
            // 250 is a multiple of ten.
            let fair = bytes.into_iter().filter(|byte| *byte < 250).map(|byte| char::from(b'0' + byte % 10));
            digits.extend(fair.take(DIGITS - digits.len()));
        }
        digits
    }

    /// What is kept of a PIN. Digits are found by trying all of them, so nobody makes this without the vault's key, which is
    /// not in the database.
    fn pin_hash(&self, vault: VaultId, digits: &str) -> [u8; 32] {
        let text = format!("stateward security PIN\n{vault}\n{digits}");
        *blake3::hash(&self.key.sign(text.as_bytes())).as_bytes()
    }
}

fn name_of(hash: [u8; 32]) -> String {
    hex(&hash[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, create_vault};

    async fn vault(test: &TestApp) -> VaultId {
        test.app.vault_at(&test.place()).await.unwrap().id
    }

    /// Does an act that needs a PIN.
    async fn act(app: &App, vault: VaultId, pin: &str) -> Result<(), Error> {
        let transaction = app.write().await?;
        let transaction = app.consume_pin(transaction, vault, pin, &Actor::Task("test"), "test.act").await?;
        Ok(transaction.commit().await?)
    }

    fn code(result: Result<(), Error>) -> Option<ErrorCode> {
        match result {
            Ok(()) => None,
            Err(Error::Refused { code, .. }) => Some(code),
            Err(other) => panic!("{other}"),
        }
    }

    const WRONG: Option<ErrorCode> = Some(ErrorCode::SecurityPinWrong);

    #[tokio::test]
    async fn a_pin_is_good_for_one_act_within_five_minutes_in_its_vault() {
        let test = TestApp::new().await;
        let (app, id) = (&test.app, vault(&test).await);
        let actor = Actor::Task("test");
        let pin = app.create_pin(&actor, &test.place()).await.unwrap();
        assert_eq!(pin.expires_at, app.now().plus_seconds(300));
        assert!(pin.digits.len() == 8 && pin.digits.bytes().all(|c| c.is_ascii_digit()), "{}", pin.digits);
        let (other, _) = create_vault(app, "other").await.unwrap();
        assert_eq!(code(act(app, other.id, &pin.digits).await), WRONG);
        assert_eq!(code(act(app, id, &format!(" {} ", pin.digits)).await), None);
        assert_eq!(code(act(app, id, &pin.digits).await), WRONG);
        let late = app.create_pin(&actor, &test.place()).await.unwrap();
        test.clock.advance(300);
        assert_eq!(code(act(app, id, &late.digits).await), WRONG);
        let acts: Vec<_> = test.audit().await.into_iter().map(|entry| entry.act).collect();
        assert_eq!(acts.iter().filter(|act| *act == "pin.use").count(), 1);
        assert_eq!(acts.iter().filter(|act| *act == "pin.refuse").count(), 3);
        let kept =
            test.audit().await.into_iter().map(|entry| entry.detail + &entry.subject).collect::<String>();
        assert!(!kept.contains(&pin.digits));
    }

    #[tokio::test]
    async fn wrong_pins_use_up_the_right_one_over_both_processes() {
        let test = TestApp::new().await;
        let other = test.beside().await;
        let (id, actor) = (vault(&test).await, Actor::Task("test"));
        let pin = test.app.create_pin(&actor, &test.place()).await.unwrap();
        for number in 0..WRONG_MAX - 1 {
            let app = if number % 2 == 0 { &test.app } else { &other };
            assert_eq!(code(act(app, id, "guess").await), WRONG);
        }
        assert!(test.alerts().await.is_empty());
        assert_eq!(code(act(&other, id, "guess").await), WRONG);
        assert_eq!(code(act(&test.app, id, &pin.digits).await), WRONG);
        let alerts = test.alerts().await;
        assert_eq!((alerts.len(), alerts[0].kind.as_str()), (1, "security-pin-guessed"));
        let next = test.app.create_pin(&actor, &test.place()).await.unwrap();
        assert_eq!(code(act(&other, id, &next.digits).await), None);
    }

    #[tokio::test]
    async fn only_so_many_are_out() {
        let test = TestApp::new().await;
        let actor = Actor::Task("test");
        for _ in 0..PINS_MAX {
            test.app.create_pin(&actor, &test.place()).await.unwrap();
        }
        let refused = test.app.create_pin(&actor, &test.place()).await.map(drop);
        assert_eq!(code(refused), Some(ErrorCode::LimitReached));
    }
}
