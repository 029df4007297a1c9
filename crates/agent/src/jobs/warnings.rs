//! A job's warnings, as lines of JSON beside its record. They hold paths, so they stay in the home.

use serde::{Deserialize, Serialize};
use stateward_api::credentials::encode_bytes;
use stateward_format::manifest::Warning;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

/// What was left out or is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobWarning {
    /// The stable code.
    pub code: String,
    /// The path; what is no UTF-8 in it is replaced. Empty if it concerns no path.
    pub path: String,
    /// The path's bytes in base64url, if they are no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// One sentence.
    pub message: String,
}

impl From<&Warning> for JobWarning {
    fn from(warning: &Warning) -> Self {
        let (path, path_base64) = path_fields(&warning.path);
        Self { code: warning.code.clone(), path, path_base64, message: warning.message.clone() }
    }
}

/// A path or name as text, in which what is no UTF-8 is replaced; and its bytes in base64url, if there is such.
pub fn path_fields(path: &[u8]) -> (String, Option<String>) {
    let is_text = std::str::from_utf8(path).is_ok();
    (String::from_utf8_lossy(path).into_owned(), (!is_text).then(|| encode_bytes(path)))
}

/// A file of warnings is no longer than this, in bytes: a recovery point that was forged could fill the disk with them.
const BYTES_MAX: u64 = 256 << 20;

/// Writes warnings as they come, as long as there is room for them.
#[derive(Debug)]
pub struct WarningWriter {
    file: BufWriter<File>,
    room: u64,
}

impl WarningWriter {
    /// A new file at `path`, for its owner only.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = crate::platform::make_private_options().create(true).truncate(true).open(path)?;
        Ok(Self { file: BufWriter::new(file), room: BYTES_MAX })
    }

    /// Writes one: a whole line or, on a full disk, nothing of it, so that those after it stay readable. The first that finds
    /// no room says so, and none is written from then on.
    pub fn write(&mut self, warning: &JobWarning) -> io::Result<()> {
        if self.room == 0 {
            return Ok(());
        }
        let mut line = serde_json::to_vec(warning)?;
        self.room = self.room.saturating_sub(line.len() as u64 + 1);
        if self.room == 0 {
            let message = "All warnings after this one are counted and not kept".to_owned();
            let code = "more-warnings".to_owned();
            line = serde_json::to_vec(&JobWarning { code, path: String::new(), path_base64: None, message })?;
        }
        line.push(b'\n');
        if self.file.buffer().len() + line.len() > self.file.capacity() {
            self.file.flush()?;
        }
        self.file.write_all(&line)
    }

    /// Lets readers see what was written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The first `most` warnings at `path`; none if there is no such file. A line that is not whole yet is left out.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<JobWarning>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause),
    };
    let mut warnings = Vec::new();
    for line in BufReader::new(file).lines().take(most) {
        if let Ok(warning) = serde_json::from_str(&line?) {
            warnings.push(warning);
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_survive_their_file_and_paths_that_are_no_text_stay_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        assert_eq!(read(&path, 9).unwrap(), []);
        let paths: [&[u8]; 2] = [b"/etc/plain", b"/etc/\xff"];
        let warnings = paths.map(|path| {
            JobWarning::from(&Warning {
                code: "unreadable".to_owned(),
                path: path.to_vec(),
                message: "It can't be read".to_owned(),
            })
        });
        let mut writer = WarningWriter::create(&path).unwrap();
        warnings.iter().for_each(|warning| writer.write(warning).unwrap());
        writer.flush().unwrap();
        assert_eq!(read(&path, 9).unwrap(), warnings);
        assert_eq!(read(&path, 1).unwrap().len(), 1);
        assert_eq!(warnings[0].path_base64, None);
        assert_eq!(warnings[1].path_base64.as_deref(), Some("L2V0Yy__"));
    }

    #[test]
    fn a_file_of_warnings_has_an_end_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        let mut writer = WarningWriter::create(&path).unwrap();
        writer.room = 1000;
        let one = Warning { code: "file-lost".to_owned(), path: vec![b'a'; 300], message: "No".to_owned() };
        (0..100).for_each(|_| writer.write(&JobWarning::from(&one)).unwrap());
        writer.flush().unwrap();
        let codes: Vec<_> = read(&path, 100).unwrap().into_iter().map(|warning| warning.code).collect();
        assert_eq!(codes, ["file-lost", "file-lost", "more-warnings"]);
    }
}
