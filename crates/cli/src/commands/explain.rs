//! `stateward explain`

use crate::context::Context;
use crate::display::{Table, facts};
use clap::Args;
use serde_json::json;
use stateward_agent::codes::warnings::{self, WarningCode};
use stateward_agent::{AgentError, Code, Exit};

/// The command's flags.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The code, such as `vault-unreachable` [default: show all codes]
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

/// Explains a code, or lists them all.
pub fn run(context: &Context, Arguments { code }: Arguments) -> Result<Exit, AgentError> {
    match code {
        None => list(context),
        Some(text) => match (text.parse::<Code>(), warnings::find(&text)) {
            (Ok(code), _) => explain_error(context, code),
            (_, Some(warning)) => explain_warning(context, warning),
            _ => return Err(AgentError::UnknownCode(text)),
        },
    }
    Ok(Exit::Done)
}

fn list(context: &Context) {
    let mut table = Table::new(&["Code", ">Exit code", "Meaning"]);
    for code in Code::all() {
        context.output().object(&error_object("code", code));
        table.row(vec![code.to_string(), code.exit().number().to_string(), code.meaning().to_owned()]);
    }
    for warning in warnings::ALL {
        context.output().object(&warning_object("code", warning));
        table.row(vec![warning.code.to_owned(), "warning".to_owned(), warning.meaning.to_owned()]);
    }
    table.print(context.output(), "");
}

fn error_object(kind: &str, code: Code) -> serde_json::Value {
    json!({
        "type": kind, "code": code.as_str(), "exit_code": code.exit().number(),
        "meaning": code.meaning(), "remedy": code.remedy(),
    })
}

fn warning_object(kind: &str, warning: &WarningCode) -> serde_json::Value {
    json!({
        "type": kind, "code": warning.code, "exit_code": null,
        "meaning": warning.meaning, "remedy": warning.remedy,
    })
}

fn explain_error(context: &Context, code: Code) {
    let (output, exit) = (context.output(), code.exit());
    output.object(&error_object("result", code));
    output.line(format_args!("{code}: {}", code.meaning()));
    facts(
        output,
        &[
            ("What to do", code.remedy().to_owned()),
            ("Exit code", format!("{} ({})", exit.number(), exit.meaning())),
        ],
    );
}

fn explain_warning(context: &Context, warning: &WarningCode) {
    let output = context.output();
    output.object(&warning_object("result", warning));
    output.line(format_args!("{}: {}", warning.code, warning.meaning));
    facts(
        output,
        &[("What to do", warning.remedy.to_owned()), ("Kind", "Warning: the job went on".to_owned())],
    );
}
