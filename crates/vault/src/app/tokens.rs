//! Signing in: a client secret or a signed assertion for an opaque token, which is kept as a hash for one hour.

use super::audit::{Actor, Change};
use super::principals::Principal;
use super::{App, Error, secret};
use crate::db::{self, Scope};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::json;
use stateward_api::CredentialPurpose;
use stateward_api::token::{ASSERTION_TYPE, AssertionClaims, TokenRequest, TokenResponse};
use stateward_model::{CredentialId, ServerId, Timestamp, VaultId};

/// How long a token is good, in seconds.
const TOKEN_SECONDS: u32 = 3600;

/// How far an assertion's time may be from the vault's, in seconds.
pub(super) const SKEW_SECONDS: i64 = 300;

/// How long an assertion may be good, in seconds (the contract's ten minutes).
const ASSERTION_SECONDS: i64 = 600;

/// The longest assertion id, in bytes.
pub(super) const ASSERTION_ID_MAX: usize = 128;

/// Who a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// An administrator.
    Principal(Principal),
    /// A registered server.
    Server(ServerCaller),
    /// Somebody with vault credentials for restoring: may read the things of the server that they name, and nothing else.
    Restorer(ServerCaller, CredentialId),
}

/// A registered server that calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerCaller {
    /// Which.
    pub(crate) server: ServerId,
    /// Its vault.
    pub(crate) vault: VaultId,
    /// Its deduplication domain: whose packs it may use. Its own id, unless it joined another's.
    pub(crate) domain: ServerId,
}

impl App {
    /// Gives a token for a secret or an assertion.
    pub(crate) async fn issue_token(&self, request: &TokenRequest) -> Result<TokenResponse, Error> {
        if request.grant_type != "client_credentials" {
            return Err(Error::invalid("The grant type must be `client_credentials`"));
        }
        let caller = match (&request.client_secret, &request.client_assertion) {
            (Some(secret), None) => match self.find_restorer(&request.client_id, secret).await? {
                Some(restorer) => restorer,
                None => Caller::Principal(self.check_secret(&request.client_id, secret).await?),
            },
            (None, Some(assertion)) if request.client_assertion_type.as_deref() == Some(ASSERTION_TYPE) => {
                self.check_assertion(&request.client_id, assertion).await?
            }
            _ => {
                let why = "The request must have either `client_secret`, or `client_assertion` with its type";
                return Err(Error::invalid(why));
            }
        };
        let token = secret::new(&*self.random);
        let now = self.now();
        let mut expires_at = now.plus_seconds(i64::from(TOKEN_SECONDS));
        if let Caller::Restorer(server, credential) = caller {
            expires_at = expires_at.min(self.begin_restore(server, credential).await?);
        }
        let mut transaction = self.write_in(Scope::SignIns).await?;
        db::tokens::insert(&mut transaction, secret::hash(&token), &caller, expires_at, now).await?;
        transaction.commit().await?;
        Ok(TokenResponse {
            token_type: "Bearer".to_owned(),
            expires_in: u64::try_from((expires_at.0 - now.0) / 1_000_000_000).unwrap_or(0),
            access_token: token,
        })
    }

    /// Who a token stands for.
    pub(crate) async fn authenticate(&self, token: &str) -> Result<Caller, Error> {
        let mut connection = self.database.read().await?;
        match db::tokens::find(&mut connection, secret::hash(token), self.now()).await? {
            Some((_, true)) => Err(Error::ServerRevoked),
            Some((caller, false)) => Ok(caller),
            None => Err(Error::InvalidToken),
        }
    }

    /// Whoever has the secret of vault credentials for restoring; `None` if the id is not theirs. The server may have been
    /// revoked: its points are restored just when it is gone.
    async fn find_restorer(&self, client_id: &str, secret: &str) -> Result<Option<Caller>, Error> {
        let Ok(id) = client_id.parse::<CredentialId>() else { return Ok(None) };
        let mut connection = self.database.read().await?;
        let Some(credential) = db::credentials::find(&mut connection, id).await? else { return Ok(None) };
        if !secret::matches(secret, credential.secret_hash) {
            return Err(Error::InvalidClient("The secret of the vault credentials is wrong".to_owned()));
        }
        let (CredentialPurpose::Restore, Some(server)) = (credential.purpose, credential.server) else {
            let why = "These vault credentials are for registering; they can't restore anything";
            return Err(Error::InvalidClient(why.to_owned()));
        };
        if credential.expires_at <= self.now() {
            let why = format!("The vault credentials ended at {}", credential.expires_at);
            return Err(Error::InvalidClient(why));
        }
        let known = db::servers::find(&mut connection, server).await?;
        let known = known.ok_or_else(|| Error::not_found(format!("server `{server}`")))?;
        let caller = ServerCaller { server, vault: known.vault, domain: known.domain };
        Ok(Some(Caller::Restorer(caller, id)))
    }

