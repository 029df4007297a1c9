//! A recovery point named by time: a day, or a moment.

use crate::AgentError;
use crate::points::{ListedPoint, PointDescription, usable};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use stateward_model::Timestamp;

/// In nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// Which time a person named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// Only points from this moment on, if it is a day.
    from: Option<Timestamp>,
    /// Only points before this moment.
    before: Timestamp,
}

impl When {
    /// Reads `2026-11-20`, `2026-11-20T02:00` (in this machine's time zone) or `2026-11-20T02:00+01:00`. `None` if it is
    /// nothing like a time, as a recovery point's id is not.
    pub fn parse(text: &str, zone: &TimeZone) -> Option<Result<Self, AgentError>> {
        let is_dated = text.len() >= 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
        is_dated.then(|| Self::read(text, zone))
    }

    /// The moment at which a day or second begins that a person named.
    pub fn begin_of(text: &str) -> Result<Timestamp, AgentError> {
        let asked = || AgentError::WrongMoment { asked: text.to_owned(), why: "it is no day and no moment" };
        let when = Self::parse(text, &TimeZone::system()).ok_or_else(asked)??;
        Ok(when.from.unwrap_or(Timestamp(when.before.0.saturating_sub(SECOND))))
    }

    fn read(text: &str, zone: &TimeZone) -> Result<Self, AgentError> {
        let wrong = |why: &'static str| AgentError::WrongMoment { asked: text.to_owned(), why };
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Ok(Self { from: None, before: second_after(moment) });
        }
        if text.len() == 10 {
            let day: Date = text.parse().map_err(|_| wrong("there is no such day"))?;
            let begin = |day: Date| {
                zone.to_ambiguous_zoned_datetime(day.at(0, 0, 0, 0))
                    .compatible()
                    .map(|begin| stamp(begin.timestamp()))
            };
            let next = day.tomorrow().and_then(begin);
            let (from, next) = (begin(day), next);
            let unknown = |_| wrong("this machine's time zone does not know that day");
            return Ok(Self { from: Some(from.map_err(unknown)?), before: next.map_err(unknown)? });
        }
        let local: DateTime = text
            .parse()
            .map_err(|_| wrong("write it as `2026-11-20`, `2026-11-20T02:00` or `2026-11-20T02:00+01:00`"))?;
        let zoned = zone.to_ambiguous_zoned_datetime(local).unambiguous();
        let zoned = zoned.map_err(|_| {
            wrong(
                "the clock was changed then, so that there was no such time or it came twice: add the offset",
            )
        })?;
        Ok(Self { from: None, before: second_after(zoned.timestamp()) })
    }

    /// The newest of `listed` (newest first) in it that `is_meant`. What can't be used may be the one: then that is told,
    /// and no older one taken in silence.
    pub(super) fn find<'a>(
        &self,
        listed: &'a [ListedPoint],
        is_meant: impl Fn(&PointDescription) -> bool,
    ) -> Result<Option<&'a PointDescription>, AgentError> {
        let mut doubtful = None;
        for point in listed {
            match point {
                ListedPoint::Unusable { .. } => doubtful = doubtful.or(Some(point)),
                ListedPoint::Usable(found) if time(found) >= self.before => doubtful = None,
                ListedPoint::Usable(found) if self.from.is_some_and(|from| time(found) < from) => break,
                ListedPoint::Usable(found) if is_meant(found) => {
                    return match doubtful {
                        Some(doubtful) => usable(doubtful).map(Some),
                        None => Ok(Some(found)),
                    };
                }
                ListedPoint::Usable(_) => {}
            }
        }
        Ok(None)
    }

    /// The point that is nearest to it, for a person who named a time at which there is none.
    pub(super) fn nearest<'a>(
        &self,
        listed: &'a [ListedPoint],
        is_meant: impl Fn(&PointDescription) -> bool,
    ) -> Option<&'a PointDescription> {
        let distance = |point: &PointDescription| {
            let (at, from) = (time(point), self.from.unwrap_or(self.before));
            if at < from { from.0.abs_diff(at.0) } else { at.0.abs_diff(self.before.0) }
        };
        let usable = |point: &'a ListedPoint| match point {
            ListedPoint::Usable(point) => Some(&**point),
            ListedPoint::Unusable { .. } => None,
        };
        listed.iter().filter_map(usable).filter(|point| is_meant(point)).min_by_key(|point| distance(point))
    }
}

/// A point's time, as it is shown.
pub fn time(point: &PointDescription) -> Timestamp {
    point.received_at.unwrap_or(point.finished_at)
}

/// Times are shown in whole seconds: who copies one means the point within it.
fn second_after(moment: jiff::Timestamp) -> Timestamp {
    Timestamp(stamp(moment).0.saturating_add(SECOND))
}

fn stamp(moment: jiff::Timestamp) -> Timestamp {
    Timestamp::from_seconds(moment.as_second(), moment.subsec_nanosecond().unsigned_abs())
        .unwrap_or(Timestamp(i64::MAX))
}

/// A moment in words, in a time zone.
pub(super) fn words(moment: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_second(moment.seconds()) {
        Ok(second) => second.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => moment.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn read(text: &str) -> Result<(Option<String>, String), String> {
        let shown = |at: Timestamp| words(at, &TimeZone::UTC);
        match When::parse(text, &zone()) {
            None => Err("no time".to_owned()),
            Some(Err(error)) => Err(error.code().to_string()),
            Some(Ok(when)) => Ok((when.from.map(shown), shown(when.before))),
        }
    }

    #[test]
    fn days_and_moments_are_read_in_the_machines_time_zone_or_with_an_offset() {
        let text = |text: &str| text.to_owned();
        let day = (Some(text("2026-11-19 23:00:00 UTC")), text("2026-11-20 23:00:00 UTC"));
        assert_eq!(read("2026-11-20"), Ok(day));
        for moment in
            ["2026-11-20T02:00", "2026-11-20 02:00", "2026-11-20T02:00:00+01:00", "2026-11-20T01:00:00Z"]
        {
            assert_eq!(read(moment), Ok((None, text("2026-11-20 01:00:01 UTC"))), "{moment}");
        }
        // The day on which clocks go back has 25 hours.
        let long = (Some(text("2026-10-24 22:00:00 UTC")), text("2026-10-25 23:00:00 UTC"));
        assert_eq!(read("2026-10-25"), Ok(long));
    }

    #[test]
    fn what_is_no_time_or_none_that_can_be_meant_is_refused() {
        for id in ["latest", "0123456789ab", "abcdef"] {
            assert_eq!(read(id), Err("no time".to_owned()), "{id}");
        }
        for wrong in ["2026-02-30", "2026-11-20T25:00", "2026-10-25T02:30", "2026-03-29T02:30", "2026-11-2x"]
        {
            assert_eq!(read(wrong), Err("wrong-moment".to_owned()), "{wrong}");
        }
    }
}
