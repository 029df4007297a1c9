//! The management API (`stateward_api::arm`) over HTTP. One file a noun, the same names as in `app`.
//!
//! What all of it has in common stands beside the nouns: [`spelling`] (paths are told apart without regard to case),
//! [`place`] (which subscription, group and vault a call is about), [`query`] and [`filter`] (what follows the `?`),
//! [`etag`].

mod clouds;
mod etag;
mod filter;
mod groups;
mod place;
mod policies;
mod query;
mod spelling;
mod vaults;

pub(super) use clouds::{cloud, openid_configuration};
pub(super) use groups::*;
pub(super) use place::{Manager, check_subscription, place_of};
pub(super) use policies::*;
pub(super) use query::check_version;
pub(super) use spelling::Spelling;
pub(super) use vaults::*;
