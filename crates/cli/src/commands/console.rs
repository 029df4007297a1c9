//! `stateward console`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::console::{Ended, Listening, Options, serve};
use stateward_agent::platform;
use stateward_agent::{AgentError, Cancellation, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Listen at this port of 127.0.0.1 [default: any that is free]
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// End after so many minutes without a call
    #[arg(long, value_name = "MINUTES", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=720))]
    idle_minutes: u32,
}

/// Serves the console. It starts no browser: as an argument of one, the address with its token would be seen by all users of the
/// machine.
pub fn run(context: &Context, arguments: &Arguments) -> Result<Exit, AgentError> {
    let stop = Cancellation::default();
    let asked = stop.clone();
    // A terminal that is closed ends it, too: nobody could see any more that it is there. Jobs go on.
    platform::signals(move |_| asked.cancel()).map_err(AgentError::JobNotStarted)?;
    let options =
        Options { port: arguments.port, idle_seconds: u64::from(arguments.idle_minutes).saturating_mul(60) };
    let output = context.output();
    let ended = serve(context.agent(), options, &stop, |listening: &Listening| {
        output.object(&json!({ "type": "listening", "url": *listening.url, "port": listening.port }));
        output.line(&*listening.url);
        // The page is to come with the portal; `GET /` has none yet.
        output
            .hint("Programs on this machine sign in with the token of this address (`openapi/console.json`)");
        output.hint("It is good once, and nobody else should see it. A page for browsers does not exist yet");
        output.hint("From another machine: `ssh -L PORT:127.0.0.1:PORT SERVER` with the port of the address");
        output.hint("Press Ctrl-C to end; jobs go on");
    })?;
    let why = match ended {
        Ended::Stopped => "stopped",
        Ended::SignedOut => "signed-out",
    };
    output.object(&json!({ "type": "result", "ended": why }));
    Ok(Exit::Done)
}
