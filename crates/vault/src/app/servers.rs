//! Registered servers: who comes in with vault credentials, and what a server learns of itself.

use super::alerts::{NewAlert, Severity};
use super::audit::{Actor, Change};
use super::tokens::ServerCaller;
use super::{App, Error, secret};
use crate::db;
use crate::db::credentials::Credential;
use crate::db::servers::{KnownServer, NewServer};
use crate::db::sessions::Ended;
use bytes::Bytes;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::json;
use stateward_api::CredentialPurpose;
use stateward_api::agent::{RegisterRequest, RegisterSlotsRequest, Registered, ServerInfo};
use stateward_api::credentials::decode_bytes;
use stateward_model::{CredentialId, ServerId, Timestamp};

/// The longest name of an operating system or a version that is kept, in bytes.
const TEXT_BYTES_MAX: usize = 200;

impl App {
    /// Registers a server. The same login key is the same server, and uses the credentials up no further.
    pub(crate) async fn register(&self, request: &RegisterRequest) -> Result<Registered, Error> {
        let login_key = public_key(&request.login_public_key, "login")?;
        let signing_key = public_key(&request.signing_public_key, "signing")?;
        check_text(&request.operating_system, "operating system")?;
        check_text(&request.agent_version, "agent's version")?;
        let now = self.now();
        let mut transaction = self.write().await?;
        let credential = check_credential(&mut transaction, request.credential, &request.secret, now).await?;
        let vault = credential.vault;
        if let Some(server) = credential.server {
            let known = self.again(&mut transaction, request, (server, login_key, signing_key), now).await?;
            transaction.commit().await?;
            return Ok(known);
        }
        if let Some(known) = db::servers::find_by_login_key(&mut transaction, vault, login_key).await? {
            return repeated(&known, signing_key, &credential, now);
        }
        let uses = db::credentials::uses(&mut transaction, request.credential).await?;
        if uses >= u64::from(credential.uses_allowed) {
            return Err(Error::CredentialsUsedUp(credential.uses_allowed));
        }
        let namesakes = db::servers::count_by_label(&mut transaction, vault, &request.label).await?;
        let server = NewServer {
            id: ServerId::new(&*self.random),
            vault,
            domain: credential.domain,
            label: &request.label,
            login_key,
            signing_key,
            operating_system: &request.operating_system,
            agent_version: &request.agent_version,
            credential: request.credential,
        };
        db::servers::insert(&mut transaction, &server, now).await?;
        let domain = server.domain.unwrap_or(server.id);
        let actor = Actor::Server(ServerCaller { server: server.id, vault, domain });
        let subject = server.id.to_string();
        let detail = json!({ "label": request.label, "credential": request.credential });
        let change =
            Change { vault: Some(vault), actor: &actor, act: "server.register", subject: &subject, detail };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        if namesakes > 0 {
            tracing::warn!(label = %request.label, servers = namesakes + 1, "several servers bear the same label");
        }
        tracing::info!(server = %server.id, label = %request.label, credential = %request.credential,
            "registered a server");
        Ok(Registered { server: server.id, vault, domain, time: now })
    }

