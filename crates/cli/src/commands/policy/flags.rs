//! Schedule and retention as the wizard asks for them, and as a file.

use clap::{ArgGroup, Args};
use stateward_agent::AgentError;
use stateward_api::arm::policies::{PolicyProperties, PolicyRequest};
use stateward_model::policy::{
    Daily, DaysOfMonth, Month, MonthDay, Monthly, Policy, Retention, Rhythm, Schedule, TimeOfDay,
    WeekOfMonth, Weekday, Weekly, Yearly, Zone,
};
use stateward_model::{ParseError, Timestamp};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The flags of a command that can't do without a policy.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("policy").required(true).multiple(true).args(["times", "from_file"]))]
pub struct PolicyFlags {
    #[command(flatten)]
    flags: PerhapsPolicyFlags,
}

impl PolicyFlags {
    /// The policy that is meant. What is not allowed is told before anything is sent.
    pub fn policy(self, now: Timestamp) -> Result<PolicyProperties, AgentError> {
        self.flags.given(now)
    }
}

/// The flags of a command that may be given a policy.
#[derive(Debug, Args)]
pub struct PerhapsPolicyFlags {
    /// Take the policy from this file: JSON in the form of Azure's API, as `policy show --json` prints it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["times", "daily", "weekly"])]
    from_file: Option<PathBuf>,
    /// Back up every day (the usual)
    #[arg(long, conflicts_with = "weekly", help_heading = "Schedule")]
    daily: bool,
    /// Back up on days of the week
    #[arg(long, requires = "days", help_heading = "Schedule")]
    weekly: bool,
    /// At which times of the day, such as `02:00,14:00`
    #[arg(long, value_name = "TIMES", value_delimiter = ',', help_heading = "Schedule")]
    times: Vec<TimeOfDay>,
    /// On which days of the week, such as `Monday,Thursday`
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = weekday, requires = "weekly", help_heading = "Schedule")]
    days: Vec<Weekday>,
    /// In every how many weeks, counted from this one
    #[arg(long, value_name = "WEEKS", requires = "weekly", default_value_t = 1, help_heading = "Schedule")]
    every_weeks: u32,
    /// Whose clocks count, by its IANA name, such as `Europe/Berlin`
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone, help_heading = "Schedule")]
    time_zone: Zone,
    #[command(flatten)]
    retention: RetentionFlags,
}

/// The flags of the retention page.
#[derive(Debug, Args)]
#[command(next_help_heading = "Retention")]
struct RetentionFlags {
    /// Keep the recovery points of every day for so many days
    #[arg(long, value_name = "DAYS", requires = "times")]
    keep_days: Option<u32>,
    /// Of which times [default: all of the schedule]
    #[arg(long, value_name = "TIMES", value_delimiter = ',', requires = "keep_days")]
    days_at: Vec<TimeOfDay>,
    /// Keep recovery points of days of the week for so many weeks
    #[arg(long, value_name = "WEEKS", requires = "weeks_on")]
    keep_weeks: Option<u32>,
    /// Which days of the week, such as `Sunday`
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = weekday, requires = "keep_weeks")]
    weeks_on: Vec<Weekday>,
    /// Of which times [default: all of the schedule]
    #[arg(long, value_name = "TIMES", value_delimiter = ',', requires = "keep_weeks")]
    weeks_at: Vec<TimeOfDay>,
    /// Keep recovery points of days of the month for so many months
    #[arg(long, value_name = "MONTHS", requires = "months_on")]
    keep_months: Option<u32>,
    /// Which days of the month: numbers and `last` (`1,15,last`), or weekdays (`first-Sunday,last-Sunday`)
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = day_of_month, requires = "keep_months")]
    months_on: Vec<DayOfMonth>,
    /// Of which times [default: all of the schedule]
    #[arg(long, value_name = "TIMES", value_delimiter = ',', requires = "keep_months")]
    months_at: Vec<TimeOfDay>,
    /// Keep recovery points of days of the year for so many years
    #[arg(long, value_name = "YEARS", requires_all = ["years_in", "years_on"])]
    keep_years: Option<u32>,
    /// In which months, such as `January`
    #[arg(long, value_name = "MONTHS", value_delimiter = ',', value_parser = month, requires = "keep_years")]
    years_in: Vec<Month>,
    /// Which days of these months, as with `--months-on`
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = day_of_month, requires = "keep_years")]
    years_on: Vec<DayOfMonth>,
    /// Of which times [default: all of the schedule]
    #[arg(long, value_name = "TIMES", value_delimiter = ',', requires = "keep_years")]
    years_at: Vec<TimeOfDay>,
}

/// A day of a month, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DayOfMonth {
    Numbered(MonthDay),
    Weekday(WeekOfMonth, Weekday),
}

