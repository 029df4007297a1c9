//! *Change Properties*: what holds for all jobs. What lets programs run (hooks, release keys, upgrades) is set at the command line.

use super::Console;
use super::answer::{Answer, Refusal, answered};
use super::body::Body;
use super::registration;
use super::shapes;
use crate::items::StoredPath;
use crate::prechecks::{CODES, PrecheckAction};
use crate::proofs::{DAYS_MAX, ProofWish};
use crate::server_backup::{RETRIES_MAX, ServerBackupWish};
use crate::settings::{Limit, PaceWish, Settings, SettingsWish, ThrottleWish, folder_that_is_there};
use axum::extract::State;
use stateward_api::console::{self as contract, FilePath, Rate, RateWord, SettingsRequest};
use stateward_model::policy::WorkHours;
use std::num::NonZeroU32;
use std::sync::Arc;

/// What holds.
pub(super) async fn get(State(console): State<Arc<Console>>) -> Answer<contract::Settings> {
    answered(console, |console| shown(console, &Settings::load(console.agent.home())?)).await
}

/// Changes what the request names.
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    Body(request): Body<SettingsRequest>,
) -> Answer<contract::Settings> {
    answered(console, move |console| {
        let home = console.agent.home();
        let new_proxy = match request.proxy.clone() {
            None => None,
            Some(wish) => Some(wish.map(registration::proxy).transpose()?),
        };
        let wish = wish(request)?;
        let new_proxy = new_proxy.as_ref().map(Option::as_ref);
        shown(console, &Settings::change_with_proxy(home, wish, new_proxy)?)
    })
    .await
}

fn wish(request: SettingsRequest) -> Result<SettingsWish, Refusal> {
    if let Some(unknown) = request.prechecks.keys().find(|code| !CODES.contains(&code.as_str())) {
        return Err(Refusal::invalid(format!(
            "`{unknown}` is no check before a backup; there are {}",
            CODES.join(", ")
        )));
    }
    let usual_rate = match request.limit_rate {
        None => None,
        Some(Rate::Word(RateWord::Off)) => Some(None),
        Some(Rate::BytesPerSecond(rate)) => Some(Some(rate)),
        Some(Rate::Word(RateWord::Same)) => {
            return Err(Refusal::invalid("`limitRate` is the rate that others can be the same as"));
        }
    };
    Ok(SettingsWish {
        pace: PaceWish { low_priority: request.low_priority, bytes_per_second: usual_rate },
        throttle: ThrottleWish {
            work_hours: request.work_hours.map(|hours| hours.map(work_hours)),
            work: request.work_limit_rate.map(limit),
            restore: request.restore_limit_rate.map(limit),
            restore_work: request.restore_work_limit_rate.map(limit),
        },
        prechecks: request.prechecks.into_iter().map(|(code, does)| (code, action(does))).collect(),
        source_snapshot: request.source_snapshot,
        verify_packages: request.verify_packages,
        server_backup: ServerBackupWish {
            staging: request.staging.map(folder).transpose()?,
            time_out_seconds: request.server_backup_time_out.map(time_out).transpose()?,
            retries: request.server_backup_retries.map(retries).transpose()?,
        },
        proofs: ProofWish {
            verify_days: request.verify_every_days.map(|days| often("verifyEveryDays", days)).transpose()?,
            trial_days: request
                .trial_restore_every_days
                .map(|days| often("trialRestoreEveryDays", days))
                .transpose()?,
            trial_folder: request.trial_folder.map(folder).transpose()?,
        },
        restore_root: request.restore_root.map(folder).transpose()?,
        ..SettingsWish::default()
    })
}

fn work_hours(given: contract::WorkHours) -> WorkHours {
    WorkHours { days: given.days, from: given.from, until: given.until, zone: given.zone }
}

