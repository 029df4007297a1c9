//! *Register Server*: the wizard's pages, as far as flags did not say it already.

use super::Arguments;
use crate::context::Context;
use crate::prompt::{Line, Prompt};
use crate::secret_input::NewPassphrase;
use crate::units;
use stateward_agent::credentials::CheckedCredentials;
use stateward_agent::items::absolute;
use stateward_agent::{AgentError, register};
use stateward_model::Label;
use std::path::{Path, PathBuf};

/// Asks for what the flags leave open. Nothing is changed here.
pub fn ask(context: &Context, flags: Arguments) -> Result<Arguments, AgentError> {
    let prompt = Prompt::person("stateward register")?;
    let agent = context.agent();
    let path = prompt.text("Which vault credentials file?", "", |text| file(text, "vault credentials"))?;
    let checked = register::check(agent, &path)?;
    show(context, &checked);
    let is_new = checked.credentials.server.is_none();
    let domain = match checked.credentials.domain {
        Some(_) if flags.domain.is_none() => Some(prompt.text(
            "Which domain file, of the server that shares?",
            "",
            |text| file(text, "domain"),
        )?),
        _ => flags.domain,
    };
    let label = match flags.label {
        None if is_new => Some(prompt.text(
            "What is this server to be called at the vault?",
            register::usual_label().as_str(),
            |text| text.parse::<Label>().map_err(|error| error.to_string()),
        )?),
        label => label,
    };
    let cache = match flags.cache {
        None => {
            let usual = agent.home().default_cache();
            Some(prompt.text("Where is the cache folder to be?", &usual.display().to_string(), folder)?)
        }
        cache => cache,
    };
    let passphrase = match is_new && !flags.passphrase.is_said() {
        true => passphrase(&prompt)?,
        false => flags.passphrase,
    };
    if !prompt.yes("Register this server?", true)? {
        return Err(AgentError::cancelled());
    }
    Ok(Arguments { credentials: Some(path), passphrase, label, cache, domain, ..flags })
}

/// *Vault Identification*.
fn show(context: &Context, checked: &CheckedCredentials) {
    let of = &checked.credentials;
    let output = context.output();
    output.say(format_args!("  Vault: {} at {}", of.vault_name, of.url));
    output.say(format_args!("  The file is good until {}", units::time(of.expires_at)));
    if of.server.is_some() {
        output
            .say("  It is for a server that is known, which registers again with the passphrase that it had");
    }
    output.say("");
}

/// *Encryption Setting*. One that is typed is asked for at the very end.
fn passphrase(prompt: &Prompt) -> Result<NewPassphrase, AgentError> {
    let lines = vec![
        Line("I type one, twice".to_owned(), false),
        Line("Make one, and write it into a new file".to_owned(), true),
    ];
    match prompt.choose("Where does the passphrase come from?", lines)?.1 {
        false => Ok(NewPassphrase::default()),
        true => {
            let path = prompt.text("Into which new file?", "stateward-passphrase.txt", new_file)?;
            Ok(NewPassphrase::made_into(path))
        }
    }
}

fn file(text: &str, what: &str) -> Result<PathBuf, String> {
    match Path::new(text) {
        path if path.is_file() => Ok(path.to_owned()),
        _ => Err(format!("`{text}` is no file: give the {what} file's path")),
    }
}

fn new_file(text: &str) -> Result<PathBuf, String> {
    let path = absolute(Path::new(text)).map_err(|error| error.to_string())?.0;
    if std::fs::symlink_metadata(&path).is_ok() {
        return Err(format!("`{text}` exists already, and is not overwritten"));
    }
    match path.parent().is_some_and(Path::is_dir) {
        true => Ok(path),
        false => Err(format!("`{text}` lies in a folder that is not there")),
    }
}

fn folder(text: &str) -> Result<PathBuf, String> {
    let path = absolute(Path::new(text)).map_err(|error| error.to_string())?.0;
    match path.exists() && !path.is_dir() {
        true => Err(format!("`{text}` is no folder")),
        false => Ok(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_would_fail_later_are_refused_at_once() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let there = folder_of_test.path().join("there");
        std::fs::write(&there, "x").unwrap();
        let text = there.display().to_string();
        assert_eq!(file(&text, "domain"), Ok(there.clone()));
        assert!(file("", "domain").is_err() && file("/", "domain").is_err());
        assert!(new_file(&text).unwrap_err().contains("exists"));
        assert!(new_file(&format!("{text}/none")).unwrap_err().contains("not there"));
        assert!(new_file(&format!("{text}.new")).is_ok());
        assert!(folder(&text).unwrap_err().contains("no folder"));
        assert!(folder("/").is_ok());
    }
}
