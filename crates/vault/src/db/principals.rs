//! Who may manage, and their roles.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::principals::{Assignment, Role};
use stateward_model::Timestamp;

/// Adds a principal, without a role.
pub(crate) async fn insert(
    connection: &mut Connection,
    client_id: &str,
    name: &str,
    secret_hash: [u8; 32],
    now: Timestamp,
) -> Result<(), Error> {
    query("INSERT INTO principals (client_id, name, secret_hash, created_at) VALUES ($1, $2, $3, $4)")
        .bind(client_id)
        .bind(name)
        .bind(&secret_hash[..])
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The hash of the secret of a principal that was not revoked.
pub(crate) async fn find(connection: &mut Connection, client_id: &str) -> Result<Option<[u8; 32]>, Error> {
    if client_id.contains('\0') {
        return Ok(None); // PostgreSQL's texts can't hold it, so nobody has it.
    }
    let row: Option<(Vec<u8>,)> =
        query("SELECT secret_hash FROM principals WHERE client_id = $1 AND revoked_at IS NULL")
            .bind(client_id)
            .fetch_optional(connection)
            .await?;
    row.map(|(hash,)| value::fixed(hash, "secret's hash")).transpose()
}

/// Gives a principal a role.
pub(crate) async fn assign(
    connection: &mut Connection,
    client_id: &str,
    assignment: &Assignment,
) -> Result<(), Error> {
    query(
        "INSERT INTO role_assignments (principal, role, resource_group, vault) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(client_id)
    .bind(assignment.role.as_str())
    .bind(assignment.group.as_str())
    .bind(assignment.vault.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// The roles of a principal.
pub(crate) async fn assignments(
    connection: &mut Connection,
    client_id: &str,
) -> Result<Vec<Assignment>, Error> {
    let rows: Vec<(String, String, String)> =
        query("SELECT role, resource_group, vault FROM role_assignments WHERE principal = $1")
            .bind(client_id)
            .fetch_all(connection)
            .await?;
    rows.into_iter()
        .map(|(role, group, vault)| {
            Ok(Assignment { role: Role::parse(&role).ok_or(Error::Damaged("role"))?, group, vault })
        })
        .collect()
}
