//! Who may manage: service principals, their roles and their secrets.

use super::{App, Error, secret};
use crate::db::guesses::Guesses;
use crate::db::{self, Scope};
use stateward_model::{CredentialId, Timestamp};

/// What a principal may do. The names are Azure's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything that the management API offers.
    BackupContributor,
    /// Reading only.
    BackupReader,
}

impl Role {
    /// The role's name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::BackupContributor => "BackupContributor",
            Self::BackupReader => "BackupReader",
        }
    }

    /// Reads [`Self::as_str`].
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::BackupContributor, Self::BackupReader].into_iter().find(|role| role.as_str() == name)
    }
}

/// A new principal. Its secret is shown once and kept nowhere.
pub(crate) struct NewPrincipal {
    /// What it signs in with.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
}

/// So many wrong secrets in a row are free; each one more costs twice the wait of the one before.
const FREE_GUESSES: u32 = 5;

/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 60;

/// Notes one more wrong secret: the wait that follows doubles with each.
fn one_more(before: Option<Guesses>, now: Timestamp) -> Guesses {
    let wrong = before.map_or(0, |guesses| guesses.wrong).saturating_add(1);
    let wait = wrong
        .checked_sub(FREE_GUESSES)
        .map_or(0, |beyond| 1i64.checked_shl(beyond.min(30)).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT));
    Guesses { wrong, blocked_until: now.plus_seconds(wait) }
}

impl App {
    /// Makes a principal.
    pub(crate) async fn create_principal(&self, name: &str, role: Role) -> Result<NewPrincipal, Error> {
        // Every id of the model is a random UUID, which is what a client id is in Azure.
        let client_id = CredentialId::new(&*self.random).to_string();
        let client_secret = secret::new(&*self.random);
        let principal = db::principals::Principal { role, secret_hash: secret::hash(&client_secret) };
        let mut transaction = self.write().await?;
        db::principals::insert(&mut transaction, &client_id, name, &principal, self.now()).await?;
        transaction.commit().await?;
        Ok(NewPrincipal { client_id, client_secret })
    }

    /// The role of the principal with this id and secret.
    ///
    /// A secret of 256 bits is not found by trying anyway; that guesses cost time keeps the log and the database quiet under an
    /// attack. They are counted in the database, so that it is the same which process of the vault is asked.
    pub(super) async fn check_secret(&self, client_id: &str, secret: &str) -> Result<Role, Error> {
        let now = self.now();
        let wrong = || Error::InvalidClient("The client id or its secret is wrong".to_owned());
        let mut connection = self.database.read().await?;
        let principal = db::principals::find(&mut connection, client_id).await?.ok_or_else(wrong)?;
        let guesses = db::guesses::find(&mut connection, client_id).await?;
        drop(connection);
        if let Some(until) = guesses.map(|guesses| guesses.blocked_until).filter(|until| *until > now) {
            return Err(Error::InvalidClient(format!(
                "There were too many wrong secrets for the client `{client_id}`; try again after {until}"
            )));
        }
        let is_right = secret::matches(secret, principal.secret_hash);
        if !is_right || guesses.is_some() {
            self.note_guess(client_id, is_right, now).await?;
        }
        is_right.then_some(principal.role).ok_or_else(wrong)
    }

    async fn note_guess(&self, client_id: &str, is_right: bool, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::SignIns).await?;
        if is_right {
            db::guesses::forget(&mut transaction, client_id).await?;
        } else {
            let before = db::guesses::find(&mut transaction, client_id).await?;
            db::guesses::put(&mut transaction, client_id, one_more(before, now)).await?;
        }
        Ok(transaction.commit().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    #[tokio::test]
    async fn a_secret_is_asked_for_and_guessing_is_slowed_down() {
        let test = TestApp::new().await;
        let made = test.app.create_principal("ops", Role::BackupReader).await.unwrap();
        let role = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap();
        assert_eq!(role, Role::BackupReader);
        for _ in 0..FREE_GUESSES {
            assert!(test.app.check_secret(&made.client_id, "guess").await.is_err());
        }
        let blocked = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap_err();
        assert!(blocked.to_string().contains("too many wrong secrets"), "{blocked}");
        test.clock.advance(2);
        assert!(test.app.check_secret(&made.client_id, &made.client_secret).await.is_ok());
    }

    #[test]
    fn the_wait_doubles_and_has_an_end() {
        let (mut guesses, mut waits) = (None, Vec::new());
        for _ in 0..60 {
            guesses = Some(one_more(guesses, Timestamp(0)));
            waits.extend(guesses.map(|guesses| guesses.blocked_until.seconds()));
        }
        assert_eq!(waits[..8], [0, 0, 0, 0, 1, 2, 4, 8]);
        assert_eq!(waits[59], LONGEST_WAIT);
    }
}