    /// Writes down that somebody reads a server's things with vault credentials; tells when these end.
    async fn begin_restore(&self, caller: ServerCaller, id: CredentialId) -> Result<Timestamp, Error> {
        let mut transaction = self.write().await?;
        let credential = db::credentials::find(&mut transaction, id).await?;
        let credential = credential.ok_or_else(|| Error::not_found(format!("vault credentials `{id}`")))?;
        let actor = Actor::Credential(id);
        let (subject, detail) = (caller.server.to_string(), json!({ "credential": id }));
        let change = Change {
            vault: Some(caller.vault),
            actor: &actor,
            act: "credentials.restore",
            subject: &subject,
            detail,
        };
        self.record(&mut transaction, change).await?;
        transaction.commit().await?;
        Ok(credential.expires_at)
    }

    /// Who made this assertion: a server by its login key, or a principal by its certificate.
    async fn check_assertion(&self, client_id: &str, assertion: &str) -> Result<Caller, Error> {
        let server = match client_id.parse::<ServerId>() {
            Ok(id) => db::servers::find(&mut *self.database.read().await?, id).await?,
            Err(_) => None,
        };
        let Some(server) = server else {
            return Ok(Caller::Principal(self.check_signed(client_id, assertion).await?));
        };
        let claims = read_claims(assertion, &server.login_key)?;
        self.check_claims(&claims, client_id)?;
        if server.is_revoked {
            return Err(Error::ServerRevoked);
        }
        self.take_assertion(server.id, &claims).await?;
        Ok(Caller::Server(ServerCaller { server: server.id, vault: server.vault, domain: server.domain }))
    }

    /// Checks whom, where and when an assertion is for. Its signature is checked already.
    fn check_claims(&self, claims: &AssertionClaims, client_id: &str) -> Result<(), Error> {
        let wrong = |why: &str| Err(Error::InvalidClient(format!("The assertion {why}")));
        if claims.iss != client_id || claims.sub != client_id {
            return wrong("is for another server");
        }
        // The tenant's id is random and this vault's alone, so its token path tells this vault from any other,
        // by whichever of the vault's names the caller reached it.
        let path = stateward_api::token::path(&self.config.tenant);
        if !claims.aud.starts_with("https://") || !claims.aud.ends_with(&path) {
            return wrong("is for another vault");
        }
        if claims.jti.is_empty() || claims.jti.len() > ASSERTION_ID_MAX {
            return wrong("has no id, or one that is too long");
        }
        if claims.exp <= claims.iat || claims.exp.saturating_sub(claims.iat) > ASSERTION_SECONDS {
            return wrong("is good for longer than ten minutes, or not at all");
        }
        let now = self.now();
        let differ = claims.iat.saturating_sub(now.seconds()).saturating_abs() > SKEW_SECONDS;
        if differ || claims.exp < now.seconds() - SKEW_SECONDS {
            let caller = Timestamp::from_seconds(claims.iat, 0).unwrap_or_default();
            return Err(Error::ClockSkew { caller, vault: now });
        }
        Ok(())
    }

    /// Lets each assertion be taken once. Its id is kept until its time is too far from any clock that is right.
    async fn take_assertion(&self, server: ServerId, claims: &AssertionClaims) -> Result<(), Error> {
        let now = self.now();
        let end = now.plus_seconds(ASSERTION_SECONDS + 2 * SKEW_SECONDS);
        let mut transaction = self.write_in(Scope::SignIns).await?;
        let hash = secret::hash(&claims.jti);
        let is_new = db::tokens::take_assertion(&mut transaction, server, hash, end, now).await?;
        db::servers::see(&mut transaction, server, now).await?;
        transaction.commit().await?;
        is_new
            .then_some(())
            .ok_or_else(|| Error::InvalidClient("The assertion was used before; make a new one".to_owned()))
    }
}

