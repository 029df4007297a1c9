//! Policies as people read them.

use crate::units::counted;
use stateward_api::arm::policies::PolicyProperties;
use stateward_model::policy::{DaysOfMonth, MonthDay, Policy, Rhythm, TimeOfDay};
use std::collections::BTreeSet;
use std::fmt::Display;

/// A policy, one fact a line.
pub fn facts_of(properties: &PolicyProperties) -> Vec<(&'static str, String)> {
    let mut lines = match properties.to_policy() {
        Ok(policy) => lines_of(&policy),
        // What the vault keeps is a policy; a newer vault may know one that this program does not.
        Err(error) => vec![("Policy", error.to_string())],
    };
    if let Some(items) = properties.protected_items_count {
        lines.push(("Items", items.to_string()));
    }
    lines
}

/// When backups run, in a few words.
pub fn schedule_of(policy: &Policy) -> String {
    let schedule = policy.schedule();
    let days = match &schedule.rhythm {
        Rhythm::Daily => "every day".to_owned(),
        Rhythm::Weekly { days, every_weeks: 1, .. } => list(days),
        Rhythm::Weekly { days, every_weeks, .. } => format!("{} of every {every_weeks} weeks", list(days)),
    };
    format!("{days} at {} ({})", list(&schedule.times), schedule.zone)
}

fn lines_of(policy: &Policy) -> Vec<(&'static str, String)> {
    let retention = policy.retention();
    let mut lines = vec![("Backups", schedule_of(policy))];
    let at = |times: &BTreeSet<TimeOfDay>| match *times == policy.schedule().times {
        true => String::new(),
        false => format!(" at {}", list(times)),
    };
    if let Some(tier) = &retention.daily {
        lines.push(("Daily", format!("kept {}{}", counted(tier.keep_days.into(), "day"), at(&tier.times))));
    }
    if let Some(tier) = &retention.weekly {
        lines.push((
            "Weekly",
            format!(
                "{} kept {}{}",
                list(&tier.days),
                counted(tier.keep_weeks.into(), "week"),
                at(&tier.times)
            ),
        ));
    }
    if let Some(tier) = &retention.monthly {
        let days = days_of_month(&tier.days);
        lines.push((
            "Monthly",
            format!("{days} kept {}{}", counted(tier.keep_months.into(), "month"), at(&tier.times)),
        ));
    }
    if let Some(tier) = &retention.yearly {
        let months = tier.months.iter().map(|month| format!("{month:?}")).collect::<Vec<_>>().join(", ");
        let days = days_of_month(&tier.days);
        lines.push((
            "Yearly",
            format!("{days} of {months} kept {}{}", counted(tier.keep_years.into(), "year"), at(&tier.times)),
        ));
    }
    lines
}

fn days_of_month(days: &DaysOfMonth) -> String {
    match days {
        DaysOfMonth::Numbered(days) => {
            let words = days.iter().map(|day| match day {
                MonthDay::Day(number) => number.to_string(),
                MonthDay::Last => "last".to_owned(),
            });
            format!("day {}", words.collect::<Vec<_>>().join(", "))
        }
        DaysOfMonth::Weekdays { days, weeks } => {
            let weeks = weeks.iter().map(|week| format!("{week:?}").to_lowercase()).collect::<Vec<_>>();
            format!("{} {}", weeks.join(", "), list(days))
        }
    }
}

fn list<T: Display>(words: &BTreeSet<T>) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
