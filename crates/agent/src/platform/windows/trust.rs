//! What is believed and run: what nobody can have written but the system, the administrators, what installs Windows, and
//! whoever runs the agent, as owners and access lists say.

use stateward_api::credentials::encode_base64;
use stateward_windows::access::{self, Change, Stranger};
use stateward_windows::authorities;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// So many letters stand in a line of PEM.
const PEM_LINE: usize = 64;

/// The certificate authorities that this machine trusts for servers, as PEM: those of its store.
pub fn trusted_authorities() -> io::Result<String> {
    let all = authorities::trusted()?;
    if all.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(all.iter().map(|certificate| pem(certificate)).collect())
}

fn pem(certificate: &[u8]) -> String {
    let letters = encode_base64(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    // The letters are ASCII.
    for at in (0..letters.len()).step_by(PEM_LINE) {
        let _ = writeln!(text, "{}", &letters[at..letters.len().min(at + PEM_LINE)]);
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

/// Why what stands in a file must not be trusted, as the end of a sentence: another user than an administrator, the system or
/// this one could have written it. `None` if it may be.
pub fn why_not_to_trust(path: &Path, file: &File) -> io::Result<Option<String>> {
    if !file.metadata()?.is_file() {
        return Ok(Some("it is no file".to_owned()));
    }
    if let Some(stranger) = access::stranger_of(file, Change::Any)? {
        return Ok(Some(why(path, &stranger)));
    }
    way(&path.canonicalize()?)
}

/// Ends of the names of programs that Windows starts by themselves.
const PROGRAMS: [&str; 4] = ["exe", "com", "bat", "cmd"];

/// Why the program at `path` must not be run with this process's rights, as the end of a sentence: it is none, or another user
/// than an administrator, the system or this one could have written it, or put it there. `None` if it may be run.
pub fn why_not_to_run(path: &Path) -> io::Result<Option<String>> {
    let program = path.canonicalize()?;
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if !fs::metadata(&program)?.is_file() || !PROGRAMS.contains(&&*ending) {
        let why = "it isn't a program that Windows can start: give it a name that ends in `.exe` or `.cmd` (a `.cmd` can \
                   run a script of PowerShell), or remove it";
        return Ok(Some(why.to_owned()));
    }
    // The way to the name that is run, and the way to what that leads to.
    let absolute = std::path::absolute(path)?;
    for path in [&absolute, &program] {
        if let Some(stranger) = access::stranger_at(path, Change::Any)? {
            return Ok(Some(why(path, &stranger)));
        }
        if let Some(why) = way(path)? {
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// Why the folders on the way to a file can't be trusted. In its own folder others may make nothing, for a program looks there
/// for its libraries; further up it is enough that they can't exchange a folder for another.
fn way(path: &Path) -> io::Result<Option<String>> {
    for (above, folder) in path.ancestors().skip(1).enumerate() {
        let change = if above == 0 { Change::Any } else { Change::Exchange };
        if let Some(stranger) = access::stranger_at(folder, change)? {
            return Ok(Some(why(folder, &stranger)));
        }
    }
    Ok(None)
}

fn why(path: &Path, stranger: &Stranger) -> String {
    // Without what tells Windows to leave a path as it is: people give it to programs that don't know that.
    let text = path.display().to_string();
    let shown = text.strip_prefix(r"\\?\").unwrap_or(&text);
    let owner = "*S-1-5-32-544";
    match stranger {
        Stranger::Owner(sid) => format!(
            "`{shown}` belongs to another user ({sid}): give it to the administrators (`icacls \"{shown}\" /setowner {owner}`)"
        ),
        Stranger::Listed(sid) => format!(
            "others may write to `{shown}` ({sid}): forbid it (`icacls \"{shown}\" /inheritance:d`, then `icacls \"{shown}\" \
             /remove *{sid}`)"
        ),
        Stranger::Unknown => format!(
            "it can't be told who may write to `{shown}`: set its access list (`icacls \"{shown}\" /inheritance:r /grant \
             {owner}:F *S-1-5-18:F`)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_written_as_pem() {
        let text = pem(&[0; 60]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[3]), ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"));
        assert_eq!((lines.len(), lines[1].len(), lines[2].len()), (4, 64, 16));
    }

    #[test]
    fn what_is_no_program_of_windows_is_not_run() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["hook", "hook.ps1", "hook.txt"] {
            let path = folder.path().join(name);
            fs::write(&path, "").unwrap();
            assert!(why_not_to_run(&path).unwrap().unwrap().contains("`.cmd`"), "{name}");
        }
        assert!(why_not_to_run(&folder.path().join("none.exe")).is_err());
    }

    #[test]
    fn windows_own_programs_may_be_run_and_their_files_are_trusted() {
        let program = stateward_windows::process::windows_folder().unwrap().join(r"System32\cmd.exe");
        assert_eq!(why_not_to_run(&program).unwrap(), None);
        assert_eq!(why_not_to_trust(&program, &File::open(&program).unwrap()).unwrap(), None);
    }

    #[test]
    fn others_that_are_named_are_named_with_what_helps() {
        let sid = stateward_windows::descriptor::Sid::of_everybody()[0].clone();
        let text = why(Path::new(r"\\?\C:\hooks"), &Stranger::Listed(sid));
        assert!(text.contains(r"`C:\hooks` (S-1-1-0)") && text.contains("/remove *S-1-1-0"), "{text}");
    }
}
