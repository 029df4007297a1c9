//! The management API: Azure Resource Manager's, as clients of Recovery Services vaults speak it. One file a noun.
//!
//! What real clients send and need was measured with unmodified ones (`azure-cli`, the SDKs for Python and JavaScript); where
//! a field stands here that we have no use for, some client fails without it, and the field's text says which.
//!
//! - Paths begin with `/subscriptions/{subscription}`; their fixed parts are told apart without regard to case, and so are
//!   names. Every call has `?api-version=YYYY-MM-DD`; any such version is taken.
//! - Answers that are not a success are [`crate::ErrorBody`].
//! - Lists are [`List`].
//! - Changes that are not done at once are answered with 202 and `Azure-AsyncOperation`, `Location` and `Retry-After`.
//!
//! Begin with [`vaults`].

pub mod agents;
pub mod alerts;
pub mod approvals;
pub mod audit;
pub mod clouds;
pub mod containers;
pub mod credentials;
pub mod groups;
pub mod guards;
pub mod items;
pub mod jobs;
pub mod operations;
pub mod pins;
pub mod policies;
pub mod previews;
pub mod principals;
pub mod quotas;
pub mod recovery_points;
pub mod usages;
pub mod vaults;

use serde::{Deserialize, Serialize};
use stateward_model::{ItemId, ServerId};
use std::collections::BTreeMap;

/// The namespace of Recovery Services' resources.
pub const PROVIDER: &str = "Microsoft.RecoveryServices";

/// The `api-version` that our own clients name: one since which vaults are deleted as they are today.
pub const VERSION: &str = "2024-04-01";

/// A resource's tags: at most 50, names up to 512 and values up to 256 characters (Azure, "Use tags to organize your Azure
/// resources", *Limitations*).
pub type Tags = BTreeMap<String, String>;

/// A list, or a page of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListOf{T}")]
pub struct List<T> {
    /// What is listed.
    pub value: Vec<T>,
    /// Where the next page is; left out on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
}

impl<T> List<T> {
    /// A list that has one page.
    pub fn whole(value: Vec<T>) -> Self {
        Self { value, next_link: None }
    }
}

/// Anything that has a path, and is more than its path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ResourceOf{P}")]
pub struct Resource<P> {
    /// Its path.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its kind: `Microsoft.RecoveryServices/vaults/…`.
    pub r#type: String,
    /// What there is to know of it.
    pub properties: P,
}

/// The id of a resource group: its path.
pub fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

/// The id of a vault: its path, and the beginning of the ids of all that is in it.
pub fn vault_id(subscription: &str, group: &str, vault: &str) -> String {
    format!("{}/providers/{PROVIDER}/vaults/{vault}", group_id(subscription, group))
}

/// The name of a server among a vault's containers. Clients need the `Windows;`, whatever the server's operating system is:
/// `az backup container unregister` fails without it.
pub fn container_name(server: ServerId) -> String {
    format!("Windows;{server}")
}

/// The path of a server within its vault.
pub fn container_path(server: ServerId) -> String {
    format!("backupFabrics/Azure/protectionContainers/{}", container_name(server))
}

/// The path of a protected item within its vault.
pub fn item_path(server: ServerId, item: ItemId) -> String {
    format!("{}/protectedItems/{item}", container_path(server))
}
