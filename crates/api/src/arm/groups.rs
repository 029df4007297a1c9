//! Subscriptions and resource groups: where vaults are looked for, and the reach of roles. A vault's program has one
//! subscription, and the group `default` from its beginning.

use super::Tags;
use serde::{Deserialize, Serialize};

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its path.
    pub id: String,
    /// Its id.
    pub subscription_id: String,
    /// The tenant's id.
    pub tenant_id: String,
    /// What people call it.
    pub display_name: String,
    /// `Enabled`.
    pub state: String,
}

/// A location, in which vaults can be made.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    /// Its path.
    pub id: String,
    /// The subscription's id.
    pub subscription_id: String,
    /// Its name.
    pub name: String,
    /// `Region`.
    pub r#type: String,
    /// What people call it.
    pub display_name: String,
    /// The same; `az` sorts by it.
    pub regional_display_name: String,
    /// What kind of region it is.
    pub metadata: LocationMetadata,
}

/// What kind of region a location is.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocationMetadata {
    /// `Physical`.
    pub region_type: String,
    /// `Recommended`.
    pub region_category: String,
}

/// A resource group.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResourceGroup {
    /// Its path.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Microsoft.Resources/resourceGroups`.
    pub r#type: String,
    /// Where it is.
    pub location: String,
    /// Its tags.
    pub tags: Tags,
    /// How it stands.
    pub properties: GroupProperties,
}

/// How a resource group stands.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupProperties {
    /// `Succeeded`.
    pub provisioning_state: String,
}

/// `PUT` and `PATCH` of a resource group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ResourceGroupRequest {
    /// Where it is to be; needed for a new one.
    #[serde(default)]
    pub location: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Option<Tags>,
}
