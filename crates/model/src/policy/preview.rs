//! What a policy will come to keep, for people who are about to choose it: as if every run made a good recovery point at
//! once. Azure never shows the end of a scheduled point (FAQ, *Can I view the expiration time for the recovery points?*); here
//! it is seen before the first one is made.

use super::{Claim, Point, Policy, Run, select};
use crate::Timestamp;
use serde::Serialize;

/// What is kept at some moment to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// When.
    pub at: Timestamp,
    /// The recovery points, oldest first.
    pub points: Vec<KeptPoint>,
}

/// A recovery point that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptPoint {
    /// When the vault received it, or would.
    pub received_at: Timestamp,
    /// Whether it is there already; otherwise a run to come makes it.
    pub exists: bool,
    /// Why it is kept then; at least one reason.
    pub claims: Vec<Claim>,
}

/// The next runs.
pub fn next_runs(policy: &Policy, now: Timestamp, count: usize) -> Vec<Run> {
    policy.schedule().runs_after(now).take(count).collect()
}

/// What is kept at `at`, if the policy holds from `now` on, `existing` points are there (as for [`select`]) and every run
/// from now on makes a point. The cost grows with the runs between `now` and `at`.
pub fn kept_at(policy: &Policy, existing: &[Point], now: Timestamp, at: Timestamp) -> Kept {
    let to_come = policy.schedule().runs_after(now).take_while(|run| run.at <= at);
    let points: Vec<Point> =
        existing.iter().copied().chain(to_come.map(|run| Point::scheduled(run.at))).collect();
    let verdicts = select(policy, &points, at);
    let mut kept: Vec<KeptPoint> = verdicts
        .iter()
        .enumerate()
        .filter(|(_, verdict)| verdict.keeps(at))
        .map(|(index, verdict)| KeptPoint {
            received_at: points[index].received_at,
            exists: index < existing.len(),
            claims: verdict.holding(at).copied().collect(),
        })
        .collect();
    kept.sort_by_key(|point| point.received_at);
    Kept { at, points: kept }
}

#[cfg(test)]
mod tests;
