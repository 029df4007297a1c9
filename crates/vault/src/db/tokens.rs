//! Bearer tokens and the assertions that were taken for them.

use super::query::query;
use super::{Connection, Error, value};
use crate::app::principals::Principal;
use crate::app::tokens::{Caller, ServerCaller};
use stateward_model::{CredentialId, ServerId, Timestamp, VaultId};

/// Adds a token; forgets those that have ended.
pub(crate) async fn insert(
    connection: &mut Connection,
    hash: [u8; 32],
    caller: &Caller,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<(), Error> {
    query("DELETE FROM tokens WHERE expires_at <= $1").bind(now.0).execute(&mut *connection).await?;
    let (principal, server, credential) = match caller {
        Caller::Principal(principal) => (Some(principal.client_id.as_str()), None, None),
        Caller::Server(caller) => (None, Some(&caller.server.0[..]), None),
        Caller::Restorer(caller, id) => (None, Some(&caller.server.0[..]), Some(&id.0[..])),
    };
    query("INSERT INTO tokens (hash, principal, server, credential, expires_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(&hash[..])
        .bind(principal)
        .bind(server)
        .bind(credential)
        .bind(expires_at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends all tokens of a server.
pub(crate) async fn forget_server(connection: &mut Connection, server: ServerId) -> Result<(), Error> {
    query("DELETE FROM tokens WHERE server = $1 AND credential IS NULL")
        .bind(&server.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets a principal's tokens: they end at once.
pub(crate) async fn forget_principal(connection: &mut Connection, client_id: &str) -> Result<(), Error> {
    query("DELETE FROM tokens WHERE principal = $1").bind(client_id).execute(connection).await?;
    Ok(())
}

/// Whose a token is that has not ended, and whether that server's registration was revoked.
pub(crate) async fn find(
    connection: &mut Connection,
    hash: [u8; 32],
    now: Timestamp,
) -> Result<Option<(Caller, bool)>, Error> {
    type Row = (Option<String>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, bool, Option<Vec<u8>>);
    let row: Option<Row> = query(
        "SELECT p.client_id, s.id, s.vault, coalesce(s.domain, s.id), s.revoked_at IS NOT NULL, t.credential
         FROM tokens t
         LEFT JOIN principals p ON p.client_id = t.principal AND p.revoked_at IS NULL
         LEFT JOIN servers s ON s.id = t.server
         WHERE t.hash = $1 AND t.expires_at > $2",
    )
    .bind(&hash[..])
    .bind(now.0)
    .fetch_optional(&mut *connection)
    .await?;
    match row {
        Some((Some(client_id), ..)) => {
            let assignments = super::principals::assignments(connection, &client_id).await?;
            Ok(Some((Caller::Principal(Principal { client_id, assignments }), false)))
        }
        Some((_, Some(server), Some(vault), Some(domain), is_revoked, credential)) => {
            let server = ServerId(value::fixed(server, "server id")?);
            let vault = VaultId(value::fixed(vault, "vault id")?);
            let domain = ServerId(value::fixed(domain, "domain")?);
            let caller = ServerCaller { server, vault, domain };
            Ok(Some(match credential {
                // Restoring is for servers that are gone, too.
                Some(id) => (Caller::Restorer(caller, CredentialId(value::fixed(id, "credential")?)), false),
                None => (Caller::Server(caller), is_revoked),
            }))
        }
        // None, or of a principal that was revoked.
        _ => Ok(None),
    }
}

/// Notes an assertion's id, by its hash; false if it was taken before. Forgets those that are too old to be taken.
pub(crate) async fn take_assertion(
    connection: &mut Connection,
    server: ServerId,
    hash: [u8; 32],
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, Error> {
    query("DELETE FROM assertions WHERE expires_at <= $1").bind(now.0).execute(&mut *connection).await?;
    let changed =
        query("INSERT INTO assertions (server, hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(&server.0[..])
            .bind(&hash[..])
            .bind(expires_at.0)
            .execute(connection)
            .await?;
    Ok(changed == 1)
}
