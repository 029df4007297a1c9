//! Vaults.

use super::query::query;
use super::{Connection, Error, value};
use serde_json::Value;
use stateward_api::arm::Tags;
use stateward_model::{GroupName, Immutability, Redundancy, Timestamp, VaultId, VaultName};

/// A vault with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vault {
    /// Its id.
    pub(crate) id: VaultId,
    /// The resource group that it is in, as the group spells its name.
    pub(crate) group: GroupName,
    /// Its name; of a deleted one, the name that it had.
    pub(crate) name: VaultName,
    /// Where it is.
    pub(crate) location: String,
    /// What can be changed.
    pub(crate) settings: VaultSettings,
    /// Counts changes.
    pub(crate) revision: u64,
    /// When it was made.
    pub(crate) created_at: Timestamp,
    /// When it was deleted, and when it will be gone.
    pub(crate) deleted: Option<Deleted>,
    /// Whether it has a resource guard, so that some acts need a second person.
    pub(crate) is_guarded: bool,
}

/// What can be changed of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VaultSettings {
    /// Its tags.
    pub(crate) tags: Tags,
    /// Over which failure domains recovery points are spread.
    pub(crate) redundancy: Redundancy,
    /// Whether there is restoring from the second region.
    pub(crate) cross_region_restore: bool,
    /// Whether what reduces what is kept is refused.
    pub(crate) immutability: Immutability,
    /// For how many days what was deleted can be had back.
    pub(crate) soft_delete_days: u32,
    /// What clients set and read back that changes nothing here.
    pub(crate) monitoring: Value,
}

impl Vault {
    /// Until when can be had back what is deleted in it at that moment.
    pub(crate) fn recoverable_until(&self, now: Timestamp) -> Timestamp {
        recoverable_until(now, self.settings.soft_delete_days)
    }
}

/// Until when can be had back what is deleted at a moment, in a vault with so many days of soft delete.
pub(super) fn recoverable_until(now: Timestamp, soft_delete_days: u32) -> Timestamp {
    now.plus_seconds(i64::from(soft_delete_days) * 86_400)
}

/// What was deleted, and can be had back until it is purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// When it was deleted.
    pub(crate) at: Timestamp,
    /// When it will be gone.
    pub(crate) purge_at: Timestamp,
}

/// What of a vault is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Usage {
    /// Servers whose registration was not revoked.
    pub(crate) servers: u64,
    /// Items that were not deleted.
    pub(crate) items: u64,
    /// Items that were, and can be had back.
    pub(crate) deleted_items: u64,
    /// Recovery points that can be restored from.
    pub(crate) recovery_points: u64,
    /// Bytes of packs as they are stored. Packs that no point needs yet count too: they take space.
    pub(crate) stored_bytes: u64,
}

type Row = (
    Vec<u8>,
    String,
    String,
    String,
    String,
    String,
    bool,
    String,
    i64,
    String,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    bool,
);

// The group of a deleted vault may be gone.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.id, coalesce(g.name, v.resource_group), coalesce(v.deleted_name, v.name), v.location, v.tags, v.redundancy,
                v.cross_region_restore = 1, v.immutability, v.soft_delete_days, v.monitoring, v.revision, v.created_at,
                v.deleted_at, v.purge_at, EXISTS (SELECT 1 FROM guards u WHERE u.vault = v.id)
             FROM vaults v LEFT JOIN resource_groups g ON g.key = v.resource_group ",
            $rest
        )
    };
}

fn read(row: Row) -> Result<Vault, Error> {
    let (id, group, name, location, tags, redundancy, cross_region_restore, immutability, days, ..) = &row;
    let (.., monitoring, revision, created_at, deleted_at, purge_at, is_guarded) = &row;
    Ok(Vault {
        id: VaultId(value::fixed(id.clone(), "vault id")?),
        group: group.parse().map_err(|_| Error::Damaged("resource group"))?,
        name: name.parse().map_err(|_| Error::Damaged("vault's name"))?,
        location: location.clone(),
        settings: VaultSettings {
            tags: value::json(tags, "tags")?,
            redundancy: value::word(redundancy, "redundancy")?,
            cross_region_restore: *cross_region_restore,
            immutability: value::word(immutability, "immutability")?,
            soft_delete_days: u32::try_from(*days).map_err(|_| Error::Damaged("days of soft delete"))?,
            monitoring: value::json(monitoring, "settings of alerts")?,
        },
        revision: value::unsigned(*revision, "revision")?,
        created_at: Timestamp(*created_at),
        deleted: deleted_at
            .zip(*purge_at)
            .map(|(at, purge_at)| Deleted { at: Timestamp(at), purge_at: Timestamp(purge_at) }),
        is_guarded: *is_guarded,
    })
}

