//! `stateward register`: the wizard *Register Server*, and the same by flags.

mod wizard;

use crate::context::Context;
use crate::display::facts;
use crate::output::Output;
use crate::proxy_flags::ProxyFlags;
use crate::secret_input::{NewPassphrase, NewSecretFile, is_person_there, known_passphrase};
use clap::Args;
use stateward_agent::domain::{self, JoinedDomain};
use stateward_agent::register::{self, RegisterRequest};
use stateward_agent::secrets::RecoveryCode;
use stateward_agent::{Agent, AgentError, Code, Exit, Registration, doctor};
use stateward_api::VaultCredentials;
use stateward_model::Label;
use std::path::{Path, PathBuf};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The vault credentials file that the vault's administrator made. Without this, everything is asked for
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    #[command(flatten)]
    passphrase: NewPassphrase,
    /// Make a recovery code, too, and write it into this new file (on a terminal one is made and shown once)
    #[arg(long, value_name = "FILE")]
    recovery_code_file: Option<PathBuf>,
    /// What the server is called at the vault [default: the host name]
    #[arg(long, value_name = "LABEL")]
    label: Option<Label>,
    /// The cache folder [default: `cache` in the home]
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Join another server's deduplication domain: the file that `stateward domain share` wrote there
    #[arg(long, value_name = "FILE")]
    domain: Option<PathBuf>,
    /// Take the domain file's passphrase from this file instead of asking for it
    #[arg(long, value_name = "FILE", requires = "domain")]
    domain_passphrase_file: Option<PathBuf>,
    /// Do nothing, and end well, if this server is registered already
    #[arg(long)]
    unless_registered: bool,
    #[command(flatten)]
    proxy: ProxyFlags,
}

/// Registers this server with the vault that the credentials file names.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    if arguments.unless_registered
        && let Some(known) = Registration::find(context.agent().home())?
    {
        tell_known(context.output(), &known);
        return Ok(Exit::Done);
    }
    register(context, arguments)
}

/// What is there already.
fn tell_known(output: &Output, known: &Registration) {
    output.object(&serde_json::json!({
        "type": "result", "server": known.server, "label": known.label, "vault": known.vault_name,
        "vault_id": known.vault, "url": known.url, "cache": known.cache, "was_registered": true,
    }));
    output.line(format_args!("Registered already, as {} with the vault {}", known.label, known.vault_name));
}

fn register(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    let arguments = match arguments.credentials {
        Some(_) => arguments,
        None => wizard::ask(context, arguments)?,
    };
    let (agent, output) = (context.agent(), context.output());
    let credentials =
        arguments.credentials.as_deref().ok_or(AgentError::NothingAsked("`--credentials FILE`"))?;
    let checked = register::check(agent, credentials)?;
    let agent = &agent.through(arguments.proxy.get("stateward register")?);
    if checked.is_readable_by_others {
        output.say(format_args!(
            "Warning: other users may read {}, and whoever reads it can register servers; delete it after this",
            credentials.display()
        ));
    }
    if let Some(kind) = checked.network_file_system {
        output.say(format_args!(
            "Warning: {} lies on a network file system ({kind}), where its secret travels and others may read it; bring such files on a way of their own, and delete it after this",
            credentials.display()
        ));
    }
    let domain = domain::for_credentials(arguments.domain.as_deref(), &checked.credentials)?;
    let domain = domain
        .map(|file| {
            let passphrase =
                known_passphrase(arguments.domain_passphrase_file.as_deref(), "Domain's passphrase: ")?;
            Ok::<_, AgentError>(file.open(&passphrase)?)
        })
        .transpose()?;
    let is_known = checked.credentials.server.is_some();
    let (passphrase, passphrase_file) = match is_known {
        true => (arguments.passphrase.known()?, None),
        false => arguments.passphrase.get(context)?,
    };
    // A server that registers again has what it was given the first time.
    let shows_code = arguments.recovery_code_file.is_none() && is_person_there() && !is_known;
    let code = (shows_code || arguments.recovery_code_file.is_some())
        .then(|| RecoveryCode::generate(&*agent.surroundings().random));
    let code_file = match (&arguments.recovery_code_file, &code) {
        (Some(path), Some(code)) => Some(NewSecretFile::write(path, &code.printable())?),
        _ => None,
    };
    let request = RegisterRequest {
        label: arguments.label,
        passphrase: &passphrase,
        recovery_code: code.as_ref(),
        cache: arguments.cache,
        domain: domain.as_ref(),
    };
    let registration = register::register(agent, &checked.credentials, &request)
        .inspect_err(|error| tell_way(agent, output, &checked.credentials, error))?;
    let [passphrase_file, code_file] = [passphrase_file, code_file].map(|file| file.map(NewSecretFile::keep));
    print(output, &registration, domain.as_ref(), code_file.as_deref(), passphrase_file.as_deref());
    match (&code, shows_code) {
        (Some(code), true) => show_code(output, code),
        (None, _) if is_known => {
            output.say("Registered again: the recovery points are there, and what was protected must be protected again");
        }
        (None, _) => {
            output.say("No recovery code was made. `stateward recovery-code create` makes one at any time");
        }
        _ => (),
    }
    output.hint("Next: `stateward protect system-state`, then `stateward backup now --wait`");
    Ok(Exit::Done)
}

