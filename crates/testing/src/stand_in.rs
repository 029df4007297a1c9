//! Programs of Windows that aren't here, played from transcripts: what each is given, says, does and ends with.
//!
//! A transcript is a file of `testdata/windows/transcripts`, and says where it comes from. A scene names the transcripts that
//! are played one after the other; whoever calls another program than the next, or with other arguments, is refused with
//! [`REFUSED`] and a line in the file `refused`. Arguments that Microsoft's documentation doesn't know are refused too, whatever
//! a transcript says.

mod effects;
mod grammar;
mod registry;

pub use effects::Effect;
pub use registry::PlayedRegistry;

use serde::{Deserialize, Serialize};
use stateward_system_state::server_backup::record::Recording;
use stateward_system_state::server_backup::transcript::{self, Text};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The exit code of a stand-in that was asked what it doesn't know.
pub const REFUSED: u8 = 97;

/// The programs that are played.
pub const PROGRAMS: [&str; 5] = ["wbadmin", "sfc", "diskpart", "vssadmin", "bcdedit"];

/// One call of a program, with what it does besides talking.
pub type Transcript = transcript::Transcript<Effect>;

/// What is played in a folder of stand-ins.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Scene {
    transcripts: PathBuf,
    steps: Vec<String>,
    values: BTreeMap<String, String>,
}

/// Where transcripts lie in this tree.
pub fn transcripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/windows/transcripts")
}

/// Reads a transcript.
///
/// # Errors
/// If it isn't there or isn't one.
pub fn read_transcript(folder: &Path, name: &str) -> Result<Transcript, String> {
    let path = folder.join(format!("{name}.json"));
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))
}

/// Lays what was recorded into a folder, each transcript into a file of its own, as [`transcripts`] has them; gives their names.
pub fn lay_recording(recording: &Recording, folder: &Path) -> Vec<String> {
    fs::create_dir_all(folder).expect("a folder of the test's own");
    for (name, transcript) in &recording.transcripts {
        let text = serde_json::to_string_pretty(transcript).expect("a transcript");
        fs::write(folder.join(format!("{name}.json")), format!("{text}\n")).expect("a folder");
    }
    recording.transcripts.keys().cloned().collect()
}

