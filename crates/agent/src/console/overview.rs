//! This server at a glance.

use super::Console;
use super::answer::{Answer, answered};
use super::shapes;
use crate::overview::Overview;
use crate::{AgentError, platform};
use axum::extract::State;
use stateward_api::console::{self as contract, ItemOverview, NewestPoint, ProvenRestore};
use std::sync::Arc;

/// What `stateward status` shows.
pub(super) async fn get(State(console): State<Arc<Console>>) -> Answer<contract::Overview> {
    answered(console, |console| Ok(overview(console)?)).await
}

fn overview(console: &Console) -> Result<contract::Overview, AgentError> {
    let agent = &console.agent;
    let (found, now) = (Overview::of(agent)?, agent.now());
    let item = |item: &crate::items::Item| {
        let (last, next) = (found.last_backup(item.id), found.next_runs.get(&item.id));
        let tries = found.proofs.restores.get(&item.id);
        ItemOverview {
            item: item.into(),
            last_backup: last.and_then(|job| job.ended_at),
            last_backup_status: last.map(|job| job.state),
            policy: next.map(|next| next.policy.clone()),
            next_backup: next.and_then(|next| next.at),
            proven_restore: tries.and_then(|tries| tries.proven).map(|proven| ProvenRestore {
                at: proven.at,
                recovery_point: proven.recovery_point,
                files: proven.files,
                bytes: proven.bytes,
            }),
            trial_restore_hindered: tries.and_then(|tries| tries.hindered.clone()),
            next_trial_restore: found.proofs.next_trial(&found.proof_settings, item.id, now),
        }
    };
    Ok(contract::Overview {
        home: shapes::path(agent.home().path()),
        program: agent.program().to_owned(),
        host_name: platform::host_name(),
        time: now,
        registration: found.registration.as_ref().map(Into::into),
        items: found.items.items.iter().map(item).collect(),
        newest_recovery_point: found.head.map(|head| NewestPoint {
            recovery_point: head.point,
            sequence: head.sequence,
            time: head.received_at,
        }),
        running_jobs: found.running().map(Into::into).collect(),
        is_served: found.is_served,
        verified_at: found.proofs.verify.proven,
        next_verify: found.proofs.next_verify(&found.proof_settings, now),
    })
}
