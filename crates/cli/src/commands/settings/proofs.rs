//! How often the running agent proves that recovery points come back.

use super::set::root;
use clap::Args;
use serde_json::{Value, json};
use stateward_agent::AgentError;
use stateward_agent::proofs::{DAYS_MAX, ProofWish};
use stateward_agent::settings::Settings;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// The flags.
#[derive(Debug, Args)]
#[command(next_help_heading = "Proofs")]
pub struct ProofFlags {
    /// Verify a share of what the vault holds every so many days; `never` for no such verifies
    #[arg(long, value_name = "DAYS", value_parser = often)]
    verify_every: Option<Often>,
    /// Restore the newest recovery point of each item on trial every so many days, into a folder that is removed again;
    /// `never` for no such restores
    #[arg(long, value_name = "DAYS", value_parser = often)]
    trial_restore_every: Option<Often>,
    /// The folder in which trial restores make theirs; `none` for one in the home
    #[arg(long, value_name = "FOLDER")]
    trial_folder: Option<PathBuf>,
}

/// The names of the flags, for the group of those of which one must be given.
pub const FLAGS: [&str; 3] = ["verify_every", "trial_restore_every", "trial_folder"];

/// How often, or never: an `Option` would be taken for a flag that need not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Often(Option<NonZeroU32>);

fn often(text: &str) -> Result<Often, String> {
    if text == "never" {
        return Ok(Often(None));
    }
    let days = text.parse().ok().filter(|days: &NonZeroU32| days.get() <= DAYS_MAX);
    days.map(|days| Often(Some(days)))
        .ok_or(format!("it must be `never` or a number of days up to {DAYS_MAX}"))
}

impl ProofFlags {
    /// What the flags ask for.
    pub fn wish(self) -> Result<ProofWish, AgentError> {
        Ok(ProofWish {
            verify_days: self.verify_every.map(|often| often.0),
            trial_days: self.trial_restore_every.map(|often| often.0),
            trial_folder: self.trial_folder.map(root).transpose()?,
        })
    }
}

/// Adds them to the object of the settings.
pub fn put(object: &mut Value, settings: &Settings) {
    let proofs = &settings.proofs;
    object["verify_every_days"] = json!(proofs.verify_days);
    object["trial_restore_every_days"] = json!(proofs.trial_days);
    object["trial_folder"] = json!(proofs.trial_folder.as_ref().map(|folder| folder.0.display().to_string()));
}

/// How often, in words.
pub fn often_text(days: Option<NonZeroU32>) -> String {
    match days.map(NonZeroU32::get) {
        None => "never".to_owned(),
        Some(1) => "every day".to_owned(),
        Some(days) => format!("every {days} days"),
    }
}

/// How often trial restores are made and where, in words.
pub fn trials_text(settings: &Settings) -> String {
    let often = often_text(settings.proofs.trial_days);
    match &settings.proofs.trial_folder {
        Some(folder) => format!("{often}, in {}", folder.0.display()),
        None => often,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn often_is_a_number_of_days_or_never() {
        assert_eq!(often("never"), Ok(Often(None)));
        assert_eq!(often("30"), Ok(Often(NonZeroU32::new(30))));
        for wrong in ["0", "-1", "367", "daily", ""] {
            assert!(often(wrong).is_err(), "{wrong}");
        }
        assert_eq!(often_text(NonZeroU32::new(1)), "every day");
    }
}