/// Checks the signature and reads what it covers. Times are checked by the vault's injected clock, not here.
fn read_claims(assertion: &str, login_key: &[u8; 32]) -> Result<AssertionClaims, Error> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    // For Ed25519 this library means the raw 32 bytes by `der`.
    let key = DecodingKey::from_ed_der(login_key);
    jsonwebtoken::decode(assertion, &key, &validation).map(|token| token.claims).map_err(|_| {
        Error::InvalidClient("The assertion is not signed by this server's login key, or is none".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::{TestApp, register_request};
    use stateward_api::arm::credentials::CredentialsRequest;

    #[tokio::test]
    async fn a_signed_assertion_gives_a_token_for_an_hour() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let token = test.app.issue_token(&server.token_request(|_| {})).await.unwrap().access_token;
        let caller = test.app.authenticate(&token).await.unwrap();
        assert_eq!(caller, Caller::Server(server.caller));
        test.clock.advance(3599);
        assert!(test.app.authenticate(&token).await.is_ok());
        test.clock.advance(1);
        assert!(matches!(test.app.authenticate(&token).await, Err(Error::InvalidToken)));
    }

    #[tokio::test]
    async fn credentials_for_restoring_give_a_token_that_reads_one_server_until_they_end() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let request = CredentialsRequest {
            purpose: CredentialPurpose::Restore,
            server: Some(server.caller.server),
            valid_seconds: Some(600),
            ..register_request()
        };
        let file = test.credentials(&request).await.unwrap();
        let ask = |secret: &str| TokenRequest {
            grant_type: "client_credentials".to_owned(),
            client_id: file.credential.to_string(),
            client_secret: Some(secret.to_owned()),
            client_assertion_type: None,
            client_assertion: None,
        };
        assert!(matches!(test.app.issue_token(&ask("wrong")).await, Err(Error::InvalidClient(_))));
        let token = test.app.issue_token(&ask(&file.secret)).await.unwrap();
        assert_eq!(token.expires_in, 600);
        let caller = test.app.authenticate(&token.access_token).await.unwrap();
        assert_eq!(caller, Caller::Restorer(server.caller, file.credential));
        let audit = test.app.audit(0).await.unwrap();
        assert!(audit.iter().any(|entry| entry.act == "credentials.restore"
            && entry.actor == format!("credentials {}", file.credential)));
        test.clock.advance(600);
        assert!(matches!(test.app.authenticate(&token.access_token).await, Err(Error::InvalidToken)));
        assert!(matches!(test.app.issue_token(&ask(&file.secret)).await, Err(Error::InvalidClient(_))));
        let register = test.credentials(&register_request()).await.unwrap();
        let mut wrong = ask(&register.secret);
        wrong.client_id = register.credential.to_string();
        assert!(matches!(test.app.issue_token(&wrong).await, Err(Error::InvalidClient(_))));
    }

    #[tokio::test]
    async fn an_assertion_is_taken_once() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let request = server.token_request(|_| {});
        test.app.issue_token(&request).await.unwrap();
        assert!(matches!(test.app.issue_token(&request).await, Err(Error::InvalidClient(_))));
    }

    #[tokio::test]
    async fn an_assertion_for_another_place_time_or_server_is_refused() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let changes: [fn(&mut AssertionClaims); 6] = [
            |claims| claims.aud = "https://vault.example/other/oauth2/v2.0/token".to_owned(),
            |claims| claims.iss = "someone".to_owned(),
            |claims| claims.sub = "someone".to_owned(),
            |claims| claims.jti = String::new(),
            |claims| claims.exp = claims.iat + 601,
            |claims| claims.exp = claims.iat,
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let refused = test.app.issue_token(&server.token_request(change)).await;
            assert!(matches!(refused, Err(Error::InvalidClient(_))), "change {number}");
        }
        let other = test.server("web-02").await;
        let mut request = server.token_request(|_| {});
        request.client_id = other.caller.server.to_string();
        assert!(matches!(test.app.issue_token(&request).await, Err(Error::InvalidClient(_))));
    }

    #[tokio::test]
    async fn a_clock_that_is_wrong_is_named_with_both_times() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        for seconds in [-301, 301] {
            let request = server.token_request(|claims| {
                claims.iat += seconds;
                claims.exp += seconds;
            });
            let error = test.app.issue_token(&request).await.unwrap_err();
            assert!(matches!(error, Error::ClockSkew { .. }), "{error}");
            assert!(error.to_string().contains(&test.app.now().to_string()), "{error}");
        }
        for seconds in [-300, 300] {
            let request = server.token_request(|claims| {
                claims.iat += seconds;
                claims.exp += seconds;
            });
            assert!(test.app.issue_token(&request).await.is_ok(), "{seconds}");
        }
    }

    #[tokio::test]
    async fn a_revoked_server_is_out_at_once() {
        let test = TestApp::new().await;
        let server = test.server("web-01").await;
        let token = test.app.issue_token(&server.token_request(|_| {})).await.unwrap().access_token;
        let mut transaction = test.app.database.write().await.unwrap();
        db::servers::revoke(&mut transaction, server.caller.server, test.app.now()).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(matches!(test.app.authenticate(&token).await, Err(Error::ServerRevoked)));
        let again = test.app.issue_token(&server.token_request(|_| {})).await;
        assert!(matches!(again, Err(Error::ServerRevoked)));
    }
}
