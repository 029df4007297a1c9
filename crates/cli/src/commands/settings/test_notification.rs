//! `stateward settings test-notification`

use crate::context::Context;
use clap::Args;
use serde_json::json;
use stateward_agent::notifications::{self, NotificationError};
use stateward_agent::{AgentError, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Tells everybody who is told of jobs that this is a test, and what came back. The first that was not reached is the error.
pub fn run(context: &Context, _: Arguments) -> Result<Exit, AgentError> {
    let output = context.output();
    let mut failed = None;
    for told in notifications::test(context.agent())? {
        let channel = &told.channel;
        match told.outcome {
            Ok(delivered) => {
                let (status, answer) = delivered.answer.unzip();
                output.object(&json!({
                    "type": "channel", "channel": channel, "status": status, "answer": answer, "is_delivered": true,
                }));
                let back = match (status, answer.filter(|answer| !answer.is_empty())) {
                    (None, _) => String::new(),
                    (Some(status), None) => format!("; it answered {status}"),
                    (Some(status), Some(answer)) => format!("; it answered {status}: {answer}"),
                };
                output.line(format_args!("Told {channel}{back}"));
            }
            Err(error) => {
                let is_known = !matches!(error, NotificationError::NotShownYet { .. });
                output.object(&json!({
                    "type": "channel", "channel": channel, "is_delivered": is_known.then_some(false),
                    "message": error.to_string(),
                }));
                match &failed {
                    // The command ends with it, which says so.
                    None => failed = Some(error),
                    Some(_) => output.line(format_args!("{error}")),
                }
            }
        }
    }
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(Exit::Done),
    }
}