impl Scene {
    /// A text with the scene's values in place of their names.
    pub fn filled(&self, text: &str) -> String {
        self.values
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

/// A folder with stand-ins.
#[derive(Debug)]
pub struct StandIns {
    folder: PathBuf,
}

impl StandIns {
    /// Puts the stand-in `program` into a folder under all names. `values` fill the transcripts, `steps` name them.
    pub fn play(folder: &Path, program: &Path, values: &[(&str, &str)], steps: &[&str]) -> Self {
        Self::lay(folder, program, std::env::consts::EXE_SUFFIX);
        Self::of_scene(folder, transcripts(), values, steps)
    }

    /// Puts the stand-in `program` into a folder under all names, which end in `suffix` as programs do there.
    pub fn lay(folder: &Path, program: &Path, suffix: &str) {
        fs::create_dir_all(folder).expect("a folder of the test's own");
        for name in PROGRAMS {
            let path = folder.join(format!("{name}{suffix}"));
            if !path.exists() {
                lay(program, &path).expect("a program that was built");
            }
        }
    }

    /// Takes away what [`Self::lay`] put into a folder, if it did.
    pub fn remove(folder: &Path, suffix: &str) {
        for name in PROGRAMS {
            match fs::remove_file(folder.join(format!("{name}{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => panic!("{name}: {error}"),
                _ => {}
            }
        }
    }

    /// Writes down what is played in a folder; `transcripts` is where they lie as the stand-ins see it.
    pub fn of_scene(folder: &Path, transcripts: PathBuf, values: &[(&str, &str)], steps: &[&str]) -> Self {
        fs::create_dir_all(folder).expect("a folder of the test's own");
        let scene = Scene {
            transcripts,
            steps: steps.iter().map(|step| (*step).to_owned()).collect(),
            values: values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        fs::write(folder.join("scene.json"), serde_json::to_vec(&scene).expect("a scene")).expect("a folder");
        fs::write(folder.join("position"), "0").expect("a folder of the test's own");
        let _ = fs::remove_file(folder.join("refused"));
        Self { folder: folder.to_owned() }
    }

    /// Does within this process what a stand-in would: gives what it says and what it ends with.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn answer(&self, program: &str, arguments: &[String]) -> Result<(Vec<u8>, i32), String> {
        let (scene, transcript) = next(&self.folder, program, arguments)?;
        let said = transcript.text().filled(|line| scene.filled(line));
        take_effects(&transcript, &scene, arguments)?;
        Ok((said, transcript.exit))
    }

    /// Where the stand-ins lie.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Fails unless every step was played and nothing was refused.
    ///
    /// # Panics
    /// So.
    pub fn expect_all_played(&self) {
        let refused = fs::read_to_string(self.folder.join("refused")).unwrap_or_default();
        assert!(refused.is_empty(), "the stand-ins refused: {refused}");
        let scene = scene(&self.folder).expect("the scene that was written");
        let position = position(&self.folder).expect("the position that was written");
        assert_eq!(position, scene.steps.len(), "of {:?} not all were played", scene.steps);
    }
}

/// Never written anew where that can be helped: a file that another thread's child still has open for writing can't be run.
fn lay(program: &Path, path: &Path) -> io::Result<()> {
    fs::hard_link(program, path).or_else(|_| lay_elsewhere(program, path))
}

#[cfg(unix)]
use std::os::unix::fs::symlink as lay_elsewhere;

#[cfg(not(unix))]
fn lay_elsewhere(program: &Path, path: &Path) -> io::Result<()> {
    fs::copy(program, path).map(drop)
}

fn scene(folder: &Path) -> Result<Scene, String> {
    let bytes = fs::read(folder.join("scene.json")).map_err(|error| format!("no scene: {error}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("no scene: {error}"))
}

fn position(folder: &Path) -> Result<usize, String> {
    let text =
        fs::read_to_string(folder.join("position")).map_err(|error| format!("no position: {error}"))?;
    text.parse().map_err(|_| "no position".to_owned())
}

/// What the program `stand-in` does.
pub fn main() -> ExitCode {
    let mut words = std::env::args();
    let own = PathBuf::from(words.next().unwrap_or_default());
    let folder = own.parent().unwrap_or(Path::new(".")).to_owned();
    let program = own.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let arguments: Vec<String> = words.collect();
    match play(&folder, &program, &arguments) {
        Ok(code) => code,
        Err(why) => {
            let line = format!("{program} {arguments:?}: {why}\n");
            let _ = fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(folder.join("refused"))
                .and_then(|mut file| file.write_all(line.as_bytes()));
            ExitCode::from(REFUSED)
        }
    }
}

/// The next transcript, which must be that of the program.
fn next(folder: &Path, program: &str, arguments: &[String]) -> Result<(Scene, Transcript), String> {
    grammar::check(program, arguments)?;
    let (scene, position) = (scene(folder)?, position(folder)?);
    let name = scene.steps.get(position).ok_or("nothing more is played")?;
    let transcript = read_transcript(&scene.transcripts, name)?;
    let expected: Vec<String> = transcript.arguments.iter().map(|argument| scene.filled(argument)).collect();
    if transcript.program != program || expected != arguments {
        return Err(format!("the next step is `{name}`: {} {expected:?}", transcript.program));
    }
    fs::write(folder.join("position"), (position + 1).to_string()).map_err(|error| error.to_string())?;
    Ok((scene, transcript))
}

fn take_effects(transcript: &Transcript, scene: &Scene, arguments: &[String]) -> Result<(), String> {
    let take = |effect: &Effect| effect.take(scene, arguments).map_err(|error| error.to_string());
    transcript.effects.iter().try_for_each(take)
}

fn play(folder: &Path, program: &str, arguments: &[String]) -> Result<ExitCode, String> {
    let (scene, transcript) = next(folder, program, arguments)?;
    let filled = |text: &Text| text.filled(|line| scene.filled(line));
    let (mut output, mut errors) = (io::stdout(), io::stderr());
    output
        .write_all(&filled(&transcript.text()))
        .and_then(|()| output.flush())
        .and_then(|()| errors.write_all(&transcript.errors.as_ref().map(filled).unwrap_or_default()))
        .map_err(|error| error.to_string())?;
    take_effects(&transcript, &scene, arguments)?;
    // Windows' exit codes have 32 bits, other systems' eight.
    Ok(ExitCode::from((transcript.exit & 0xff) as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transcript_is_read_and_keeps_the_documented_grammar() {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let names = fs::read_dir(transcripts()).unwrap().map(|entry| entry.unwrap().path());
        let names: Vec<String> =
            names.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        for name in &names {
            let transcript = read_transcript(&transcripts(), name).unwrap();
            if transcript.program != "diskpart" {
                grammar::check(&transcript.program, &transcript.arguments).unwrap();
            }
            *counts.entry(transcript.provenance.kind()).or_default() += 1;
        }
        println!("{} transcripts: {counts:?}", names.len());
        let told = fs::read_to_string(transcripts().join("../../../docs/windows-system-state.md")).unwrap();
        for (kind, count) in counts {
            assert!(
                told.contains(&format!("| {kind} | {count} |")),
                "docs/windows-system-state.md: {kind} {count}"
            );
        }
    }
}
