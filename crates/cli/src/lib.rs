//! The program `stateward`: everything on a protected server, and a vault's administration, from a terminal.
//!
//! One file a command, a folder a noun ([`commands`]). This room knows terminals, flags and words; what is done is done
//! by `agent` and `client`. One table of flags ([`arguments`]) makes help, man page and completion.
//!
//! Invariants: standard output holds data, standard error talk · with `--json` each line of standard output is one
//! object, the result last · nothing that is printed can steer a terminal, whoever chose its name · no secret is printed
//! but what was just made, once, where the user asked for it: a recovery code, a passphrase, the console's one-time token · exit codes come from the
//! agent's table.
//!
//! Begin with [`run`].

pub mod arguments;
pub mod commands;
mod context;
mod display;
mod failure;
mod job_runner;
mod job_screen;
mod laying_flags;
mod logging;
mod output;
mod pace;
mod prompt;
mod proxy_flags;
mod result_lines;
mod retain_flag;
mod secret_input;
mod tags;
mod units;
mod vault_choice;

use arguments::{Arguments, Global};
use clap::Parser;
use clap::error::ErrorKind;
use context::Context;
use output::Output;
use stateward_agent::Exit;
use std::process::ExitCode;

/// Runs the program: reads the arguments, does what they say, prints what came out, gives the exit code.
pub fn run() -> ExitCode {
    // Before anything that may have a library loaded.
    stateward_agent::platform::keep_to_system_libraries();
    let exit = match Arguments::try_parse() {
        Ok(arguments) => execute(arguments),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.number())
}

fn execute(Arguments { global, command }: Arguments) -> Exit {
    let output = Output::new(global.json);
    let exit = begin(&global, &output, &command)
        .and_then(|context| commands::run(&context, command))
        .unwrap_or_else(|error| {
            failure::print(&output, &error);
            error.exit()
        });
    output.finish(exit)
}

fn begin(
    global: &Global,
    output: &Output,
    command: &commands::Command,
) -> Result<Context, stateward_agent::AgentError> {
    let context = Context::new(global, output.clone())?;
    if command.makes_home() {
        context.agent().home().prepare()?;
    }
    if command.uses_home() {
        logging::begin(context.agent().home());
    }
    Ok(context)
}

/// What is wrong, in one line, out of what clap tells people: its first paragraph.
fn usage_message(text: &str) -> String {
    let lines = text.trim_start_matches("error: ").lines().map(str::trim);
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What clap says: help and version are no errors, everything else is wrong usage.
fn usage(error: &clap::Error) -> Exit {
    let is_asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    // The terminal being gone is no reason to do anything else.
    let _ = error.print();
    if is_asked_for {
        return Exit::Done;
    }
    // The flags were not understood, so whether they ask for JSON is looked for by hand.
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        failure::print_usage(&Output::new(true), usage_message(&text));
    }
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_is_told_in_one_line_that_names_what_is_missing() {
        let text = "error: the following required arguments were not provided:\n  --out <FILE>\n\nUsage: x --out <FILE>\n";
        assert_eq!(usage_message(text), "the following required arguments were not provided: --out <FILE>");
    }
}
