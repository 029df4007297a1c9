//! The recovery points of a server: each sound, and each following the one before it.

use super::VerifyRequest;
use crate::EngineError;
use crate::points::{self, TrustedPoint};
use crate::vault_store::PointSummary;
use stateward_format::manifest::Warning;
use stateward_model::PointHash;
use std::collections::BTreeSet;

/// Reads all points; what is wrong with one does not hide the others.
pub(super) fn read_points(
    request: &VerifyRequest<'_>,
    problems: &mut Vec<Warning>,
) -> Result<Vec<TrustedPoint>, EngineError> {
    let mut points: Vec<TrustedPoint> = Vec::new();
    for summary in request.vault.points()? {
        match points::open_point(request.vault, request.trust, std::slice::from_ref(request.keys), summary) {
            Ok(point) => {
                if point.received_at.is_none() && request.trust.vault_public_key.is_some() {
                    problems.push(problem(
                        "receipt-missing",
                        format!(
                            "Recovery point {} has no sound receipt: nobody can say when the vault took it",
                            summary.hash
                        ),
                    ));
                }
                points.push(point);
            }
            Err(EngineError::Point(error)) => problems.push(problem("point-damaged", error.to_string())),
            Err(EngineError::Vault(error)) => {
                let why = error.damage().ok_or(error)?;
                let message = format!("Recovery point {} is listed but can't be had: {why}", summary.hash);
                problems.push(problem("point-missing", message));
            }
            Err(error) => return Err(error),
        }
    }
    check_chain(&links(request, &points)?, problems);
    Ok(points)
}

/// A point as a link of the chain.
struct Link {
    summary: PointSummary,
    previous: Option<PointHash>,
}

/// All links in order: the points, and what the vault still has of those whose retention has ended. Of these the objects
/// prove that they were what they are said to have been; what can't be had or believed is none.
fn links(request: &VerifyRequest<'_>, points: &[TrustedPoint]) -> Result<Vec<Link>, EngineError> {
    let of_point = |point: &TrustedPoint| Link { summary: point.summary, previous: point.header.previous };
    let mut links: Vec<Link> = points.iter().map(of_point).collect();
    let shown: BTreeSet<PointSummary> = request.vault.points()?.into_iter().collect();
    for summary in request.vault.chain()?.into_iter().filter(|summary| !shown.contains(summary)) {
        match points::open_header(request.vault, request.trust, summary) {
            Ok(header) => links.push(Link { summary, previous: header.previous }),
            Err(EngineError::Point(_)) => {}
            Err(EngineError::Vault(error)) if error.damage().is_some() => {}
            Err(error) => return Err(error),
        }
    }
    links.sort_by_key(|link| link.summary);
    Ok(links)
}

/// Each point names the one before it. (The oldest objects may be gone: the first that is left may name one of those.)
fn check_chain(links: &[Link], problems: &mut Vec<Warning>) {
    for Link { summary, previous } in links.iter().skip(1) {
        let is_before = |link: &Link| {
            Some(link.summary.hash) == *previous && link.summary.sequence + 1 == summary.sequence
        };
        if !links.iter().any(is_before) {
            problems.push(problem(
                "chain-broken",
                format!(
                    "Recovery point {} (number {}) follows one that the vault does not show",
                    summary.hash, summary.sequence
                ),
            ));
        }
    }
}

pub(super) fn problem(code: &str, message: String) -> Warning {
    Warning { code: code.to_owned(), path: Vec::new(), message }
}
