//! A month of recovery points, as a calendar.

use crate::output::Output;
use crate::units;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use serde_json::json;
use stateward_agent::points::ListedPoint;
use stateward_agent::points::calendar::{Month, days_of};
use std::collections::BTreeMap;

/// How wide a day is: seven fit into 80 columns.
const DAY_WIDTH: usize = 11;

/// Prints the month.
pub fn print(output: &Output, listed: &[ListedPoint], month: Month) {
    let zone = TimeZone::system();
    let days: BTreeMap<i8, u64> =
        days_of(listed, month, &zone).into_iter().map(|(day, points)| (day, points.len() as u64)).collect();
    let day =
        |(day, count): (&i8, &u64)| json!({ "day": month.day(*day).to_string(), "recovery_points": count });
    let all: u64 = days.values().sum();
    output.object(&json!({
        "type": "result", "month": month.to_string(), "recovery_points": all,
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

fn lines(month: Month, days: &BTreeMap<i8, u64>) -> Vec<String> {
    let headings = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let mut lines =
        vec![month.first().strftime("%B %Y").to_string(), row(headings.map(|day| format!(" {day}")))];
    let mut week: [String; 7] = Default::default();
    for day in 1..=month.first().days_in_month() {
        let date = month.day(day);
        let place = usize::from(date.weekday().to_monday_zero_offset().unsigned_abs());
        week[place] = match days.get(&day) {
            Some(count) => format!("{day:>4} [{count}]"),
            None => format!("{day:>4}"),
        };
        if date.weekday() == Weekday::Sunday || day == month.first().days_in_month() {
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
}
