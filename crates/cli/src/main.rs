//! The program `stateward`. Everything it does stands in the library beside it, so that tests reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    stateward_cli::run()
}
