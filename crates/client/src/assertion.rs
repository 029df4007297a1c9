//! How a server proves who it is: a JWT signed by its login key (RFC 7523), as `api::token` asks for it.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use stateward_api::credentials::encode_bytes;
use stateward_api::token::AssertionClaims;
use stateward_model::{Random, ServerId, Timestamp};
use zeroize::Zeroizing;

/// How long an assertion is good, in seconds: enough for the way to the vault. The vault takes ten minutes at most and
/// compares `iat` with its own clock.
const GOOD_SECONDS: i64 = 300;

/// What PKCS#8 version 1 puts before an Ed25519 seed (RFC 8410 §7): that is the form in which `jsonwebtoken` takes a
/// key.
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A fresh assertion for one try to sign in.
pub(crate) fn sign(
    server: ServerId,
    login_seed: &[u8; 32],
    token_url: &str,
    now: Timestamp,
    random: &dyn Random,
) -> String {
    let mut id = [0; 16];
    random.fill(&mut id);
    let claims = AssertionClaims {
        iss: server.to_string(),
        sub: server.to_string(),
        aud: token_url.to_owned(),
        iat: now.seconds(),
        exp: now.seconds().saturating_add(GOOD_SECONDS),
        jti: encode_bytes(&id),
    };
    let key = Zeroizing::new([PKCS8_PREFIX.as_slice(), login_seed].concat());
    jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &EncodingKey::from_ed_der(&key))
        .expect("any 32 bytes are an Ed25519 seed, and the claims have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation};
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use stateward_model::SystemRandom;

    #[test]
    fn an_assertion_is_checked_by_the_public_key_and_no_two_are_the_same() {
        let server = ServerId::new(&SystemRandom);
        let now = Timestamp(1_795_000_000_000_000_000);
        let make = || sign(server, &[7; 32], "https://vault/t/oauth2/v2.0/token", now, &SystemRandom);
        let text = make();
        assert_ne!(text, make());

        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.set_audience(&["https://vault/t/oauth2/v2.0/token"]);
        let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
        let claims = jsonwebtoken::decode::<AssertionClaims>(&text, &key, &validation).unwrap().claims;
        assert_eq!((claims.iss.clone(), claims.iat), (server.to_string(), now.seconds()));
        assert_eq!(claims.exp, claims.iat + GOOD_SECONDS);

        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let key = DecodingKey::from_ed_der(other.public_key().as_ref());
        assert!(jsonwebtoken::decode::<AssertionClaims>(&text, &key, &validation).is_err());
    }
}
