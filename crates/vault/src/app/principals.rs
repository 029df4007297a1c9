//! Who may manage: service principals, their roles and their secrets.

mod manage;

use super::alerts::{NewAlert, Severity};
use super::{App, Error, secret};
use crate::db::guesses::Guesses;
pub(crate) use crate::db::principals::KnownPrincipal;
use crate::db::vaults::Vault;
use crate::db::{self, Scope};
use stateward_model::Timestamp;

/// What a principal may do. The names are Azure's ("Use Azure role-based access control to manage Azure Backup recovery
/// points"); each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Reading only.
    Reader,
    /// Also backups on demand, restores, vault credentials; nothing that deletes, changes a policy or a vault.
    Operator,
    /// Everything that the management API offers.
    Contributor,
}

impl Role {
    /// The role's name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Contributor => "BackupContributor",
            Self::Operator => "BackupOperator",
            Self::Reader => "BackupReader",
        }
    }

    /// Reads [`Self::as_str`].
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Contributor, Self::Operator, Self::Reader].into_iter().find(|role| role.as_str() == name)
    }
}

/// A role and where it holds: everywhere, in a resource group, or in one vault. Names in small letters, `""` for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    /// The role.
    pub(crate) role: Role,
    /// The resource group.
    pub(crate) group: String,
    /// The vault.
    pub(crate) vault: String,
}

impl Assignment {
    /// A role in the whole subscription.
    pub(crate) fn everywhere(role: Role) -> Self {
        Self { role, group: String::new(), vault: String::new() }
    }

    fn holds_at(&self, place: &Place) -> bool {
        let within = |reach: &str, name: Option<&String>| {
            reach.is_empty() || name.is_some_and(|name| name.eq_ignore_ascii_case(reach))
        };
        within(&self.group, place.group.as_ref()) && within(&self.vault, place.vault.as_ref())
    }
}

/// Where something is: in the subscription, in a resource group, in a vault of it. Names as they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The resource group.
    pub(crate) group: Option<String>,
    /// The vault.
    pub(crate) vault: Option<String>,
}

impl Place {
    /// Where a vault is.
    pub(crate) fn of(vault: &Vault) -> Self {
        Self { group: Some(vault.group.to_string()), vault: Some(vault.name.to_string()) }
    }
}

/// A principal that calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Principal {
    /// Which.
    pub(crate) client_id: String,
    /// What it may do, and where.
    pub(crate) assignments: Vec<Assignment>,
}

impl Principal {
    /// The highest of its roles that hold at a place.
    pub(crate) fn role_at(&self, place: &Place) -> Option<Role> {
        self.assignments.iter().filter(|assignment| assignment.holds_at(place)).map(|found| found.role).max()
    }

