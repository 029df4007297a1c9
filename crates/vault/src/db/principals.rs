//! Who may manage.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::principals::Role;
use stateward_model::Timestamp;

/// A principal as it is kept.
pub(crate) struct Principal {
    /// What it may do.
    pub(crate) role: Role,
    /// The hash of its secret.
    pub(crate) secret_hash: [u8; 32],
}

/// Adds one.
pub(crate) async fn insert(
    connection: &mut Connection,
    client_id: &str,
    name: &str,
    principal: &Principal,
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "INSERT INTO principals (client_id, name, role, secret_hash, created_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(client_id)
    .bind(name)
    .bind(principal.role.as_str())
    .bind(&principal.secret_hash[..])
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds one.
pub(crate) async fn find(connection: &mut Connection, client_id: &str) -> Result<Option<Principal>, Error> {
    if client_id.contains('\0') {
        return Ok(None); // PostgreSQL's texts can't hold it, so nobody has it.
    }
    let row: Option<(String, Vec<u8>)> =
        query("SELECT role, secret_hash FROM principals WHERE client_id = $1")
            .bind(client_id)
            .fetch_optional(connection)
            .await?;
    row.map(|(role, hash)| {
        let role = Role::parse(&role).ok_or(Error::Damaged("role"))?;
        Ok(Principal { role, secret_hash: value::fixed(hash, "secret's hash")? })
    })
    .transpose()
}
