//! The wizard's pages: what to back up, when, how long to keep it, and what comes of that.

use crate::commands::policy::flags::{day_of_month, days_of_month, month, zone};
use crate::commands::policy::words::{facts_of, schedule_of};
use crate::context::Context;
use crate::prompt::{Line, Prompt};
use crate::units;
use jiff::tz::TimeZone;
use stateward_agent::AgentError;
use stateward_agent::items::{Item, StoredPath, absolute, exclusion};
use stateward_api::arm::policies::{Policy as VaultPolicy, PolicyProperties};
use stateward_model::policy::{
    Daily, Monthly, Policy, Retention, Rhythm, Schedule, TimeOfDay, Weekday, Weekly, Yearly, limits, preview,
};
use stateward_model::{ItemKind, PolicyName, Timestamp};
use std::collections::BTreeSet;

/// What is to be backed up.
pub enum Protecting {
    /// What is protected already.
    Item(Item),
    /// This server's System State, from now on.
    SystemState,
    /// Files and folders, from now on.
    Files {
        /// Which.
        paths: Vec<StoredPath>,
        /// What is left out of them.
        exclusions: Vec<StoredPath>,
    },
}

/// The policy that was chosen.
pub enum Chosen {
    /// One of the vault.
    Existing(Box<VaultPolicy>),
    /// One that is to be made.
    New(PolicyName, Box<PolicyProperties>),
}

/// *Select Items to Backup*.
pub fn choose_item(prompt: &Prompt, items: Vec<Item>) -> Result<Protecting, AgentError> {
    let has_state = items.iter().any(|item| item.selection.kind() == ItemKind::SystemState);
    let text = |item: &Item| format!("{} ({})", item.label, item.selection.kind());
    let mut lines: Vec<Line<Option<Protecting>>> =
        items.into_iter().map(|item| Line(text(&item), Some(Protecting::Item(item)))).collect();
    if !has_state {
        lines.push(Line("System State of this server".to_owned(), Some(Protecting::SystemState)));
    }
    lines.push(Line("Other files and folders …".to_owned(), None));
    match prompt.choose("What is to be backed up?", lines)?.1 {
        Some(protecting) => Ok(protecting),
        None => {
            let paths =
                prompt.text("Which files and folders (absolute paths, separated by commas)?", "", paths)?;
            let question = "What of them is left out (paths, or names such as *.mp3; Enter: nothing)?";
            let exclusions = prompt.text(question, "", exclusions)?;
            Ok(Protecting::Files { paths, exclusions })
        }
    }
}

fn paths(text: &str) -> Result<Vec<StoredPath>, String> {
    let path = |text: &str| match std::path::Path::new(text.trim()) {
        path if !path.is_absolute() => Err(format!("`{}` does not begin at the root", text.trim())),
        path if std::fs::symlink_metadata(path).is_err() => Err(format!("`{}` is not there", text.trim())),
        path => absolute(path).map_err(|error| error.to_string()),
    };
    text.split(',').map(path).collect()
}

fn exclusions(text: &str) -> Result<Vec<StoredPath>, String> {
    let given = text.split(',').map(str::trim).filter(|given| !given.is_empty());
    given.map(|given| exclusion(given.as_ref()).map_err(|error| error.to_string())).collect()
}

/// *Specify Backup Schedule*, *Select Retention Policy* and *Confirmation*; or one of the vault's policies.
pub fn choose_policy(
    context: &Context,
    prompt: &Prompt,
    protecting: &Protecting,
    policies: Vec<VaultPolicy>,
) -> Result<Chosen, AgentError> {
    let text = |policy: &VaultPolicy| match policy.properties.to_policy() {
        Ok(known) => format!("{}: {}", policy.name, schedule_of(&known)),
        Err(_) => policy.name.clone(),
    };
    let mut lines = vec![Line("A new schedule …".to_owned(), None)];
    lines.extend(policies.into_iter().map(|policy| Line(text(&policy), Some(Box::new(policy)))));
    if lines.len() > 1
        && let Some(policy) = prompt.choose("By which policy of the vault?", lines)?.1
    {
        show(context, &policy.properties);
        return Ok(Chosen::Existing(policy));
    }
    let usual = match protecting {
        Protecting::Item(item) => item.label.to_string(),
        Protecting::SystemState => "system-state".to_owned(),
        Protecting::Files { .. } => "files".to_owned(),
    };
    let now = context.agent().now();
    let policy = new_policy(context, prompt, now)?;
    let properties = PolicyProperties::of(&policy);
    show(context, &properties);
    show_preview(context, &policy, now);
    let usual = format!("{usual}-{}", policy.schedule().times.iter().next().map_or(0, |time| time.hour()));
    let name = prompt.text("What is the policy to be called?", &usual, |text| {
        text.parse::<PolicyName>().map_err(|error| error.to_string())
    })?;
    Ok(Chosen::New(name, Box::new(properties)))
}

/// Asks until schedule and retention fit together.
fn new_policy(context: &Context, prompt: &Prompt, now: Timestamp) -> Result<Policy, AgentError> {
    loop {
        let schedule = schedule(prompt, now)?;
        let retention = retention(prompt, &schedule)?;
        match Policy::new(schedule, retention) {
            Ok(policy) => return Ok(policy),
            Err(error) => context.output().say(format_args!("{error}. Once more, please")),
        }
    }
}

