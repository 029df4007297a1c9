//! The management API (`stateward_api::arm`) over HTTP. One file a noun, the same names as in `app`.
//!
//! What all of it has in common stands beside the nouns: [`spelling`] (paths are told apart without regard to case),
//! [`place`] (which subscription, group and vault a call is about), [`query`] and [`filter`] (what follows the `?`),
//! [`paths`] (names of servers and items), [`etag`].

mod agents;
mod alerts;
mod approvals;
mod audit;
mod clouds;
mod containers;
mod credentials;
mod etag;
mod filter;
mod groups;
mod guards;
mod items;
mod jobs;
mod operations;
mod paths;
mod pins;
mod place;
mod policies;
mod previews;
mod principals;
mod query;
mod quotas;
mod recovery_points;
mod spelling;
mod usages;
mod vaults;

pub(super) use agents::*;
pub(super) use alerts::*;
pub(super) use approvals::*;
pub(super) use audit::*;
pub(super) use clouds::signing_keys;
pub(super) use clouds::{cloud, openid_configuration};
pub(super) use containers::{
    delete_container, delete_identity, get_container, list_containers, list_containers_of_fabric,
    list_deleted_containers, list_fabrics, refresh_containers,
};
pub(super) use credentials::*;
pub(super) use groups::*;
pub(super) use guards::*;
pub(super) use items::{back_up_item, delete_item, get_item, list_items, put_item};
pub(super) use jobs::{cancel_job, get_job, list_jobs};
pub(super) use operations::{get_operation, get_operation_result};
pub(super) use pins::*;
pub(super) use place::{Manager, check_subscription, place_of};
pub(super) use policies::*;
pub(super) use previews::*;
pub(super) use principals::*;
pub(super) use query::check_version;
pub(super) use quotas::*;
pub(super) use recovery_points::*;
pub(super) use spelling::Spelling;
pub(super) use usages::*;
pub(super) use vaults::*;

#[cfg(test)]
mod tests;
