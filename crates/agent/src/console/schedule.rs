//! *Schedule Backup*.

use super::Console;
use super::answer::{Answer, answered};
use super::body::Body;
use crate::Registration;
use crate::admin::ServicePrincipal;
use crate::schedule::{self, OwnVault, one_item};
use axum::extract::State;
use stateward_api::arm::policies::Policy;
use stateward_api::console::{
    Administrator, AdministratorRequest, NamedPolicy, PolicyList, SchedulePreview, SchedulePreviewRequest,
    ScheduleRequest, Scheduled,
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Whoever signs in at the vault for this act.
pub(super) fn administrator(given: Administrator) -> ServicePrincipal {
    let client_secret = Zeroizing::new(given.client_secret.0);
    ServicePrincipal { client_id: given.client_id, client_secret }
}

fn named(policy: Policy) -> NamedPolicy {
    NamedPolicy { name: policy.name, properties: policy.properties }
}

/// The vault's policies.
pub(super) async fn policies(
    State(console): State<Arc<Console>>,
    Body(request): Body<AdministratorRequest>,
) -> Answer<PolicyList> {
    answered(console, move |console| {
        Registration::load(console.agent.home())?;
        let vault = OwnVault::open(&console.agent, request.administrator.map(administrator))?;
        Ok(PolicyList { value: vault.policies()?.into_iter().map(named).collect() })
    })
    .await
}

/// What a policy would come to keep.
pub(super) async fn preview(
    State(console): State<Arc<Console>>,
    Body(request): Body<SchedulePreviewRequest>,
) -> Answer<SchedulePreview> {
    answered(console, move |console| {
        let found = schedule::preview(&request.properties, &request.moments, console.agent.now())?;
        Ok(SchedulePreview { next_runs: found.next_runs, kept: found.kept })
    })
    .await
}

/// Gives an item a policy.
pub(super) async fn set(
    State(console): State<Arc<Console>>,
    Body(request): Body<ScheduleRequest>,
) -> Answer<Scheduled> {
    answered(console, move |console| {
        let agent = &console.agent;
        Registration::load(agent.home())?;
        let item = one_item(agent, request.item.as_deref())?;
        let vault = OwnVault::open(agent, request.administrator.map(administrator))?;
        let policy = vault.policy(request.policy, request.properties)?;
        vault.set(&item, &policy)?;
        Ok(Scheduled { item: (&item).into(), policy: named(policy), is_served: agent.home().is_served() })
    })
    .await
}