fn schedule(prompt: &Prompt, now: Timestamp) -> Result<Schedule, AgentError> {
    let every_day = "Every day".to_owned();
    let is_daily =
        prompt.choose("When?", vec![Line(every_day, true), Line("On days of the week".to_owned(), false)])?.1;
    let week = match is_daily {
        true => None,
        false => {
            let days = days(prompt, "On which days?", &Weekday::ALL, &[Weekday::Saturday])?;
            Some((days, prompt.text("In every how many weeks?", "1", number((1, 52)))?))
        }
    };
    let times = prompt.text("At which times (such as 02:00 or 02:00,14:00)?", "02:00", times)?;
    let zone = prompt.text("In which time zone?", &this_zone(), zone)?;
    let rhythm = match week {
        None => Rhythm::Daily,
        Some((days, every_weeks)) => Rhythm::Weekly { days, every_weeks, counted_from: zone.local(now).date },
    };
    Ok(Schedule { zone, rhythm, times })
}

fn retention(prompt: &Prompt, schedule: &Schedule) -> Result<Retention, AgentError> {
    use stateward_model::policy::TierKind::{
        Daily as Days, Monthly as Months, Weekly as Weeks, Yearly as Years,
    };
    let times = || schedule.times.clone();
    let mut kept = Retention { daily: None, weekly: None, monthly: None, yearly: None };
    let week_days: Vec<Weekday> = match &schedule.rhythm {
        Rhythm::Daily => Weekday::ALL.to_vec(),
        Rhythm::Weekly { days, .. } => days.iter().copied().collect(),
    };
    if matches!(schedule.rhythm, Rhythm::Daily) {
        let keep_days = prompt.text(
            "Keep the recovery points of every day for how many days?",
            "30",
            number(limits::keep_limits(Days)),
        )?;
        kept.daily = Some(Daily { times: times(), keep_days });
    }
    let needs_weeks = kept.daily.is_none();
    if needs_weeks || prompt.yes("Keep some of them for weeks?", true)? {
        let first = [*week_days.first().unwrap_or(&Weekday::Sunday)];
        let days = days(prompt, "Those of which days of the week?", &week_days, &first)?;
        let keep_weeks = prompt.text("For how many weeks?", "12", number(limits::keep_limits(Weeks)))?;
        kept.weekly = Some(Weekly { days, times: times(), keep_weeks });
    }
    if prompt.yes("Keep some of them for months?", false)? {
        let days = month_days(prompt, "Those of which days of the month (1,15,last or first-Sunday)?")?;
        let keep_months = prompt.text("For how many months?", "12", number(limits::keep_limits(Months)))?;
        kept.monthly = Some(Monthly { days, times: times(), keep_months });
    }
    if prompt.yes("Keep some of them for years?", false)? {
        let months = prompt.text("Those of which months?", "January", |text| {
            text.split(',').map(month).collect::<Result<BTreeSet<_>, _>>()
        })?;
        let days = month_days(prompt, "And which days of them?")?;
        let keep_years = prompt.text("For how many years?", "7", number(limits::keep_limits(Years)))?;
        kept.yearly = Some(Yearly { months, days, times: times(), keep_years });
    }
    Ok(kept)
}

fn month_days(prompt: &Prompt, question: &str) -> Result<stateward_model::policy::DaysOfMonth, AgentError> {
    prompt.text(question, "first-Sunday", |text| {
        let days: Vec<_> = text.split(',').map(day_of_month).collect::<Result<_, _>>()?;
        days_of_month(&days, "This").map_err(|error| error.to_string())
    })
}

fn days(
    prompt: &Prompt,
    question: &str,
    among: &[Weekday],
    first: &[Weekday],
) -> Result<BTreeSet<Weekday>, AgentError> {
    let places: Vec<usize> = (0..among.len()).filter(|place| first.contains(&among[*place])).collect();
    Ok(prompt.choose_some(question, among.to_vec(), &places)?.into_iter().collect())
}

fn times(text: &str) -> Result<BTreeSet<TimeOfDay>, String> {
    let time = |text: &str| {
        text.trim()
            .parse::<TimeOfDay>()
            .map_err(|_| format!("`{}` is no time of day such as 02:00", text.trim()))
    };
    text.split(',').map(time).collect()
}

/// A whole number between two, both included.
fn number((least, most): (u32, u32)) -> impl Fn(&str) -> Result<u32, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(format!("it must be a number from {least} to {most}")),
    }
}

fn this_zone() -> String {
    TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}

fn show(context: &Context, properties: &PolicyProperties) {
    context.output().say("");
    for (name, value) in facts_of(properties) {
        context.output().say(format_args!("  {name}: {value}"));
    }
}

/// What comes of it, as far as it can be told before there is any recovery point.
fn show_preview(context: &Context, policy: &Policy, now: Timestamp) {
    let next: Vec<String> =
        preview::next_runs(policy, now, 3).iter().map(|run| units::time(run.at)).collect();
    let kept = [30, 90, 365].map(|days| {
        let at = now.plus_seconds(days * 86_400);
        format!("{} after {days} days", preview::kept_at(policy, &[], now, at).points.len())
    });
    context.output().say(format_args!("  Next backups: {}", next.join(", ")));
    context.output().say(format_args!("  Recovery points kept: {}", kept.join(", ")));
    context.output().say("");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_as_they_are_typed() {
        assert_eq!(times("02:00, 14:30").unwrap().len(), 2);
        assert!(times("2").is_err() && times("").is_err());
        assert_eq!(number((7, 9999))("30"), Ok(30));
        assert_eq!(number((7, 9999))("6").unwrap_err(), "it must be a number from 7 to 9999");
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().display().to_string();
        assert_eq!(paths(&there).unwrap().len(), 1);
        assert!(paths("etc").unwrap_err().contains("root"));
        assert_eq!(exclusions(" *.mp3, /srv/cache ,").unwrap().len(), 2);
        assert_eq!(exclusions("").unwrap(), []);
        assert!(exclusions("/srv/*/x").unwrap_err().contains("last name only"));
        assert!(paths(&format!("{there},{there}/none")).unwrap_err().contains("is not there"));
    }
}
