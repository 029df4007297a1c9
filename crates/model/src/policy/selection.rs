//! Which recovery points are kept, until when, and why.
//!
//! Every tier's slots cut time into *buckets*: from a slot's moment to the next one's. A bucket is taken by its first good
//! point, by the vault's time. So a run that comes late, or the one after it that succeeds, or one on demand takes the place
//! of a missed one, as in Azure ("Frequently asked questions - MARS agent", *What happens if the expected Weekly, Monthly, or
//! Yearly backup fails?*); and nobody can push a point out of its bucket by sending more of them.
//!
//! - The length of a tier is counted from the point's own time on the calendar of the schedule's zone.
//! - A damaged point is kept like any other, but its bucket is taken by the next good point as well.
//! - A point that is gone before its time (deleted by a person, or expired under a shorter policy) passes its bucket on to
//!   the next good one that is there. One whose time was up does not: otherwise each point that ends would keep the next.
//! - The first point of an item takes all buckets that are open when protection begins.
//! - Nothing is remembered of how a point was judged before, so a changed policy holds for all points that are there: see
//!   [`change`](super::change).
//! - The last good point stays whatever its age, and one that was the last for more than a week stays on for the first week
//!   of the next one: whoever has taken over a server can't end its last honest point by making another. (Azure keeps
//!   the one with the longest retention instead, and only until there is a new one; same page, *My backup jobs have been
//!   failing*. Here it is the newest, which is what a restore wants.)
//!
//! What a vault forgets of points that are gone makes it keep more, never less.

use super::calendar::LocalTime;
use super::limits::KEEP_DAYS_MIN;
use super::retention::{Tier, TierKind};
use super::{Policy, Run, Zone};
use crate::Timestamp;
use serde::Serialize;
use std::fmt;

/// What retention knows of a recovery point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the vault committed it, by the vault's clock: never the agent's.
    pub received_at: Timestamp,
    /// Until when a person wanted it kept who made it on demand ([`Policy::on_demand_until`]).
    pub retain_until: Option<Timestamp>,
    /// Until when it was promised to be kept whatever becomes of the policy: what an immutable vault writes down.
    pub promised_until: Option<Timestamp>,
    /// Whether all of it is there, as far as the vault knows. A backup that was completed with warnings is good.
    pub is_good: bool,
    /// Whether it can be restored from; not when it was expired, deleted or collected.
    pub is_live: bool,
    /// Whether a person agreed that it expires in a run that expires unusually many ([`expiry`](super::expiry)).
    pub is_expiry_confirmed: bool,
}

impl Point {
    /// A live, good point of a scheduled run.
    pub fn scheduled(received_at: Timestamp) -> Self {
        Self {
            received_at,
            retain_until: None,
            promised_until: None,
            is_good: true,
            is_live: true,
            is_expiry_confirmed: false,
        }
    }
}

/// An end that may never come. Later is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Until {
    /// That moment; no longer at it.
    Moment(Timestamp),
    /// As long as the reason holds.
    NoEnd,
}

/// One reason to keep a recovery point, and how long it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Why.
    pub reason: Reason,
    /// How long.
    pub until: Until,
}

impl Claim {
    /// The reason and its end by the clocks of a zone: `weekly, Sunday 2026-11-29 02:00, until Sunday 2026-12-27 02:20`.
    pub fn explain(&self, zone: &Zone) -> String {
        match self.until {
            Until::Moment(end) => format!("{}, until {}", self.reason, zone.local(end)),
            Until::NoEnd => self.reason.to_string(),
        }
    }
}

/// Why a recovery point is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Reason {
    /// It took a bucket of a tier.
    #[serde(rename_all = "camelCase")]
    Tier {
        /// Which tier.
        tier: TierKind,
        /// The slot at which the bucket begins.
        slot: LocalTime,
        /// Whether the slot's own run was missed: this point came after the schedule's next one was due.
        in_place: bool,
    },
    /// A person wants it so: whoever made it on demand, or had it back.
    OnDemand,
    /// It was promised while the vault was immutable.
    Promise,
    /// Every point is kept for [`KEEP_DAYS_MIN`] days.
    Minimum,
    /// It is the item's last good point, or was it until a few days ago.
    LastGood,
    /// The item has no good point: what is there is all there is.
    NoneGood,
}

impl Reason {
    /// The name of the rule, as the ARM API's `ruleName` has it.
    pub fn rule_name(&self) -> &'static str {
        match self {
            Self::Tier { tier: TierKind::Daily, .. } => "Daily",
            Self::Tier { tier: TierKind::Weekly, .. } => "Weekly",
            Self::Tier { tier: TierKind::Monthly, .. } => "Monthly",
            Self::Tier { tier: TierKind::Yearly, .. } => "Yearly",
            Self::OnDemand => "OnDemand",
            Self::Promise => "Immutable",
            Self::Minimum => "Minimum",
            Self::LastGood => "LastGood",
            Self::NoneGood => "NoneGood",
        }
    }
}