impl PerhapsPolicyFlags {
    /// The policy that is meant, if one is.
    pub fn policy(self, now: Timestamp) -> Result<Option<PolicyProperties>, AgentError> {
        match self.times.is_empty() && self.from_file.is_none() {
            true => Ok(None),
            false => self.given(now).map(Some),
        }
    }

    fn given(self, now: Timestamp) -> Result<PolicyProperties, AgentError> {
        if let Some(path) = &self.from_file {
            return read(path);
        }
        let times: BTreeSet<TimeOfDay> = self.times.into_iter().collect();
        let rhythm = match self.weekly && !self.daily {
            true => Rhythm::Weekly {
                days: self.days.into_iter().collect(),
                every_weeks: self.every_weeks,
                counted_from: self.time_zone.local(now).date,
            },
            false => Rhythm::Daily,
        };
        let retention = self.retention.retention(&times)?;
        let schedule = Schedule { zone: self.time_zone, rhythm, times };
        let policy =
            Policy::new(schedule, retention).map_err(|error| AgentError::WrongPolicy(error.to_string()))?;
        Ok(PolicyProperties::of(&policy))
    }
}

impl RetentionFlags {
    fn retention(self, scheduled: &BTreeSet<TimeOfDay>) -> Result<Retention, AgentError> {
        let times = |given: Vec<TimeOfDay>| match given.is_empty() {
            true => scheduled.clone(),
            false => given.into_iter().collect(),
        };
        let days = days_of_month(&self.months_on, "--months-on")?;
        let days_of_years = days_of_month(&self.years_on, "--years-on")?;
        Ok(Retention {
            daily: self.keep_days.map(|keep_days| Daily { times: times(self.days_at), keep_days }),
            weekly: self.keep_weeks.map(|keep_weeks| Weekly {
                days: self.weeks_on.into_iter().collect(),
                times: times(self.weeks_at),
                keep_weeks,
            }),
            monthly: self.keep_months.map(|keep_months| Monthly {
                days,
                times: times(self.months_at),
                keep_months,
            }),
            yearly: self.keep_years.map(|keep_years| Yearly {
                months: self.years_in.into_iter().collect(),
                days: days_of_years,
                times: times(self.years_at),
                keep_years,
            }),
        })
    }
}

/// Days of a month in one of the two ways in which a policy can name them: by number, or each of some weekdays in each of
/// some weeks.
pub(crate) fn days_of_month(given: &[DayOfMonth], flag: &str) -> Result<DaysOfMonth, AgentError> {
    let numbered: BTreeSet<MonthDay> = given
        .iter()
        .filter_map(|day| match day {
            DayOfMonth::Numbered(day) => Some(*day),
            DayOfMonth::Weekday(..) => None,
        })
        .collect();
    let named: BTreeSet<(WeekOfMonth, Weekday)> = given
        .iter()
        .filter_map(|day| match day {
            DayOfMonth::Weekday(week, day) => Some((*week, *day)),
            DayOfMonth::Numbered(_) => None,
        })
        .collect();
    if named.is_empty() {
        return Ok(DaysOfMonth::Numbered(numbered));
    }
    let weeks: BTreeSet<WeekOfMonth> = named.iter().map(|(week, _)| *week).collect();
    let days: BTreeSet<Weekday> = named.iter().map(|(_, day)| *day).collect();
    match numbered.is_empty() && named.len() == weeks.len() * days.len() {
        true => Ok(DaysOfMonth::Weekdays { days, weeks }),
        false => Err(AgentError::WrongPolicy(format!(
            "`{flag}` names days either by number, or each of its weekdays in each of its weeks \
             (`first-Saturday,first-Sunday,last-Saturday,last-Sunday`)"
        ))),
    }
}

