//! `stateward group create`

use crate::context::Context;
use crate::tags;
use clap::Args;
use stateward_agent::{AgentError, Exit, admin};
use stateward_api::arm::groups::ResourceGroupRequest;
use stateward_model::GroupName;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Its name
    #[arg(value_name = "NAME")]
    name: GroupName,
    /// Where it is to be [default: the one location that there is]
    #[arg(long, value_name = "LOCATION")]
    location: Option<String>,
    /// A tag; may be given several times. Those that are given take the place of all there are
    #[arg(long, value_name = "NAME=VALUE", value_parser = tags::parse)]
    tag: Vec<(String, String)>,
}

/// Makes a resource group. One of that name that is there is no error: it gets the tags.
pub fn run(context: &Context, Arguments { name, location, tag }: Arguments) -> Result<Exit, AgentError> {
    let client = admin::administrator(context.agent())?;
    let location = location.map_or_else(|| client.location(), Ok)?;
    let request = ResourceGroupRequest { location: Some(location), tags: tags::given(tag) };
    let group = client.put_group(&name, &request)?;
    context.output().object(&super::object("result", &group));
    context.output().line(format_args!("Resource group {name} is there"));
    context.output().hint(format_args!("Next: `stateward vault create NAME --resource-group {name}`"));
    Ok(Exit::Done)
}
