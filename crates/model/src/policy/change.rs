//! What another policy means for the recovery points that are there.
//!
//! As in Azure, a changed policy holds for existing points too (FAQ, *What happens when I change my backup policy?*;
//! "Azure Backup architecture", *Impact of policy change on recovery points*): longer retention lengthens theirs, shorter
//! retention ends those that are past it at the next expiry, a policy without daily retention ends daily points, and points
//! that were weekly are kept by days under a daily one. All of that follows from judging them anew ([`select`]).
//!
//! One difference: where only the days or times of a tier change, Azure lets old points run out under their old tag; here the
//! new buckets are filled from the points that are there, one for each, so as many are kept.

use super::retention::{Tier, TierKind};
use super::{Point, Policy, Until, select};
use crate::{Timestamp, counted};
use serde::Serialize;
use std::fmt;

/// One way in which a policy keeps less than another. An immutable vault refuses a change that has one ("Immutable vault",
/// *restricted operations*: reducing retention is blocked, changing the schedule is not), others ask for more than a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Lessening {
    /// A tier is gone.
    TierRemoved {
        /// Which.
        tier: TierKind,
    },
    /// A tier keeps its points for fewer of its units.
    KeepShortened {
        /// Which.
        tier: TierKind,
        /// Before.
        from: u32,
        /// After.
        to: u32,
    },
    /// A tier keeps fewer points of each of its units. Other days or times, but as many, are no lessening.
    FewerSlots {
        /// Which.
        tier: TierKind,
        /// Before.
        from: usize,
        /// After.
        to: usize,
    },
}

impl fmt::Display for Lessening {
    /// `weekly retention shortened from 8 to 4 weeks`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TierRemoved { tier } => write!(f, "{tier} retention removed"),
            Self::KeepShortened { tier, from, to } => {
                write!(f, "{tier} retention shortened from {from} to {to} {}", tier.unit())
            }
            Self::FewerSlots { tier, from, to } => {
                write!(
                    f,
                    "{tier} retention keeps {} of each of its {} instead of {from}",
                    counted(*to as u64, "recovery point"),
                    tier.unit()
                )
            }
        }
    }
}

/// All ways in which `new` keeps less than `old`; none if it keeps at least as much.
pub fn lessenings(old: &Policy, new: &Policy) -> Vec<Lessening> {
    let mut found = Vec::new();
    for before in old.retention().tiers() {
        match new.retention().tiers().find(|tier| tier.kind == before.kind) {
            None => found.push(Lessening::TierRemoved { tier: before.kind }),
            Some(after) => found.extend(tier_lessenings(before, after)),
        }
    }
    found
}

fn tier_lessenings(before: Tier<'_>, after: Tier<'_>) -> impl Iterator<Item = Lessening> {
    let tier = before.kind;
    let (from, to) = (before.count, after.count);
    let shortened = (to < from).then_some(Lessening::KeepShortened { tier, from, to });
    let (from, to) = (before.slots_in_unit(), after.slots_in_unit());
    let fewer = (to < from).then_some(Lessening::FewerSlots { tier, from, to });
    shortened.into_iter().chain(fewer)
}

/// What a change of policy does to one point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Which of the points.
    pub index: usize,
    /// Until when it was kept.
    pub before: Until,
    /// Until when it would be kept.
    pub after: Until,
}

impl Effect {
    /// Whether the next expiry would end it.
    pub fn ends_at_once(&self, now: Timestamp) -> bool {
        self.before > Until::Moment(now) && self.after <= Until::Moment(now)
    }
}

/// The live points whose end another policy would move, in the order of `points`.
pub fn effects(old: &Policy, new: &Policy, points: &[Point], now: Timestamp) -> Vec<Effect> {
    let before = select(old, points, now);
    let after = select(new, points, now);
    let ends = before.iter().zip(&after).enumerate();
    ends.filter_map(|(index, (before, after))| {
        let (before, after) = (before.until()?, after.until()?);
        (before != after).then_some(Effect { index, before, after })
    })
    .collect()
}

#[cfg(test)]
mod tests;
