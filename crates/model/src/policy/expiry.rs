//! What the vault may expire now, or why it must ask a person first.
//!
//! Retention ends by the clock, so a wrong clock could end everything. The vault writes down the latest moment that it has
//! seen ([`HighWater`]), every hour or more often, and hands it in. Nothing expires when the clock is a day or more away from
//! it; a vault that was switched off for days looks the same, and a person says which it was. And no item loses a fifth of
//! its points in one run, whatever the reason (a clock that crept, a policy that was shortened by mistake or by an intruder),
//! unless a person has seen which.
//!
//! The fifth is counted for each item, beside one point that may always go: a weekly point that is kept for four weeks is one
//! of five when it ends. Items that keep to it keep the vault to it as well.

use super::{Claim, Point, Policy, Until, select};
use crate::{Timestamp, counted};
use serde::Serialize;

/// From how far on a difference between the clock and the last moment written down is a jump, in seconds.
pub const JUMP_SECONDS: i64 = 86_400;

/// A run may not expire this part of an item's live points, or more: one in so many.
pub const UNUSUAL_PART: usize = 5;

/// The latest moment that a vault has seen and written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighWater(pub Timestamp);

impl HighWater {
    /// What to write down at `now`; or the refusal to believe `now`, until a person has said that it is right and `now` was
    /// written down as it is. A clock that is less than a day back is believed: it ends less, not more.
    pub fn advance(self, now: Timestamp) -> Result<Self, ClockJumped> {
        let (written, jump) = (self.0, JUMP_SECONDS);
        if now >= written.plus_seconds(jump) {
            return Err(ClockJumped::Forward { written, now });
        }
        if now <= written.plus_seconds(-jump) {
            return Err(ClockJumped::Back { written, now });
        }
        Ok(Self(written.max(now)))
    }
}

/// The vault's clock can't be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClockJumped {
    /// It is a day or more ahead.
    #[error(
        "Nothing was expired: the vault's clock shows {now}, a day or more after {written}, when it was last seen. Was the \
         vault switched off? Then confirm that the clock is right; if not, set it"
    )]
    Forward {
        /// The latest moment that was written down.
        written: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },
    /// It is a day or more behind.
    #[error(
        "Nothing was expired: the vault's clock shows {now}, a day or more before {written}, when it was last seen. Set the \
         clock, or confirm that it is right now and was wrong before"
    )]
    Back {
        /// The latest moment that was written down.
        written: Timestamp,
        /// What the clock shows.
        now: Timestamp,
    },
}

/// An item whose points may have come to their end.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Its policy; `None` where nothing of it expires because protection was stopped with its data kept (FAQ, *How long is
    /// data retained when stopping backups, but selecting the option to retain backup data?*).
    pub policy: Option<&'a Policy>,
    /// Its points, as for [`select`].
    pub points: &'a [Point],
}

/// A point whose retention has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Expiring {
    /// Which of the item's points.
    pub index: usize,
    /// What it was kept for last.
    pub ended: Claim,
}

/// What to do with an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemPlan {
    /// Soft-delete these, oldest commit first; often none.
    Expire(Vec<Expiring>),
    /// Nothing, until a person has confirmed them ([`Point::is_expiry_confirmed`]).
    Hold(UnusuallyMany),
}

/// A run would expire unusually many points of an item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Nothing of the item was expired: {} of its {} would end at once, which is a fifth or more. Look at \
     its policy and at the vault's clock, then confirm these recovery points or correct what is wrong",
    .expiring.len(), counted(*.live as u64, "recovery point")
)]
pub struct UnusuallyMany {
    /// How many live points the item has.
    pub live: usize,
    /// Which would end.
    pub expiring: Vec<Expiring>,
}

/// What one run of the expiry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What to write down, before anything is expired.
    pub high_water: HighWater,
    /// For each item, in the order given.
    pub items: Vec<ItemPlan>,
}

/// Plans one run of the expiry over all items of a vault.
pub fn plan(high_water: HighWater, items: &[Item<'_>], now: Timestamp) -> Result<Plan, ClockJumped> {
    let high_water = high_water.advance(now)?;
    Ok(Plan { high_water, items: items.iter().map(|item| plan_item(item, now)).collect() })
}

fn plan_item(item: &Item<'_>, now: Timestamp) -> ItemPlan {
    let Some(policy) = item.policy else { return ItemPlan::Expire(Vec::new()) };
    let verdicts = select(policy, item.points, now);
    let ended =
        |index: usize| verdicts[index].longest().copied().filter(|claim| claim.until <= Until::Moment(now));
    let live: Vec<usize> = (0..item.points.len()).filter(|index| item.points[*index].is_live).collect();
    let expiring: Vec<Expiring> = live
        .iter()
        .filter_map(|index| ended(*index).map(|ended| Expiring { index: *index, ended }))
        .collect();
    let unconfirmed = expiring.iter().filter(|point| !item.points[point.index].is_expiry_confirmed).count();
    match is_unusual(unconfirmed, live.len()) {
        true => ItemPlan::Hold(UnusuallyMany { live: live.len(), expiring }),
        false => ItemPlan::Expire(expiring),
    }
}

fn is_unusual(expiring: usize, live: usize) -> bool {
    let beside_one = expiring.saturating_sub(1);
    beside_one > 0 && beside_one * UNUSUAL_PART >= live
}

#[cfg(test)]
mod tests;
