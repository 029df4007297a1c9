//! `stateward schedule`: the wizard *Schedule Backup*, and the same by flags.

mod pages;

use crate::commands::policy::flags::PerhapsPolicyFlags;
use crate::commands::policy::words::facts_of;
use crate::context::Context;
use crate::display::facts;
use crate::prompt::Prompt;
use clap::Args;
use pages::{Chosen, Protecting};
use serde_json::json;
use stateward_agent::admin::{self, ServicePrincipal};
use stateward_agent::items::{Item, Items, Selection};
use stateward_agent::schedule::{self, OwnVault};
use stateward_agent::{AgentError, Exit, Registration, protect, secrets};
use stateward_api::arm::policies::Policy;
use stateward_model::PolicyName;
use std::path::PathBuf;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The item: its name, or the beginning of its id [default: the only one]
    #[arg(value_name = "ITEM", requires = "policy_name")]
    item: Option<String>,
    /// The policy that it is to have; with a schedule it is made first. Without this, everything is asked for
    #[arg(long = "policy", id = "policy_name", value_name = "NAME")]
    policy: Option<PolicyName>,
    /// The client id of the administrator who may do this; it is used once and not kept [default: the sign-in of
    /// `stateward login`]
    #[arg(long, value_name = "ID", requires = "client_secret_file")]
    client_id: Option<String>,
    /// Take the administrator's client secret from this file
    #[arg(long, value_name = "FILE", requires = "client_id")]
    client_secret_file: Option<PathBuf>,
    #[command(flatten)]
    flags: PerhapsPolicyFlags,
}

/// Gives an item of this server a policy, which says when it is backed up and how long its recovery points are kept.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    Registration::load(context.agent().home())?;
    let Arguments { item, policy, client_id, client_secret_file, flags } = arguments;
    let who = match client_id.zip(client_secret_file) {
        Some((client_id, path)) => {
            Some(ServicePrincipal { client_id, client_secret: secrets::read_secret(&path)? })
        }
        None => None,
    };
    let properties = flags.policy(context.agent().now())?;
    let Some(name) = policy else {
        return match properties {
            Some(_) => {
                Err(AgentError::NothingAsked("`--policy NAME`, which names the policy that is to be made"))
            }
            None => ask(context, who),
        };
    };
    let item = schedule::one_item(context.agent(), item.as_deref())?;
    let vault = own_vault(context, None, who)?;
    let policy = vault.policy(name, properties)?;
    set(context, &vault, &item, &policy)
}

/// Asks for everything, and changes nothing before the last answer.
fn ask(context: &Context, who: Option<ServicePrincipal>) -> Result<Exit, AgentError> {
    let prompt = Prompt::person("stateward schedule")?;
    let vault = own_vault(context, Some(&prompt), who)?;
    let items = Items::load(context.agent().home())?.items;
    let protecting = pages::choose_item(&prompt, items)?;
    let policies = vault.policies()?;
    let chosen = pages::choose_policy(context, &prompt, &protecting, policies)?;
    if !prompt.yes("Write this into the vault?", true)? {
        return Err(AgentError::cancelled());
    }
    let item = protected(context, protecting)?;
    let policy = match chosen {
        Chosen::Existing(policy) => *policy,
        Chosen::New(name, properties) => vault.policy(name, Some(*properties))?,
    };
    set(context, &vault, &item, &policy)
}

fn protected(context: &Context, protecting: Protecting) -> Result<Item, AgentError> {
    let selection = match protecting {
        Protecting::Item(item) => return Ok(item),
        Protecting::SystemState => {
            Selection::SystemState { components: None, root: stateward_agent::items::absolute("/".as_ref())? }
        }
        Protecting::Files { paths, exclusions } => Selection::Files { paths, exclusions },
    };
    let done = protect::protect(context.agent(), selection, None)?;
    match done.untold {
        Some(error) => Err(error),
        None => Ok(done.item),
    }
}

/// Signs in to the vault of this server: as the one who is given, as the one whom the home keeps, or as the one who is asked for.
fn own_vault(
    context: &Context,
    prompt: Option<&Prompt>,
    who: Option<ServicePrincipal>,
) -> Result<OwnVault, AgentError> {
    let agent = context.agent();
    let who = match (who, prompt) {
        (None, Some(prompt)) if !admin::is_signed_in(agent)? => Some(asked(context, prompt)?),
        (who, _) => who,
    };
    OwnVault::open(agent, who)
}

fn set(context: &Context, vault: &OwnVault, item: &Item, policy: &Policy) -> Result<Exit, AgentError> {
    vault.set(item, policy)?;
    let output = context.output();
    output.object(&json!({
        "type": "result", "item": item.label, "item_id": item.id, "policy": policy.name,
        "properties": policy.properties,
    }));
    output.line(format_args!("{} is backed up by the policy {}", item.label, policy.name));
    facts(output, &facts_of(&policy.properties));
    output.hint(match context.agent().home().is_served() {
        true => "The agent hears of it within seconds: `stateward status` shows the next backup",
        false => "No agent runs here, so nothing is backed up by itself: `stateward agent start`",
    });
    Ok(Exit::Done)
}

fn asked(context: &Context, prompt: &Prompt) -> Result<ServicePrincipal, AgentError> {
    context.output().say("A policy is written by an administrator of the vault. The sign-in is not kept.");
    let client_id = prompt.text("Administrator's client id:", "", |text| match text.is_empty() {
        true => Err("it stands in what `stateward-vault init` printed".to_owned()),
        false => Ok(text.to_owned()),
    })?;
    Ok(ServicePrincipal { client_id, client_secret: prompt.secret("Client secret:")? })
}
