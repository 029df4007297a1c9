//! Chores of the house: `cargo xtask tidy`, `cargo xtask pin-format`, `cargo xtask reference`, `cargo xtask benchmarks`.
//!
//! `tidy` holds what a compiler cannot: who may use whom, where SQL or ciphers may stand, that the documents follow the
//! code. It reads the working tree and `cargo metadata`, changes nothing, and runs as a test too
//! (`cargo test -p xtask`). Begin with [`tidy`], whose list of rules is the table of contents.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for a developer's terminal"
)]

mod architecture;
mod benchmarks;
mod format_pin;
mod graph;
mod house;
mod licences;
mod lockfile;
mod openapi;
mod packages;
mod reference;
mod release_keys;
mod source_rules;
mod source_text;
mod tidy;
mod tree;
mod wording;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What this program can do.
const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  tidy        Check the rules of the house (see CONTRIBUTING.md)
  pin-format  Record in docs/format.md that it was brought up to date with the format's source
  reference   Write docs/reference anew from the built programs (with --check: only compare)
  openapi     Write the OpenAPI documents anew from the contract (with --check: only compare)
  make-release-key FILE
              Make a key that signs packages: FILE is secret, FILE.pub is for the servers that are to trust it
  sign-package KEYFILE PACKAGE...
              Sign packages of the agent; each signature goes to PACKAGE.sig
  benchmarks  Write BENCHMARKS.md from a benchmark's RESULTS.json; more files: other tools' settings (.toml),
              measurements to be taken over (.txt)";

fn main() -> ExitCode {
    let root = tree::workspace_root();
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy(&root),
        Some("pin-format") => pin_format(&root),
        Some("reference") => reference(&root, std::env::args().nth(2).as_deref() == Some("--check")),
        Some("openapi") => openapi(&root, std::env::args().nth(2).as_deref() == Some("--check")),
        Some("benchmarks") => benchmarks(&root, std::env::args_os().skip(2).map(PathBuf::from).collect()),
        Some("make-release-key") => {
            make_release_key(std::env::args_os().skip(2).map(PathBuf::from).collect())
        }
        Some("sign-package") => sign_packages(std::env::args_os().skip(2).map(PathBuf::from).collect()),
        Some("help" | "--help" | "-h") => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Prints what is not tidy; fails if something is wrong.
fn tidy(root: &Path) -> ExitCode {
    match tidy::check(root) {
        Ok(report) => {
            for note in &report.notes {
                println!("note: {note}");
            }
            for problem in &report.problems {
                eprintln!("error: {problem}");
            }
            let count = report.problems.len();
            println!("tidy: {} files read, {count} problems", report.files);
            if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => fail(&error),
    }
}

/// Renews the pin in the format's description.
fn pin_format(root: &Path) -> ExitCode {
    match tree::Tree::read(root).and_then(|tree| format_pin::renew(root, &tree)) {
        Ok(pin) => {
            println!("{} is pinned to {pin}", format_pin::DOCUMENT);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Writes or checks the reference.
fn reference(root: &Path, is_check: bool) -> ExitCode {
    written(reference::run(root, is_check), is_check, "not as the programs say", "reference")
}

/// Writes or checks the OpenAPI documents.
fn openapi(root: &Path, is_check: bool) -> ExitCode {
    written(openapi::run(root, is_check), is_check, "not as the contract says", "openapi")
}

/// Tells which files were written, or are to be written by that command.
fn written(
    outcome: Result<Vec<&'static str>, tidy::Failure>,
    is_check: bool,
    wrong: &str,
    command: &str,
) -> ExitCode {
    match outcome {
        Ok(stale) if stale.is_empty() => ExitCode::SUCCESS,
        Ok(stale) if is_check => {
            eprintln!("error: {wrong}: {}; run `cargo xtask {command}`", stale.join(", "));
            ExitCode::FAILURE
        }
        Ok(stale) => {
            println!("written: {}", stale.join(", "));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Writes the page of a benchmark.
fn benchmarks(root: &Path, files: Vec<PathBuf>) -> ExitCode {
    let Some((results, more)) = files.split_first() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match benchmarks::run(root, results, more) {
        Ok(()) => {
            println!("written: {}", benchmarks::PAGE);
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Makes a release key.
fn make_release_key(files: Vec<PathBuf>) -> ExitCode {
    let [file] = &files[..] else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match release_keys::make(file) {
        Ok(public) => {
            println!(
                "{} is secret: whoever has it can run what he likes on every server that trusts it",
                file.display()
            );
            println!("{} is for those servers", public.display());
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Signs packages.
fn sign_packages(files: Vec<PathBuf>) -> ExitCode {
    let Some((key, packages)) = files.split_first().filter(|(_, packages)| !packages.is_empty()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match release_keys::sign(key, packages) {
        Ok(signed) => {
            signed.iter().for_each(|path| println!("written: {}", path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&error),
    }
}

/// Says why nothing could be checked.
fn fail(error: &tidy::Failure) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}
