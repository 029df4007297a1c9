//! `stateward-vault principal`, `packages` and `audit`: runs the library and prints what it gives.

use crate::{PackagesCommand, PrincipalCommand};
use serde::Serialize;
use stateward_model::{SystemClock, SystemRandom};
use stateward_vault::{Console, MadePrincipal, NewPrincipal, ShownPackage};
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

type Done = Result<(), Box<dyn Error>>;

async fn open(data: &Path) -> Result<Console, Box<dyn Error>> {
    Ok(Console::open(data, Arc::new(SystemClock), Arc::new(SystemRandom)).await?)
}

fn print(line: &str) -> Done {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}")
        .and_then(|()| stdout.flush())
        .map_err(|error| format!("Can't print: {error}").into())
}

fn print_json(object: &impl Serialize) -> Done {
    print(&serde_json::to_string(object)?)
}

pub(crate) async fn principal(command: PrincipalCommand) -> Done {
    match command {
        PrincipalCommand::Create { data, name, role, group, vault, certificate, json } => {
            let new = NewPrincipal { name, role, group, vault, certificate };
            let console = open(&data).await?;
            let made = console.create_principal(&new).await?;
            console.close().await;
            if json { print_json(&made) } else { print(&told(&made)) }
        }
        PrincipalCommand::List { data, json } => list(&data, json).await,
        PrincipalCommand::Delete { data, client_id } => {
            let console = open(&data).await?;
            console.delete_principal(&client_id).await?;
            console.close().await;
            print("Deleted; its tokens have ended")
        }
        PrincipalCommand::AddCertificate { data, client_id, certificate } => {
            let console = open(&data).await?;
            let thumbprint = console.add_certificate(&client_id, &certificate).await?;
            console.close().await;
            print(&format!("Added the certificate {thumbprint}"))
        }
        PrincipalCommand::RemoveCertificate { data, client_id, thumbprint } => {
            let console = open(&data).await?;
            console.remove_certificate(&client_id, &thumbprint).await?;
            console.close().await;
            print("Removed; the principal's tokens have ended")
        }
    }
}

fn told(made: &MadePrincipal) -> String {
    let MadePrincipal { client_id, client_secret, tenant } = made;
    let secret = match client_secret {
        Some(secret) => format!("Client secret   {secret}\n\nThe secret is shown this once; keep it safe."),
        None => "It signs in with its certificate.".to_owned(),
    };
    format!("Tenant          {tenant}\nClient id       {client_id}\n{secret}")
}

async fn list(data: &Path, json: bool) -> Done {
    let console = open(data).await?;
    for known in console.principals().await? {
        if json {
            print_json(&known)?;
            continue;
        }
        let roles = known.roles.join(", ");
        print(&format!("{}  {}  {roles}  since {}", known.client_id, known.name, known.created_at))?;
        for thumbprint in known.thumbprints {
            print(&format!("    certificate {thumbprint}"))?;
        }
    }
    console.close().await;
    Ok(())
}

pub(crate) async fn packages(command: PackagesCommand) -> Done {
    match command {
        PackagesCommand::Add { data, json, files } => {
            let console = open(&data).await?;
            for file in files {
                print_package(&console.add_package(&file).await?, json)?;
            }
            console.close().await;
            Ok(())
        }
        PackagesCommand::List { data, json } => {
            let console = open(&data).await?;
            for package in console.packages().await? {
                print_package(&package, json)?;
            }
            console.close().await;
            Ok(())
        }
        PackagesCommand::Remove { data, name } => {
            let console = open(&data).await?;
            console.remove_package(&name).await?;
            console.close().await;
            print("Removed; it is offered no more")
        }
    }
}

fn print_package(package: &ShownPackage, json: bool) -> Done {
    if json {
        return print_json(package);
    }
    let ShownPackage { name, size_bytes, sha256, signed, .. } = package;
    let signed = if *signed { "signed" } else { "not signed" };
    print(&format!("{name}  {size_bytes} bytes  {signed}  SHA-256 {sha256}"))
}

pub(crate) async fn audit(data: &Path, verify: bool, json: bool) -> Done {
    let console = open(data).await?;
    if verify {
        let check = console.check_audit().await?;
        if json {
            print_json(&check)?;
        } else if check.is_intact {
            let hash = check.last_hash.as_deref().unwrap_or("none");
            print(&format!(
                "{}, each of which fits the one before; the hash of the last is {hash}",
                if check.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", check.entries) }
            ))?;
        }
        return match check.altered_at {
            None => Ok(()),
            Some(number) => Err(format!("The audit log was altered at or before entry {number}").into()),
        };
    }
    let mut last = 0;
    loop {
        let entries = console.audit(last).await?;
        let Some(newest) = entries.last() else { break };
        last = newest.number;
        for entry in &entries {
            if json {
                print_json(entry)?;
            } else {
                let (number, at, actor) = (entry.number, entry.at, &entry.actor);
                print(&format!(
                    "{number}  {at}  {actor}  {}  {}  {}",
                    entry.act, entry.subject, entry.detail
                ))?;
            }
        }
    }
    console.close().await;
    Ok(())
}
