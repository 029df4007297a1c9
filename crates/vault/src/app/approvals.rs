//! Approvals: in a vault with a resource guard, some acts are done only with the consent of a second principal that may
//! change the vault.
//!
//! Whoever wants such an act does it; it is refused, and stands here as asked for. When another has agreed, the same act by
//! the same principal is done, once. Requests end after a day.

use super::audit::{Actor, Change};
use super::principals::Place;
use super::{App, Error, vaults};
pub(crate) use crate::db::approvals::Approval;
use crate::db::{self, Write};
use serde_json::json;
use stateward_api::ErrorCode;
use stateward_model::{ApprovalId, VaultId};

/// Deleting an item with its recovery points.
pub(crate) const DELETE_ITEM: &str = "item.delete";
/// Changing a policy so that it keeps less.
pub(crate) const SHORTEN_POLICY: &str = "policy.shorten";
/// Changing a vault so that it guards less.
pub(crate) const WEAKEN_VAULT: &str = "vault.weaken";
/// Removing a resource guard.
pub(crate) const UNGUARD: &str = "guard.delete";
/// Making a security PIN.
pub(crate) const PIN: &str = "pin.create";
/// Giving somebody the role that could agree.
pub(crate) const GRANT: &str = "principal.grant";

/// All of them.
pub(crate) const ACTS: [&str; 6] = [DELETE_ITEM, SHORTEN_POLICY, WEAKEN_VAULT, UNGUARD, PIN, GRANT];

/// How long a request stands, in seconds.
const SECONDS: i64 = 24 * 3600;

/// How many requests of a vault may wait.
const OPEN_MAX: usize = 100;

/// How many are listed: the newest.
const LISTED: u32 = 1000;

/// The longest subject, in bytes.
const SUBJECT_BYTES_MAX: usize = 200;

/// A subject that says more than a name, cut to what is kept of it.
pub(super) fn subject(words: &str) -> String {
    let end = (0..=SUBJECT_BYTES_MAX.min(words.len())).rev().find(|end| words.is_char_boundary(*end));
    words[..end.unwrap_or(0)].to_owned()
}

/// The act was refused for want of a second person.
pub(crate) fn required(id: ApprovalId, act: &str, subject: &str) -> Error {
    let why = format!(
        "The vault has a resource guard, so `{act}` of `{subject}` needs the consent of a second Backup Contributor: approval \
         `{id}` was asked for. When it was given (`POST …/stateward/approvals/{id}/approve`), do the same again"
    );
    Error::refused(ErrorCode::ApprovalRequired, why)
}

impl App {
    /// Uses up a second person's consent to an act, in the act's own transaction, which must be of the whole database and
    /// have written nothing yet: if there is no consent it is asked for, and that is kept. In a vault without a guard this
    /// does nothing.
    ///
    /// # Errors
    /// [`ErrorCode::ApprovalRequired`] with the id of the request.
    pub(crate) async fn require_approval(
        &self,
        mut transaction: Write,
        vault: VaultId,
        actor: &Actor,
        act: &'static str,
        subject: &str,
    ) -> Result<Write, Error> {
        if db::guards::list(&mut transaction, vault).await?.is_empty() {
            return Ok(transaction);
        }
        let (asked, mut transaction) = self.find_or_ask(transaction, vault, actor, act, subject).await?;
        let Some((approved_by, _)) = &asked.approved else {
            transaction.commit().await?;
            return Err(required(asked.id, act, subject));
        };
        db::approvals::use_up(&mut transaction, asked.id, self.now()).await?;
        let (id, detail) =
            (asked.id.to_string(), json!({ "act": act, "of": subject, "approvedBy": approved_by }));
        let change = Change { vault: Some(vault), actor, act: "approval.use", subject: &id, detail };
        self.record(&mut transaction, change).await?;
        Ok(transaction)
    }

