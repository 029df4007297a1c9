//! When items are backed up by themselves.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::agent::ScheduledItem;
use stateward_model::{ItemId, Policy, ServerId};

/// The items of a server that have a policy and are neither stopped nor deleted.
pub(crate) async fn of_server(
    connection: &mut Connection,
    server: ServerId,
) -> Result<Vec<ScheduledItem>, Error> {
    let rows: Vec<(Vec<u8>, String, String)> = query(
        "SELECT i.id, y.name, y.body FROM items i JOIN policies y ON y.id = i.policy
         WHERE i.server = $1 AND i.stopped_at IS NULL AND i.deleted_at IS NULL ORDER BY i.id",
    )
    .bind(&server.0[..])
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(id, name, body)| {
            let policy: Policy = value::json(&body, "policy")?;
            Ok(ScheduledItem {
                item: ItemId(value::fixed(id, "item id")?),
                policy: name.parse().map_err(|_| Error::Damaged("policy's name"))?,
                schedule: policy.schedule().clone(),
            })
        })
        .collect()
}
