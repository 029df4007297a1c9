//! What the programs of a real server print and return, recorded for the transcripts that the tests play, and without what must
//! not leave the server. Nothing that is asked changes anything.
//!
//! All is asked first and taken out afterwards: a name that the last program shows is taken out of what the first one said.

mod labels;
mod names;
mod patterns;
mod recording;
mod redaction;
mod registry;
#[cfg(test)]
mod tests;
mod text;

pub use recording::{NotRecorded, Recording, RecordingError, RegistryAnswer, RegistryFact};

use crate::server_backup::machine::{Commands, Ended, Invocation, Registry};
use crate::server_backup::prechecks::writers::parse_writers;
use crate::server_backup::roles;
use crate::server_backup::transcript::{Provenance, Text, Transcript};
use crate::server_backup::wbadmin::version::parse_versions;
use names::NameKind;
use redaction::Redaction;
use stateward_engine::Cancellation;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

/// Everything but SFC is short; what waits for a backup that runs is given up.
const SHORT: Duration = Duration::from_secs(2 * 60);

/// SFC reads every protected file.
const LONG: Duration = Duration::from_secs(60 * 60);

/// No more of what a program wrote is recorded.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// The names of two calls that are looked at by themselves.
const WRITERS: &str = "vssadmin-list-writers";
const DISKS: &str = "diskpart-list";

/// How a transcript names `diskpart`'s script.
const SCRIPT: &str = "{script}";

/// What `diskpart` is asked: lists only.
const SCRIPT_LINES: [&str; 3] = ["list disk", "list volume", "list vdisk"];

/// Names that whoever asks knows from elsewhere, such as the environment.
#[derive(Debug, Clone, Default)]
pub struct KnownNames {
    /// Machines.
    pub machines: Vec<String>,
    /// People and accounts.
    pub users: Vec<String>,
    /// Domains.
    pub domains: Vec<String>,
}

/// What is recorded, and of what.
pub struct RecordWish<'a> {
    /// The machine's programs.
    pub commands: &'a dyn Commands,
    /// Its registry.
    pub registry: &'a dyn Registry,
    /// A folder for `diskpart`'s script.
    pub scratch: &'a Path,
    /// Names that must not be in it, besides those that the registry knows.
    pub known: KnownNames,
    /// Whether `sfc /verifyonly` is run, which takes long.
    pub verifies_system_files: bool,
    /// The program that records.
    pub made_by: &'a str,
}

/// A call that was made.
struct Made {
    name: &'static str,
    invocation: Invocation,
    result: Result<Ended, String>,
}

/// Records. `begins` is told the name of each call before it is made.
pub fn record(wish: &RecordWish<'_>, begins: &mut dyn FnMut(&str), cancellation: &Cancellation) -> Recording {
    let made = calls(wish, begins, cancellation);
    let facts = registry::facts(wish.registry);
    let mut redaction = learned(wish, &made, &facts);
    let system = redaction.text(&registry::system(wish.registry), false);
    let mut recording = Recording::new(wish.made_by, &system);
    for made in made {
        let name = made.name;
        match transcript(made, &system, &mut redaction) {
            Ok(transcript) => {
                recording.transcripts.insert(name.to_owned(), transcript);
            }
            Err(why) => {
                let why = redaction.text(&why, false);
                recording.not_recorded.push(NotRecorded { name: name.to_owned(), why });
            }
        }
    }
    recording.registry = facts.into_iter().map(|fact| registry::redacted(fact, &mut redaction)).collect();
    recording
}

/// Makes calls one after the other.
struct Caller<'a> {
    wish: &'a RecordWish<'a>,
    begins: &'a mut dyn FnMut(&str),
    cancellation: &'a Cancellation,
    made: Vec<Made>,
}

impl Caller<'_> {
    /// Makes one and gives what was said, if it came to its end.
    fn call(&mut self, name: &'static str, invocation: Invocation) -> Option<String> {
        let result = match self.cancellation.is_cancelled() {
            true => Err("it was asked to stop".to_owned()),
            false => {
                (self.begins)(name);
                let ran = self.wish.commands.run(&invocation, &mut |_| {}, self.cancellation);
                ran.map_err(|error| error.to_string())
            }
        };
        let text = result.as_ref().map(Ended::text).ok();
        self.made.push(Made { name, invocation, result });
        text
    }

    fn short(&mut self, name: &'static str, program: &'static str, arguments: &[&str]) -> Option<String> {
        self.call(name, Invocation::new(program, arguments, SHORT))
    }

    /// `diskpart` takes what it is asked from a file.
    fn list_disks(&mut self) {
        let script = self.wish.scratch.join("stateward-record.diskpart.txt");
        let lines: String = SCRIPT_LINES.iter().flat_map(|line| [line, "\r\n"]).collect();
        let arguments = ["/s".to_owned(), script.display().to_string()].to_vec();
        let invocation = Invocation { program: "diskpart", arguments, time_out: SHORT };
        let written = File::create_new(&script).and_then(|mut file| file.write_all(lines.as_bytes()));
        match written {
            Ok(()) => {
                self.call(DISKS, invocation);
                // A list of commands that list; nothing is lost if it stays.
                let _ = fs::remove_file(script);
            }
            Err(cause) => {
                let result = Err(format!("its script `{}` can't be written: {cause}", script.display()));
                self.made.push(Made { name: DISKS, invocation, result });
            }
        }
    }
}

