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
    let shown = request.vault.points()?;
    for summary in shown.iter().copied() {
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
    let mut links: Vec<Link> = points.iter().map(Link::of).collect();
    // Most chains have no gap, and need no second look at the vault.
    if gaps(&links).next().is_some() {
        add_gone(request, &shown, &mut links)?;
    }
    problems.extend(gaps(&links).map(told));
    Ok(points)
}

/// A point as a link of the chain.
struct Link {
    summary: PointSummary,
    previous: Option<PointHash>,
}

impl Link {
    fn of(point: &TrustedPoint) -> Self {
        Self { summary: point.summary, previous: point.header.previous }
    }
}

/// Adds what the vault still has of points whose retention has ended. Their objects prove that they were what they are said to
/// have been; what can't be had or believed is no link.
fn add_gone(
    request: &VerifyRequest<'_>,
    shown: &[PointSummary],
    links: &mut Vec<Link>,
) -> Result<(), EngineError> {
    for summary in request.vault.chain()?.into_iter().filter(|summary| !shown.contains(summary)) {
        match points::open_header(request.vault, request.trust, summary) {
            Ok(header) => links.push(Link { summary, previous: header.previous }),
            Err(EngineError::Point(_)) => {}
            Err(EngineError::Vault(error)) if error.damage().is_some() => {}
            Err(error) => return Err(error),
        }
    }
    links.sort_by_key(|link| link.summary);
    Ok(())
}

/// The links that do not follow one that is there. (The oldest objects may be gone: the first that is left may name one of
/// those.)
fn gaps(links: &[Link]) -> impl Iterator<Item = &Link> {
    let known: BTreeSet<(u64, PointHash)> =
        links.iter().map(|link| (link.summary.sequence, link.summary.hash)).collect();
    links.iter().skip(1).filter(move |Link { summary, previous }| {
        let before = previous.zip(summary.sequence.checked_sub(1));
        !before.is_some_and(|(hash, sequence)| known.contains(&(sequence, hash)))
    })
}

fn told(Link { summary, .. }: &Link) -> Warning {
    let (hash, sequence) = (summary.hash, summary.sequence);
    problem(
        "chain-broken",
        format!("Recovery point {hash} (number {sequence}) follows one that the vault does not show"),
    )
}

pub(super) fn problem(code: &str, message: String) -> Warning {
    Warning { code: code.to_owned(), path: Vec::new(), message }
}
