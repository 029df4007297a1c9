//! Are Windows' own files what they should be? `sfc /verifyonly`, judged by its exit code, by what it says in the languages
//! known here, and by the lines `[SR]` that it adds to the log of component-based servicing, which are always English.
//!
//! Its exit codes aren't documented, and its text is in the system's language: only if all that is known agrees is it a pass.

use crate::server_backup::console::{contains, decode_console};
use crate::server_backup::machine::{CommandError, Invocation};
use crate::server_backup::prechecks::{Machine, PASS, WARN, precheck};
use stateward_engine::Cancellation;
use stateward_format::manifest::Precheck;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// It reads every protected file.
const TIME_OUT: Duration = Duration::from_secs(60 * 60);

/// No more of the log is read, in bytes, from its end.
const LOG_BYTES_MAX: u64 = 64 << 20;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Nothing is damaged.
    Whole,
    /// Something is damaged; how many members, as far as the log says.
    Damaged {
        /// Distinct files that the log names.
        files: usize,
    },
    /// A repair waits for a restart.
    RepairPending,
    /// It could not look.
    NotDone,
    /// What it said and did can't be understood, or contradicts itself.
    Unknown,
}

/// What a sentence of `sfc` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Whole,
    Damaged,
    RepairPending,
    NotDone,
}

/// Sentences by which it is told, in the order in which they are looked for: a sentence may hold the words of a later one.
const SENTENCES: &[(&str, Meaning)] = &[
    ("did not find any integrity violations", Meaning::Whole),
    ("hat keine Integritätsverletzungen gefunden", Meaning::Whole),
    ("keine Integritätsverletzungen", Meaning::Whole),
    ("n'a trouvé aucune violation", Meaning::Whole),
    ("no encontró ninguna infracción de integridad", Meaning::Whole),
    ("no encontró ninguna infracción", Meaning::Whole),
    ("nessuna violazione di integrità", Meaning::Whole),
    ("não encontrou nenhuma violação de integridade", Meaning::Whole),
    ("heeft geen schendingen van de integriteit gevonden", Meaning::Whole),
    ("整合性違反を検出しませんでした", Meaning::Whole),
    ("未找到任何完整性冲突", Meaning::Whole),
    ("there is a system repair pending", Meaning::RepairPending),
    ("could not perform the requested operation", Meaning::NotDone),
    ("could not start the repair service", Meaning::NotDone),
    ("you must be an administrator", Meaning::NotDone),
    ("konnte den angeforderten Vorgang nicht ausführen", Meaning::NotDone),
    ("n'a pas pu effectuer l'opération", Meaning::NotDone),
    ("found integrity violations", Meaning::Damaged),
    ("found corrupt files", Meaning::Damaged),
    ("hat Integritätsverletzungen gefunden", Meaning::Damaged),
    ("hat beschädigte Dateien gefunden", Meaning::Damaged),
    ("a trouvé des violations", Meaning::Damaged),
    ("a trouvé des fichiers endommagés", Meaning::Damaged),
    ("encontró archivos dañados", Meaning::Damaged),
    ("encontró infracciones de integridad", Meaning::Damaged),
    ("violazioni di integrità", Meaning::Damaged),
    ("発見しました", Meaning::Damaged),
    ("发现了完整性冲突", Meaning::Damaged),
];

/// What it said means, and how it ended; `log` is what it added to the log, if that could be read.
pub fn classify(code: Option<i32>, text: &str, log: Option<&str>) -> Finding {
    let said = SENTENCES.iter().find(|(words, _)| contains(text, words)).map(|(_, meaning)| *meaning);
    let logged = log.map(read_log);
    let files = logged.as_ref().map_or(0, |logged| logged.damaged);
    match (said, logged) {
        (Some(Meaning::Damaged), _) => Finding::Damaged { files },
        (Some(Meaning::RepairPending), _) => Finding::RepairPending,
        (Some(Meaning::NotDone), _) => Finding::NotDone,
        // The log is asked too: a sentence that was misread must not hide a damage.
        (_, Some(logged)) if logged.damaged > 0 => Finding::Damaged { files },
        (Some(Meaning::Whole), _) if code == Some(0) => Finding::Whole,
        // In a language that isn't known here: the log is English.
        (None, Some(logged)) if logged.is_complete && code == Some(0) => Finding::Whole,
        _ => Finding::Unknown,
    }
}

