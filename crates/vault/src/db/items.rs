//! Protected items.

use super::query::query;
use super::{Connection, Error, value};
use stateward_model::{ItemId, ItemKind, Label, ServerId};

/// Adds an item, or changes its label.
pub(crate) async fn upsert(
    connection: &mut Connection,
    server: ServerId,
    id: ItemId,
    label: &Label,
    kind: ItemKind,
) -> Result<(), Error> {
    query(
        "INSERT INTO items (server, id, label, kind) VALUES ($1, $2, $3, $4)
         ON CONFLICT (server, id) DO UPDATE SET label = excluded.label",
    )
    .bind(&server.0[..])
    .bind(&id.0[..])
    .bind(label.as_str())
    .bind(value::kind_text(kind))
    .execute(connection)
    .await?;
    Ok(())
}

/// An item's kind, if the server has it.
pub(crate) async fn kind(
    connection: &mut Connection,
    server: ServerId,
    id: ItemId,
) -> Result<Option<ItemKind>, Error> {
    let kind: Option<(String,)> = query("SELECT kind FROM items WHERE server = $1 AND id = $2")
        .bind(&server.0[..])
        .bind(&id.0[..])
        .fetch_optional(connection)
        .await?;
    kind.map(|(kind,)| value::kind(&kind)).transpose()
}