/// `None`: as what is more general says.
fn limit(rate: Rate) -> Option<Limit> {
    match rate {
        Rate::Word(RateWord::Same) => None,
        Rate::Word(RateWord::Off) => Some(Limit::Off),
        Rate::BytesPerSecond(rate) => Some(Limit::BytesPerSecond(rate)),
    }
}

fn rate(limit: Option<Limit>) -> Rate {
    match limit {
        None => Rate::Word(RateWord::Same),
        Some(Limit::Off) => Rate::Word(RateWord::Off),
        Some(Limit::BytesPerSecond(rate)) => Rate::BytesPerSecond(rate),
    }
}

fn often(field: &str, days: Option<u32>) -> Result<Option<NonZeroU32>, Refusal> {
    let wrong =
        || Refusal::invalid(format!("`{field}` must be `null` or a number of days from 1 to {DAYS_MAX}"));
    days.map(|days| NonZeroU32::new(days).filter(|days| days.get() <= DAYS_MAX).ok_or_else(wrong)).transpose()
}

fn time_out(seconds: u64) -> Result<u64, Refusal> {
    let wrong = || Refusal::invalid("`serverBackupTimeOut` must be a number of seconds from 1 on");
    Some(seconds).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

fn retries(count: u32) -> Result<u32, Refusal> {
    let wrong =
        || Refusal::invalid(format!("`serverBackupRetries` must be a number from 0 to {RETRIES_MAX}"));
    Some(count).filter(|count| *count <= RETRIES_MAX).ok_or_else(wrong)
}

fn folder(path: Option<FilePath>) -> Result<Option<StoredPath>, Refusal> {
    let path = path.map(shapes::whole_path).transpose()?;
    Ok(path.map(|path| folder_that_is_there(&path.0)).transpose()?)
}

fn action(action: contract::PrecheckAction) -> PrecheckAction {
    match action {
        contract::PrecheckAction::Pass => PrecheckAction::Pass,
        contract::PrecheckAction::Warn => PrecheckAction::Warn,
        contract::PrecheckAction::Block => PrecheckAction::Block,
    }
}

fn shown(console: &Console, settings: &Settings) -> Result<contract::Settings, Refusal> {
    let does = |code: &&str| {
        let action = match settings.prechecks.action(code) {
            PrecheckAction::Pass => contract::PrecheckAction::Pass,
            PrecheckAction::Warn => contract::PrecheckAction::Warn,
            PrecheckAction::Block => contract::PrecheckAction::Block,
        };
        ((*code).to_owned(), action)
    };
    let hours = |hours: &WorkHours| contract::WorkHours {
        days: hours.days.clone(),
        from: hours.from,
        until: hours.until,
        zone: hours.zone.clone(),
    };
    let Settings { throttle, proofs, server_backup, .. } = settings;
    let usual = settings.pace.bytes_per_second.map_or(Limit::Off, Limit::BytesPerSecond);
    Ok(contract::Settings {
        low_priority: settings.pace.low_priority,
        limit_rate: rate(Some(usual)),
        work_hours: throttle.work_hours.as_ref().map(hours),
        work_limit_rate: rate(throttle.work),
        restore_limit_rate: rate(throttle.restore),
        restore_work_limit_rate: rate(throttle.restore_work),
        prechecks: CODES.iter().map(does).collect(),
        source_snapshot: settings.source_snapshot,
        verify_packages: settings.verify_packages,
        staging: server_backup.staging.clone().map(Into::into),
        server_backup_time_out: server_backup.time_out_seconds,
        server_backup_retries: server_backup.retries,
        verify_every_days: proofs.verify_days.map(NonZeroU32::get),
        trial_restore_every_days: proofs.trial_days.map(NonZeroU32::get),
        trial_folder: proofs.trial_folder.clone().map(Into::into),
        restore_root: settings.restore_root.clone().map(Into::into),
        // Its text never holds the password.
        proxy: console.agent.proxy()?.map(|proxy| proxy.to_string()),
        hooks: settings.hooks.folder().map(|folder| shapes::path(&folder)),
    })
}
