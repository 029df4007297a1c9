//! Making principals, giving them roles and certificates, and revoking them: on the vault's machine for all of the
//! subscription, over the management API for one vault.

use super::{Assignment, NewPrincipal, Place, Principal, Role};
use crate::app::audit::{Actor, Change};
use crate::app::certificates::{Certificate, hex};
use crate::app::{App, Error, approvals, secret, vaults};
use crate::db::principals::KnownPrincipal;
use crate::db::vaults::Vault;
use crate::db::{self, Write};
use serde_json::{Value, json};
use stateward_api::ErrorCode;
use stateward_model::{CredentialId, GroupName, Label, VaultName};

/// How many certificates a principal may have: one in use, and some to go over to.
const CERTIFICATES_MAX: usize = 10;

/// How many principals there may be.
const PRINCIPALS_MAX: usize = 2000;

impl Assignment {
    /// A role at a place; names are kept in small letters.
    pub(crate) fn at(role: Role, group: Option<&str>, vault: Option<&str>) -> Result<Self, Error> {
        if vault.is_some() && group.is_none() {
            return Err(Error::invalid("A role in a vault needs the vault's resource group, too"));
        }
        let group =
            group.map(str::parse::<GroupName>).transpose().map_err(|why| Error::invalid(why.to_string()))?;
        let vault =
            vault.map(str::parse::<VaultName>).transpose().map_err(|why| Error::invalid(why.to_string()))?;
        let small = |name: Option<String>| name.unwrap_or_default().to_ascii_lowercase();
        Ok(Self {
            role,
            group: small(group.map(|name| name.to_string())),
            vault: small(vault.map(|name| name.to_string())),
        })
    }

    fn in_vault(role: Role, vault: &Vault) -> Self {
        let [group, vault] = [vault.group.as_str(), vault.name.as_str()].map(str::to_ascii_lowercase);
        Self { role, group, vault }
    }

    fn detail(&self) -> Value {
        let Self { role, group, vault } = self;
        json!({ "role": role.as_str(), "resourceGroup": group, "vault": vault })
    }
}

impl KnownPrincipal {
    /// Its role in a vault, and where it was given it: the highest one.
    pub(crate) fn role_in(&self, vault: &Vault) -> Option<&Assignment> {
        let place = Place::of(vault);
        self.assignments
            .iter()
            .filter(|assignment| assignment.holds_at(&place))
            .max_by_key(|found| found.role)
    }
}

fn of_subscription<'a>(actor: &'a Actor, act: &'static str, subject: &'a str, detail: Value) -> Change<'a> {
    Change { vault: None, actor, act, subject, detail }
}

fn no_principal(client_id: &str) -> Error {
    Error::not_found(format!("principal `{client_id}`"))
}

impl App {
    /// Makes a principal with a role and a secret.
    pub(crate) async fn create_principal(
        &self,
        actor: &Actor,
        name: &str,
        assignment: &Assignment,
    ) -> Result<NewPrincipal, Error> {
        let mut transaction = self.write().await?;
        let made = self.insert_principal(&mut transaction, actor, name, assignment).await?;
        transaction.commit().await?;
        Ok(made)
    }

    /// Makes a principal with a role that signs in with a certificate only; gives its client id.
    pub(crate) async fn create_principal_by_certificate(
        &self,
        actor: &Actor,
        name: &str,
        assignment: &Assignment,
        certificate: &Certificate,
    ) -> Result<String, Error> {
        let mut transaction = self.write().await?;
        // It has a secret, which nobody was told.
        let NewPrincipal { client_id, .. } =
            self.insert_principal(&mut transaction, actor, name, assignment).await?;
        self.insert_certificate(&mut transaction, actor, &client_id, certificate).await?;
        transaction.commit().await?;
        Ok(client_id)
    }

    async fn insert_principal(
        &self,
        transaction: &mut Write,
        actor: &Actor,
        name: &str,
        assignment: &Assignment,
    ) -> Result<NewPrincipal, Error> {
        let name: Label =
            name.parse().map_err(|_| Error::invalid(format!("`{name}` can't be a principal's name")))?;
        if db::principals::list(transaction).await?.len() >= PRINCIPALS_MAX {
            let why = format!(
                "There are {PRINCIPALS_MAX} principals, which is the most that there may be; delete some first"
            );
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        // Every id of the model is a random UUID, which is what a client id is in Azure.
        let client_id = CredentialId::new(&*self.random).to_string();
        let client_secret = secret::new(&*self.random);
        let hash = secret::hash(&client_secret);
        db::principals::insert(transaction, &client_id, name.as_str(), hash, self.now()).await?;
        db::principals::assign(transaction, &client_id, assignment).await?;
        let mut detail = assignment.detail();
        detail["name"] = json!(name);
        self.record(transaction, of_subscription(actor, "principal.create", &client_id, detail)).await?;
        Ok(NewPrincipal { client_id, client_secret })
    }

    /// All principals that were not revoked, by name.
    pub(crate) async fn principals(&self) -> Result<Vec<KnownPrincipal>, Error> {
        Ok(db::principals::list(&mut *self.database.read().await?).await?)
    }

    /// Revokes a principal: its tokens end at once, and it never signs in again.
    pub(crate) async fn revoke_principal(&self, actor: &Actor, client_id: &str) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        self.revoke(&mut transaction, actor, client_id).await?;
        Ok(transaction.commit().await?)
    }