    /// Whether it has any role in a resource group, be it in one of its vaults only.
    pub(crate) fn sees_group(&self, group: &str) -> bool {
        self.assignments.iter().any(|found| found.group.is_empty() || found.group.eq_ignore_ascii_case(group))
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
    /// The principal with this id and secret.
    ///
    /// A secret of 256 bits is not found by trying anyway; that guesses cost time keeps the log and the database quiet under an
    /// attack. They are counted in the database, so that it is the same which process of the vault is asked.
    pub(super) async fn check_secret(&self, client_id: &str, secret: &str) -> Result<Principal, Error> {
        let now = self.now();
        let wrong = || Error::InvalidClient("The client id or its secret is wrong".to_owned());
        let mut connection = self.database.read().await?;
        let kept = db::principals::find(&mut connection, client_id).await?.ok_or_else(wrong)?;
        let assignments = db::principals::assignments(&mut connection, client_id).await?;
        let guesses = db::guesses::find(&mut connection, client_id).await?;
        drop(connection);
        check_not_blocked(guesses, client_id, now)?;
        let is_right = secret::matches(secret, kept);
        if !is_right || guesses.is_some() {
            self.note_guess(client_id, is_right, now).await?;
        }
        is_right.then(|| Principal { client_id: client_id.to_owned(), assignments }).ok_or_else(wrong)
    }

    /// Counts a wrong secret or signature, or forgets those before a right one.
    pub(super) async fn note_guess(
        &self,
        client_id: &str,
        is_right: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.write_in(Scope::SignIns).await?;
        if is_right {
            db::guesses::forget(&mut transaction, client_id).await?;
        } else {
            let guesses = one_more(db::guesses::find(&mut transaction, client_id).await?, now);
            db::guesses::put(&mut transaction, client_id, guesses).await?;
            if guesses.wrong == FREE_GUESSES {
                self.tell_of_guesses(&mut transaction, client_id).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// Raises an alert in every vault in which the client that somebody guesses at has a role.
    async fn tell_of_guesses(&self, transaction: &mut db::Write, client_id: &str) -> Result<(), Error> {
        let assignments = db::principals::assignments(transaction, client_id).await?;
        let principal = Principal { client_id: client_id.to_owned(), assignments };
        for vault in db::vaults::list(transaction).await? {
            if principal.role_at(&Place::of(&vault)).is_none() {
                continue;
            }
            let message = format!(
                "{FREE_GUESSES} wrong secrets or signatures in a row came for the principal `{client_id}`"
            );
            let (severity, kind) = (Severity::Warning, "failed-sign-ins");
            self.raise(
                transaction,
                NewAlert { vault: vault.id, severity, kind, subject: client_id, message },
            )
            .await?;
        }
        Ok(())
    }
}

/// Refuses a client for which too many wrong secrets came just now.
pub(super) fn check_not_blocked(
    guesses: Option<Guesses>,
    client_id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    match guesses.map(|guesses| guesses.blocked_until).filter(|until| *until > now) {
        None => Ok(()),
        Some(until) => Err(Error::InvalidClient(format!(
            "There were too many wrong secrets or signatures for the client `{client_id}`; try again after {until}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::audit::Actor;
    use crate::app::testing::TestApp;

    #[tokio::test]
    async fn a_secret_is_asked_for_and_guessing_is_slowed_down() {
        let test = TestApp::new().await;
        let made = test
            .app
            .create_principal(&Actor::Console, "ops", &Assignment::everywhere(Role::Reader))
            .await
            .unwrap();
        let principal = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap();
        assert_eq!(principal.role_at(&Place::default()), Some(Role::Reader));
        for _ in 0..FREE_GUESSES {
            assert!(test.app.check_secret(&made.client_id, "guess").await.is_err());
        }
        let blocked = test.app.check_secret(&made.client_id, &made.client_secret).await.unwrap_err();
        assert!(blocked.to_string().contains("too many wrong secrets"), "{blocked}");
        test.clock.advance(2);
        assert!(test.app.check_secret(&made.client_id, &made.client_secret).await.is_ok());
    }

    fn place(group: &str, vault: &str) -> Place {
        let given = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        Place { group: given(group), vault: given(vault) }
    }

    #[test]
    fn a_role_holds_where_it_was_given_and_below() {
        let assignment =
            |role, group: &str, vault: &str| Assignment { role, group: group.into(), vault: vault.into() };
        let principal = Principal {
            client_id: "ops".to_owned(),
            assignments: vec![
                assignment(Role::Operator, "web", ""),
                assignment(Role::Contributor, "web", "main"),
                assignment(Role::Reader, "mail", "archive"),
            ],
        };
        for (group, vault, role) in [
            ("", "", None),
            ("Web", "", Some(Role::Operator)),
            ("web", "other", Some(Role::Operator)),
            ("web", "MAIN", Some(Role::Contributor)),
            ("mail", "", None),
            ("mail", "archive", Some(Role::Reader)),
            ("mail", "main", None),
            ("db", "main", None),
        ] {
            assert_eq!(principal.role_at(&place(group, vault)), role, "{group} {vault}");
        }
        assert!(principal.sees_group("MAIL") && !principal.sees_group("db"));
        let anywhere = Principal {
            client_id: "root".to_owned(),
            assignments: vec![Assignment::everywhere(Role::Reader)],
        };
        assert_eq!(anywhere.role_at(&place("db", "main")), Some(Role::Reader));
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