impl fmt::Display for Reason {
    /// `weekly, Sunday 2026-11-29 02:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tier { tier, slot, in_place: false } => write!(f, "{tier}, {slot}"),
            Self::Tier { tier, slot, in_place: true } => write!(f, "{tier}, in place of {slot}"),
            Self::OnDemand => f.write_str("kept on demand"),
            Self::Promise => f.write_str("promised by an immutable vault"),
            Self::Minimum => write!(f, "every recovery point, {KEEP_DAYS_MIN} days"),
            Self::LastGood => f.write_str("the last good recovery point"),
            Self::NoneGood => f.write_str("no recovery point is good, so all stay"),
        }
    }
}

/// All reasons to keep one recovery point, those that are over too: the last to end says what it was kept for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict(pub Vec<Claim>);

impl Verdict {
    /// The reason that holds longest; of equal ones the first. `None` for a point that is gone.
    pub fn longest(&self) -> Option<&Claim> {
        self.0.iter().rev().max_by_key(|claim| claim.until)
    }

    /// Until when the point is kept, if nothing changes.
    pub fn until(&self) -> Option<Until> {
        self.longest().map(|claim| claim.until)
    }

    /// The reasons that still hold at `now`. The point is kept while there is one.
    pub fn holding(&self, now: Timestamp) -> impl Iterator<Item = &Claim> {
        self.0.iter().filter(move |claim| claim.until > Until::Moment(now))
    }

    /// Whether the point is kept at `now`.
    pub fn keeps(&self, now: Timestamp) -> bool {
        self.holding(now).next().is_some()
    }
}

/// Judges all points of an item, in the order in which they were committed; gives a verdict for each. Points that are gone
/// must be among them as long as the vault knows them, and get an empty one.
pub fn select(policy: &Policy, points: &[Point], now: Timestamp) -> Vec<Verdict> {
    let mut verdicts = vec![Verdict::default(); points.len()];
    let mut in_time: Vec<usize> = (0..points.len()).collect();
    in_time.sort_by_key(|index| points[*index].received_at);
    for tier in policy.retention().tiers() {
        claim_buckets(policy, tier, points, &in_time, now, &mut verdicts);
    }
    for (point, verdict) in points.iter().zip(&mut verdicts).filter(|(point, _)| point.is_live) {
        let mut claim = |reason, end| verdict.0.push(Claim { reason, until: Until::Moment(end) });
        point.retain_until.inspect(|end| claim(Reason::OnDemand, *end));
        point.promised_until.inspect(|end| claim(Reason::Promise, *end));
        claim(Reason::Minimum, policy.minimum_until(point.received_at));
    }
    claim_last_good(policy, points, &mut verdicts);
    verdicts
}

/// Keeps the last good point; those that were the last one for longer than the minimum, for the minimum of the next one; and
/// all where none is good.
fn claim_last_good(policy: &Policy, points: &[Point], verdicts: &mut [Verdict]) {
    let mut next_good = None;
    for (point, verdict) in
        points.iter().zip(&mut *verdicts).rev().filter(|(point, _)| point.is_live && point.is_good)
    {
        let until = match next_good {
            None => Some(Until::NoEnd),
            Some(next) if policy.minimum_until(point.received_at) < next => {
                Some(Until::Moment(policy.minimum_until(next)))
            }
            Some(_) => None,
        };
        verdict.0.extend(until.map(|until| Claim { reason: Reason::LastGood, until }));
        next_good = Some(point.received_at);
    }
    if next_good.is_none() {
        let live = points.iter().zip(verdicts).filter(|(point, _)| point.is_live);
        live.for_each(|(_, verdict)| verdict.0.push(Claim { reason: Reason::NoneGood, until: Until::NoEnd }));
    }
}

/// Gives the buckets of a tier to their points.
fn claim_buckets(
    policy: &Policy,
    tier: Tier<'_>,
    points: &[Point],
    in_time: &[usize],
    now: Timestamp,
    verdicts: &mut [Verdict],
) {
    let (Some(first), Some(last)) = (in_time.first(), in_time.last()) else { return };
    let zone = &policy.schedule().zone;
    let slots = tier.slots(zone, points[*first].received_at, points[*last].received_at);
    let mut left = in_time;
    for (nth, slot) in slots.iter().enumerate() {
        let end = slots.get(nth + 1).map_or(Timestamp(i64::MAX), |next| next.at);
        let is_last = nth + 1 == slots.len();
        let count = left.partition_point(|index| is_last || points[*index].received_at < end);
        let bucket;
        (bucket, left) = left.split_at(count);
        for index in bucket {
            let point = &points[*index];
            let until = zone.after(point.received_at, tier.kind.span(tier.count));
            if point.is_live {
                let reason = Reason::Tier {
                    tier: tier.kind,
                    slot: slot.planned,
                    in_place: is_in_place(policy, slot, point),
                };
                verdicts[*index].0.push(Claim { reason, until: Until::Moment(until) });
            }
            let was_gone_before_its_time = !point.is_live && until > now;
            if point.is_good && !was_gone_before_its_time {
                break;
            }
        }
    }
}

/// Whether the point came so late that another run was due in the meantime.
fn is_in_place(policy: &Policy, slot: &Run, point: &Point) -> bool {
    policy.schedule().next_after(slot.at).is_some_and(|next| next.at <= point.received_at)
}

#[cfg(test)]
mod tests;
