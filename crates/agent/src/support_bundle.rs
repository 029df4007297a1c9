//! The support bundle: one file with what a helper needs to know of this server, made to be sent away.
//!
//! What is secret is never put in: keys, sign-ins, passwords and session secrets lie in files that are not read into it, and
//! whatever of them might stand in a text all the same is taken out of it ([`redact`]). Names and paths of the user's files
//! are taken out too, unless they are asked for. What hooks and other programs said is put in only with names, for nobody knows
//! what it is.

mod archive;
mod redact;

use crate::doctor::{self, Check};
use crate::items::Items;
use crate::jobs::JobFolder;
use crate::points::{self, ListedPoint};
use crate::settings::Settings;
use crate::{Agent, AgentError, Registration, disk, platform};
use archive::Archive;
use redact::Redactor;
use serde::Serialize;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Of so many jobs, the newest, records and warnings are put in.
const JOBS_MOST: usize = 50;

/// So many warnings of a job are put in.
const WARNINGS_MOST: usize = 1000;

/// Of each log, so many bytes at its end are put in.
const LOG_BYTES_MOST: u64 = 8 << 20;

/// So many recovery points are put in.
const POINTS_MOST: usize = 1000;

/// What a bundle was made of.
#[derive(Debug)]
pub struct Bundle {
    /// The file.
    pub path: PathBuf,
    /// The names of what is in it.
    pub entries: Vec<String>,
}

/// Makes a bundle in a new file, for its owner only. What can't be read is left out, and told in it.
pub fn make(agent: &Agent, path: &Path, with_names: bool) -> Result<Bundle, AgentError> {
    let unwritable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => AgentError::OutputExists { path: path.to_owned() },
        _ => AgentError::OutputUnwritable { path: path.to_owned(), cause: disk::explained(path, cause) },
    };
    let file = platform::make_private_options().create_new(true).open(path).map_err(unwritable)?;
    let redactor = Redactor::of(agent.home(), with_names);
    let mut writer = Writer { archive: Archive::new(file, agent.now()), redactor, with_names };
    let written = fill(agent, &mut writer).and_then(|()| writer.archive.finish());
    match written {
        Ok(entries) => Ok(Bundle { path: path.to_owned(), entries }),
        Err(cause) => {
            // Half of one would be sent away for a whole one.
            let _ = fs::remove_file(path);
            Err(unwritable(cause))
        }
    }
}

struct Writer {
    archive: Archive,
    redactor: Redactor,
    with_names: bool,
}

impl Writer {
    fn value(&mut self, name: &str, value: Value) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(&self.redactor.value(value))?;
        text.push('\n');
        self.archive.add(name, text.as_bytes())
    }

    /// What was read, or why it could not be.
    fn read(&mut self, name: &str, read: Result<impl Serialize, AgentError>) -> io::Result<()> {
        let value = match read {
            Ok(value) => serde_json::to_value(value)?,
            Err(error) => json!({ "code": error.code().as_str(), "error": error.to_string() }),
        };
        self.value(name, value)
    }

    fn log(&mut self, name: &str, path: &Path) -> io::Result<()> {
        match end_of(path) {
            Ok(text) => self.archive.add(name, self.redactor.log(&text).as_bytes()),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(cause) => self.archive.add(name, format!("It can't be read: {cause}\n").as_bytes()),
        }
    }
}

fn fill(agent: &Agent, writer: &mut Writer) -> io::Result<()> {
    let home = agent.home();
    writer.value("about.json", about(agent, writer.with_names))?;
    writer.read("settings.json", Settings::load(home))?;
    let proxy = agent.proxy().map(|proxy| json!({ "proxy": proxy.map(|proxy| proxy.to_string()) }));
    writer.read("proxy.json", proxy)?;
    writer.read("registration.json", Registration::find(home))?;
    writer.read("items.json", Items::load(home))?;
    let checks: Vec<Value> = doctor::examine(agent).checks.iter().map(check).collect();
    writer.value("doctor.json", checks.into())?;
    writer.read("recovery-points.json", recovery_points(agent))?;
    jobs(agent, writer)?;
    let mut logs: Vec<PathBuf> =
        fs::read_dir(home.logs()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    logs.sort();
    for path in logs {
        if let Some(name) =
            path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".log"))
        {
            writer.log(&format!("logs/{name}"), &path)?;
        }
    }
    Ok(())
}

fn about(agent: &Agent, with_names: bool) -> Value {
    json!({
        "program": agent.program(), "operating_system": platform::operating_system(), "made_at": agent.now(),
        "with_names": with_names, "is_served": agent.home().is_served(),
    })
}

fn check(check: &Check) -> Value {
    json!({
        "name": check.name, "outcome": check.outcome.as_str(), "message": check.message, "code": check.code,
        "remedy": check.remedy, "milliseconds": check.took.map(|took| took.as_secs_f64() * 1000.0),
    })
}

fn recovery_points(agent: &Agent) -> Result<Vec<Value>, AgentError> {
    let told = |point: &ListedPoint| match point {
        ListedPoint::Usable(point) => json!({
            "recovery_point": point.recovery_point, "sequence": point.sequence, "item": point.item_label,
            "kind": point.kind, "received_at": point.received_at,
        }),
        ListedPoint::Unusable { summary, failure } => json!({
            "recovery_point": summary.hash, "sequence": summary.sequence, "code": failure.code,
            "error": failure.message,
        }),
    };
    Ok(points::list_own(agent)?.iter().take(POINTS_MOST).map(told).collect())
}

fn jobs(agent: &Agent, writer: &mut Writer) -> io::Result<()> {
    let folder = JobFolder::of(agent.home());
    let records = folder.list().unwrap_or_default();
    for record in records.iter().take(JOBS_MOST) {
        writer.value(&format!("jobs/{}.json", record.id), serde_json::to_value(record)?)?;
        if record.warnings > 0 {
            let warnings = folder.warnings(record.id, WARNINGS_MOST);
            writer.read(&format!("jobs/{}-warnings.json", record.id), warnings)?;
        }
        if writer.with_names {
            writer.log(&format!("jobs/{}.log", record.id), &folder.log_path(record.id))?;
        }
    }
    Ok(())
}

/// The end of a file, from a line's beginning on.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_BYTES_MOST)))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MOST).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let begin = if length > LOG_BYTES_MOST { text.find('\n').map_or(0, |at| at + 1) } else { 0 };
    Ok(text[begin..].to_owned())
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
