//! The recovery points of a server: each sound, and each following the one before it.

use super::VerifyRequest;
use crate::EngineError;
use crate::points::{self, TrustedPoint};
use crate::vault_store::PointSummary;
use stateward_format::manifest::Warning;

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
    check_chain(&points, problems);
    Ok(points)
}

/// Each point names the one before it. (Retention takes old ones away: the first that is left may name one that is gone.)
fn check_chain(points: &[TrustedPoint], problems: &mut Vec<Warning>) {
    for point in points.iter().skip(1) {
        let before = points.iter().map(|point| point.summary).find(|before: &PointSummary| {
            Some(before.hash) == point.header.previous && before.sequence + 1 == point.summary.sequence
        });
        if before.is_none() {
            problems.push(problem(
                "chain-broken",
                format!(
                    "Recovery point {} (number {}) follows one that the vault does not show",
                    point.summary.hash, point.summary.sequence
                ),
            ));
        }
    }
}

pub(super) fn problem(code: &str, message: String) -> Warning {
    Warning { code: code.to_owned(), path: Vec::new(), message }
}
