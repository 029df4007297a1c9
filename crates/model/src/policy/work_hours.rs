//! The hours of the week in which people work and the line is theirs: Azure's agent throttles by them ("Back up Windows
//! Server", *Enable network throttling*).

use super::calendar::{LocalTime, TimeOfDay, Weekday};
use super::zone::Zone;
use crate::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Hours on days of the week. They begin on a day of [`Self::days`]; those that end before they begin, or just then, go on
/// until the next day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkHours {
    /// On which days they begin.
    pub days: BTreeSet<Weekday>,
    /// From when on.
    pub from: TimeOfDay,
    /// Until when; that minute does not belong to them any more.
    pub until: TimeOfDay,
    /// Whose clocks count.
    pub zone: Zone,
}

impl WorkHours {
    /// Whether they go on at that moment, by what the clocks on the wall show.
    pub fn contain(&self, moment: Timestamp) -> bool {
        let LocalTime { date, time } = self.zone.local(moment);
        let begins_on = |date: super::Date| self.days.contains(&date.weekday());
        match self.from < self.until {
            true => begins_on(date) && (self.from..self.until).contains(&time),
            false => {
                (time >= self.from && begins_on(date)) || (time < self.until && begins_on(date.plus_days(-1)))
            }
        }
    }
}

impl fmt::Display for WorkHours {
    /// `Monday, Friday 08:00-18:00 Europe/Berlin`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<String> = self.days.iter().map(Weekday::to_string).collect();
        write!(f, "{} {}-{} {}", days.join(", "), self.from, self.until, self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::samples::at;

    fn hours(days: &[Weekday], from: &str, until: &str) -> WorkHours {
        WorkHours {
            days: days.iter().copied().collect(),
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            zone: "Europe/Berlin".parse().unwrap(),
        }
    }

    fn check(hours: &WorkHours, cases: &[(&str, bool)]) {
        for (moment, expected) in cases {
            assert_eq!(hours.contain(at(moment)), *expected, "{hours} at {moment}");
        }
    }

    #[test]
    fn they_follow_the_clocks_on_the_wall_in_summer_and_in_winter() {
        // 2026-11-27 was a Friday, 2026-07-03 too.
        let friday = hours(&[Weekday::Friday], "08:00", "18:00");
        check(&friday, &[("2026-11-27T06:59:59Z", false), ("2026-11-27T07:00:00Z", true)]);
        check(&friday, &[("2026-11-27T16:59:59Z", true), ("2026-11-27T17:00:00Z", false)]);
        check(&friday, &[("2026-07-03T06:00:00Z", true), ("2026-07-03T16:00:00Z", false)]);
        check(&friday, &[("2026-11-28T10:00:00Z", false), ("2026-11-26T10:00:00Z", false)]);
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let night = hours(&[Weekday::Friday], "22:00", "06:00");
        check(&night, &[("2026-11-27T20:59:00Z", false), ("2026-11-27T21:00:00Z", true)]);
        check(&night, &[("2026-11-28T04:59:00Z", true), ("2026-11-28T05:00:00Z", false)]);
        check(&night, &[("2026-11-27T03:00:00Z", false), ("2026-11-28T21:30:00Z", false)]);
        let whole = hours(&[Weekday::Friday], "00:00", "00:00");
        check(&whole, &[("2026-11-26T22:59:00Z", false), ("2026-11-26T23:00:00Z", true)]);
        check(&whole, &[("2026-11-27T22:59:00Z", true), ("2026-11-27T23:00:00Z", false)]);
    }

    #[test]
    fn they_survive_their_text() {
        let hours = hours(&[Weekday::Monday, Weekday::Friday], "08:00", "18:00");
        let text = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<WorkHours>(&text).unwrap(), hours, "{text}");
        assert_eq!(hours.to_string(), "Monday, Friday 08:00-18:00 Europe/Berlin");
    }
}
