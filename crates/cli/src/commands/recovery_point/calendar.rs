//! A month of recovery points, as a calendar.

use crate::output::Output;
use crate::units;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde_json::json;
use stateward_agent::points::{self, ListedPoint};
use stateward_model::Timestamp;
use std::collections::BTreeMap;

/// A month, such as `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month(Date);

impl std::str::FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_month = text.len() == 7 && text.as_bytes()[4] == b'-';
        let first = is_month.then(|| format!("{text}-01").parse().ok()).flatten();
        first.map(Self).ok_or_else(|| "it must be a year and a month, such as `2026-11`".to_owned())
    }
}

/// How wide a day is: seven fit into 80 columns.
const DAY_WIDTH: usize = 11;

/// Prints the month.
pub fn print(output: &Output, listed: &[ListedPoint], month: Month) {
    let zone = TimeZone::system();
    let times = listed.iter().filter_map(|point| match point {
        ListedPoint::Usable(point) => Some(points::time(point)),
        ListedPoint::Unusable { .. } => None,
    });
    let days = days_of(times, month, &zone);
    let day =
        |(day, count): (&i8, &u64)| json!({ "day": month.day(*day).to_string(), "recovery_points": count });
    let all: u64 = days.values().sum();
    output.object(&json!({
        "type": "result", "month": month.0.strftime("%Y-%m").to_string(), "recovery_points": all,
        "time_zone": zone.iana_name(), "days": days.iter().map(day).collect::<Vec<_>>(),
    }));
    lines(month, &days).iter().for_each(|line| output.line(line));
    output.line(format_args!(
        "{} on {}; [n] is how many there are of a day",
        units::counted(all, "recovery point"),
        units::counted(days.len() as u64, "day")
    ));
    output.hint("Next: `stateward recovery-point browse DAY`, `stateward restore --recovery-point DAY …`");
}

impl Month {
    fn day(self, day: i8) -> Date {
        self.0.with().day(day).build().unwrap_or(self.0)
    }
}

/// How many there are of each day of the month that has any.
fn days_of(times: impl Iterator<Item = Timestamp>, month: Month, zone: &TimeZone) -> BTreeMap<i8, u64> {
    let mut days = BTreeMap::new();
    for time in times {
        let Ok(second) = jiff::Timestamp::from_second(time.seconds()) else { continue };
        let date = second.to_zoned_datetime(zone.clone()).date();
        if date.first_of_month() == month.0 {
            *days.entry(date.day()).or_insert(0) += 1;
        }
    }
    days
}

fn lines(month: Month, days: &BTreeMap<i8, u64>) -> Vec<String> {
    let headings = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let mut lines = vec![month.0.strftime("%B %Y").to_string(), row(headings.map(|day| format!(" {day}")))];
    let mut week: [String; 7] = Default::default();
    for day in 1..=month.0.days_in_month() {
        let date = month.day(day);
        let place = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        week[place] = match days.get(&day) {
            Some(count) => format!("{day:>4} [{count}]"),
            None => format!("{day:>4}"),
        };
        if date.weekday() == Weekday::Sunday || day == month.0.days_in_month() {
            lines.push(row(std::mem::take(&mut week)));
        }
    }
    lines
}

fn row(cells: [String; 7]) -> String {
    cells.iter().map(|cell| format!("{cell:<DAY_WIDTH$}")).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_shows_its_days_under_their_weekdays_within_80_columns() {
        let month: Month = "2026-11".parse().unwrap();
        let shown = lines(month, &BTreeMap::from([(1, 1), (20, 24), (30, 1000)]));
        let expected = [
            "November 2026",
            " Mon        Tue        Wed        Thu        Fri        Sat        Sun",
            "                                                                     1 [1]",
            "   2          3          4          5          6          7          8",
            "   9         10         11         12         13         14         15",
            "  16         17         18         19         20 [24]    21         22",
            "  23         24         25         26         27         28         29",
            "  30 [1000]",
        ];
        assert_eq!(shown, expected);
        assert!(shown.iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn a_point_belongs_to_its_day_in_the_time_zone() {
        let month: Month = "2026-11".parse().unwrap();
        let times = ["2026-10-31T23:30:00Z", "2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z"];
        let time = |text: &str| {
            Timestamp::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second(), 0).unwrap()
        };
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(days_of(times.map(time).into_iter(), month, &berlin), BTreeMap::from([(1, 1), (20, 2)]));
        assert_eq!(days_of(times.map(time).into_iter(), month, &TimeZone::UTC), BTreeMap::from([(20, 2)]));
    }

    #[test]
    fn only_a_year_and_a_month_are_a_month() {
        for wrong in ["2026", "2026-13", "2026-11-01", "11-2026", "november"] {
            assert!(wrong.parse::<Month>().is_err(), "{wrong}");
        }
    }
}
