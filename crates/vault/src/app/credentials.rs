//! Vault credentials: the file that an administrator gives to a server.

use super::audit::{Actor, Change};
use super::certificates::Certificate;
use super::principals::Place;
use super::{App, Error, secret, vaults};
use crate::db;
use crate::db::credentials::Credential;
use crate::db::servers::KnownServer;
use serde_json::json;
use stateward_api::arm::credentials::CredentialsRequest;
use stateward_api::credentials::encode_bytes;
use stateward_api::{CredentialPurpose, VaultCredentials};
use stateward_model::{CredentialId, ServerId, VaultId};

/// How many servers one file may register, at most.
const USES_MAX: u32 = 1000;

/// How long credentials are good if nothing is said, and at most, in seconds: as long as Azure's for registering.
fn longest_seconds(purpose: CredentialPurpose) -> u64 {
    match purpose {
        CredentialPurpose::Register => 10 * 24 * 3600,
        CredentialPurpose::Restore => 24 * 3600,
    }
}

impl App {
    /// For how many seconds credentials for registering may be good that end with a certificate, if not before.
    pub(crate) fn seconds_to_register(&self, certificate: &Certificate) -> u64 {
        let left = certificate.valid_to.seconds().saturating_sub(self.now().seconds()).max(1);
        left.unsigned_abs().min(longest_seconds(CredentialPurpose::Register))
    }