    /// A known server comes in with a new login key, because its home was lost. That it has the signing key proves that
    /// somebody knows its passphrase or recovery code; the credentials prove that an administrator wants it.
    async fn again(
        &self,
        connection: &mut db::Write,
        request: &RegisterRequest,
        (server, login_key, signing_key): (ServerId, [u8; 32], [u8; 32]),
        now: Timestamp,
    ) -> Result<Registered, Error> {
        let known = known_server(connection, server).await?;
        check_proof(request, &known, signing_key)?;
        let registered = Registered { server, vault: known.vault, domain: known.domain, time: now };
        if known.login_key == login_key {
            return Ok(registered);
        }
        if db::credentials::uses(connection, request.credential).await? > 0 {
            return Err(Error::CredentialsUsedUp(1));
        }
        db::servers::replace_login_key(connection, server, login_key, request).await?;
        db::tokens::forget_server(connection, server).await?;
        if let Some(open) = db::sessions::find_open(connection, server).await? {
            db::sessions::end(connection, open.id, Ended::Replaced, now).await?;
            self.assemblies.end(open.id);
        }
        let caller = ServerCaller { server, vault: known.vault, domain: known.domain };
        let actor = Actor::Server(caller);
        let subject = server.to_string();
        let detail = json!({ "credential": request.credential });
        let change = Change {
            vault: Some(known.vault),
            actor: &actor,
            act: "server.register-again",
            subject: &subject,
            detail,
        };
        self.record(connection, change).await?;
        let alert = NewAlert {
            vault: known.vault,
            severity: Severity::Warning,
            kind: "server-registered-again",
            subject: &subject,
            message: format!(
                "The server `{}` was registered again, with a new login key, by the vault credentials `{}`",
                known.label, request.credential
            ),
        };
        self.raise(connection, alert).await?;
        Ok(registered)
    }

    /// The key slots of the server that may register again with these credentials, as long as it has not.
    pub(crate) async fn slots_for_registration(
        &self,
        request: &RegisterSlotsRequest,
    ) -> Result<Vec<Bytes>, Error> {
        let mut connection = self.database.read().await?;
        let credential =
            check_credential(&mut connection, request.credential, &request.secret, self.now()).await?;
        let Some(server) = credential.server else {
            let why =
                "These vault credentials are for new servers; no known one can register again with them";
            return Err(Error::CredentialsInvalid(why));
        };
        if db::credentials::uses(&mut connection, request.credential).await? > 0 {
            return Err(Error::CredentialsUsedUp(1));
        }
        let known = known_server(&mut connection, server).await?;
        drop(connection);
        self.slots(ServerCaller { server, vault: known.vault, domain: known.domain }).await
    }

    /// What the vault knows of the calling server.
    pub(crate) async fn server_info(&self, caller: ServerCaller) -> Result<ServerInfo, Error> {
        let mut connection = self.database.read().await?;
        let gone = || Error::not_found("such server");
        let server = db::servers::find(&mut connection, caller.server).await?.ok_or_else(gone)?;
        let vault = db::vaults::find_by_id(&mut connection, caller.vault).await?.ok_or_else(gone)?;
        Ok(ServerInfo {
            server: server.id,
            label: server.label,
            vault: vault.id,
            vault_name: vault.name.into(),
            time: self.now(),
        })
    }
}

/// The credentials of a registration, if they allow it.
async fn check_credential(
    connection: &mut db::Connection,
    id: CredentialId,
    secret: &str,
    now: Timestamp,
) -> Result<Credential, Error> {
    let credential = db::credentials::find(connection, id)
        .await?
        .ok_or(Error::CredentialsInvalid("This vault did not make these vault credentials"))?;
    if !secret::matches(secret, credential.secret_hash) {
        return Err(Error::CredentialsInvalid("The vault credentials were altered: their secret is wrong"));
    }
    if credential.purpose != CredentialPurpose::Register {
        let why = "These vault credentials are for a restore; they can't register a server";
        return Err(Error::CredentialsInvalid(why));
    }
    if credential.expires_at <= now {
        return Err(Error::CredentialsExpired(credential.expires_at));
    }
    Ok(credential)
}

/// A server that registers again; a revoked one may not.
async fn known_server(connection: &mut db::Connection, server: ServerId) -> Result<KnownServer, Error> {
    let known = db::servers::find(connection, server).await?;
    let known = known.ok_or_else(|| Error::not_found(format!("server `{server}`")))?;
    if known.is_revoked { Err(Error::ServerRevoked) } else { Ok(known) }
}

