//! Throttling as the tab of Azure's agent asks for it: work hours, and the rates in them.

use crate::commands::policy::flags::weekday;
use crate::pace::limit;
use clap::Args;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use stateward_agent::settings::{Limit, Settings, ThrottleWish};
use stateward_model::policy::{TimeOfDay, Weekday, WorkHours, Zone};
use std::collections::BTreeSet;

/// The flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Throttling")]
pub struct ThrottleFlags {
    /// When people need the line, such as `Monday-Friday 08:00-18:00`, and whose clocks count if not this machine's
    /// (`Monday-Friday 08:00-18:00 Europe/Berlin`); `none` for no such hours
    #[arg(long, value_name = "HOURS", value_parser = work_hours)]
    work_hours: Option<OrNone<WorkHours>>,
    /// Move at most so many bytes a second in work hours, such as `500KB`; `off` for no limit then, `same` for
    /// `--limit-rate` at all hours
    #[arg(long, value_name = "RATE", value_parser = rate)]
    work_limit_rate: Option<OrNone<Limit>>,
    /// Restore with at most so many bytes a second; `off` for no limit, `same` for that of all jobs
    #[arg(long, value_name = "RATE", value_parser = rate)]
    restore_limit_rate: Option<OrNone<Limit>>,
    /// The same in work hours
    #[arg(long, value_name = "RATE", value_parser = rate)]
    restore_work_limit_rate: Option<OrNone<Limit>>,
}

/// The names of the flags, for the group of those of which one must be given.
pub const FLAGS: [&str; 4] =
    ["work_hours", "work_limit_rate", "restore_limit_rate", "restore_work_limit_rate"];

/// A value, or the word for having none: an `Option` would be taken for a flag that need not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OrNone<T>(Option<T>);

impl ThrottleFlags {
    /// What the flags ask for.
    pub fn wish(self) -> ThrottleWish {
        ThrottleWish {
            work_hours: self.work_hours.map(|hours| hours.0),
            work: self.work_limit_rate.map(|rate| rate.0),
            restore: self.restore_limit_rate.map(|rate| rate.0),
            restore_work: self.restore_work_limit_rate.map(|rate| rate.0),
        }
    }
}

fn rate(text: &str) -> Result<OrNone<Limit>, String> {
    match text {
        "same" => Ok(OrNone(None)),
        text => limit(text).map(|limit| OrNone(Some(limit))),
    }
}

fn work_hours(text: &str) -> Result<OrNone<WorkHours>, String> {
    if text == "none" {
        return Ok(OrNone(None));
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (days_text, times, zone) = match words.as_slice() {
        [days, times] => (days, times, this_zone()),
        [days, times, zone] => {
            (days, times, zone.parse().map_err(|error: stateward_model::ParseError| error.to_string())?)
        }
        _ => return Err("it must be of the form `Monday-Friday 08:00-18:00`".to_owned()),
    };
    let (from, until) = times.split_once('-').ok_or("its times must be of the form `08:00-18:00`")?;
    let time = |text: &str| {
        text.parse::<TimeOfDay>().map_err(|_| format!("`{text}` is no time of day such as 08:00"))
    };
    Ok(OrNone(Some(WorkHours { days: days(days_text)?, from: time(from)?, until: time(until)?, zone })))
}

/// `Monday,Thursday`, `Monday-Friday`, or both mixed; a range may go over the week's end.
fn days(text: &str) -> Result<BTreeSet<Weekday>, String> {
    let mut found = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let week = Weekday::ALL.iter().cycle().copied().skip_while(|day| *day != first);
        let mut rest = week.take(Weekday::ALL.len());
        for day in rest.by_ref() {
            found.insert(day);
            if day == last {
                break;
            }
        }
    }
    Ok(found)
}

/// The zone of this machine's clocks, if it has a name.
fn this_zone() -> Zone {
    TimeZone::system().iana_name().and_then(|name| name.parse().ok()).unwrap_or_else(Zone::utc)
}

/// Adds them to the object of the settings.
pub fn put(object: &mut Value, settings: &Settings) {
    let limit = |limit: Option<Limit>| match limit {
        None => json!("same"),
        Some(Limit::Off) => json!("off"),
        Some(Limit::BytesPerSecond(rate)) => json!(rate),
    };
    let throttle = &settings.throttle;
    object["work_hours"] = json!(throttle.work_hours);
    object["work_limit_rate"] = limit(throttle.work);
    object["restore_limit_rate"] = limit(throttle.restore);
    object["restore_work_limit_rate"] = limit(throttle.restore_work);
}

/// As facts for people: only those that differ from the usual rate.
pub fn facts(settings: &Settings) -> Vec<(&'static str, String)> {
    let text = |limit: Limit| limit.rate().map_or_else(|| "no limit".to_owned(), crate::pace::limit_text);
    let throttle = &settings.throttle;
    let mut lines = Vec::new();
    lines.extend(throttle.work_hours.as_ref().map(|hours| ("Work hours", hours.to_string())));
    lines.extend(throttle.work.map(|limit| ("Rate in work hours", text(limit))));
    lines.extend(throttle.restore.map(|limit| ("Rate of restores", text(limit))));
    lines.extend(throttle.restore_work.map(|limit| ("Restores in work hours", text(limit))));
    if throttle.work_hours.is_none() && (throttle.work.is_some() || throttle.restore_work.is_some()) {
        lines.push(("Work hours", "none, so their rates do not count: `--work-hours` sets them".to_owned()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use Weekday::{Friday, Monday, Saturday, Sunday};

    #[test]
    fn hours_are_read_as_people_write_them() {
        let read = work_hours("Monday-Friday 08:00-18:00 Europe/Berlin").unwrap().0.unwrap();
        assert_eq!(
            read.to_string(),
            "Monday, Tuesday, Wednesday, Thursday, Friday 08:00-18:00 Europe/Berlin"
        );
        assert_eq!(work_hours("none").unwrap().0, None);
        assert_eq!(work_hours("friday 22:00-06:00").unwrap().0.unwrap().days, [Friday].into());
        assert_eq!(days("Friday-Monday").unwrap(), [Friday, Saturday, Sunday, Monday].into());
        assert_eq!(days("Monday,Saturday-Sunday").unwrap(), [Monday, Saturday, Sunday].into());
        for wrong in [
            "",
            "Monday",
            "Monday 8-18",
            "Someday 08:00-18:00",
            "Monday 08:00-25:00",
            "Monday 08:00-18:00 Nowhere",
        ] {
            assert!(work_hours(wrong).is_err(), "{wrong}");
        }
    }
}
