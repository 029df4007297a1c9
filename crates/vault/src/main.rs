//! `stateward-vault`: reads the command line and runs the library's two commands. Nothing else is here.

mod told;

use clap::{Parser, Subcommand};
use stateward_model::{SystemClock, SystemRandom};
use stateward_vault::{Initialised, Log, Running, initialise, stop_requested};
use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Stateward's vault: keeps recovery points of servers, and cannot read them.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a vault in a new folder, with an administrator to sign in as
    Init {
        /// The vault's data folder: new, or empty
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Where the vault will listen; port 0 chooses a free port now
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7443")]
        listen: String,
        /// Keep the database in PostgreSQL (`postgres://USER@HOST/DATABASE`, empty) instead of a file in the data folder
        #[arg(long, value_name = "URL")]
        database: Option<String>,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Serves a vault until it is told to stop (SIGTERM, Ctrl-C)
    Serve {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Listen here instead of where `init` was told to
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<String>,
        /// Append the log to this file instead of writing it to standard error
        #[arg(long, value_name = "FILE")]
        log_file: Option<PathBuf>,
    },
    /// Makes, lists and deletes those who may sign in; also while the vault serves
    Principal {
        #[command(subcommand)]
        command: PrincipalCommand,
    },
    /// Offers packages of the agent to administrators and servers; also while the vault serves
    Packages {
        #[command(subcommand)]
        command: PackagesCommand,
    },
    /// Prints the audit log, or checks it
    Audit {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Check that every entry fits the one before, instead of printing them
        #[arg(long)]
        verify: bool,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum PackagesCommand {
    /// Offers packages, each with the signature in `FILE.sig`, if that is there
    Add {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
        /// `stateward_VERSION_ARCHITECTURE.deb`, `stateward-VERSION.ARCHITECTURE.rpm`, or the same with `.msi`
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Lists the packages that are offered, the newest first
    List {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Offers a package no more
    Remove {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Its file's name
        name: String,
    },
}

#[derive(Subcommand)]
enum PrincipalCommand {
    /// Makes a principal; its secret is printed once
    Create {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// What people call it
        #[arg(long)]
        name: String,
        /// What it may do: everything; backups, restores and vault credentials; or reading
        #[arg(long, value_parser = ["BackupContributor", "BackupOperator", "BackupReader"])]
        role: String,
        /// In this resource group only
        #[arg(long)]
        group: Option<String>,
        /// In this vault of the group only
        #[arg(long, requires = "group")]
        vault: Option<String>,
        /// It signs in with this certificate (PEM or DER, an RSA key), and has no secret
        #[arg(long, value_name = "FILE")]
        certificate: Option<PathBuf>,
        /// Print the result as one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Lists all principals
    List {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Print JSON, one object a line
        #[arg(long)]
        json: bool,
    },
    /// Deletes a principal: its tokens end at once
    Delete {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Its client id
        client_id: String,
    },
    /// Lets a principal sign in with a certificate, too
    AddCertificate {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Its client id
        client_id: String,
        /// The certificate, PEM or DER, with an RSA key
        certificate: PathBuf,
    },
    /// Takes a certificate from a principal: its tokens end at once
    RemoveCertificate {
        /// The vault's data folder
        #[arg(long, value_name = "FOLDER")]
        data: PathBuf,
        /// Its client id
        client_id: String,
        /// SHA-256 of the certificate
        thumbprint: String,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprint_line(&format!("Error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Says it on standard error. Nobody may listen, or the disk that it goes to may be full: that ends nothing.
fn eprint_line(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match command {
        Command::Init { data, listen, database, json } => {
            let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
            let made = initialise(&data, &listen, database.as_deref(), clock, random);
            show(&runtime.block_on(made)?, json)
        }
        Command::Serve { data, listen, log_file } => {
            start_log(log_file.as_deref())?;
            runtime.block_on(serve(&data, listen.as_deref()))
        }
        Command::Principal { command } => runtime.block_on(told::principal(command)),
        Command::Packages { command } => runtime.block_on(told::packages(command)),
        Command::Audit { data, verify, json } => runtime.block_on(told::audit(&data, verify, json)),
    }
}

async fn serve(data: &Path, listen: Option<&str>) -> Result<(), Box<dyn Error>> {
    // Before anybody learns that the vault is there, and may tell it to stop.
    let stop = stop_requested()?;
    let running = Running::start(data, listen, Arc::new(SystemClock), Arc::new(SystemRandom)).await?;
    tracing::info!(url = running.url(), address = %running.address(), "serving");
    eprint_line(&format!("listening on https://{}", running.address()));
    stop.await;
    tracing::info!("stopping");
    Ok(running.stop().await?)
}

/// The log's detail is set by `STATEWARD_LOG`: a level such as `debug`; `info` if it is not set. Other people's code
/// says no more than warnings whatever the level is: at its finest it would write down headers, and tokens with them.
fn start_log(file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    let level = std::env::var("STATEWARD_LOG").unwrap_or_else(|_| "info".to_owned());
    let level: LevelFilter = level.parse().map_err(|_| format!("`STATEWARD_LOG` has no level `{level}`"))?;
    let filter = EnvFilter::new(format!("warn,stateward_vault={level},stateward_store={level}"));
    // It says them on standard error otherwise, and ends whoever logs if it can't.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).log_internal_errors(false);
    match file {
        None => log.with_writer(Mutex::new(Log::new(std::io::stderr()))).init(),
        Some(path) => {
            let file = std::fs::File::options().create(true).append(true).open(path);
            let file = file.map_err(|error| format!("Can't write the log `{}`: {error}", path.display()))?;
            log.with_writer(Mutex::new(Log::new(file))).init();
        }
    }
    Ok(())
}

/// Prints what `init` made. The secret is nowhere else: a vault whose administrator could not be told it is of no use.
fn show(made: &Initialised, json: bool) -> Result<(), Box<dyn Error>> {
    let text = if json { serde_json::to_string(made)? } else { told(made) };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(|error| {
        let data = made.data.display();
        format!("Can't print the client id and the secret: {error}; remove the folder `{data}` and run `init` again")
            .into()
    })
}

fn told(made: &Initialised) -> String {
    format!(
        "Made a vault in {data}

  URL             {url}
  Trust this CA   {ca}
  Client id       {id}
  Client secret   {secret}

The secret is shown this once; keep it safe. What to do next:

  stateward-vault serve --data {data}
  stateward login --url {url} --ca-file {ca} --client-id {id} --client-secret {secret}
  stateward vault create NAME
  stateward vault credentials NAME --out FILE",
        data = made.data.display(),
        url = made.url,
        ca = made.ca_file.display(),
        id = made.client_id,
        secret = made.client_secret,
    )
}
