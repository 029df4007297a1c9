use super::samples::*;
use super::*;

#[test]
fn a_policy_survives_its_json_and_a_wrong_one_is_refused_there_too() {
    let policy = worked_example();
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(serde_json::from_str::<Policy>(&json).unwrap(), policy);
    let wrong = json.replace("\"keepDays\":7", "\"keepDays\":6");
    assert_ne!(wrong, json);
    assert!(serde_json::from_str::<Policy>(&wrong).unwrap_err().to_string().contains("can't be 6 days"));
    let unknown = json.replacen('{', "{\"from\":\"tomorrow\",", 1);
    assert!(serde_json::from_str::<Policy>(&unknown).is_err());
}

#[test]
fn the_json_of_a_policy_is_as_written_here() {
    let schedule = Schedule {
        zone: "Europe/Berlin".parse().unwrap(),
        rhythm: Rhythm::Weekly {
            days: [Weekday::Sunday].into(),
            every_weeks: 2,
            counted_from: "2026-11-29".parse().unwrap(),
        },
        times: times(&["02:00"]),
    };
    let retention = Retention {
        monthly: monthly(numbered(&[MonthDay::Day(31), MonthDay::Last]), &["02:00"], 12),
        ..Retention::default()
    };
    let json = serde_json::to_value(Policy::new(schedule, retention).unwrap()).unwrap();
    let expected = serde_json::json!({
        "schedule": {
            "zone": "Europe/Berlin",
            "rhythm": { "Weekly": { "days": ["Sunday"], "everyWeeks": 2, "countedFrom": "2026-11-29" } },
            "times": ["02:00"],
        },
        "retention": {
            "monthly": { "days": { "Numbered": [{ "Day": 31 }, "Last"] }, "times": ["02:00"], "keepMonths": 12 },
        },
    });
    assert_eq!(json, expected);
}

#[test]
fn on_demand_points_are_kept_as_wished_but_never_below_the_minimum() {
    let received = at("2026-11-28T12:00:00Z");
    let policy = berlin(30, 4);
    for (asked, until) in [
        (Some("2027-11-28T00:00:00Z"), "2027-11-28T00:00:00Z"),
        (Some("2026-11-29T00:00:00Z"), "2026-12-05T12:00:00Z"),
        (Some("1990-01-01T00:00:00Z"), "2026-12-05T12:00:00Z"),
        (None, "2026-12-28T12:00:00Z"),
    ] {
        assert_eq!(policy.on_demand_until(asked.map(at), received), at(until), "{asked:?}");
    }
    let without_days = Retention { weekly: policy.retention().weekly.clone(), ..Retention::default() };
    let weekly = Policy::new(policy.schedule().clone(), without_days).unwrap();
    assert_eq!(weekly.on_demand_until(None, received), at("2026-12-05T12:00:00Z"));
}
