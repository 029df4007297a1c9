//! Policies there and back, and what is refused.

use super::*;
use serde_json::{Value, json};

/// The worked example of Azure's documentation, as its SDK for Python sends it.
fn sent() -> Value {
    let times = json!(["2026-11-28T00:00:00.000Z", "2026-11-28T18:00:00.000Z"]);
    let last_saturday = json!({ "daysOfTheWeek": ["Saturday"], "weeksOfTheMonth": ["Last"] });
    json!({
        "backupManagementType": "MAB",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy", "scheduleRunFrequency": "Daily", "scheduleRunTimes": times,
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": { "retentionTimes": times, "retentionDuration": { "count": 7, "durationType": "Days" } },
            "weeklySchedule": {
                "daysOfTheWeek": ["Saturday"], "retentionTimes": times,
                "retentionDuration": { "count": 4, "durationType": "Weeks" },
            },
            "monthlySchedule": {
                "retentionScheduleFormatType": "Weekly", "retentionScheduleDaily": null,
                "retentionScheduleWeekly": last_saturday, "retentionTimes": times,
                "retentionDuration": { "count": 12, "durationType": "Months" },
            },
            "yearlySchedule": {
                "retentionScheduleFormatType": "Daily", "monthsOfYear": ["March"],
                "retentionScheduleDaily": { "daysOfTheMonth": [{ "date": 0, "isLast": true }, { "date": 5 }] },
                "retentionTimes": times, "retentionDuration": { "count": 10, "durationType": "Years" },
            },
        },
    })
}

fn policy(value: Value) -> Result<Policy, String> {
    let read: PolicyProperties = serde_json::from_value(value).map_err(|error| error.to_string())?;
    read.to_policy().map_err(|error| error.to_string())
}

/// What was sent, with another value at that place.
fn with(place: &str, value: Value) -> Value {
    let mut all = sent();
    *all.pointer_mut(place).unwrap_or_else(|| panic!("there is no {place}")) = value;
    all
}

#[test]
fn what_an_sdk_sends_comes_back_as_it_was_meant() {
    let read = policy(sent()).unwrap();
    assert_eq!((read.schedule().zone.name(), read.schedule().times.len()), ("UTC", 2));
    let days = &read.retention().yearly.as_ref().unwrap().days;
    assert_eq!(*days, policy::DaysOfMonth::Numbered([MonthDay::Day(5), MonthDay::Last].into()));
    let shown = serde_json::to_value(PolicyProperties::of(&read)).unwrap();
    assert_eq!(shown["timeZone"], "UTC");
    assert_eq!(shown["schedulePolicy"]["scheduleRunTimes"][1], "2000-01-01T18:00:00Z");
    let monthly = &shown["retentionPolicy"]["monthlySchedule"];
    assert_eq!(monthly["retentionScheduleWeekly"]["weeksOfTheMonth"], json!(["Last"]));
    assert_eq!(policy(shown).unwrap(), read, "what was shown is taken again");
}

#[test]
fn a_weekly_schedule_counts_its_weeks_from_the_date_of_its_first_time() {
    let mut all = with("/schedulePolicy/scheduleRunFrequency", json!("Weekly"));
    all["schedulePolicy"]["scheduleRunDays"] = json!(["Saturday"]);
    all["schedulePolicy"]["scheduleWeeklyFrequency"] = json!(2);
    all["timeZone"] = json!("Europe/Berlin");
    let read = policy(all).unwrap();
    let date = "2026-11-28".parse().unwrap();
    let rhythm =
        Rhythm::Weekly { days: [policy::Weekday::Saturday].into(), every_weeks: 2, counted_from: date };
    assert_eq!(read.schedule().rhythm, rhythm);
    let shown = serde_json::to_value(PolicyProperties::of(&read)).unwrap();
    assert_eq!(shown["schedulePolicy"]["scheduleRunTimes"][0], "2026-11-28T00:00:00Z");
    assert_eq!(policy(shown).unwrap(), read);
}

#[test]
fn what_is_no_policy_is_refused_with_what_is_wrong() {
    let times = "/schedulePolicy/scheduleRunTimes";
    let retention = |rest: &str| format!("/retentionPolicy/{rest}");
    for (place, value, expected) in [
        ("/backupManagementType", json!("AzureIaasVM"), "`MAB`, not `AzureIaasVM`"),
        ("/schedulePolicy", Value::Null, "no `schedulePolicy`"),
        ("/retentionPolicy", Value::Null, "no `retentionPolicy`"),
        ("/schedulePolicy/schedulePolicyType", json!("LogSchedulePolicy"), "not `LogSchedulePolicy`"),
        ("/schedulePolicy/scheduleRunFrequency", json!("Hourly"), "up to 24"),
        (times, json!([]), "no time of day"),
        (times, json!(["2026-11-28T02:30:10Z"]), "whole minutes"),
        (times, json!(["2026-11-28T02:30:00+01:00"]), "without an offset"),
        (times, json!(["2026-11-28T25:00:00Z"]), "is no time"),
        (times, json!(["2026-11-28T02é30"]), "is no time"),
        (times, json!(["03:00"]), "no backup runs then"),
        (&retention("dailySchedule/retentionDuration/count"), json!(6), "7 to 9999"),
        (&retention("weeklySchedule/retentionDuration/count"), json!(3), "4 to 5163"),
        (&retention("monthlySchedule/retentionDuration/count"), json!(2), "3 to 1188"),
        (&retention("yearlySchedule/retentionDuration/count"), json!(100), "1 to 99"),
        (&retention("yearlySchedule/retentionDuration/durationType"), json!("Days"), "counted in years"),
        (&retention("monthlySchedule/retentionScheduleWeekly"), Value::Null, "no `retentionScheduleWeekly`"),
        (&retention("yearlySchedule/monthsOfYear"), json!([]), "has no day"),
        (&retention("weeklySchedule/retentionTimes"), Value::Null, "no time of day"),
    ] {
        let refused = policy(with(place, value)).unwrap_err();
        assert!(refused.contains(expected), "{place}: {refused}");
    }
    let mut zone = sent();
    zone["timeZone"] = json!("Europe/Atlantis");
    assert!(policy(zone).unwrap_err().contains("Europe/Atlantis"));
    let mut day = sent();
    day["retentionPolicy"]["yearlySchedule"]["retentionScheduleDaily"]["daysOfTheMonth"] =
        json!([{ "date": 32 }]);
    assert!(policy(day).unwrap_err().contains("day 32"));
}
