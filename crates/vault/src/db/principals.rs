//! Who may manage, and their roles.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::certificates::Certificate;
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

/// A principal with all that is known of it but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownPrincipal {
    /// What it signs in with.
    pub(crate) client_id: String,
    /// What people call it.
    pub(crate) name: String,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// Its roles.
    pub(crate) assignments: Vec<Assignment>,
    /// Its certificates, as DER.
    pub(crate) certificates: Vec<Vec<u8>>,
}

/// All principals that were not revoked, by name.
pub(crate) async fn list(connection: &mut Connection) -> Result<Vec<KnownPrincipal>, Error> {
    let rows: Vec<(String, String, i64)> = query(
        "SELECT client_id, name, created_at FROM principals WHERE revoked_at IS NULL ORDER BY name, client_id",
    )
    .fetch_all(connection)
    .await?;
    let roles: Vec<(String, String, String, String)> =
        query("SELECT principal, role, resource_group, vault FROM role_assignments")
            .fetch_all(connection)
            .await?;
    let certificates: Vec<(String, Vec<u8>)> =
        query("SELECT principal, body FROM principal_certificates ORDER BY expires_at")
            .fetch_all(connection)
            .await?;
    let mut all = rows
        .into_iter()
        .map(|(client_id, name, created_at)| {
            let (assignments, certificates) = (Vec::new(), Vec::new());
            KnownPrincipal { client_id, name, created_at: Timestamp(created_at), assignments, certificates }
        })
        .collect::<Vec<_>>();
    let mut places = std::collections::HashMap::new();
    for (index, known) in all.iter().enumerate() {
        places.insert(known.client_id.clone(), index);
    }
    for (principal, role, group, vault) in roles {
        let role = Role::parse(&role).ok_or(Error::Damaged("role"))?;
        if let Some(index) = places.get(&principal) {
            all[*index].assignments.push(Assignment { role, group, vault });
        }
    }
    for (principal, body) in certificates {
        if let Some(index) = places.get(&principal) {
            all[*index].certificates.push(body);
        }
    }
    Ok(all)
}

/// Takes whatever role a principal was given at that very place; false if there was none.
pub(crate) async fn unassign(
    connection: &mut Connection,
    client_id: &str,
    place: &Assignment,
) -> Result<bool, Error> {
    let changed =
        query("DELETE FROM role_assignments WHERE principal = $1 AND resource_group = $2 AND vault = $3")
            .bind(client_id)
            .bind(place.group.as_str())
            .bind(place.vault.as_str())
            .execute(connection)
            .await?;
    Ok(changed > 0)
}

/// Moves the roles that were given in a vault to another name of it: to its id when it is deleted, since its name is free
/// then for another vault, and back.
pub(crate) async fn rename_vault(
    connection: &mut Connection,
    group: &str,
    (before, after): (&str, &str),
) -> Result<(), Error> {
    let [group, before, after] = [group, before, after].map(str::to_ascii_lowercase);
    // Somebody may have been given the same role under the new name already.
    query(
        "INSERT INTO role_assignments (principal, role, resource_group, vault)
         SELECT principal, role, resource_group, $3 FROM role_assignments WHERE resource_group = $1 AND vault = $2
         ON CONFLICT DO NOTHING",
    )
    .bind(group.as_str())
    .bind(before.as_str())
    .bind(after.as_str())
    .execute(&mut *connection)
    .await?;
    query("DELETE FROM role_assignments WHERE resource_group = $1 AND vault = $2")
        .bind(group.as_str())
        .bind(before.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes all roles that were given in a resource group as a whole.
pub(crate) async fn unassign_group(connection: &mut Connection, group: &str) -> Result<(), Error> {
    query("DELETE FROM role_assignments WHERE resource_group = $1 AND vault = ''")
        .bind(group.to_ascii_lowercase().as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Revokes a principal: it has no roles and no certificates any more. Its row stays for what it did.
pub(crate) async fn revoke(
    connection: &mut Connection,
    client_id: &str,
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE principals SET revoked_at = $2 WHERE client_id = $1")
        .bind(client_id)
        .bind(now.0)
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM role_assignments WHERE principal = $1")
        .bind(client_id)
        .execute(&mut *connection)
        .await?;
    query("DELETE FROM principal_certificates WHERE principal = $1")
        .bind(client_id)
        .execute(connection)
        .await?;
    Ok(())
}

/// The certificates of a principal, as DER.
pub(crate) async fn certificates(
    connection: &mut Connection,
    client_id: &str,
) -> Result<Vec<Vec<u8>>, Error> {
    let rows: Vec<(Vec<u8>,)> =
        query("SELECT body FROM principal_certificates WHERE principal = $1 ORDER BY expires_at DESC")
            .bind(client_id)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|(body,)| body).collect())
}

/// Adds a certificate.
pub(crate) async fn insert_certificate(
    connection: &mut Connection,
    client_id: &str,
    certificate: &Certificate,
) -> Result<(), Error> {
    query("INSERT INTO principal_certificates (principal, thumbprint, body, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(client_id)
        .bind(&certificate.thumbprint[..])
        .bind(&certificate.body[..])
        .bind(certificate.valid_to.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a certificate; false if there is none.
pub(crate) async fn remove_certificate(
    connection: &mut Connection,
    client_id: &str,
    thumbprint: [u8; 32],
) -> Result<bool, Error> {
    let changed = query("DELETE FROM principal_certificates WHERE principal = $1 AND thumbprint = $2")
        .bind(client_id)
        .bind(&thumbprint[..])
        .execute(connection)
        .await?;
    Ok(changed > 0)
}

/// Notes an assertion's id, by its hash; false if it was taken before. Forgets those that are too old to be taken.
pub(crate) async fn take_assertion(
    connection: &mut Connection,
    client_id: &str,
    hash: [u8; 32],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    query("DELETE FROM principal_assertions WHERE expires_at <= $1")
        .bind(now.0)
        .execute(&mut *connection)
        .await?;
    let changed = query(
        "INSERT INTO principal_assertions (principal, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(client_id)
    .bind(&hash[..])
    .bind(expires_at.0)
    .execute(connection)
    .await?;
    Ok(changed == 1)
}
