//! `stateward doctor --record`: what the programs of a Windows server say, in a file that is made to be sent away.

use crate::{AgentError, disk, platform, server_backup};
use stateward_engine::Cancellation;
use stateward_system_state::server_backup::record::{RecordWish, Recording, record};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Records into a new file, for its owner only. `begins` is told the name of each question before it is asked.
pub fn record_machine(
    path: &Path,
    made_by: &str,
    verifies_system_files: bool,
    begins: &mut dyn FnMut(&str),
) -> Result<Recording, AgentError> {
    let unwritable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => AgentError::OutputExists { path: path.to_owned() },
        _ => AgentError::OutputUnwritable { path: path.to_owned(), cause: disk::explained(path, cause) },
    };
    let server = server_backup::server()?.ok_or(AgentError::NothingToRecord)?;
    // Before anything is asked, which takes minutes: the programs run in another folder than this one.
    let whole = std::path::absolute(path).map_err(unwritable)?;
    let mut file = platform::make_private_options().create_new(true).open(&whole).map_err(unwritable)?;
    let wish = RecordWish {
        commands: &*server.commands,
        registry: &*server.registry,
        scratch: whole.parent().unwrap_or(&whole),
        known: platform::known_names(),
        verifies_system_files,
        made_by,
    };
    let recording = record(&wish, begins, &Cancellation::default());
    let written = recording.write().map_err(io::Error::other).and_then(|text| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    if let Err(cause) = written {
        // Half of one would be sent away for a whole one.
        let _ = fs::remove_file(&whole);
        return Err(unwritable(cause));
    }
    Ok(recording)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn where_there_is_nothing_to_record_no_file_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record.json");
        let error = record_machine(&path, "test", false, &mut |_| {}).unwrap_err();
        assert_eq!(error.code(), Code::Unsupported);
        assert!(error.to_string().contains("`--record`"), "{error}");
        assert!(!path.exists());
    }
}
