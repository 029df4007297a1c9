//! Resource groups.

use super::query::query;
use super::{Connection, Error, value};
use stateward_api::arm::Tags;
use stateward_model::{GroupName, Timestamp};

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Its name.
    pub(crate) name: GroupName,
    /// Where it is.
    pub(crate) location: String,
    /// Its tags.
    pub(crate) tags: Tags,
}

type Row = (String, String, String);

fn read((name, location, tags): Row) -> Result<Group, Error> {
    let name = name.parse().map_err(|_| Error::Damaged("resource group"))?;
    Ok(Group { name, location, tags: value::json(&tags, "tags")? })
}

/// Adds a group, or puts other tags in the place of its own. Its name and location stay.
pub(crate) async fn upsert(connection: &mut Connection, group: &Group, now: Timestamp) -> Result<(), Error> {
    let (key, tags) = (group.name.key(), value::json_text(&group.tags));
    query(
        "INSERT INTO resource_groups (key, name, location, tags, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (key) DO UPDATE SET tags = excluded.tags",
    )
    .bind(key.as_str())
    .bind(group.name.as_str())
    .bind(group.location.as_str())
    .bind(tags.as_str())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a group by its name, without regard to case.
pub(crate) async fn find(connection: &mut Connection, name: &str) -> Result<Option<Group>, Error> {
    let key = name.to_ascii_lowercase();
    let row: Option<Row> = query("SELECT name, location, tags FROM resource_groups WHERE key = $1")
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// All groups by name.
pub(crate) async fn list(connection: &mut Connection) -> Result<Vec<Group>, Error> {
    let rows: Vec<Row> =
        query("SELECT name, location, tags FROM resource_groups ORDER BY key").fetch_all(connection).await?;
    rows.into_iter().map(read).collect()
}

/// Removes a group.
pub(crate) async fn delete(connection: &mut Connection, name: &GroupName) -> Result<(), Error> {
    let key = name.key();
    query("DELETE FROM resource_groups WHERE key = $1").bind(key.as_str()).execute(connection).await?;
    Ok(())
}
