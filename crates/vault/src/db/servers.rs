//! Registered servers.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::agent::RegisterRequest;
use stateward_model::{CredentialId, Label, ServerId, Timestamp, VaultId};

/// A server as it registers.
pub(crate) struct NewServer<'a> {
    /// Its id.
    pub(crate) id: ServerId,
    /// The vault.
    pub(crate) vault: VaultId,
    /// The domain that it joins, if it is not its own.
    pub(crate) domain: Option<ServerId>,
    /// Its label.
    pub(crate) label: &'a Label,
    /// Ed25519 public key that signs its assertions.
    pub(crate) login_key: [u8; 32],
    /// Ed25519 public key that signs its recovery points.
    pub(crate) signing_key: [u8; 32],
    /// As it names itself.
    pub(crate) operating_system: &'a str,
    /// The agent's version.
    pub(crate) agent_version: &'a str,
    /// The credentials that it used.
    pub(crate) credential: CredentialId,
}

/// What tells a registered server from another.
pub(crate) struct KnownServer {
    /// Its id.
    pub(crate) id: ServerId,
    /// Its vault.
    pub(crate) vault: VaultId,
    /// Its deduplication domain: its own id, or that of the server that founded it.
    pub(crate) domain: ServerId,
    /// Its label.
    pub(crate) label: Label,
    /// Ed25519 public key that signs its assertions.
    pub(crate) login_key: [u8; 32],
    /// Ed25519 public key that signs its recovery points.
    pub(crate) signing_key: [u8; 32],
    /// Whether its registration was revoked.
    pub(crate) is_revoked: bool,
}

type KnownRow = (Vec<u8>, Vec<u8>, Vec<u8>, String, Vec<u8>, Vec<u8>, bool);

fn read_known(
    (id, vault, domain, label, login, signing, is_revoked): KnownRow,
) -> Result<KnownServer, Error> {
    Ok(KnownServer {
        id: ServerId(value::fixed(id, "server id")?),
        vault: VaultId(value::fixed(vault, "vault id")?),
        domain: ServerId(value::fixed(domain, "domain")?),
        label: value::label(label)?,
        login_key: value::fixed(login, "login key")?,
        signing_key: value::fixed(signing, "signing key")?,
        is_revoked,
    })
}