/// Where on the way to the vault a registration failed, if it was the way.
fn tell_way(agent: &Agent, output: &Output, credentials: &VaultCredentials, error: &AgentError) {
    if error.exit() != Exit::VaultNotFound && error.code() != Code::ClockSkew {
        return;
    }
    if let Ok(checks) = doctor::test_way(agent, credentials) {
        output.hint("The way to the vault, step by step:");
        checks.iter().for_each(|check| crate::commands::doctor::tell(output, check));
    }
}

fn print(
    output: &Output,
    registration: &Registration,
    domain: Option<&JoinedDomain>,
    recovery_code_file: Option<&Path>,
    passphrase_file: Option<&Path>,
) {
    output.object(&serde_json::json!({
        "type": "result", "server": registration.server, "label": registration.label,
        "domain": domain.map_or(registration.server, |joined| joined.domain), "vault": registration.vault_name, "vault_id": registration.vault, "url": registration.url,
        "cache": registration.cache, "recovery_code_file": recovery_code_file,
        "passphrase_file": passphrase_file,
    }));
    output.line("Registered");
    let mut lines = vec![
        ("Server", format!("{} ({})", registration.label, registration.server)),
        ("Vault", format!("{} at {}", registration.vault_name, registration.url)),
        ("Cache folder", registration.cache.display().to_string()),
    ];
    lines.extend(domain.map(|joined| ("Domain", format!("shared, {}", joined.domain))));
    let file = |path: &Path| format!("{}: keep a copy away from this server", path.display());
    lines.extend(passphrase_file.map(|path| ("Passphrase", file(path))));
    lines.extend(recovery_code_file.map(|path| ("Recovery code", file(path))));
    facts(output, &lines);
}

/// Shows a code that was just made, once.
pub fn show_code(output: &Output, code: &RecoveryCode) {
    output.say("");
    output.say("This recovery code opens the recovery points if the passphrase is lost.");
    output.say("Write it down or print it, and keep it in a safe. It is not shown again:");
    output.say("");
    for line in groups_in_lines(&code.printable()) {
        output.say(format_args!("    {line}"));
    }
    output.say("");
}

/// Seven groups a line, so that a person keeps count.
fn groups_in_lines(code: &str) -> Vec<String> {
    let groups: Vec<&str> = code.split('-').collect();
    groups.chunks(7).map(|line| line.join("-")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::SystemRandom;

    #[test]
    fn a_code_stands_in_two_lines_that_read_back() {
        let code = RecoveryCode::generate(&SystemRandom);
        let lines = groups_in_lines(&code.printable());
        assert_eq!(lines.len(), 2);
        let read = RecoveryCode::parse(&lines.join("\n")).unwrap();
        assert_eq!(*read.printable(), *code.printable());
    }
}
