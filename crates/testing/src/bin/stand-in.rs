//! Plays `wbadmin`, `sfc`, `diskpart`, `vssadmin` and `bcdedit` by the name under which it lies: see `stateward_testing::stand_in`.

use std::process::ExitCode;

fn main() -> ExitCode {
    stateward_testing::stand_in::main()
}