    /// Makes vault credentials. Their secret is in the answer only.
    pub(crate) async fn create_credentials(
        &self,
        actor: &Actor,
        place: &Place,
        request: &CredentialsRequest,
    ) -> Result<VaultCredentials, Error> {
        let (seconds, uses_allowed) = check_limits(request)?;
        let now = self.now();
        let (id, secret) = (CredentialId::new(&*self.random), secret::new(&*self.random));
        let mut transaction = self.write().await?;
        let vault = vaults::find(&mut transaction, place).await?;
        check_server(&mut transaction, vault.id, request).await?;
        let domain = find_domain(&mut transaction, vault.id, request.domain).await?;
        let credential = Credential {
            vault: vault.id,
            purpose: request.purpose,
            server: request.server,
            domain,
            secret_hash: secret::hash(&secret),
            uses_allowed,
            expires_at: now.plus_seconds(seconds),
        };
        db::credentials::insert(&mut transaction, id, &credential, now).await?;
        let (subject, CredentialsRequest { purpose, server, .. }) = (id.to_string(), request);
        let detail = json!({
            "purpose": purpose, "server": server, "domain": domain, "uses": uses_allowed,
            "expiresAt": credential.expires_at,
        });
        let change =
            Change { vault: Some(vault.id), actor, act: "credentials.create", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        let mut file = VaultCredentials {
            version: 1,
            credential: id,
            purpose: request.purpose,
            server: request.server,
            domain,
            vault: vault.id,
            vault_name: vault.name.into(),
            tenant: self.config.tenant.clone(),
            url: self.config.url.clone(),
            ca_pem: self.ca_pem.clone(),
            signing_public_key: encode_bytes(&self.key.public()),
            secret,
            expires_at: credential.expires_at,
            signature: String::new(),
        };
        file.signature = encode_bytes(&self.key.sign(&file.signed_bytes()));
        tracing::info!(credential = %id, purpose = ?request.purpose, uses_allowed, expires_at = %file.expires_at,
            "made vault credentials");
        Ok(file)
    }
}

fn check_limits(request: &CredentialsRequest) -> Result<(i64, u32), Error> {
    let longest = longest_seconds(request.purpose);
    let seconds = request.valid_seconds.unwrap_or(longest);
    if !(1..=longest).contains(&seconds) {
        return Err(Error::invalid(format!("Such vault credentials are good for 1 to {longest} seconds")));
    }
    let uses = request.uses.unwrap_or(1);
    if !(1..=USES_MAX).contains(&uses) {
        return Err(Error::invalid(format!("Vault credentials may be used 1 to {USES_MAX} times")));
    }
    if request.purpose == CredentialPurpose::Restore && request.server.is_none() {
        return Err(Error::invalid("A server must be named for `Restore`"));
    }
    if request.purpose == CredentialPurpose::Register && request.server.is_some() {
        if uses != 1 {
            return Err(Error::invalid(
                "Vault credentials by which a server registers again may be used once",
            ));
        }
        if request.domain.is_some() {
            return Err(Error::invalid(
                "A server that registers again stays in its domain; none may be named",
            ));
        }
    }
    if request.domain.is_some() && request.purpose != CredentialPurpose::Register {
        return Err(Error::invalid("A domain may be named for `Register` only"));
    }
    Ok((seconds.cast_signed(), uses))
}

async fn check_server(
    connection: &mut db::Connection,
    vault: VaultId,
    request: &CredentialsRequest,
) -> Result<(), Error> {
    let Some(id) = request.server else { return Ok(()) };
    let known = find_server(connection, vault, id).await?;
    match known.is_revoked && request.purpose == CredentialPurpose::Register {
        false => Ok(()),
        true => Err(Error::invalid(format!("The registration of the server `{id}` was revoked"))),
    }
}

/// The domain that a server of this vault is in.
async fn find_domain(
    connection: &mut db::Connection,
    vault: VaultId,
    server: Option<ServerId>,
) -> Result<Option<ServerId>, Error> {
    let Some(id) = server else { return Ok(None) };
    let known = find_server(connection, vault, id).await?;
    match known.is_revoked {
        false => Ok(Some(known.domain)),
        true => Err(Error::invalid(format!("The registration of the server `{id}` was revoked"))),
    }
}

async fn find_server(
    connection: &mut db::Connection,
    vault: VaultId,
    id: ServerId,
) -> Result<KnownServer, Error> {
    let known = db::servers::find(connection, id).await?.filter(|server| server.vault == vault);
    known.ok_or_else(|| Error::not_found(format!("server `{id}` in this vault")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, register_request};
    use stateward_api::credentials::decode_bytes;

    #[tokio::test]
    async fn the_file_is_signed_by_the_vault() {
        let test = TestApp::new().await;
        let mut file = test.credentials(&register_request()).await.unwrap();
        let key = decode_bytes(&file.signing_public_key).unwrap();
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key);
        let signature = decode_bytes(&file.signature).unwrap();
        key.verify(&file.signed_bytes(), &signature).unwrap();
        file.url.push('x');
        assert!(key.verify(&file.signed_bytes(), &signature).is_err());
        assert_eq!(file.expires_at, test.app.now().plus_seconds(10 * 24 * 3600));
    }

    #[tokio::test]
    async fn limits_are_held() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await.caller.server;
        let good = register_request();
        let restore =
            CredentialsRequest { purpose: CredentialPurpose::Restore, server: Some(server), ..good.clone() };
        let day = test.credentials(&restore).await.unwrap();
        assert_eq!(day.expires_at, test.app.now().plus_seconds(24 * 3600));
        for wrong in [
            CredentialsRequest { valid_seconds: Some(0), ..good.clone() },
            CredentialsRequest { valid_seconds: Some(10 * 24 * 3600 + 1), ..good.clone() },
            CredentialsRequest { uses: Some(0), ..good.clone() },
            CredentialsRequest { uses: Some(1001), ..good.clone() },
            CredentialsRequest { server: Some(server), uses: Some(2), ..good.clone() },
            CredentialsRequest { server: Some(server), domain: Some(server), ..good.clone() },
            CredentialsRequest { server: None, ..restore.clone() },
            CredentialsRequest { domain: Some(server), ..restore.clone() },
            CredentialsRequest { valid_seconds: Some(24 * 3600 + 1), ..restore.clone() },
        ] {
            assert!(matches!(test.credentials(&wrong).await, Err(Error::InvalidRequest(_))), "{wrong:?}");
        }
        for unknown in [
            CredentialsRequest { server: Some(ServerId([9; 16])), ..restore },
            CredentialsRequest { domain: Some(ServerId([9; 16])), ..good },
        ] {
            assert!(matches!(test.credentials(&unknown).await, Err(Error::NotFound(_))));
        }
    }
}