/// Adds a server.
pub(crate) async fn insert(
    connection: &mut Connection,
    server: &NewServer<'_>,
    now: Timestamp,
) -> Result<(), Error> {
    query(
        "INSERT INTO servers (id, vault, domain, label, login_key, signing_key, operating_system, agent_version,
                              credential, registered_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&server.id.0[..])
    .bind(&server.vault.0[..])
    .bind(server.domain.as_ref().map(|domain| &domain.0[..]))
    .bind(server.label.as_str())
    .bind(&server.login_key[..])
    .bind(&server.signing_key[..])
    .bind(server.operating_system)
    .bind(server.agent_version)
    .bind(&server.credential.0[..])
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a server.
pub(crate) async fn find(connection: &mut Connection, id: ServerId) -> Result<Option<KnownServer>, Error> {
    let row: Option<KnownRow> = query(
        "SELECT id, vault, coalesce(domain, id), label, login_key, signing_key, revoked_at IS NOT NULL
         FROM servers WHERE id = $1",
    )
    .bind(&id.0[..])
    .fetch_optional(connection)
    .await?;
    row.map(read_known).transpose()
}

/// Finds the server of a vault that registered with this login key.
pub(crate) async fn find_by_login_key(
    connection: &mut Connection,
    vault: VaultId,
    login_key: [u8; 32],
) -> Result<Option<KnownServer>, Error> {
    let row: Option<KnownRow> = query(
        "SELECT id, vault, coalesce(domain, id), label, login_key, signing_key, revoked_at IS NOT NULL
         FROM servers WHERE vault = $1 AND login_key = $2",
    )
    .bind(&vault.0[..])
    .bind(&login_key[..])
    .fetch_optional(connection)
    .await?;
    row.map(read_known).transpose()
}

/// How many servers of a vault bear this label.
pub(crate) async fn count_by_label(
    connection: &mut Connection,
    vault: VaultId,
    label: &Label,
) -> Result<u64, Error> {
    let (count,): (i64,) = query("SELECT count(*) FROM servers WHERE vault = $1 AND label = $2")
        .bind(&vault.0[..])
        .bind(label.as_str())
        .fetch_one(connection)
        .await?;
    value::unsigned(count, "count")
}

/// A known server has another login key from now on.
pub(crate) async fn replace_login_key(
    connection: &mut Connection,
    id: ServerId,
    login_key: [u8; 32],
    request: &RegisterRequest,
) -> Result<(), Error> {
    query(
        "UPDATE servers SET login_key = $1, operating_system = $2, agent_version = $3, credential = $4 WHERE id = $5",
    )
    .bind(&login_key[..])
    .bind(request.operating_system.as_str())
    .bind(request.agent_version.as_str())
    .bind(&request.credential.0[..])
    .bind(&id.0[..])
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a server was heard of.
pub(crate) async fn see(connection: &mut Connection, id: ServerId, now: Timestamp) -> Result<(), Error> {
    query("UPDATE servers SET seen_at = $1 WHERE id = $2")
        .bind(now.0)
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Notes that a server's recovery points forked.
pub(crate) async fn note_fork(
    connection: &mut Connection,
    id: ServerId,
    now: Timestamp,
) -> Result<(), Error> {
    query("UPDATE servers SET forked_at = $1 WHERE id = $2")
        .bind(now.0)
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// Ends a server's registration.
pub(crate) async fn revoke(connection: &mut Connection, id: ServerId, now: Timestamp) -> Result<(), Error> {
    query("UPDATE servers SET revoked_at = coalesce(revoked_at, $1) WHERE id = $2")
        .bind(now.0)
        .bind(&id.0[..])
        .execute(connection)
        .await?;
    Ok(())
}

/// A server as people know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// Its id.
    pub(crate) id: ServerId,
    /// Its deduplication domain: its own id, or that of the server that founded it.
    pub(crate) domain: ServerId,
    /// Its label.
    pub(crate) label: Label,
    /// The operating system as it names itself.
    pub(crate) operating_system: String,
    /// The agent's version.
    pub(crate) agent_version: String,
    /// When it was registered.
    pub(crate) registered_at: Timestamp,
    /// When it was last heard of.
    pub(crate) seen_at: Option<Timestamp>,
    /// When a recovery point last came that does not follow the newest one.
    pub(crate) forked_at: Option<Timestamp>,
}

/// A server as it is managed.
pub(crate) struct ManagedServer {
    /// What is told of it everywhere.
    pub(crate) server: Server,
    /// When it was unregistered.
    pub(crate) revoked_at: Option<Timestamp>,
    /// How many items it has that are not purged.
    pub(crate) items: u64,
    /// How many of them take backups.
    pub(crate) active_items: u64,
}

/// All servers of a vault by label; those that were unregistered as long as something of them is there.
pub(crate) async fn list_managed(
    connection: &mut Connection,
    vault: VaultId,
) -> Result<Vec<ManagedServer>, Error> {
    type Row =
        (Vec<u8>, Vec<u8>, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>, i64, i64);
    let rows: Vec<Row> = query(
        "SELECT s.id, coalesce(s.domain, s.id), s.label, s.operating_system, s.agent_version, s.registered_at,
                s.seen_at, s.forked_at, s.revoked_at,
                (SELECT count(*) FROM items i
                 WHERE i.server = s.id AND (i.deleted_at IS NULL OR i.purge_at IS NOT NULL)),
                (SELECT count(*) FROM items i
                 WHERE i.server = s.id AND i.deleted_at IS NULL AND i.stopped_at IS NULL)
         FROM servers s WHERE s.vault = $1 ORDER BY s.label, s.registered_at",
    )
    .bind(&vault.0[..])
    .fetch_all(connection)
    .await?;
    let all = rows.into_iter().map(|row| {
        let (
            id,
            domain,
            label,
            system,
            version,
            registered_at,
            seen_at,
            forked_at,
            revoked_at,
            items,
            active,
        ) = row;
        Ok(ManagedServer {
            server: read_server((id, domain, label, system, version, registered_at, seen_at, forked_at))?,
            revoked_at: revoked_at.map(Timestamp),
            items: value::unsigned(items, "count")?,
            active_items: value::unsigned(active, "count")?,
        })
    });
    all.filter(|server: &Result<ManagedServer, Error>| {
        server.as_ref().map_or(true, |server| server.revoked_at.is_none() || server.items > 0)
    })
    .collect()
}

type ServerRow = (Vec<u8>, Vec<u8>, String, String, String, i64, Option<i64>, Option<i64>);

fn read_server(
    (id, domain, label, operating_system, agent_version, registered_at, seen_at, forked_at): ServerRow,
) -> Result<Server, Error> {
    Ok(Server {
        id: ServerId(value::fixed(id, "server id")?),
        domain: ServerId(value::fixed(domain, "domain")?),
        label: value::label(label)?,
        operating_system,
        agent_version,
        registered_at: Timestamp(registered_at),
        seen_at: seen_at.map(Timestamp),
        forked_at: forked_at.map(Timestamp),
    })
}
