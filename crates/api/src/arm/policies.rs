//! Policies (`Microsoft.RecoveryServices/vaults/backupPolicies`) of the type `MAB`: Azure's models, field by field, and what
//! they come to as a [`stateward_model::Policy`] ([`PolicyProperties::to_policy`]).
//!
//! One field is not Azure's: `timeZone`. Times are whole datetimes there; of those only the clock counts, by that zone.

mod conversion;

pub use conversion::WrongPolicy;

use serde::{Deserialize, Deserializer, Serialize};
use stateward_model::policy::{Date, Month, TimeOfDay, WeekOfMonth, Weekday};
use std::collections::BTreeSet;
use std::fmt;

/// The type of policies that there are.
pub const MANAGEMENT_TYPE: &str = "MAB";

/// The kind of schedules that there are.
pub const SCHEDULE_TYPE: &str = "SimpleSchedulePolicy";

/// The kind of retention that there is.
pub const RETENTION_TYPE: &str = "LongTermRetentionPolicy";

/// A policy.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Its path.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `Microsoft.RecoveryServices/vaults/backupPolicies`.
    pub r#type: String,
    /// Changes with every change: what `If-Match` is compared with.
    pub e_tag: String,
    /// What it says.
    pub properties: PolicyProperties,
}

/// Makes a policy, or puts another in its place.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PolicyRequest {
    /// What it says.
    pub properties: PolicyProperties,
}

/// What a policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyProperties {
    /// [`MANAGEMENT_TYPE`]; without it the SDK for Python gives a policy without its fields.
    #[serde(default)]
    pub backup_management_type: String,
    /// How many items have it; it is not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protected_items_count: Option<u64>,
    /// Whose clocks and calendar count, by its IANA name; `UTC` if it is left out. Not Azure's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// When backups run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_policy: Option<SchedulePolicy>,
    /// How long recovery points are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_policy: Option<RetentionPolicy>,
}

/// When backups run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchedulePolicy {
    /// [`SCHEDULE_TYPE`].
    pub schedule_policy_type: String,
    /// On every day, or on days of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_run_frequency: Option<Frequency>,
    /// On which days of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_run_days: Option<BTreeSet<Weekday>>,
    /// At which times. Where backups do not run in every week, the first one's date is in a week in which they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_run_times: Option<Vec<ClockTime>>,
    /// In every how many weeks; every one if it is left out or 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_weekly_frequency: Option<u32>,
}

/// How often backups run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Frequency {
    /// Every day.
    Daily,
    /// On days of the week.
    Weekly,
    /// Every few hours; not taken: there may be up to 24 times a day.
    Hourly,
}

/// How long recovery points are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RetentionPolicy {
    /// [`RETENTION_TYPE`].
    pub retention_policy_type: String,
    /// Points of every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_schedule: Option<DailyRetention>,
    /// Points of days of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly_schedule: Option<WeeklyRetention>,
    /// Points of days of the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_schedule: Option<MonthlyRetention>,
    /// Points of days of the year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly_schedule: Option<YearlyRetention>,
}

/// Points of every day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DailyRetention {
    /// Of which of the schedule's times.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub retention_times: Vec<ClockTime>,
    /// For how long.
    pub retention_duration: Duration,
}

/// Points of days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeeklyRetention {
    /// Which days.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub days_of_the_week: BTreeSet<Weekday>,
    /// Of which of the schedule's times.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub retention_times: Vec<ClockTime>,
    /// For how long.
    pub retention_duration: Duration,
}

/// Points of days of the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthlyRetention {
    /// Which days.
    #[serde(flatten)]
    pub days: DaysOfMonth,
    /// Of which of the schedule's times.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub retention_times: Vec<ClockTime>,
    /// For how long.
    pub retention_duration: Duration,
}

/// Points of days of the year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct YearlyRetention {
    /// In which months.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub months_of_year: BTreeSet<Month>,
    /// Which days of these months.
    #[serde(flatten)]
    pub days: DaysOfMonth,
    /// Of which of the schedule's times.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub retention_times: Vec<ClockTime>,
    /// For how long.
    pub retention_duration: Duration,
}

/// Days of a month: by number, or by weekday.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaysOfMonth {
    /// Which of the two counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_schedule_format_type: Option<DaysFormat>,
    /// By number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_schedule_daily: Option<NumberedDays>,
    /// By weekday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_schedule_weekly: Option<WeekdaysOfMonth>,
}

/// How days of a month are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum DaysFormat {
    /// By number.
    Daily,
    /// By weekday.
    Weekly,
}

/// Days of a month by number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NumberedDays {
    /// Which.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub days_of_the_month: Vec<Day>,
}

/// A day of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Day {
    /// Its number; says nothing for the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<u8>,
    /// Whether it is the last one, whichever that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_last: Option<bool>,
}

/// Days of a month by weekday: each of the weekdays in each of the weeks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeekdaysOfMonth {
    /// The weekdays.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub days_of_the_week: BTreeSet<Weekday>,
    /// Which of them in the month.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub weeks_of_the_month: BTreeSet<WeekOfMonth>,
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Duration {
    /// How many.
    pub count: u32,
    /// Of what; each kind of retention has its own.
    pub duration_type: DurationType,
}

/// What a duration is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub enum DurationType {
    Days,
    Weeks,
    Months,
    Years,
}

/// A list that some clients leave out and others send as `null`.
fn null_is_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A time on the clocks of the policy's zone, as Azure writes it: with a date before it and `Z` behind it, of which neither
/// says anything (`2026-11-28T02:30:00Z`). `02:30` is taken as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime {
    /// The date before it.
    pub date: Date,
    /// The time.
    pub time: TimeOfDay,
}

impl ClockTime {
    /// The date where none counts.
    fn no_date() -> Date {
        Date::new(2000, 1, 1).expect("it is in the calendar")
    }

    fn read(text: &str) -> Option<Self> {
        let Some((date, rest)) = text.split_once(['T', ' ']) else {
            return Some(Self { date: Self::no_date(), time: text.parse().ok()? });
        };
        let clock = rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00")).unwrap_or(rest);
        let (time, seconds) = clock.split_at_checked(5)?;
        let is_whole = seconds.strip_prefix(":00").map_or(seconds.is_empty(), |fraction| {
            fraction.is_empty()
                || fraction.strip_prefix('.').is_some_and(|f| f.bytes().all(|digit| digit == b'0'))
        });
        is_whole.then_some(())?;
        Some(Self { date: date.parse().ok()?, time: time.parse().ok()? })
    }
}

impl TryFrom<String> for ClockTime {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::read(&text).ok_or_else(|| {
            format!(
                "`{text}` is no time such as `2026-11-28T02:30:00Z`: whole minutes, by the clocks of `timeZone` and so without \
                 an offset"
            )
        })
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> String {
        time.to_string()
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}:00Z", self.date, self.time)
    }
}