/// Whoever registers as a known server must have its signing key.
fn check_proof(request: &RegisterRequest, known: &KnownServer, signing_key: [u8; 32]) -> Result<(), Error> {
    let proof = request.proof.as_deref().and_then(decode_bytes).unwrap_or_default();
    let key = UnparsedPublicKey::new(&ED25519, known.signing_key);
    let is_proved = known.signing_key == signing_key && key.verify(&request.proved_bytes(), &proof).is_ok();
    is_proved.then_some(()).ok_or(Error::Forbidden(
        "The registration is not signed by the signing key of the server that registers again",
    ))
}

/// A registration that was made before: nothing changes.
fn repeated(
    known: &KnownServer,
    signing_key: [u8; 32],
    credential: &Credential,
    now: Timestamp,
) -> Result<Registered, Error> {
    if known.is_revoked {
        return Err(Error::ServerRevoked);
    }
    if known.signing_key != signing_key {
        let why = "A server with this login key is registered with another signing key";
        return Err(Error::AlreadyExists(why.to_owned()));
    }
    if known.domain != credential.domain.unwrap_or(known.id) {
        let why = "A server with this login key is registered with another deduplication domain";
        return Err(Error::AlreadyExists(why.to_owned()));
    }
    Ok(Registered { server: known.id, vault: known.vault, domain: known.domain, time: now })
}

fn public_key(text: &str, which: &str) -> Result<[u8; 32], Error> {
    let key = decode_bytes(text).and_then(|bytes| bytes.try_into().ok());
    key.ok_or_else(|| Error::invalid(format!("The {which} key is no Ed25519 public key in base64url")))
}

