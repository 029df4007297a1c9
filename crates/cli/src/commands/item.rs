//! `stateward item …`: what is protected, on this server or, with `--vault`, on all servers of a vault.

pub mod backup;
pub mod delete;
pub mod list;
pub mod resume;
pub mod set_policy;
pub mod show;
pub mod stop;
pub mod undelete;

use crate::context::Context;
use crate::display::facts;
use crate::output::Output;
use crate::units;
use clap::Subcommand;
use serde_json::{Value, json};
use stateward_agent::items::{Item, Selection, StoredPath};
use stateward_agent::{AgentError, Exit};
use stateward_api::arm::items::ProtectedItem;
use stateward_model::ItemKind;

/// The noun's verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all protected items: of this server, or of a vault
    List(list::Arguments),
    /// Show one protected item: of this server, or of a vault
    Show(show::Arguments),
    /// Ask an item's server for a backup, as an administrator
    Backup(backup::Arguments),
    /// Stop an item's backups and keep its recovery points, as an administrator or by a security PIN
    Stop(stop::Arguments),
    /// Resume a stopped item's backups, as an administrator
    Resume(resume::Arguments),
    /// Stop an item's backups and delete its recovery points, which can be had back for some days, as an administrator
    /// or by a security PIN
    Delete(delete::Arguments),
    /// Have a deleted item back with its recovery points, as an administrator
    Undelete(undelete::Arguments),
    /// Give an item a policy, as an administrator
    SetPolicy(set_policy::Arguments),
}

/// Runs a verb.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::List(arguments) => list::run(context, arguments),
        Command::Show(arguments) => show::run(context, arguments),
        Command::Backup(arguments) => backup::run(context, arguments),
        Command::Stop(arguments) => stop::run(context, arguments),
        Command::Resume(arguments) => resume::run(context, arguments),
        Command::Delete(arguments) => delete::run(context, arguments),
        Command::Undelete(arguments) => undelete::run(context, arguments),
        Command::SetPolicy(arguments) => set_policy::run(context, arguments),
    }
}

/// An item of this server as an object; `kind` is what the line is.
pub fn object(kind: &str, item: &Item) -> Value {
    let (components, root, paths, exclusions) = match &item.selection {
        Selection::SystemState { components, root } => {
            (json!(components), json!(root), Value::Null, Value::Null)
        }
        Selection::Files { paths, exclusions } => (Value::Null, Value::Null, json!(paths), json!(exclusions)),
    };
    json!({
        "type": kind, "item": item.label, "item_id": item.id, "kind": item.selection.kind(),
        "components": components, "root": root, "paths": paths, "exclusions": exclusions,
    })
}

/// What an item holds, in a few words.
pub fn selection_text(selection: &Selection) -> String {
    match selection {
        Selection::SystemState { components, root } => {
            let components = match components {
                None => "all components".to_owned(),
                Some(names) => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            };
            match root.0.to_str() {
                Some("/") => components,
                _ => format!("{components} below {}", root.0.display()),
            }
        }
        Selection::Files { paths, exclusions } => {
            let all = |paths: &[StoredPath]| {
                paths.iter().map(|path| path.0.display().to_string()).collect::<Vec<_>>().join(", ")
            };
            match exclusions.is_empty() {
                true => all(paths),
                false => format!("{} without {}", all(paths), all(exclusions)),
            }
        }
    }
}

/// What kind of item it is.
fn kind_of(item: &ProtectedItem) -> ItemKind {
    match item.properties.workload_type.as_str() {
        "SystemState" => ItemKind::SystemState,
        _ => ItemKind::Files,
    }
}

/// How an item stands, in a word.
fn state_of(item: &ProtectedItem) -> &str {
    let properties = &item.properties;
    match properties.protection_state.as_str() {
        _ if properties.is_scheduled_for_deferred_delete => "Deleted",
        "IRPending" => "Waits for its first backup",
        "ProtectionError" => "Last backup failed",
        "ProtectionStopped" => "Stopped",
        other => other,
    }
}

/// An item of a vault as an object; `kind` is what the line is.
fn vault_object(kind: &str, item: &ProtectedItem) -> Value {
    let properties = &item.properties;
    let policy = Some(&properties.policy_name).filter(|name| !name.is_empty());
    json!({
        "type": kind, "item": properties.friendly_name, "item_id": item.name, "kind": kind_of(item),
        "server": properties.computer_name, "policy": policy, "state": properties.protection_state,
        "is_deleted": properties.is_scheduled_for_deferred_delete,
        "deleted_at": properties.deferred_delete_time, "stop_keeps": properties.stop_keeps,
        "last_backup": properties.last_backup_time, "last_backup_status": properties.last_backup_status,
        "last_recovery_point": properties.last_recovery_point,
        "oldest_recovery_point": properties.extended_info.oldest_recovery_point,
        "recovery_points": properties.extended_info.recovery_point_count,
    })
}

/// Prints an item of a vault, with a sentence before it that says what became of it.
fn print_result(output: &Output, headline: &str, item: &ProtectedItem) {
    output.object(&vault_object("result", item));
    let properties = &item.properties;
    output.line(headline);
    let or_none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let mut lines = vec![
        ("Id", item.name.clone()),
        ("Server", properties.computer_name.clone()),
        ("Kind", kind_of(item).to_string()),
        ("State", state_of(item).to_owned()),
        ("Policy", or_none(&properties.policy_name)),
        ("Last backup", or_none(&properties.last_backup_status)),
        (
            "Last recovery point",
            properties.last_recovery_point.map_or_else(|| "none".to_owned(), units::time),
        ),
        ("Recovery points", units::count(properties.extended_info.recovery_point_count)),
    ];
    if let Some(at) = properties.deferred_delete_time {
        lines.push(("Deleted", units::time(at)));
        let days = properties.soft_delete_retention_period_in_days;
        lines.push(("Can be had back for", format!("{days} days from then")));
    }
    facts(output, &lines);
}
