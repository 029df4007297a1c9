//! Whose database this is: one row, which every process that serves it must fit.

use super::query::query;
use super::{Connection, Error, value};

/// What the processes of one vault have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// The tenant's id.
    pub(crate) tenant: String,
    /// The public half of the vault's signing key.
    pub(crate) signing_key: [u8; 32],
}

/// Whose it is; nobody's before a vault was made in it.
pub(crate) async fn find(connection: &mut Connection) -> Result<Option<Identity>, Error> {
    let row: Option<(String, Vec<u8>)> =
        query("SELECT tenant, signing_key FROM identity").fetch_optional(connection).await?;
    row.map(|(tenant, key)| Ok(Identity { tenant, signing_key: value::fixed(key, "signing key")? }))
        .transpose()
}

/// Makes it somebody's.
pub(crate) async fn insert(connection: &mut Connection, identity: &Identity) -> Result<(), Error> {
    query("INSERT INTO identity (one, tenant, signing_key) VALUES (1, $1, $2)")
        .bind(identity.tenant.as_str())
        .bind(&identity.signing_key[..])
        .execute(connection)
        .await?;
    Ok(())
}
