//! *Recover Data*: the wizard's pages. Nothing is begun here.

use super::Arguments;
use crate::context::Context;
use crate::laying_flags::{Conflict, LayingFlags};
use crate::prompt::{Line, Prompt};
use crate::units;
use stateward_agent::items::{absolute, within_point};
use stateward_agent::points::{ListedPoint, PointDescription};
use stateward_agent::{AgentError, points};
use stateward_model::{ComponentName, Label};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What of a recovery point comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everything,
    Components,
    Paths,
}

/// Asks for everything.
pub fn ask(context: &Context, flags: Arguments) -> Result<Arguments, AgentError> {
    let prompt = Prompt::person("stateward restore")?;
    let listed = points::list_own(context.agent())?;
    let usable: Vec<&PointDescription> = listed.iter().filter_map(usable).collect();
    let point = point(&prompt, &usable)?;
    let (components, paths) = extent(&prompt, point)?;
    let laying = place(&prompt)?;
    show(context, point, &components, &paths, &laying);
    if !prompt.yes("Restore this?", true)? {
        return Err(AgentError::cancelled());
    }
    let recovery_point = Some(point.recovery_point.to_string());
    // A person looks on. If he leaves, the job goes on.
    Ok(Arguments { recovery_point, components, paths, laying, wait: true, ..flags })
}

fn usable(point: &ListedPoint) -> Option<&PointDescription> {
    match point {
        ListedPoint::Usable(description) => Some(description),
        ListedPoint::Unusable { .. } => None,
    }
}

/// *Select Volume and Date*: the item, the day, and the time if there are several.
fn point<'a>(prompt: &Prompt, usable: &[&'a PointDescription]) -> Result<&'a PointDescription, AgentError> {
    let items: BTreeSet<&Label> = usable.iter().map(|point| &point.item_label).collect();
    let item = match items.len() {
        0 => return Err(AgentError::NoPoints { item: None }),
        1 => usable[0].item_label.clone(),
        _ => prompt.choose("What is to be restored?", items.into_iter().cloned().collect())?,
    };
    let of_item = || usable.iter().filter(|point| point.item_label == item);
    // Newest first, as they are listed.
    let mut days: Vec<Line<usize>> = Vec::new();
    for point in of_item() {
        let day = day_of(point);
        match days.last_mut() {
            Some(last) if last.0 == day => last.1 += 1,
            _ => days.push(Line(day, 1)),
        }
    }
    let lines = days.into_iter().map(|Line(day, count)| {
        let text = format!("{day}  {}", units::counted(count as u64, "recovery point"));
        Line(text, day)
    });
    let day = prompt.choose("Of which day?", lines.collect())?.1;
    let of_day: Vec<Line<&PointDescription>> =
        of_item().filter(|point| day_of(point) == day).map(|point| Line(time_of(point), *point)).collect();
    match of_day.len() {
        1 => Ok(of_day[0].1),
        _ => Ok(prompt.choose("Of which time?", of_day)?.1),
    }
}

/// `2026-11-29`, where this machine is.
fn day_of(point: &PointDescription) -> String {
    units::time(point.finished_at).chars().take("2026-11-29".len()).collect()
}

fn time_of(point: &PointDescription) -> String {
    let warnings = match point.warnings {
        0 => String::new(),
        warnings => format!(", {}", units::counted(warnings, "warning")),
    };
    let (time, files) = (units::time(point.finished_at), units::counted(point.files, "file"));
    format!("{time}  {files}, {}{warnings}", units::bytes(point.bytes))
}

/// *Select Recovery Mode*.
fn extent(
    prompt: &Prompt,
    point: &PointDescription,
) -> Result<(Vec<ComponentName>, Vec<PathBuf>), AgentError> {
    let mut lines = vec![Line("Everything".to_owned(), Extent::Everything)];
    if point.components.len() > 1 {
        lines.push(Line("Some of its components …".to_owned(), Extent::Components));
    }
    lines.push(Line("Some files and folders …".to_owned(), Extent::Paths));
    match prompt.choose("How much of it?", lines)?.1 {
        Extent::Everything => Ok((Vec::new(), Vec::new())),
        Extent::Components => {
            let names = point.components.iter().map(|part| part.name.clone()).collect();
            Ok((prompt.choose_some("Which components?", names, &[])?, Vec::new()))
        }
        Extent::Paths => {
            let read = |text: &str| -> Result<Vec<PathBuf>, String> {
                let path = |text: &str| {
                    let path = PathBuf::from(text.trim());
                    within_point(&path).map(|_| path).map_err(|error| error.to_string())
                };
                text.split(',').map(path).collect()
            };
            let question = "Which (absolute paths, separated by commas; `stateward find` finds them)?";
            Ok((Vec::new(), prompt.text(question, "", read)?))
        }
    }
}

/// *Specify Recovery Options*: where to, what becomes of what lies there, and whether rights come back.
fn place(prompt: &Prompt) -> Result<LayingFlags, AgentError> {
    let folder = Line("Into a folder".to_owned(), false);
    let original =
        prompt.choose("Where to?", vec![folder, Line("To where it came from".to_owned(), true)])?.1;
    let target = match original {
        true => None,
        false => Some(prompt.text("Which folder?", "/var/tmp/restored", |text| {
            absolute(Path::new(text)).map(|path| path.0).map_err(|error| error.to_string())
        })?),
    };
    let is_new = target.as_deref().is_some_and(is_empty);
    let conflict = match is_new {
        true => None,
        false => Some(conflict(prompt)?),
    };
    let no_acl = !prompt.yes("Restore owners, modes and access lists, too?", true)?;
    Ok(LayingFlags { target, original, conflict, no_acl, despite_other_system: false })
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

fn conflict(prompt: &Prompt) -> Result<Conflict, AgentError> {
    let lines = [
        ("Lay it beside what is there, under a name that says what it is", Conflict::Copy),
        ("Put it in the place of what is there", Conflict::Overwrite),
        ("Leave what is there", Conflict::Skip),
    ];
    let lines = lines.map(|(text, conflict)| Line(text.to_owned(), conflict)).into();
    Ok(prompt.choose("Something lies there already. What becomes of what is not the same?", lines)?.1)
}

/// *Confirmation*.
fn show(
    context: &Context,
    point: &PointDescription,
    components: &[ComponentName],
    paths: &[PathBuf],
    laying: &LayingFlags,
) {
    let what = match (components, paths) {
        ([], []) => "everything".to_owned(),
        ([], paths) => paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
        (components, _) => components.iter().map(ComponentName::to_string).collect::<Vec<_>>().join(", "),
    };
    let target = match &laying.target {
        Some(target) => target.display().to_string(),
        None => "where it came from".to_owned(),
    };
    let output = context.output();
    output.say("");
    output.say(format_args!("  From: {}, {}", point.item_label, time_of(point)));
    output.say(format_args!("  What: {what}"));
    output.say(format_args!("  To: {target}"));
    output.say("");
}