    async fn revoke(&self, transaction: &mut Write, actor: &Actor, client_id: &str) -> Result<(), Error> {
        let known = db::principals::find(transaction, client_id).await?;
        known.ok_or_else(|| no_principal(client_id))?;
        db::principals::revoke(transaction, client_id, self.now()).await?;
        db::tokens::forget_principal(transaction, client_id).await?;
        self.record(transaction, of_subscription(actor, "principal.delete", client_id, json!({}))).await
    }

    /// Lets a principal sign in with a certificate.
    pub(crate) async fn add_certificate(
        &self,
        actor: &Actor,
        client_id: &str,
        certificate: &Certificate,
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        let known = db::principals::find(&mut transaction, client_id).await?;
        known.ok_or_else(|| no_principal(client_id))?;
        self.insert_certificate(&mut transaction, actor, client_id, certificate).await?;
        Ok(transaction.commit().await?)
    }

    async fn insert_certificate(
        &self,
        transaction: &mut Write,
        actor: &Actor,
        client_id: &str,
        certificate: &Certificate,
    ) -> Result<(), Error> {
        certificate.rsa_key()?;
        if certificate.valid_to <= self.now() {
            return Err(Error::invalid(format!(
                "The certificate was good until {} only",
                certificate.valid_to
            )));
        }
        let kept = db::principals::certificates(transaction, client_id).await?;
        if kept.contains(&certificate.body) {
            return Ok(());
        }
        if kept.len() >= CERTIFICATES_MAX {
            let why = format!(
                "The principal has {CERTIFICATES_MAX} certificates, which is the most; remove one first"
            );
            return Err(Error::refused(ErrorCode::LimitReached, why));
        }
        db::principals::insert_certificate(transaction, client_id, certificate).await?;
        let detail = json!({ "thumbprint": hex(&certificate.thumbprint), "validTo": certificate.valid_to });
        self.record(transaction, of_subscription(actor, "principal.add-certificate", client_id, detail)).await
    }

    /// Takes a certificate from a principal, by its SHA-256. The principal's tokens end, for some may come from it.
    pub(crate) async fn remove_certificate(
        &self,
        actor: &Actor,
        client_id: &str,
        thumbprint: [u8; 32],
    ) -> Result<(), Error> {
        let mut transaction = self.write().await?;
        if !db::principals::remove_certificate(&mut transaction, client_id, thumbprint).await? {
            let what = format!("certificate `{}` of a principal `{client_id}`", hex(&thumbprint));
            return Err(Error::not_found(what));
        }
        db::tokens::forget_principal(&mut transaction, client_id).await?;
        let detail = json!({ "thumbprint": hex(&thumbprint) });
        self.record(
            &mut transaction,
            of_subscription(actor, "principal.remove-certificate", client_id, detail),
        )
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Gives a principal a role in one vault, in the place of the one that it was given there. `name` is a client id, or
    /// what a principal is called that has its role in this vault, or a new one's name: then there is a secret.
    pub(crate) async fn grant(
        &self,
        caller: &Principal,
        place: &Place,
        name: &str,
        role: Role,
    ) -> Result<(String, Option<NewPrincipal>), Error> {
        let actor = Actor::Principal(caller.client_id.clone());
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        if caller.role_at(place).is_none_or(|own| own < role) {
            return Err(Error::Forbidden("Nobody gives a higher role than he has"));
        }
        let assignment = Assignment::in_vault(role, &vault);
        let all = db::principals::list(&mut transaction).await?;
        let is_meant = |known: &&KnownPrincipal| {
            known.client_id == name
                || known.name == name && known.role_in(&vault).is_some_and(|found| !found.vault.is_empty())
        };
        let known = all.iter().find(is_meant);
        if known.is_some_and(|known| known.assignments.contains(&assignment)) {
            return Ok((known.map(|known| known.client_id.clone()).unwrap_or_default(), None));
        }
        if role == Role::Contributor {
            // Whoever could make himself a second principal would need no second person.
            transaction =
                self.require_approval(transaction, vault.id, &actor, approvals::GRANT, name).await?;
        }
        let Some(known) = known else {
            let made = self.insert_principal(&mut transaction, &actor, name, &assignment).await?;
            let detail = assignment.detail();
            self.record_grant(&mut transaction, (&vault, &actor), "principal.grant", &made.client_id, detail)
                .await?;
            transaction.commit().await?;
            return Ok((made.client_id.clone(), Some(made)));
        };
        db::principals::unassign(&mut transaction, &known.client_id, &assignment).await?;
        db::principals::assign(&mut transaction, &known.client_id, &assignment).await?;
        let detail = assignment.detail();
        self.record_grant(&mut transaction, (&vault, &actor), "principal.grant", &known.client_id, detail)
            .await?;
        transaction.commit().await?;
        Ok((known.client_id.clone(), None))
    }

    /// Takes from a principal the role that it was given in one vault; tells whether it had one. If it has no other, it is
    /// revoked.
    pub(crate) async fn withdraw(
        &self,
        actor: &Actor,
        place: &Place,
        client_id: &str,
    ) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        let there = Assignment::in_vault(Role::Reader, &vault);
        if !db::principals::unassign(&mut transaction, client_id, &there).await? {
            return Ok(false);
        }
        let act = "principal.withdraw";
        self.record_grant(&mut transaction, (&vault, actor), act, client_id, json!({})).await?;
        if db::principals::assignments(&mut transaction, client_id).await?.is_empty() {
            self.revoke(&mut transaction, actor, client_id).await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    async fn record_grant(
        &self,
        transaction: &mut Write,
        (vault, actor): (&Vault, &Actor),
        act: &'static str,
        subject: &str,
        detail: Value,
    ) -> Result<(), Error> {
        self.record(transaction, Change { vault: Some(vault.id), actor, act, subject, detail }).await
    }
}
