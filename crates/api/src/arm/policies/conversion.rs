//! From Azure's policies to the model's and back. What is shown is what was meant, not what was sent: times that name no date
//! get one that says nothing, and a default that was left out is there.

use super::{
    ClockTime, DailyRetention, Day, DaysFormat, DaysOfMonth, Duration, DurationType, Frequency,
    MANAGEMENT_TYPE, MonthlyRetention, NumberedDays, PolicyProperties, RETENTION_TYPE, RetentionPolicy,
    SCHEDULE_TYPE, SchedulePolicy, WeekdaysOfMonth, WeeklyRetention, YearlyRetention,
};
use stateward_model::ParseError;
use stateward_model::policy::{
    self, InvalidPolicy, MonthDay, Policy, Retention, Rhythm, Schedule, TierKind, TimeOfDay, Zone,
};
use std::collections::BTreeSet;

/// Why what a client sent is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WrongPolicy {
    /// Azure has it, and a vault of this product does not.
    #[error("{0}")]
    NotHere(String),
    /// Something is left out.
    #[error("The policy has no `{0}`")]
    Missing(&'static str),
    /// A retention is counted in what another kind of retention is counted in.
    #[error("The {tier} retention is counted in {}, so its `durationType` can't be `{found:?}`", .tier.unit())]
    OtherUnit {
        /// Which.
        tier: TierKind,
        /// What it is counted in.
        found: DurationType,
    },
    /// There is no such zone.
    #[error("The `timeZone` is wrong: {0}")]
    Zone(ParseError),
    /// It breaks a limit of policies.
    #[error("{0}")]
    Limit(#[from] InvalidPolicy),
}

impl PolicyProperties {
    /// The policy that is meant.
    pub fn to_policy(&self) -> Result<Policy, WrongPolicy> {
        if !self.backup_management_type.eq_ignore_ascii_case(MANAGEMENT_TYPE) {
            return Err(WrongPolicy::NotHere(format!(
                "Policies here have the `backupManagementType` `{MANAGEMENT_TYPE}`, not `{}`",
                self.backup_management_type
            )));
        }
        let zone = self
            .time_zone
            .as_deref()
            .map_or_else(|| Ok(Zone::utc()), str::parse)
            .map_err(WrongPolicy::Zone)?;
        let schedule = self.schedule_policy.as_ref().ok_or(WrongPolicy::Missing("schedulePolicy"))?;
        let retention = self.retention_policy.as_ref().ok_or(WrongPolicy::Missing("retentionPolicy"))?;
        Ok(Policy::new(schedule.to_schedule(zone)?, retention.to_retention()?)?)
    }

    /// A policy as clients see it.
    pub fn of(policy: &Policy) -> Self {
        let schedule = policy.schedule();
        Self {
            backup_management_type: MANAGEMENT_TYPE.to_owned(),
            protected_items_count: None,
            time_zone: Some(schedule.zone.to_string()),
            schedule_policy: Some(SchedulePolicy::of(schedule)),
            retention_policy: Some(RetentionPolicy::of(policy.retention())),
        }
    }
}

impl SchedulePolicy {
    fn to_schedule(&self, zone: Zone) -> Result<Schedule, WrongPolicy> {
        check_kind(&self.schedule_policy_type, SCHEDULE_TYPE, "schedulePolicyType")?;
        let times = self.schedule_run_times.as_deref().unwrap_or_default();
        let rhythm = match self.schedule_run_frequency.ok_or(WrongPolicy::Missing("scheduleRunFrequency"))? {
            Frequency::Daily => Rhythm::Daily,
            Frequency::Weekly => Rhythm::Weekly {
                days: self.schedule_run_days.clone().unwrap_or_default(),
                every_weeks: self.schedule_weekly_frequency.unwrap_or_default().max(1),
                counted_from: times.first().map_or_else(ClockTime::no_date, |first| first.date),
            },
            Frequency::Hourly => {
                let why = "The `scheduleRunFrequency` can't be `Hourly`: use `Daily` with up to 24 `scheduleRunTimes`";
                return Err(WrongPolicy::NotHere(why.to_owned()));
            }
        };
        Ok(Schedule { zone, rhythm, times: times_of(times) })
    }

    fn of(schedule: &Schedule) -> Self {
        let (frequency, days, weeks, date) = match &schedule.rhythm {
            Rhythm::Daily => (Frequency::Daily, None, None, ClockTime::no_date()),
            Rhythm::Weekly { days, every_weeks, counted_from } => {
                (Frequency::Weekly, Some(days.clone()), Some(*every_weeks), *counted_from)
            }
        };
        let times = schedule.times.iter().map(|time| ClockTime { date, time: *time });
        Self {
            schedule_policy_type: SCHEDULE_TYPE.to_owned(),
            schedule_run_frequency: Some(frequency),
            schedule_run_days: days,
            schedule_run_times: Some(times.collect()),
            schedule_weekly_frequency: weeks,
        }
    }
}

impl RetentionPolicy {
    fn to_retention(&self) -> Result<Retention, WrongPolicy> {
        check_kind(&self.retention_policy_type, RETENTION_TYPE, "retentionPolicyType")?;
        let daily = |tier: &DailyRetention| {
            let keep_days = tier.retention_duration.of_tier(TierKind::Daily)?;
            Ok::<_, WrongPolicy>(policy::Daily { times: times_of(&tier.retention_times), keep_days })
        };
        let weekly = |tier: &WeeklyRetention| {
            Ok::<_, WrongPolicy>(policy::Weekly {
                days: tier.days_of_the_week.clone(),
                times: times_of(&tier.retention_times),
                keep_weeks: tier.retention_duration.of_tier(TierKind::Weekly)?,
            })
        };
        let monthly = |tier: &MonthlyRetention| {
            Ok::<_, WrongPolicy>(policy::Monthly {
                days: tier.days.to_days()?,
                times: times_of(&tier.retention_times),
                keep_months: tier.retention_duration.of_tier(TierKind::Monthly)?,
            })
        };
        let yearly = |tier: &YearlyRetention| {
            Ok::<_, WrongPolicy>(policy::Yearly {
                months: tier.months_of_year.clone(),
                days: tier.days.to_days()?,
                times: times_of(&tier.retention_times),
                keep_years: tier.retention_duration.of_tier(TierKind::Yearly)?,
            })
        };
        Ok(Retention {
            daily: self.daily_schedule.as_ref().map(daily).transpose()?,
            weekly: self.weekly_schedule.as_ref().map(weekly).transpose()?,
            monthly: self.monthly_schedule.as_ref().map(monthly).transpose()?,
            yearly: self.yearly_schedule.as_ref().map(yearly).transpose()?,
        })
    }

    fn of(retention: &Retention) -> Self {
        let Retention { daily, weekly, monthly, yearly } = retention;
        Self {
            retention_policy_type: RETENTION_TYPE.to_owned(),
            daily_schedule: daily.as_ref().map(|tier| DailyRetention {
                retention_times: clock_times(&tier.times),
                retention_duration: Duration { count: tier.keep_days, duration_type: DurationType::Days },
            }),
            weekly_schedule: weekly.as_ref().map(|tier| WeeklyRetention {
                days_of_the_week: tier.days.clone(),
                retention_times: clock_times(&tier.times),
                retention_duration: Duration { count: tier.keep_weeks, duration_type: DurationType::Weeks },
            }),
            monthly_schedule: monthly.as_ref().map(|tier| MonthlyRetention {
                days: DaysOfMonth::of(&tier.days),
                retention_times: clock_times(&tier.times),
                retention_duration: Duration { count: tier.keep_months, duration_type: DurationType::Months },
            }),
            yearly_schedule: yearly.as_ref().map(|tier| YearlyRetention {
                months_of_year: tier.months.clone(),
                days: DaysOfMonth::of(&tier.days),
                retention_times: clock_times(&tier.times),
                retention_duration: Duration { count: tier.keep_years, duration_type: DurationType::Years },
            }),
        }
    }
}

impl DaysOfMonth {
    fn to_days(&self) -> Result<policy::DaysOfMonth, WrongPolicy> {
        match self
            .retention_schedule_format_type
            .ok_or(WrongPolicy::Missing("retentionScheduleFormatType"))?
        {
            DaysFormat::Daily => {
                let missing = WrongPolicy::Missing("retentionScheduleDaily");
                let days = &self.retention_schedule_daily.as_ref().ok_or(missing)?.days_of_the_month;
                let day = |day: &Day| match day.is_last {
                    Some(true) => MonthDay::Last,
                    _ => MonthDay::Day(day.date.unwrap_or_default()),
                };
                Ok(policy::DaysOfMonth::Numbered(days.iter().map(day).collect()))
            }
            DaysFormat::Weekly => {
                let missing = WrongPolicy::Missing("retentionScheduleWeekly");
                let WeekdaysOfMonth { days_of_the_week, weeks_of_the_month } =
                    self.retention_schedule_weekly.clone().ok_or(missing)?;
                Ok(policy::DaysOfMonth::Weekdays { days: days_of_the_week, weeks: weeks_of_the_month })
            }
        }
    }

    fn of(days: &policy::DaysOfMonth) -> Self {
        match days {
            policy::DaysOfMonth::Numbered(days) => {
                let day = |day: &MonthDay| match day {
                    MonthDay::Day(number) => Day { date: Some(*number), is_last: Some(false) },
                    MonthDay::Last => Day { date: None, is_last: Some(true) },
                };
                Self {
                    retention_schedule_format_type: Some(DaysFormat::Daily),
                    retention_schedule_daily: Some(NumberedDays {
                        days_of_the_month: days.iter().map(day).collect(),
                    }),
                    retention_schedule_weekly: None,
                }
            }
            policy::DaysOfMonth::Weekdays { days, weeks } => Self {
                retention_schedule_format_type: Some(DaysFormat::Weekly),
                retention_schedule_daily: None,
                retention_schedule_weekly: Some(WeekdaysOfMonth {
                    days_of_the_week: days.clone(),
                    weeks_of_the_month: weeks.clone(),
                }),
            },
        }
    }
}

impl Duration {
    /// Its count, if it is counted in the unit of that tier.
    fn of_tier(self, tier: TierKind) -> Result<u32, WrongPolicy> {
        let of = match self.duration_type {
            DurationType::Days => TierKind::Daily,
            DurationType::Weeks => TierKind::Weekly,
            DurationType::Months => TierKind::Monthly,
            DurationType::Years => TierKind::Yearly,
        };
        (of == tier).then_some(self.count).ok_or(WrongPolicy::OtherUnit { tier, found: self.duration_type })
    }
}

fn check_kind(found: &str, wanted: &str, field: &str) -> Result<(), WrongPolicy> {
    match found.eq_ignore_ascii_case(wanted) {
        true => Ok(()),
        false => Err(WrongPolicy::NotHere(format!("The `{field}` here is `{wanted}`, not `{found}`"))),
    }
}

fn times_of(times: &[ClockTime]) -> BTreeSet<TimeOfDay> {
    times.iter().map(|time| time.time).collect()
}

fn clock_times(times: &BTreeSet<TimeOfDay>) -> Vec<ClockTime> {
    times.iter().map(|time| ClockTime { date: ClockTime::no_date(), time: *time }).collect()
}

#[cfg(test)]
mod tests;
