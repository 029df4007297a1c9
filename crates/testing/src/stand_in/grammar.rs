//! What Microsoft's documentation lets each program be given. A stand-in that took more would hide a mistake.

use std::fs;

/// A program, the words that it begins with, and the options that may follow; `*` stands for any text.
const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    ("wbadmin", &["get", "versions"], &["-backupTarget:*", "-machine:*"]),
    ("wbadmin", &["get", "disks"], &[]),
    ("wbadmin", &["get", "status"], &[]),
    ("wbadmin", &["get", "items"], &["-version:*", "-backupTarget:*", "-machine:*"]),
    ("wbadmin", &["start", "systemstatebackup"], &["-backupTarget:*", "-quiet"]),
    ("wbadmin", &["stop", "job"], &["-quiet"]),
    (
        "wbadmin",
        &["delete", "systemstatebackup"],
        &["-keepVersions:*", "-version:*", "-deleteOldest", "-backupTarget:*", "-machine:*", "-quiet"],
    ),
    (
        "wbadmin",
        &["start", "systemstaterecovery"],
        &[
            "-version:*",
            "-showsummary",
            "-backupTarget:*",
            "-machine:*",
            "-recoveryTarget:*",
            "-authsysvol",
            "-autoReboot",
            "-quiet",
        ],
    ),
    ("sfc", &["/verifyonly"], &[]),
    ("bcdedit", &["/set", "safeboot", "dsrepair"], &[]),
    ("bcdedit", &["/deletevalue", "safeboot"], &[]),
    ("vssadmin", &["list", "writers"], &[]),
    ("vssadmin", &["list", "providers"], &[]),
    ("vssadmin", &["list", "shadowstorage"], &[]),
    ("diskpart", &["/s", "*"], &[]),
];

/// Lines of a script of `diskpart`.
const SCRIPT: &[&str] = &[
    "create vdisk file=\"*\" maximum=* type=expandable",
    "select vdisk file=\"*\"",
    "attach vdisk",
    "detach vdisk",
    "convert gpt",
    "create partition primary",
    "format fs=ntfs label=\"*\" quick",
    "assign mount=\"*\"",
    "list disk",
    "list volume",
    "list vdisk",
];

/// Whether a text is what a pattern with `*` says; each `*` stands for something.
fn fits(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            (1..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(&rest[at..], after))
        }),
    }
}

/// # Errors
/// What isn't documented.
pub(super) fn check(program: &str, arguments: &[String]) -> Result<(), String> {
    let begins = |words: &[&str]| {
        arguments.len() >= words.len() && arguments.iter().zip(words).all(|(found, word)| fits(found, word))
    };
    let command = COMMANDS.iter().find(|(name, words, _)| *name == program && begins(words));
    let (_, words, options) = command.ok_or("no such command is documented")?;
    let given = &arguments[words.len()..];
    for option in given {
        if !options.iter().any(|pattern| fits(option, pattern)) {
            return Err(format!("the option `{option}` isn't documented"));
        }
    }
    let has = |option: &str| given.iter().any(|found| found.starts_with(option));
    if words.contains(&"systemstaterecovery") && has("-backupTarget") && !has("-machine") {
        return Err("`-backupTarget` needs `-machine`".to_owned());
    }
    match program {
        "diskpart" => check_script(&arguments[1]),
        _ => Ok(()),
    }
}

fn check_script(path: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("the script can't be read: {error}"))?;
    match text.lines().find(|line| !SCRIPT.iter().any(|pattern| fits(line, pattern))) {
        Some(line) => Err(format!("the line `{line}` isn't documented")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(program: &str, arguments: &[&str]) -> Result<(), String> {
        check(program, &arguments.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_documented_is_taken_and_nothing_else() {
        given("wbadmin", &["start", "systemstatebackup", "-backupTarget:E:", "-quiet"]).unwrap();
        given("wbadmin", &["get", "versions"]).unwrap();
        for (program, arguments) in [
            ("wbadmin", &["start", "systemstatebackup", "-target:E:"][..]),
            ("wbadmin", &["start", "systemstatebackup", "-backupTarget:"]),
            ("wbadmin", &["start", "systemstaterecovery", "-version:1", "-backupTarget:E:"]),
            ("wbadmin", &["start", "everything"]),
            ("wbadmin", &[]),
            ("sfc", &["/scannow"]),
            ("diskpart", &["/s", "/no/such/script"]),
            ("format", &["C:"]),
        ] {
            assert!(given(program, arguments).is_err(), "{program} {arguments:?}");
        }
    }
}