/// Makes all calls.
fn calls(wish: &RecordWish<'_>, begins: &mut dyn FnMut(&str), cancellation: &Cancellation) -> Vec<Made> {
    let mut caller = Caller { wish, begins, cancellation, made: Vec::new() };
    let versions = caller.short("wbadmin-get-versions", "wbadmin", &["get", "versions"]);
    caller.short("wbadmin-get-disks", "wbadmin", &["get", "disks"]);
    caller.short("wbadmin-get-status", "wbadmin", &["get", "status"]);
    if let Some(newest) = versions.and_then(|text| parse_versions(&text).pop_last()) {
        let version = format!("-version:{newest}");
        caller.short("wbadmin-get-items", "wbadmin", &["get", "items", &version]);
    }
    caller.short(WRITERS, "vssadmin", &["list", "writers"]);
    caller.short("vssadmin-list-providers", "vssadmin", &["list", "providers"]);
    caller.short("vssadmin-list-shadowstorage", "vssadmin", &["list", "shadowstorage"]);
    caller.list_disks();
    if wish.verifies_system_files {
        caller.call("sfc-verifyonly", Invocation::new("sfc", &["/verifyonly"], LONG));
    }
    caller.made
}

/// All that is known of names and ids once everything was asked.
fn learned(wish: &RecordWish<'_>, made: &[Made], facts: &[RegistryFact]) -> Redaction {
    let mut redaction = Redaction::default();
    let KnownNames { machines, users, domains } = &wish.known;
    for (kind, names) in [(NameKind::Machine, machines), (NameKind::User, users), (NameKind::Domain, domains)]
    {
        for name in names {
            redaction.learn(kind, name);
        }
    }
    registry::learn_names(wish.registry, &mut redaction);
    for writer in roles::WRITERS {
        redaction.keep_id(&writer.id.to_string());
    }
    for (name, ended) in made.iter().filter_map(|made| Some((made.name, made.result.as_ref().ok()?))) {
        for bytes in [&ended.output, &ended.errors] {
            redaction.learn_from(&text::read(bytes).text);
        }
        if name == DISKS {
            labels::without_labels(&text::read(&ended.output).text, &mut redaction);
        }
        if name == WRITERS {
            // What kind of writer it is, is the same everywhere; which instance of it, is not.
            parse_writers(&ended.text()).iter().for_each(|writer| redaction.keep_id(&writer.id.to_string()));
        }
    }
    for fact in facts {
        match &fact.answer {
            RegistryAnswer::Text { text } => redaction.learn_from(text),
            RegistryAnswer::Texts { texts } => texts.iter().for_each(|text| redaction.learn_from(text)),
            _ => {}
        }
    }
    redaction
}

/// A call as a transcript, or why there is none.
fn transcript(made: Made, system: &str, redaction: &mut Redaction) -> Result<Transcript, String> {
    let Made { invocation, result, .. } = made;
    let ended = result?;
    let exit = ended.code.ok_or("it was ended from outside")?;
    let text = told(&ended.output, invocation.program, redaction)?;
    let errors = match &ended.errors[..] {
        [] => None,
        bytes => Some(told(bytes, invocation.program, redaction)?),
    };
    let arguments = match invocation.program {
        "diskpart" => ["/s", SCRIPT].map(str::to_owned).to_vec(),
        _ => invocation.arguments.iter().map(|argument| redaction.text(argument, false)).collect(),
    };
    Ok(Transcript {
        program: invocation.program.to_owned(),
        arguments,
        provenance: Provenance::Recorded { system: system.to_owned() },
        encoding: text.encoding,
        output: text.lines,
        ends_open: text.ends_open,
        errors,
        effects: Vec::new(),
        exit,
    })
}

/// What a program wrote, without what must not leave the server.
fn told(bytes: &[u8], program: &str, redaction: &mut Redaction) -> Result<Text, String> {
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(format!(
            "it wrote {} bytes, and no more than {TEXT_BYTES_MAX} are recorded",
            bytes.len()
        ));
    }
    let mut written = text::read(bytes);
    if !written.is_exact {
        return Err("what it wrote is no text that could be written again".to_owned());
    }
    if program == "diskpart" {
        written.text = labels::without_labels(&written.text, redaction);
    }
    let text = Text::new(written.encoding, &redaction.written(&written));
    match redaction.is_shown_in(&text.bytes()) {
        true => Err("a name would still stand in what it wrote".to_owned()),
        false => Ok(text),
    }
}