pub(super) fn check_text(text: &str, what: &str) -> Result<(), Error> {
    let fits = text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control);
    fits.then_some(()).ok_or_else(|| {
        Error::invalid(format!(
            "The {what} must have at most {TEXT_BYTES_MAX} bytes and no control characters"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, open_request, register_request, registration, signing_key};
    use stateward_api::VaultCredentials;
    use stateward_api::arm::credentials::CredentialsRequest;
    use stateward_api::credentials::encode_bytes;

    #[tokio::test]
    async fn the_same_login_key_is_the_same_server_and_one_use() {
        let test = TestApp::new().await;
        let file = test.credentials(&register_request()).await.unwrap();
        let request = registration(&file, "web-01", 1);
        let first = test.app.register(&request).await.unwrap();
        let second = test.app.register(&request).await.unwrap();
        assert_eq!(first.server, second.server);
        let other = test.app.register(&registration(&file, "web-02", 2)).await;
        assert!(matches!(other, Err(Error::CredentialsUsedUp(1))));
        assert_eq!(test.servers().await.len(), 1);
    }

    #[tokio::test]
    async fn each_failure_of_credentials_has_its_own_error() {
        let test = TestApp::new().await;
        let file = test.credentials(&register_request()).await.unwrap();
        let mut unknown = registration(&file, "web-01", 1);
        unknown.credential = stateward_model::CredentialId([7; 16]);
        assert!(matches!(test.app.register(&unknown).await, Err(Error::CredentialsInvalid(_))));
        let mut altered = registration(&file, "web-01", 1);
        altered.secret.push('A');
        assert!(matches!(test.app.register(&altered).await, Err(Error::CredentialsInvalid(_))));
        test.clock.advance(10 * 24 * 3600);
        let expired = test.app.register(&registration(&file, "web-01", 1)).await;
        assert!(matches!(expired, Err(Error::CredentialsExpired(_))));
    }

    #[tokio::test]
    async fn credentials_for_a_restore_register_nothing() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await.caller.server;
        let request = CredentialsRequest {
            purpose: CredentialPurpose::Restore,
            server: Some(server),
            ..register_request()
        };
        let file = test.credentials(&request).await.unwrap();
        let refused = test.app.register(&registration(&file, "web-02", 2)).await;
        assert!(matches!(refused, Err(Error::CredentialsInvalid(_))));
    }

    #[tokio::test]
    async fn a_label_may_be_given_twice_but_a_known_login_key_keeps_its_signing_key() {
        let test = TestApp::new().await;
        let file =
            test.credentials(&CredentialsRequest { uses: Some(2), ..register_request() }).await.unwrap();
        let first = test.app.register(&registration(&file, "web", 1)).await.unwrap();
        let second = test.app.register(&registration(&file, "web", 2)).await.unwrap();
        assert_ne!(first.server, second.server);
        let mut swapped = registration(&file, "web", 1);
        swapped.signing_public_key = encode_bytes(&[9; 32]);
        assert!(matches!(test.app.register(&swapped).await, Err(Error::AlreadyExists(_))));
    }

    #[tokio::test]
    async fn texts_and_keys_that_break_their_rule_are_refused() {
        let test = TestApp::new().await;
        let file = test.credentials(&register_request()).await.unwrap();
        let good = registration(&file, "web-01", 1);
        for wrong in [
            RegisterRequest { operating_system: "a\nb".to_owned(), ..good.clone() },
            RegisterRequest { agent_version: "a".repeat(201), ..good.clone() },
            RegisterRequest { login_public_key: encode_bytes(&[1; 31]), ..good.clone() },
            RegisterRequest { signing_public_key: "?".to_owned(), ..good.clone() },
        ] {
            assert!(matches!(test.app.register(&wrong).await, Err(Error::InvalidRequest(_))));
        }
    }

    /// Registers the server of `seed` again, with the login key of another seed.
    fn again(file: &VaultCredentials, seed: u8, login_seed: u8) -> RegisterRequest {
        let mut request = registration(file, "web-01", seed);
        request.login_public_key = registration(file, "web-01", login_seed).login_public_key;
        request.proof = Some(encode_bytes(signing_key(seed).sign(&request.proved_bytes()).as_ref()));
        request
    }

    #[tokio::test]
    async fn a_known_server_registers_again_with_its_signing_key_and_ends_what_it_was() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let id = server.caller.server;
        test.app.open_session(server.caller, &open_request(1)).await.unwrap();
        let request = CredentialsRequest { server: Some(id), ..register_request() };
        let file = test.credentials(&request).await.unwrap();
        let asks = RegisterSlotsRequest { credential: file.credential, secret: file.secret.clone() };
        assert_eq!(test.app.slots_for_registration(&asks).await.unwrap().len(), 0);
        let good = again(&file, server.seed, 77);
        let unsigned = RegisterRequest { proof: None, ..good.clone() };
        let other_login =
            RegisterRequest { login_public_key: again(&file, 9, 78).login_public_key, ..good.clone() };
        for refused in [unsigned, again(&file, server.seed + 1, 77), other_login] {
            assert!(matches!(test.app.register(&refused).await, Err(Error::Forbidden(_))));
        }
        for _ in 0..2 {
            assert_eq!(test.app.register(&good).await.unwrap().server, id);
        }
        let lost = test.app.heartbeat(server.caller, open_request(1).session).await;
        assert!(matches!(lost, Err(Error::SessionLost)));
        let used = test.app.register(&again(&file, server.seed, 79)).await;
        assert!(matches!(used, Err(Error::CredentialsUsedUp(1))));
        let used = test.app.slots_for_registration(&asks).await;
        assert!(matches!(used, Err(Error::CredentialsUsedUp(1))));
        assert_eq!(test.servers().await.len(), 1);
    }

    #[tokio::test]
    async fn credentials_for_new_servers_tell_nothing_of_known_ones() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let file = test.credentials(&register_request()).await.unwrap();
        let asks = RegisterSlotsRequest { credential: file.credential, secret: file.secret.clone() };
        assert!(matches!(test.app.slots_for_registration(&asks).await, Err(Error::CredentialsInvalid(_))));
        let new = test.app.register(&again(&file, server.seed, 77)).await.unwrap();
        assert_ne!(new.server, server.caller.server);
    }

    #[tokio::test]
    async fn a_server_learns_who_it_is() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let info = test.app.server_info(server.caller).await.unwrap();
        assert_eq!((info.server, info.label.as_str()), (server.caller.server, "web-01"));
        assert_eq!(info.vault_name, test.vault);
    }
}
