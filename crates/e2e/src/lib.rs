//! The whole product over real sockets and processes: a harness that starts the two programs as a person would, and
//! looks at what they leave behind with its own eyes.
//!
//! It builds nothing and knows no other room: programs are found beside the test (`cargo build --bins` first, in the
//! same profile), spoken to by their command lines and JSON, and judged by files, exit codes and other programs. A
//! step of the harness that fails panics, as an assertion does.
//!
//! Begin with [`TestVault`] and [`TestServer`]; [`tree`] plants files of every kind, [`compare`] tells two trees apart.

#![allow(clippy::unwrap_used, reason = "a failure here fails the test that uses it")]
#![cfg(target_os = "linux")]

pub mod btrfs;
pub mod canary;
pub mod compare;
pub mod console;
pub mod depths;
pub mod dice;
pub mod disk;
pub mod failing_disk;
pub mod faketime;
pub mod limit;
pub mod memory;
pub mod outside;
pub mod postgres;
pub mod process;
pub mod relay;
mod said;
pub mod server;
pub mod terminal;
pub mod tree;
pub mod vault;
pub mod wine;

pub use compare::assert_same;
pub use console::TestConsole;
pub use dice::Dice;
pub use disk::Disk;
pub use failing_disk::FailingDisk;
pub use outside::Outside;
pub use postgres::Postgres;
pub use process::{Outcome, Running};
pub use server::TestServer;
pub use terminal::Terminal;
pub use vault::TestVault;
pub use wine::WindowsServer;

/// Whether the test runs as root: some things (devices, owners, mounts) only root can make.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether the long form of the tests is asked for.
pub fn is_long() -> bool {
    std::env::var_os("STATEWARD_LONG").is_some_and(|value| value == "1")
}

/// How many rounds a test with random moments makes: few by default, `STATEWARD_LONG=1` asks for 25.
pub fn rounds(few: u32) -> u32 {
    if is_long() { 25 } else { few }
}
