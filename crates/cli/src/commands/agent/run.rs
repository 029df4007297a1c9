//! `stateward agent run`

use crate::context::Context;
use crate::failure;
use crate::units;
use clap::Args;
use serde_json::json;
use stateward_agent::jobs::detach;
use stateward_agent::platform::{self, ManagedProcess, Signal};
use stateward_agent::service::{Event, serve};
use stateward_agent::{AgentError, Cancellation, Exit, Home, Registration};
use std::time::Duration;

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Leave the terminal once the home is served; say nothing from then on but in the log
    #[arg(long, hide = true)]
    background: bool,
    /// Be what Windows' service manager started
    #[arg(long, hide = true, conflicts_with = "background")]
    service: bool,
}

/// Waits for what is asked, and does it.
pub fn run(context: &Context, arguments: Arguments) -> Result<Exit, AgentError> {
    if !arguments.service {
        Registration::load(context.agent().home())?;
    }
    let stop = Cancellation::default();
    let asked = stop.clone();
    // A terminal that is closed ends nothing: what is asked for next need not be seen.
    let told = move |signal| {
        if signal == Signal::Stop {
            asked.cancel();
        }
    };
    if arguments.service {
        return run_as_service(context, &stop, told);
    }
    platform::signals(told).map_err(AgentError::JobNotStarted)?;
    match arguments.background {
        true => serve(context.agent(), &stop, &|event| leave(context, &stop, &event))?,
        false => serve(context.agent(), &stop, &|event| tell(context, &event))?,
    }
    Ok(Exit::Done)
}

/// Serves until the service manager asks to stop. Nobody reads what it says but in the log.
fn run_as_service(
    context: &Context,
    stop: &Cancellation,
    told: impl FnMut(Signal) + Send + 'static,
) -> Result<Exit, AgentError> {
    let managed = ManagedProcess::begin(told).map_err(AgentError::JobNotStarted)?;
    let served = await_registration(context.agent().home(), stop)
        .and_then(|is_registered| if is_registered { serve(context.agent(), stop, &|_| ()) } else { Ok(()) });
    if let Err(error) = &served {
        tracing::error!(%error, "the service ends");
    }
    managed.end(served.is_err());
    served.map(|()| Exit::Done)
}

/// How soon a registration is seen.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Waits until the home is registered; false if it is to stop before. The installer starts the service, and a server is
/// registered when its administrator comes to it.
fn await_registration(home: &Home, stop: &Cancellation) -> Result<bool, AgentError> {
    while Registration::find(home)?.is_none() {
        // In small steps: whoever asks it to stop waits for that.
        for _ in 0..10 {
            if stop.is_cancelled() {
                return Ok(false);
            }
            std::thread::sleep(LOOK_EVERY / 10);
        }
    }
    Ok(true)
}

/// Where a process that nobody listens to leaves what it says all the same, which is nothing but its end if it breaks.
const OUTPUT: &str = "agent.out";

/// Leaves the terminal as soon as it is sure that no other process serves the home.
fn leave(context: &Context, stop: &Cancellation, event: &Event<'_>) {
    if matches!(event, Event::Serving)
        && let Err(error) = detach::leave_terminal(&context.agent().home().logs().join(OUTPUT))
    {
        // Whoever started it reads this, and hears of its end.
        failure::print(context.output(), &error);
        stop.cancel();
    }
}

fn tell(context: &Context, event: &Event<'_>) {
    let output = context.output();
    match event {
        Event::Serving => (),
        Event::Waiting => {
            output.object(&json!({ "type": "waiting" }));
            output.hint("Waiting for what the vault asks for. Press Ctrl-C to end");
        }
        Event::Away(error) => {
            output.object(
                &json!({ "type": "away", "code": error.code().as_str(), "message": error.to_string() }),
            );
            output.hint(format_args!("{error}. It is tried again"));
        }
        Event::Scheduled(next) => {
            output.object(&json!({ "type": "scheduled", "next_run": next }));
            output.line(match next {
                Some(next) => format!("The next backup is planned for {}", units::time(*next)),
                None => "No backup is planned: no item has a policy".to_owned(),
            });
        }
        Event::Begun(job, item) => {
            output.object(&json!({ "type": "begun", "job": job, "item": item }));
            output.line(format_args!("Begun: job {job} of {item}"));
        }
        Event::NotBegun(job, error) => {
            output.object(&json!({
                "type": "not_begun", "job": job, "code": error.code().as_str(), "message": error.to_string(),
            }));
            output.line(format_args!("Not begun: job {job}: {error}"));
        }
        Event::Upgrading(package) => {
            output.object(&json!({ "type": "upgrading", "package": package.file }));
            output.line(format_args!("Installing {}", package.file));
        }
        Event::Upgraded(package) => {
            output.object(&json!({ "type": "upgraded", "package": package.file }));
            output.line(format_args!("Installed {}", package.file));
        }
        Event::NotUpgraded(error) => {
            output.object(
                &json!({ "type": "not_upgraded", "code": error.code().as_str(), "message": error.to_string() }),
            );
            output.line(format_args!("The agent was not upgraded: {error}"));
        }
        Event::Ended(job) => {
            output.object(&json!({ "type": "ended", "job": job }));
            output.line(format_args!("Ended: job {job}; `stateward job show {job}` tells how"));
        }
    }
}