    /// What this principal asked for already, if it can still be agreed to or done; else it is asked for now.
    pub(super) async fn find_or_ask(
        &self,
        mut transaction: Write,
        vault: VaultId,
        actor: &Actor,
        act: &'static str,
        subject: &str,
    ) -> Result<(Approval, Write), Error> {
        if subject.len() > SUBJECT_BYTES_MAX || subject.chars().any(char::is_control) {
            let why = format!(
                "The subject of an act has at most {SUBJECT_BYTES_MAX} bytes and no control characters"
            );
            return Err(Error::invalid(why));
        }
        let (now, asked_by) = (self.now(), actor.to_string());
        let open = db::approvals::open(&mut transaction, vault, now).await?;
        let count = open.len();
        let is_same = |known: &Approval| {
            known.act == act && known.subject.eq_ignore_ascii_case(subject) && known.asked_by == asked_by
        };
        if let Some(known) = open.into_iter().find(is_same) {
            return Ok((known, transaction));
        }
        if count >= OPEN_MAX {
            let why =
                format!("{OPEN_MAX} approvals of this vault wait already; agree to some, or let them end");
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        let approval = Approval {
            id: ApprovalId::new(&*self.random),
            vault,
            act: act.to_owned(),
            subject: subject.to_owned(),
            asked_by,
            asked_at: now,
            expires_at: now.plus_seconds(SECONDS),
            approved: None,
            used_at: None,
        };
        db::approvals::insert(&mut transaction, &approval).await?;
        let (id, detail) = (approval.id.to_string(), json!({ "act": act, "of": subject }));
        let change = Change { vault: Some(vault), actor, act: "approval.ask", subject: &id, detail };
        self.record(&mut transaction, change).await?;
        Ok((approval, transaction))
    }

    /// The newest requests of a vault.
    pub(crate) async fn approvals(&self, place: &Place) -> Result<Vec<Approval>, Error> {
        let mut connection = self.database.read().await?;
        let vault = vaults::find(&mut connection, place).await?;
        Ok(db::approvals::list(&mut connection, vault.id, LISTED).await?)
    }

    /// Asks for consent before the act is tried.
    pub(crate) async fn ask_for_approval(
        &self,
        actor: &Actor,
        place: &Place,
        act: &str,
        subject: &str,
    ) -> Result<Approval, Error> {
        let known = ACTS.into_iter().find(|known| *known == act);
        let act = known.ok_or_else(|| Error::invalid(format!("`act` is one of {}", ACTS.join(", "))))?;
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let (approval, transaction) = self.find_or_ask(transaction, vault.id, actor, act, subject).await?;
        transaction.commit().await?;
        Ok(approval)
    }

    /// Agrees to what another asked for. Agreeing again changes nothing.
    pub(crate) async fn approve(
        &self,
        actor: &Actor,
        place: &Place,
        id: ApprovalId,
    ) -> Result<Approval, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let now = self.now();
        let open = db::approvals::open(&mut transaction, vault.id, now).await?;
        let found = open.into_iter().find(|known| known.id == id);
        let mut approval = found.ok_or_else(|| Error::not_found(format!("approval `{id}` that waits")))?;
        let by = actor.to_string();
        if approval.asked_by == by {
            return Err(Error::Forbidden(
                "Nobody agrees to what he asked for himself: that is for a second person",
            ));
        }
        if approval.approved.is_some() {
            return Ok(approval);
        }
        db::approvals::approve(&mut transaction, id, &by, now).await?;
        let (subject, detail) = (
            id.to_string(),
            json!({ "act": approval.act, "of": approval.subject, "askedBy": approval.asked_by }),
        );
        let change = Change { vault: Some(vault.id), actor, act: "approval.give", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        approval.approved = Some((by, now));
        Ok(approval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;
    use std::sync::Arc;

    fn who(name: &str) -> Actor {
        Actor::Principal(name.to_owned())
    }

    async fn guarded() -> TestApp {
        let test = TestApp::new().await;
        test.app.put_guard(&who("one"), &test.place(), "VaultProxy", json!({})).await.unwrap();
        test
    }

    /// Asks for a PIN, which needs consent; gives the id of the request, if there is no consent.
    async fn act(test: &TestApp, app: &App, name: &str) -> Option<ApprovalId> {
        match app.create_pin(&who(name), &test.place()).await {
            Ok(_) => None,
            Err(Error::Refused { code: ErrorCode::ApprovalRequired, message }) => {
                let id = message.split('`').nth(5).unwrap();
                Some(id.parse().unwrap())
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn an_act_is_done_once_after_another_agreed() {
        let test = guarded().await;
        let other = test.beside().await;
        let asked = act(&test, &test.app, "one").await.unwrap();
        assert_eq!(act(&test, &other, "one").await, Some(asked), "the same request");
        let own = test.app.approve(&who("one"), &test.place(), asked).await;
        assert!(matches!(own, Err(Error::Forbidden(_))));
        assert_eq!(act(&test, &test.app, "one").await, Some(asked));
        for _ in 0..2 {
            other.approve(&who("two"), &test.place(), asked).await.unwrap();
        }
        assert!(act(&test, &test.app, "two").await.is_some(), "the consent is to the one who asked");
        assert_eq!(act(&test, &test.app, "one").await, None);
        assert_ne!(act(&test, &test.app, "one").await, Some(asked));
        let again = test.app.approve(&who("two"), &test.place(), asked).await;
        assert!(matches!(again, Err(Error::NotFound(_))));
        let acts: Vec<_> = test.audit().await.into_iter().map(|entry| entry.act).collect();
        let count = |act: &str| acts.iter().filter(|found| *found == act).count();
        assert_eq!([count("approval.ask"), count("approval.give"), count("approval.use")], [3, 1, 1]);
    }

    #[tokio::test]
    async fn a_request_ends_after_a_day() {
        let test = guarded().await;
        let asked = act(&test, &test.app, "one").await.unwrap();
        test.app.approve(&who("two"), &test.place(), asked).await.unwrap();
        test.clock.advance(SECONDS);
        let next = act(&test, &test.app, "one").await.unwrap();
        assert_ne!(next, asked);
    }

    #[tokio::test]
    async fn the_guard_is_removed_by_two_and_then_guards_nothing() {
        let test = guarded().await;
        let place = test.place();
        let unlocked = |app: Arc<App>| {
            let place = place.clone();
            async move { app.unlock_delete(&who("one"), &place, "/x/backupResourceGuardProxies/vaultproxy").await }
        };
        assert!(unlocked(Arc::clone(&test.app)).await.is_err());
        let asked = test.app.approvals(&place).await.unwrap();
        assert_eq!((asked.len(), asked[0].act.as_str()), (1, UNGUARD));
        test.app.approve(&who("two"), &place, asked[0].id).await.unwrap();
        assert_eq!(unlocked(Arc::clone(&test.app)).await.unwrap(), asked[0].expires_at);
        assert!(test.app.vault_at(&place).await.unwrap().is_guarded);
        assert!(test.app.delete_guard(&who("one"), &place, "vaultPROXY").await.unwrap());
        assert!(!test.app.delete_guard(&who("one"), &place, "VaultProxy").await.unwrap());
        assert!(!test.app.vault_at(&place).await.unwrap().is_guarded);
        assert_eq!(act(&test, &test.app, "one").await, None);
    }

    #[tokio::test]
    async fn what_makes_a_guarded_vault_weaker_needs_two() {
        use crate::app::vaults::VaultChange;
        use stateward_model::Immutability;
        let test = guarded().await;
        let place = test.place();
        let change = |state, days| VaultChange {
            immutability: state,
            soft_delete_days: days,
            ..VaultChange::default()
        };
        let stronger = change(Some(Immutability::Unlocked), Some(30));
        test.app.update_vault(&who("one"), &place, stronger, None).await.unwrap();
        for weaker in
            [change(Some(Immutability::Disabled), None), change(Some(Immutability::Disabled), Some(14))]
        {
            let refused = test.app.update_vault(&who("one"), &place, weaker.clone(), None).await;
            assert!(
                matches!(refused, Err(Error::Refused { code: ErrorCode::ApprovalRequired, .. })),
                "{refused:?}"
            );
            let waiting = test.app.approvals(&place).await.unwrap();
            let waiting = waiting.iter().find(|approval| approval.used_at.is_none()).unwrap();
            test.app.approve(&who("two"), &place, waiting.id).await.unwrap();
            test.app.update_vault(&who("one"), &place, weaker, None).await.unwrap();
        }
        let kinds: Vec<_> = test.alerts().await.into_iter().map(|alert| alert.kind).collect();
        assert!(kinds.iter().any(|kind| kind == "immutability-disabled"), "{kinds:?}");
        assert!(kinds.iter().any(|kind| kind == "soft-delete-shortened"), "{kinds:?}");
    }

    #[tokio::test]
    async fn only_known_acts_can_be_asked_for() {
        let test = guarded().await;
        let ask = |act: &'static str, subject: String| {
            let (app, place) = (Arc::clone(&test.app), test.place());
            async move { app.ask_for_approval(&who("one"), &place, act, &subject).await }
        };
        assert!(ask(DELETE_ITEM, "item".to_owned()).await.is_ok());
        assert!(matches!(ask("vault.paint", "x".to_owned()).await, Err(Error::InvalidRequest(_))));
        assert!(matches!(ask(DELETE_ITEM, "x".repeat(201)).await, Err(Error::InvalidRequest(_))));
    }
}
