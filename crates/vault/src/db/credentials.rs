//! Vault credentials: what was given out, and how often it may be used.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::CredentialPurpose;
use stateward_model::{CredentialId, ServerId, Timestamp, VaultId};

/// Credentials as they are kept.
pub(crate) struct Credential {
    /// For which vault.
    pub(crate) vault: VaultId,
    /// What they allow.
    pub(crate) purpose: CredentialPurpose,
    /// For `Restore`: whose points. For `Register`: who registers again, if it is nobody new.
    pub(crate) server: Option<ServerId>,
    /// For `Register`: the domain that is joined, if it is not the server's own.
    pub(crate) domain: Option<ServerId>,
    /// The hash of the secret.
    pub(crate) secret_hash: [u8; 32],
    /// How many servers may register.
    pub(crate) uses_allowed: u32,
    /// When they end.
    pub(crate) expires_at: Timestamp,
}

fn purpose_text(purpose: CredentialPurpose) -> &'static str {
    match purpose {
        CredentialPurpose::Register => "Register",
        CredentialPurpose::Restore => "Restore",
    }
}

/// Adds credentials.
pub(crate) async fn insert(
    connection: &mut Connection,
    id: CredentialId,
    credential: &Credential,
    now: Timestamp,
) -> Result<(), Error> {
    let server_for = |purpose| {
        let server = credential.server.as_ref().filter(|_| credential.purpose == purpose);
        server.map(|server| &server.0[..])
    };
    query(
        "INSERT INTO credentials (id, vault, purpose, server, again, domain, secret_hash, uses_allowed, created_at,
                                  expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&id.0[..])
    .bind(&credential.vault.0[..])
    .bind(purpose_text(credential.purpose))
    .bind(server_for(CredentialPurpose::Restore))
    .bind(server_for(CredentialPurpose::Register))
    .bind(credential.domain.as_ref().map(|domain| &domain.0[..]))
    .bind(&credential.secret_hash[..])
    .bind(i64::from(credential.uses_allowed))
    .bind(now.0)
    .bind(credential.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds credentials.
pub(crate) async fn find(connection: &mut Connection, id: CredentialId) -> Result<Option<Credential>, Error> {
    type Row = (Vec<u8>, String, Option<Vec<u8>>, Option<Vec<u8>>, Vec<u8>, i64, i64);
    let row: Option<Row> = query(
        "SELECT vault, purpose, coalesce(server, again), domain, secret_hash, uses_allowed, expires_at
         FROM credentials WHERE id = $1",
    )
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(|(vault, purpose, server, domain, secret_hash, uses_allowed, expires_at)| {
        Ok(Credential {
            vault: VaultId(value::fixed(vault, "vault id")?),
            purpose: [CredentialPurpose::Register, CredentialPurpose::Restore]
                .into_iter()
                .find(|known| purpose_text(*known) == purpose)
                .ok_or(Error::Damaged("purpose"))?,
            server: server.map(|id| value::fixed(id, "server id").map(ServerId)).transpose()?,
            domain: domain.map(|id| value::fixed(id, "domain").map(ServerId)).transpose()?,
            secret_hash: value::fixed(secret_hash, "secret's hash")?,
            uses_allowed: u32::try_from(uses_allowed).map_err(|_| Error::Damaged("count of uses"))?,
            expires_at: Timestamp(expires_at),
        })
    })
    .transpose()
}

/// How many servers registered with them.
pub(crate) async fn uses(connection: &mut Connection, id: CredentialId) -> Result<u64, Error> {
    let (count,): (i64,) = query("SELECT count(*) FROM servers WHERE credential = $1")
        .bind(&id.0[..])
        .fetch_one(connection)
        .await?;
    value::unsigned(count, "count")
}