/// Adds a vault.
pub(crate) async fn insert(connection: &mut Connection, vault: &Vault) -> Result<(), Error> {
    let settings = &vault.settings;
    let (group, tags, monitoring) =
        (vault.group.key(), value::json_text(&settings.tags), value::json_text(&settings.monitoring));
    let (redundancy, immutability) =
        (value::word_text(settings.redundancy), value::word_text(settings.immutability));
    query(
        "INSERT INTO vaults (id, name, created_at, resource_group, location, tags, redundancy, cross_region_restore,
                             immutability, soft_delete_days, monitoring, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $3)",
    )
    .bind(&vault.id.0[..])
    .bind(vault.name.as_str())
    .bind(vault.created_at.0)
    .bind(group.as_str())
    .bind(vault.location.as_str())
    .bind(tags.as_str())
    .bind(redundancy.as_str())
    .bind(i64::from(settings.cross_region_restore))
    .bind(immutability.as_str())
    .bind(i64::from(settings.soft_delete_days))
    .bind(monitoring.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Puts other settings in the place of a vault's.
pub(crate) async fn update(
    connection: &mut Connection,
    id: VaultId,
    settings: &VaultSettings,
    now: Timestamp,
) -> Result<(), Error> {
    let (tags, monitoring) = (value::json_text(&settings.tags), value::json_text(&settings.monitoring));
    let (redundancy, immutability) =
        (value::word_text(settings.redundancy), value::word_text(settings.immutability));
    query(
        "UPDATE vaults SET tags = $2, redundancy = $3, cross_region_restore = $4, immutability = $5,
             soft_delete_days = $6, monitoring = $7, changed_at = $8, revision = revision + 1
         WHERE id = $1",
    )
    .bind(&id.0[..])
    .bind(tags.as_str())
    .bind(redundancy.as_str())
    .bind(i64::from(settings.cross_region_restore))
    .bind(immutability.as_str())
    .bind(i64::from(settings.soft_delete_days))
    .bind(monitoring.as_str())
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks a vault as deleted; its name is free from now on.
pub(crate) async fn delete(connection: &mut Connection, id: VaultId, deleted: Deleted) -> Result<(), Error> {
    let free = id.to_string();
    query(
        "UPDATE vaults SET deleted_name = name, name = $2, deleted_at = $3, purge_at = $4, changed_at = $3,
             revision = revision + 1
         WHERE id = $1",
    )
    .bind(&id.0[..])
    .bind(free.as_str())
    .bind(deleted.at.0)
    .bind(deleted.purge_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes a deletion back.
pub(crate) async fn undelete(connection: &mut Connection, id: VaultId, now: Timestamp) -> Result<(), Error> {
    query(
        "UPDATE vaults SET name = deleted_name, deleted_name = NULL, deleted_at = NULL, purge_at = NULL, changed_at = $2,
             revision = revision + 1
         WHERE id = $1",
    )
    .bind(&id.0[..])
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Finds a vault that was not deleted by its name, which is told from others without regard to case.
pub(crate) async fn find(connection: &mut Connection, name: &str) -> Result<Option<Vault>, Error> {
    let key = name.to_ascii_lowercase();
    let row: Option<Row> = query(select!("WHERE lower(v.name) = $1 AND v.deleted_at IS NULL"))
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(read).transpose()
}

/// Finds a vault by its id, deleted or not.
pub(crate) async fn find_by_id(connection: &mut Connection, id: VaultId) -> Result<Option<Vault>, Error> {
    let row: Option<Row> =
        query(select!("WHERE v.id = $1")).bind(&id.0[..]).fetch_optional(connection).await?;
    row.map(read).transpose()
}

/// All vaults that were not deleted, by name.
pub(crate) async fn list(connection: &mut Connection) -> Result<Vec<Vault>, Error> {
    let rows: Vec<Row> =
        query(select!("WHERE v.deleted_at IS NULL ORDER BY lower(v.name)")).fetch_all(connection).await?;
    rows.into_iter().map(read).collect()
}

/// All vaults that were deleted and can be had back, the last one first.
pub(crate) async fn list_deleted(connection: &mut Connection, now: Timestamp) -> Result<Vec<Vault>, Error> {
    let rows: Vec<Row> = query(select!("WHERE v.purge_at > $1 ORDER BY v.deleted_at DESC"))
        .bind(now.0)
        .fetch_all(connection)
        .await?;
    rows.into_iter().map(read).collect()
}

/// What of a vault is used.
pub(crate) async fn usage(connection: &mut Connection, id: VaultId) -> Result<Usage, Error> {
    let (servers, items, deleted_items, recovery_points, stored_bytes): (i64, i64, i64, i64, i64) = query(
        "SELECT (SELECT count(*) FROM servers s WHERE s.vault = $1 AND s.revoked_at IS NULL),
                (SELECT count(*) FROM items i JOIN servers s ON s.id = i.server
                 WHERE s.vault = $1 AND i.deleted_at IS NULL),
                (SELECT count(*) FROM items i JOIN servers s ON s.id = i.server
                 WHERE s.vault = $1 AND i.purge_at IS NOT NULL),
                (SELECT count(*) FROM points p JOIN servers s ON s.id = p.server
                 JOIN items i ON i.server = p.server AND i.id = p.item
                 WHERE s.vault = $1 AND p.expired_at IS NULL AND i.deleted_at IS NULL),
                (SELECT CAST(coalesce(sum(k.length), 0) AS BIGINT) FROM packs k JOIN servers s ON s.id = k.domain
                 WHERE s.vault = $1 AND k.state IN ('stored', 'live'))",
    )
    .bind(&id.0[..])
    .fetch_one(connection)
    .await?;
    Ok(Usage {
        servers: value::unsigned(servers, "count")?,
        items: value::unsigned(items, "count")?,
        deleted_items: value::unsigned(deleted_items, "count")?,
        recovery_points: value::unsigned(recovery_points, "count")?,
        stored_bytes: value::unsigned(stored_bytes, "sum of bytes")?,
    })
}

/// How many vaults of a resource group were not deleted.
pub(crate) async fn count_in_group(connection: &mut Connection, group: &GroupName) -> Result<u64, Error> {
    let key = group.key();
    let (count,): (i64,) =
        query("SELECT count(*) FROM vaults WHERE resource_group = $1 AND deleted_at IS NULL")
            .bind(key.as_str())
            .fetch_one(connection)
            .await?;
    value::unsigned(count, "count")
}