struct Logged {
    /// Distinct files that can't be repaired.
    damaged: usize,
    /// Whether it came to its end.
    is_complete: bool,
}

/// Words of a line `[SR]` that tells of a damaged file. Others tell of progress.
const DAMAGE: [&str; 3] =
    ["Cannot repair member file", "Could not reproject corrupted file", "Cannot verify component files"];

fn read_log(log: &str) -> Logged {
    let lines = || log.lines().filter_map(|line| line.split_once("[SR] ")).map(|(_, told)| told.trim());
    let mut damaged: Vec<&str> =
        lines().filter(|told| DAMAGE.iter().any(|words| told.starts_with(words))).map(named_file).collect();
    damaged.sort_unstable();
    damaged.dedup();
    Logged { damaged: damaged.len(), is_complete: lines().any(|told| told.starts_with("Verify complete")) }
}

/// The file that a line names in quotes, or the line.
fn named_file(told: &str) -> &str {
    let quoted = told.split(['\'', '"']).nth(1);
    quoted.or_else(|| told.split(';').next()).unwrap_or(told)
}

/// The precheck `system-files`.
pub fn system_files(machine: &Machine<'_>, cancellation: &Cancellation) -> Precheck {
    let code = "system-files";
    let log = log_of(machine.windows);
    let length = log.metadata().map_or(0, |metadata| metadata.len());
    let invocation = Invocation::new("sfc", &["/verifyonly"], TIME_OUT);
    let ended = match machine.commands.run(&invocation, &mut |_| {}, cancellation) {
        Ok(ended) => ended,
        Err(CommandError::Cancelled { .. }) => {
            return precheck(code, WARN, "System files weren't verified: somebody asked to stop");
        }
        Err(error) => return precheck(code, WARN, format!("System files can't be verified: {error}")),
    };
    let added = added(&log, length).ok();
    let repair = "repair them with `DISM /Online /Cleanup-Image /RestoreHealth` and `sfc /scannow`";
    match classify(ended.code, &ended.text(), added.as_deref()) {
        Finding::Whole => precheck(code, PASS, "System files are as they should be"),
        Finding::Damaged { files: 0 } => precheck(code, WARN, format!("System files are damaged: {repair}")),
        Finding::Damaged { files } => precheck(
            code,
            WARN,
            format!("System files are damaged ({files} of them, see `{}`): {repair}", log.display()),
        ),
        Finding::RepairPending => precheck(
            code,
            WARN,
            "System files can't be verified while a repair waits for a restart: restart the server",
        ),
        Finding::NotDone => precheck(
            code,
            WARN,
            "System files can't be verified: `sfc /verifyonly` doesn't run; see whether the service `TrustedInstaller` starts",
        ),
        Finding::Unknown => precheck(
            code,
            WARN,
            format!(
                "It can't be told whether system files are damaged: `sfc /verifyonly` ended with {} and an answer that isn't \
                 known here; run it and read what it says",
                ended.code.map_or("no exit code".to_owned(), |code| format!("exit code {code}"))
            ),
        ),
    }
}

/// Where component-based servicing logs.
fn log_of(windows: &Path) -> PathBuf {
    windows.join("Logs").join("CBS").join("CBS.log")
}

/// What was added to a file since it had a length; all of it, if it is shorter now and so is another one.
fn added(path: &Path, length: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let now = file.metadata()?.len();
    let from = if now >= length { length } else { 0 };
    file.seek(SeekFrom::Start(from.max(now.saturating_sub(LOG_BYTES_MAX))))?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX).read_to_end(&mut bytes)?;
    // The decoder keeps the end only, so it's given pieces that it keeps whole.
    Ok(bytes.chunks(crate::server_backup::console::CONSOLE_BYTES_MAX).map(decode_console).collect())
}
