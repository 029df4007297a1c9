//! A month of recovery points, day by day.

use crate::points::{ListedPoint, PointDescription, time};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use stateward_model::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// A month, such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

impl std::str::FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_month = text.len() == 7 && text.is_ascii() && text.as_bytes()[4] == b'-';
        let first = is_month.then(|| format!("{text}-01").parse().ok()).flatten();
        first.map(Self).ok_or_else(|| "it must be a year and a month, such as `2026-11`".to_owned())
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m").fmt(f)
    }
}

impl Month {
    /// The month of a moment.
    pub fn of(moment: Timestamp, zone: &TimeZone) -> Option<Self> {
        date(moment, zone).map(|date| Self(date.first_of_month()))
    }

    /// Its first day.
    pub fn first(self) -> Date {
        self.0
    }

    /// One of its days.
    pub fn day(self, day: i8) -> Date {
        self.0.with().day(day).build().unwrap_or(self.0)
    }
}

fn date(moment: Timestamp, zone: &TimeZone) -> Option<Date> {
    let second = jiff::Timestamp::from_second(moment.seconds()).ok()?;
    Some(second.to_zoned_datetime(zone.clone()).date())
}

/// The usable recovery points of each day of the month that has any, in the order in which they are listed.
pub fn days_of<'a>(
    listed: &'a [ListedPoint],
    month: Month,
    zone: &TimeZone,
) -> BTreeMap<i8, Vec<&'a PointDescription>> {
    let mut days: BTreeMap<i8, Vec<&PointDescription>> = BTreeMap::new();
    for point in listed {
        let ListedPoint::Usable(point) = point else { continue };
        if let Some(date) = date(time(point), zone).filter(|date| date.first_of_month() == month.0) {
            days.entry(date.day()).or_default().push(point);
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::tests::point_at;

    #[test]
    fn a_point_belongs_to_its_day_in_the_time_zone() {
        let month: Month = "2026-11".parse().unwrap();
        let times = ["2026-10-31T23:30:00Z", "2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z"];
        let listed = times.map(|time| point_at(time.parse().unwrap()));
        let counts = |zone: &TimeZone| -> Vec<(i8, usize)> {
            days_of(&listed, month, zone).into_iter().map(|(day, points)| (day, points.len())).collect()
        };
        assert_eq!(counts(&TimeZone::get("Europe/Berlin").unwrap()), [(1, 1), (20, 2)]);
        assert_eq!(counts(&TimeZone::UTC), [(20, 2)]);
    }

    #[test]
    fn only_a_year_and_a_month_are_a_month() {
        for wrong in ["2026", "2026-13", "2026-11-01", "11-2026", "november", "2026-1ä"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
        let month: Month = "2026-11".parse().unwrap();
        assert_eq!(
            (month.to_string().as_str(), month.day(30).to_string().as_str()),
            ("2026-11", "2026-11-30")
        );
        assert_eq!(Month::of("2026-11-30T23:30:00Z".parse().unwrap(), &TimeZone::UTC), Some(month));
    }
}