fn read(path: &PathBuf) -> Result<PolicyProperties, AgentError> {
    let unreadable = |cause| AgentError::InputUnreadable { path: path.clone(), cause };
    let wrong = |why: String| AgentError::WrongPolicy(format!("`{}` holds no policy: {why}", path.display()));
    if fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(wrong(format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let request: PolicyRequest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    request.properties.to_policy().map_err(|error| wrong(error.to_string()))?;
    Ok(request.properties)
}

/// One of some words, without regard to case.
fn one_of<T: Copy>(all: &[T], name: impl Fn(T) -> String, text: &str) -> Result<T, String> {
    let found = all.iter().copied().find(|one| name(*one).eq_ignore_ascii_case(text.trim()));
    found.ok_or_else(|| {
        format!("it must be one of {}", all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", "))
    })
}

/// A day of the week by its name.
pub(crate) fn weekday(text: &str) -> Result<Weekday, String> {
    one_of(&Weekday::ALL, |day| day.to_string(), text)
}

pub(crate) fn month(text: &str) -> Result<Month, String> {
    one_of(&Month::ALL, |month| format!("{month:?}"), text)
}

pub(crate) fn zone(text: &str) -> Result<Zone, String> {
    text.parse().map_err(|error: ParseError| error.to_string())
}

pub(crate) fn day_of_month(text: &str) -> Result<DayOfMonth, String> {
    use WeekOfMonth::{First, Fourth, Last, Second, Third};
    if let Some((week, day)) = text.split_once('-') {
        let week = one_of(&[First, Second, Third, Fourth, Last], |week| format!("{week:?}"), week)?;
        return Ok(DayOfMonth::Weekday(week, weekday(day)?));
    }
    if text.trim().eq_ignore_ascii_case("last") {
        return Ok(DayOfMonth::Numbered(MonthDay::Last));
    }
    let number = text.trim().parse().ok().filter(|number| (1..=31).contains(number));
    let number = number.ok_or("it must be 1 to 31, `last`, or such as `first-Sunday`")?;
    Ok(DayOfMonth::Numbered(MonthDay::Day(number)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: PolicyFlags,
    }

    fn read_line(line: &str) -> Result<PolicyProperties, String> {
        let words = std::iter::once("policy").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.flags.policy(Timestamp(1_795_000_000_000_000_000)).map_err(|error| error.to_string())
    }

    #[test]
    fn the_wizards_pages_can_be_typed() {
        let typed = read_line(
            "--times 02:00,14:00 --time-zone Europe/Berlin --keep-days 30 --keep-weeks 12 --weeks-on sunday --weeks-at 02:00 \
             --keep-months 12 --months-on last-saturday --keep-years 7 --years-in March --years-on 1,last",
        );
        let policy = typed.unwrap().to_policy().unwrap();
        let times =
            |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<BTreeSet<TimeOfDay>>();
        let retention = policy.retention();
        assert_eq!(policy.schedule().rhythm, Rhythm::Daily);
        assert_eq!(policy.schedule().zone.name(), "Europe/Berlin");
        assert_eq!(retention.daily, Some(Daily { times: times(&["02:00", "14:00"]), keep_days: 30 }));
        let weekly = Weekly { days: [Weekday::Sunday].into(), times: times(&["02:00"]), keep_weeks: 12 };
        assert_eq!(retention.weekly, Some(weekly));
        let last_saturday =
            DaysOfMonth::Weekdays { days: [Weekday::Saturday].into(), weeks: [WeekOfMonth::Last].into() };
        assert_eq!(retention.monthly.as_ref().unwrap().days, last_saturday);
        let numbered = DaysOfMonth::Numbered([MonthDay::Day(1), MonthDay::Last].into());
        assert_eq!(retention.yearly.as_ref().unwrap().days, numbered);
    }

    #[test]
    fn days_of_the_week_need_a_weekly_schedule_and_a_retention_its_days() {
        let weekly = read_line(
            "--weekly --days monday --every-weeks 2 --times 02:00 --keep-weeks 8 --weeks-on monday",
        );
        assert!(matches!(
            weekly.unwrap().to_policy().unwrap().schedule().rhythm,
            Rhythm::Weekly { every_weeks: 2, .. }
        ));
        for wrong in [
            "",
            "--keep-days 30",
            "--days monday --times 02:00 --keep-days 30",
            "--weekly --times 02:00 --keep-days 30",
            "--daily --weekly --days monday --times 02:00 --keep-days 30",
            "--times 02:00 --keep-weeks 8",
            "--times 02:00 --keep-days 30 --weeks-on monday",
            "--times 2 --keep-days 30",
            "--times 02:00 --keep-days 30 --time-zone Mars/Olympus",
            "--times 02:00 --keep-months 12 --months-on 1,first-sunday",
            "--times 02:00 --keep-months 12 --months-on first-sunday,last-monday",
            "--times 02:00 --keep-months 12 --months-on 32",
            "--from-file x --times 02:00",
        ] {
            assert!(read_line(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_told_with_its_rule() {
        for (line, rule) in [
            ("--times 02:00", "keeps nothing"),
            ("--times 02:00 --keep-days 6", "7 to 9999"),
            ("--times 02:00 --keep-days 30 --days-at 03:00", "no backup runs then"),
        ] {
            let told = read_line(line).unwrap_err();
            assert!(told.contains(rule), "{told}");
        }
    }

    #[test]
    fn a_file_in_azures_form_is_taken_and_a_wrong_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.json");
        let properties = read_line("--times 02:00 --keep-days 30").unwrap();
        let line = format!("--from-file {}", path.display());
        std::fs::write(&path, serde_json::to_vec(&PolicyRequest { properties: properties.clone() }).unwrap())
            .unwrap();
        assert_eq!(read_line(&line).unwrap(), properties);
        std::fs::write(&path, "{}").unwrap();
        assert!(read_line(&line).unwrap_err().contains("holds no policy"));
    }
}
