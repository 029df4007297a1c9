//! `stateward settings …`

mod notify;
mod proofs;
mod server_backup;
pub mod set;
pub mod show;
pub mod test_notification;
mod throttle;

use crate::context::Context;
use crate::display::facts;
use crate::pace;
use clap::Subcommand;
use serde_json::json;
use stateward_agent::hooks::HookFailure;
use stateward_agent::notifications::KeptWebhook;
use stateward_agent::prechecks::{CODES, PrecheckAction};
use stateward_agent::settings::Settings;
use stateward_agent::upgrade::UpgradeMode;
use stateward_agent::{AgentError, Exit};

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what holds for all jobs of this server
    Show(show::Arguments),
    /// Change what holds for all jobs of this server
    Set(Box<set::Arguments>),
    /// Tell everybody who is told of jobs that this is a test, and show what came back
    TestNotification(test_notification::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Show(arguments) => show::run(context, arguments),
        Command::Set(arguments) => set::run(context, *arguments),
        Command::TestNotification(arguments) => test_notification::run(context, arguments),
    }
}

fn print(context: &Context, settings: &Settings) -> Result<(), AgentError> {
    // Its text never holds the password.
    let proxy = context.agent().proxy()?.map(|proxy| proxy.to_string());
    let webhook = KeptWebhook::find(context.agent().home())?;
    let hooks = settings.hooks.folder();
    let shown = hooks.as_ref().map(|folder| folder.display().to_string());
    let blocks = settings.hooks.failure == HookFailure::Block;
    let mut object = pace::object("result", &settings.pace);
    throttle::put(&mut object, settings);
    proofs::put(&mut object, settings);
    server_backup::put(&mut object, settings);
    notify::put(&mut object, settings, webhook.as_ref())?;
    object["prechecks"] = json!(settings.prechecks);
    object["source_snapshot"] = json!(settings.source_snapshot);
    object["hooks"] = json!(shown);
    object["hook_failure"] = json!(if blocks { "block" } else { "warn" });
    object["hook_time_out"] = json!(settings.hooks.time_out_seconds);
    object["verify_packages"] = json!(settings.verify_packages);
    let restore_root = settings.restore_root.as_ref().map(|root| root.0.display().to_string());
    object["restore_root"] = json!(restore_root);
    let release_key = settings.release_key.as_ref().map(|path| path.0.display().to_string());
    object["release_key"] = json!(release_key);
    object["upgrade"] = json!(settings.upgrade);
    object["proxy"] = json!(proxy);
    context.output().object(&object);
    let upgrade = match settings.upgrade {
        UpgradeMode::OnCommand => "on command",
        UpgradeMode::Automatically => "automatically",
    };
    let effect = if blocks { "no backup is made" } else { "the backup is made with a warning" };
    let mut shown_facts = pace::facts(&settings.pace).to_vec();
    shown_facts.extend(throttle::facts(settings));
    // Elsewhere nobody has it.
    if cfg!(windows) {
        shown_facts.push(("Staging", server_backup::text(settings)));
    }
    shown_facts.extend([
        ("Source snapshot", pace::switch_text(settings.source_snapshot)),
        ("Hooks", shown.unwrap_or_else(|| "none".to_owned())),
        ("Hook fails", effect.to_owned()),
        ("Hook time-out", format!("{} s", settings.hooks.time_out_seconds)),
        ("Verify packages", pace::switch_text(settings.verify_packages)),
        ("Verifies", proofs::often_text(settings.proofs.verify_days)),
        ("Trial restores", proofs::trials_text(settings)),
        ("Prechecks", prechecks_text(settings)),
        ("Notifications", notify::text(settings, webhook.as_ref())?),
        ("Restore root", restore_root.unwrap_or_else(|| "none".to_owned())),
        ("Release key", release_key.unwrap_or_else(|| "none set".to_owned())),
        ("Upgrade", upgrade.to_owned()),
        ("Proxy", proxy.unwrap_or_else(|| "none".to_owned())),
    ]);
    facts(context.output(), &shown_facts);
    Ok(())
}

/// What findings before a backup do to it.
fn prechecks_text(settings: &Settings) -> String {
    let of = |code: &&str| {
        let action = match settings.prechecks.action(code) {
            PrecheckAction::Pass => "passes",
            PrecheckAction::Warn => "warns",
            PrecheckAction::Block => "blocks",
        };
        format!("{code} {action}")
    };
    let told: Vec<String> = CODES.iter().map(of).collect();
    told.join(", ")
}
