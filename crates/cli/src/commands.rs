//! The commands: one file each, a folder for each noun.

pub mod agent;
pub mod alert;
pub mod approval;
pub mod audit;
pub mod backup;
pub mod cache;
pub mod completion;
pub mod console;
pub mod doctor;
pub mod domain;
pub mod explain;
pub mod find;
pub mod group;
pub mod item;
pub mod job;
pub mod login;
pub mod man;
pub mod passphrase;
pub mod pin;
pub mod policy;
pub mod principal;
pub mod protect;
pub mod quota;
pub mod recover;
pub mod recovery_code;
pub mod recovery_point;
pub mod register;
pub mod restore;
pub mod schedule;
pub mod server;
pub mod settings;
pub mod status;
pub mod support_bundle;
pub mod system_state;
pub mod vault;
pub mod verify;

use crate::context::Context;
use clap::Subcommand;
use stateward_agent::{AgentError, Exit};

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what this server protects, and how it stands
    Status(status::Arguments),
    /// Look at everything that backups of this server need, and say what to do about what is wrong
    Doctor(doctor::Arguments),
    /// Put what a helper needs to know of this server into one file, without secrets and names of files
    SupportBundle(support_bundle::Arguments),
    /// Register this server with a vault
    Register(register::Arguments),
    /// Choose what is protected
    #[command(subcommand)]
    Protect(protect::Command),
    /// Show what is protected; as an administrator, stop, resume and delete it
    #[command(subcommand)]
    Item(item::Command),
    /// Give what is protected a policy: when it is backed up, and how long recovery points are kept. Asks for what is not said
    Schedule(schedule::Arguments),
    /// Back up
    #[command(subcommand)]
    Backup(backup::Command),
    /// Back this server up as its policies say, and stand by for what administrators ask of it
    #[command(subcommand)]
    Agent(agent::Command),
    /// Serve this server's console for a browser on this machine, until it is stopped
    Console(console::Arguments),
    /// Show and stop jobs
    #[command(subcommand)]
    Job(job::Command),
    /// Show recovery points
    #[command(subcommand)]
    RecoveryPoint(recovery_point::Command),
    /// Search names in this server's recovery points
    Find(find::Arguments),
    /// Restore from a recovery point: into a folder, or to where it came from
    Restore(restore::Arguments),
    /// Prove that what the vault holds can be restored
    Verify(verify::Arguments),
    /// Restore straight from a vault's folder or a copy of it, with no vault running and no registration
    Recover(recover::Arguments),
    /// Show and change what holds for all jobs
    #[command(subcommand)]
    Settings(settings::Command),
    /// Show and move the cache folder
    #[command(subcommand)]
    Cache(cache::Command),
    /// Show what System State is on this machine
    #[command(subcommand)]
    SystemState(system_state::Command),
    /// Change this server's passphrase
    #[command(subcommand)]
    Passphrase(passphrase::Command),
    /// Make recovery codes
    #[command(subcommand)]
    RecoveryCode(recovery_code::Command),
    /// Share this server's deduplication domain with another server
    #[command(subcommand)]
    Domain(domain::Command),
    /// Sign in to a vault as an administrator
    Login(login::Arguments),
    /// Administer vaults
    #[command(subcommand)]
    Vault(vault::Command),
    /// Administer the resource groups that vaults are in
    #[command(subcommand)]
    Group(group::Command),
    /// Administer the policies of vaults: when servers are backed up, and how long recovery points are kept
    #[command(subcommand)]
    Policy(Box<policy::Command>),
    /// Show registered servers
    #[command(subcommand)]
    Server(server::Command),
    /// Show and resolve what people should know of a vault
    #[command(subcommand)]
    Alert(alert::Command),
    /// Show and check who changed what in a vault
    #[command(subcommand)]
    Audit(audit::Command),
    /// Administer who may do what in a vault
    #[command(subcommand)]
    Principal(principal::Command),
    /// Consent to what another administrator wants to do in a vault with a resource guard
    #[command(subcommand)]
    Approval(approval::Command),
    /// Make security PINs for acts that are begun on a server
    #[command(subcommand)]
    Pin(pin::Command),
    /// Show and set how much each server of a vault may hold and send
    #[command(subcommand)]
    Quota(quota::Command),
    /// Explain an error's or a warning's code
    Explain(explain::Arguments),
    /// Print a shell's completion script
    Completion(completion::Arguments),
    /// Print the manual page
    #[command(hide = true)]
    Man(man::Arguments),
}

impl Command {
    /// Whether it makes the home if there is none.
    pub fn makes_home(&self) -> bool {
        // An installer makes it before anybody else can.
        let installs = matches!(self, Self::Agent(agent::Command::Install(_)));
        installs || matches!(self, Self::Register(_) | Self::Protect(_) | Self::Login(_) | Self::Console(_))
    }

    /// Whether it has anything to do with the home.
    pub fn uses_home(&self) -> bool {
        !matches!(
            self,
            Self::Recover(_) | Self::SystemState(_) | Self::Explain(_) | Self::Completion(_) | Self::Man(_)
        )
    }
}

/// Runs a command.
pub fn run(context: &Context, command: Command) -> Result<Exit, AgentError> {
    match command {
        Command::Status(arguments) => status::run(context, arguments),
        Command::Doctor(arguments) => doctor::run(context, &arguments),
        Command::SupportBundle(arguments) => support_bundle::run(context, &arguments),
        Command::Register(arguments) => register::run(context, arguments),
        Command::Protect(command) => protect::run(context, command),
        Command::Item(command) => item::run(context, command),
        Command::Schedule(arguments) => schedule::run(context, arguments),
        Command::Backup(command) => backup::run(context, command),
        Command::Agent(command) => agent::run(context, command),
        Command::Console(arguments) => console::run(context, &arguments),
        Command::Job(command) => job::run(context, command),
        Command::RecoveryPoint(command) => recovery_point::run(context, command),
        Command::Find(arguments) => find::run(context, arguments),
        Command::Restore(arguments) => restore::run(context, arguments),
        Command::Verify(arguments) => verify::run(context, arguments),
        Command::Recover(arguments) => recover::run(context, arguments),
        Command::Settings(command) => settings::run(context, command),
        Command::Cache(command) => cache::run(context, command),
        Command::SystemState(command) => system_state::run(context, command),
        Command::Passphrase(command) => passphrase::run(context, command),
        Command::RecoveryCode(command) => recovery_code::run(context, command),
        Command::Domain(command) => domain::run(context, command),
        Command::Login(arguments) => login::run(context, arguments),
        Command::Vault(command) => vault::run(context, command),
        Command::Group(command) => group::run(context, command),
        Command::Policy(command) => policy::run(context, *command),
        Command::Server(command) => server::run(context, command),
        Command::Alert(command) => alert::run(context, command),
        Command::Audit(command) => audit::run(context, command),
        Command::Principal(command) => principal::run(context, command),
        Command::Approval(command) => approval::run(context, command),
        Command::Pin(command) => pin::run(context, command),
        Command::Quota(command) => quota::run(context, command),
        Command::Explain(arguments) => explain::run(context, arguments),
        Command::Completion(arguments) => completion::run(context, arguments),
        Command::Man(arguments) => man::run(context, arguments),
    }
}
