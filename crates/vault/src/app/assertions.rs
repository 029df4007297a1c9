//! Signing in by certificate: the assertion of a principal, as the libraries of Azure's clients sign it (RFC 7523).
//!
//! Its header names the certificate by `x5t` (SHA-1) or `x5t#S256`; the signature is RS256 or PS256. Each is taken once.

use super::certificates::Certificate;
use super::principals::Principal;
use super::tokens::{ASSERTION_ID_MAX, SKEW_SECONDS};
use super::{App, Error, secret};
use crate::db::{self, Scope};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde::Deserialize;
use stateward_api::arm::clouds::AUTHORITY;
use stateward_api::credentials::decode_bytes;
use stateward_api::token;
use stateward_model::Timestamp;

/// How long a principal's assertion may be good, in seconds. Some libraries give theirs an hour, others ten minutes.
const LONGEST_SECONDS: i64 = 3600;

/// What an assertion says. Libraries differ in which of the two times of its making they name.
#[derive(Debug, Clone, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    jti: String,
    exp: Moment,
    iat: Option<Moment>,
    nbf: Option<Moment>,
}

/// Seconds since 1970. The standard lets them have fractions (RFC 7519, *NumericDate*), and MSAL for Python gives them some.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(from = "f64")]
struct Moment(i64);

impl From<f64> for Moment {
    fn from(seconds: f64) -> Self {
        // What is too large becomes the largest, and is refused as too far away.
        Self(seconds as i64)
    }
}

impl Claims {
    /// When it was made.
    fn made_at(&self) -> i64 {
        let told = self.iat.or(self.nbf).map(|Moment(at)| at);
        told.unwrap_or_else(|| self.exp.0.saturating_sub(LONGEST_SECONDS))
    }
}

impl App {
    /// The principal whose certificate signed this.
    ///
    /// For a client that there is not, this is one look into the database; for one that there is, at most one signature is
    /// checked for each of its few certificates, and wrong ones count as wrong secrets do.
    pub(super) async fn check_signed(&self, client_id: &str, assertion: &str) -> Result<Principal, Error> {
        let now = self.now();
        let mut connection = self.database.read().await?;
        let unknown =
            || Error::InvalidClient(format!("No server and no principal `{client_id}` is known here"));
        db::principals::find(&mut connection, client_id).await?.ok_or_else(unknown)?;
        let assignments = db::principals::assignments(&mut connection, client_id).await?;
        let guesses = db::guesses::find(&mut connection, client_id).await?;
        let kept = db::principals::certificates(&mut connection, client_id).await?;
        drop(connection);
        super::principals::check_not_blocked(guesses, client_id, now)?;
        let certificates = kept.iter().map(|body| Certificate::read(body)).collect::<Result<Vec<_>, _>>()?;
        let read = read_claims(assertion, &certificates, now);
        if let Err(Error::InvalidClient(_)) = &read {
            self.note_guess(client_id, false, now).await?;
        }
        let claims = read?;
        self.check_claims_of_principal(&claims, client_id, now)?;
        let end = now.plus_seconds(LONGEST_SECONDS + 2 * SKEW_SECONDS);
        let mut transaction = self.write_in(Scope::SignIns).await?;
        let hash = secret::hash(&claims.jti);
        let is_new = db::principals::take_assertion(&mut transaction, client_id, hash, end, now).await?;
        if is_new && guesses.is_some() {
            db::guesses::forget(&mut transaction, client_id).await?;
        }
        transaction.commit().await?;
        match is_new {
            true => Ok(Principal { client_id: client_id.to_owned(), assignments }),
            false => Err(Error::InvalidClient("The assertion was used before; make a new one".to_owned())),
        }
    }

    /// Checks whom, where and when an assertion is for. Its signature is checked already.
    fn check_claims_of_principal(
        &self,
        claims: &Claims,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let wrong = |why: &str| Err(Error::InvalidClient(format!("The assertion {why}")));
        if claims.iss != client_id || claims.sub != client_id {
            return wrong("is for another client");
        }
        let paths = [token::path(&self.config.tenant), token::path(AUTHORITY)];
        if !claims.aud.starts_with("https://") || !paths.iter().any(|path| claims.aud.ends_with(path)) {
            return wrong("is for another token endpoint");
        }
        if claims.jti.is_empty() || claims.jti.len() > ASSERTION_ID_MAX {
            return wrong("has no id, or one that is too long");
        }
        let made_at = claims.made_at();
        if claims.exp.0 <= made_at || claims.exp.0 > made_at.saturating_add(LONGEST_SECONDS) {
            return wrong("is good for longer than an hour, or not at all");
        }
        let is_early = made_at > now.seconds() + SKEW_SECONDS;
        if is_early || claims.exp.0 < now.seconds() - SKEW_SECONDS {
            let caller = if is_early { made_at } else { claims.exp.0 };
            let caller = Timestamp::from_seconds(caller, 0).unwrap_or_default();
            return Err(Error::ClockSkew { caller, vault: now });
        }
        Ok(())
    }
}

/// The certificates that a header names: one, or all if it names none.
fn named<'a>(header: &Header, certificates: &'a [Certificate]) -> Vec<&'a Certificate> {
    let is_named = |text: &Option<String>, thumbprint: &[u8]| {
        text.as_deref().map(|text| thumbprint_of(text) == thumbprint)
    };
    let fits = |certificate: &&Certificate| {
        is_named(&header.x5t_s256, &certificate.thumbprint)
            .or_else(|| is_named(&header.x5t, &certificate.old_thumbprint()))
            .unwrap_or(true)
    };
    certificates.iter().filter(fits).collect()
}

/// The bytes of a thumbprint in a header: base64url, with or without padding, and base64 from some.
fn thumbprint_of(text: &str) -> Vec<u8> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    decode_bytes(&text).unwrap_or_default()
}

/// Checks the signature, and reads what it covers. Times are checked by the vault's injected clock, not here.
fn read_claims(assertion: &str, certificates: &[Certificate], now: Timestamp) -> Result<Claims, Error> {
    let refused = |why: &str| Error::InvalidClient(format!("The assertion {why}"));
    let header =
        jsonwebtoken::decode_header(assertion).map_err(|_| refused("is no JWT that is known here"))?;
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::PS256) {
        return Err(refused("is signed by another algorithm than RS256 and PS256"));
    }
    let candidates = named(&header, certificates);
    if candidates.is_empty() {
        return Err(refused(
            "names a certificate that is none of this client's; the vault's owner can add it",
        ));
    }
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    for certificate in candidates {
        let key = DecodingKey::from_rsa_der(certificate.rsa_key()?);
        let Ok(read) = jsonwebtoken::decode::<Claims>(assertion, &key, &validation) else { continue };
        let Certificate { valid_from, valid_to, .. } = certificate;
        if !(*valid_from..=*valid_to).contains(&now) {
            return Err(refused(&format!(
                "is signed with a certificate that is good from {valid_from} to {valid_to}; add a new one"
            )));
        }
        return Ok(read.claims);
    }
    Err(refused("is not signed with this client's certificate, or lacks claims"))
}

#[cfg(test)]
mod tests;
