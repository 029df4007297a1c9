//! Vaults.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::admin::Vault;
use stateward_model::{Label, Timestamp, VaultId};

type Row = (Vec<u8>, String, i64, i64, i64, i64);

/// A vault with what it holds. Packs that no point needs yet count too: they take space.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, v.name, v.created_at,
                (SELECT count(*) FROM servers s WHERE s.vault = v.id),
                (SELECT count(*) FROM points p JOIN servers s ON s.id = p.server WHERE s.vault = v.id),
                (SELECT CAST(coalesce(sum(k.length), 0) AS BIGINT) FROM packs k JOIN servers s ON s.id = k.domain
                 WHERE s.vault = v.id AND k.state IN ('stored', 'live'))
             FROM vaults v ",
            $rest
        )
    };
}

fn read((id, name, created_at, servers, points, bytes): Row) -> Result<Vault, Error> {
    Ok(Vault {
        id: VaultId(value::fixed(id, "vault id")?),
        name: value::label(name)?,
        created_at: Timestamp(created_at),
        servers: value::unsigned(servers, "count")?,
        recovery_points: value::unsigned(points, "count")?,
        stored_bytes: value::unsigned(bytes, "sum of bytes")?,
    })
}

/// Adds a vault.
pub(crate) async fn insert(
    connection: &mut Connection,
    id: VaultId,
    name: &Label,
    now: Timestamp,
) -> Result<(), Error> {
    query("INSERT INTO vaults (id, name, created_at) VALUES ($1, $2, $3)")
        .bind(&id.0[..])
        .bind(name.as_str())
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds a vault by its name, without regard to case.
pub(crate) async fn find(connection: &mut Connection, name: &Label) -> Result<Option<Vault>, Error> {
    let name = name.as_str().to_ascii_lowercase();
    let row: Option<Row> =
        query(select!("WHERE lower(v.name) = $1")).bind(name.as_str()).fetch_optional(connection).await?;
    row.map(read).transpose()
}

/// All vaults by name.
pub(crate) async fn list(connection: &mut Connection) -> Result<Vec<Vault>, Error> {
    let rows: Vec<Row> = query(select!("ORDER BY lower(v.name)")).fetch_all(connection).await?;
    rows.into_iter().map(read).collect()
}
