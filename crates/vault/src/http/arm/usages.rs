//! How much of a vault is used, and what else clients ask of it that is always the same here.

use super::place::Manager;
use super::query::Query;
use super::vaults::id_of;
use crate::app::jobs::Standing;
use crate::app::{App, Error};
use axum::Json as Answer;
use axum::extract::State;
use serde_json::{Value, json};
use stateward_api::arm::usages::{CountName, JobsSummary, ReplicationUsage, UsageCount};
use stateward_api::arm::{List, PROVIDER, Resource};
use stateward_model::Timestamp;
use std::sync::Arc;

type AppState = State<Arc<App>>;

/// A day, in seconds.
const DAY: i64 = 86_400;

fn count(value: &str, words: &str, unit: &str, number: u64) -> UsageCount {
    UsageCount {
        unit: unit.to_owned(),
        current_value: i64::try_from(number).unwrap_or(i64::MAX),
        limit: -1,
        name: CountName { value: value.to_owned(), localized_value: words.to_owned() },
    }
}

/// `GET {vault}/usages`
pub(in crate::http) async fn list_usages(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<List<UsageCount>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    let usage = app.vault_usage(vault.id).await?;
    Ok(Answer(List::whole(vec![
        count("RegisteredServers", "Registered servers", "Count", usage.servers),
        count("ProtectedItems", "Protected items", "Count", usage.items),
        count("SoftDeletedItems", "Deleted items that can be had back", "Count", usage.deleted_items),
        count("RecoveryPoints", "Recovery points", "Count", usage.recovery_points),
        count("StoredBytes", "Bytes as they are stored", "Bytes", usage.stored_bytes),
    ])))
}

/// `GET {vault}/replicationUsages`
pub(in crate::http) async fn list_replication_usages(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<List<ReplicationUsage>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    let usage = app.vault_usage(vault.id).await?;
    let jobs = app.jobs_of(vault.id, app.now().plus_seconds(-DAY)..=Timestamp(i64::MAX)).await?;
    let number = |standing| jobs.iter().filter(|judged| judged.standing == standing).count();
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Answer(List::whole(vec![ReplicationUsage {
        monitoring_summary: json!({}),
        jobs_summary: JobsSummary {
            failed_jobs: signed(number(Standing::Failed) as u64),
            suspended_jobs: 0,
            in_progress_jobs: signed(number(Standing::InProgress) as u64),
        },
        protected_item_count: signed(usage.items),
        recovery_plan_count: 0,
        registered_servers_count: signed(usage.servers),
        recovery_services_provider_auth_type: 0,
    }])))
}

/// `GET {vault}/backupUsageSummaries`
pub(in crate::http) async fn list_usage_summaries(
    State(app): AppState,
    manager: Manager,
    query: Query,
) -> Result<Answer<List<UsageCount>>, Error> {
    let filter = query.filter(&["type"])?;
    let vault = app.vault_at(&manager.place).await?;
    let usage = app.vault_usage(vault.id).await?;
    let counts = [
        ("BackupProtectionContainerCountSummary", "MAB", "Servers with an agent", usage.servers),
        ("BackupProtectedItemCountSummary", "MAB", "Protected items of servers with an agent", usage.items),
    ];
    let listed = counts.into_iter().filter(|(kind, ..)| filter.admits("type", kind));
    Ok(Answer(List::whole(
        listed.map(|(_, value, words, number)| count(value, words, "Count", number)).collect(),
    )))
}

/// Lists of what is not here, such as `GET {vault}/backupEngines`: other products' servers, and machines that nobody has
/// protected yet.
pub(in crate::http) async fn list_nothing(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<List<Value>>, Error> {
    app.vault_at(&manager.place).await?;
    Ok(Answer(List::whole(Vec::new())))
}

/// `GET {vault}/extendedInformation/vaultExtendedInfo`: keys of another product, which has none here.
pub(in crate::http) async fn get_extended_info(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<Resource<Value>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(Resource {
        id: format!("{}/extendedInformation/vaultExtendedInfo", id_of(&app, &vault)),
        name: "vaultExtendedInfo".to_owned(),
        r#type: format!("{PROVIDER}/vaults/extendedInformation"),
        properties: json!({ "algorithm": "None" }),
    }))
}

/// `GET {vault}/backupEncryptionConfigs/backupResourceEncryptionConfig`: recovery points are sealed on their servers, by keys
/// that the vault never has.
pub(in crate::http) async fn get_encryption(
    State(app): AppState,
    manager: Manager,
) -> Result<Answer<Resource<Value>>, Error> {
    let vault = app.vault_at(&manager.place).await?;
    Ok(Answer(Resource {
        id: format!("{}/backupEncryptionConfigs/backupResourceEncryptionConfig", id_of(&app, &vault)),
        name: "backupResourceEncryptionConfig".to_owned(),
        r#type: format!("{PROVIDER}/vaults/backupEncryptionConfigs"),
        properties: json!({
            "encryptionAtRestType": "CustomerManaged", "infrastructureEncryptionState": "Disabled",
            "lastUpdateStatus": "Succeeded", "useSystemAssignedIdentity": false,
        }),
    }))
}
