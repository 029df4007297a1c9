//! The same on paper, and as a script: for a machine on which no agent runs any more.

use super::{Place, Plan, Point, Wish, listing_line, recovery_line};

/// What a person does whose machine doesn't start any more. To be printed, and kept away from that machine.
pub fn runbook(point: &Point, place: &Place) -> String {
    let Point { machine, version, windows, is_domain_controller } = point;
    let line = recovery_line(point, place, Wish::default());
    let list = listing_line(point, place);
    let mut text = format!(
        "How to put the System State of {machine} back\r\n\
         =============================================\r\n\r\n\
         Machine:          {machine}\r\n\
         Windows:          {windows}\r\n\
         Version:          {version} (UTC)\r\n\
         Image lies in:    {place}, folder WindowsImageBackup at its root\r\n\r\n\
         A System State holds Windows' own files, its registry and what its roles know. It holds no other volume and no\r\n\
         user's files, and it can't make a machine start that has no Windows. So first, in this order:\r\n\r\n\
         1. Try to start it: choose Troubleshoot, Startup Repair; then Safe Mode.\r\n"
    );
    if *is_domain_controller {
        text.push_str(
            "   This is a domain controller: choose Directory Services Repair Mode, and sign in as .\\Administrator with\r\n   \
             that mode's password. If another domain controller lives, promoting a new one is mostly better.\r\n",
        );
    }
    text.push_str(&format!(
        "2. If it doesn't start: install Windows {windows} on it, with the same edition, language and drive letters. Don't\r\n   \
         join it to a domain. An older Windows is of no use.\r\n\
         3. Install Windows Server Backup, in PowerShell as an administrator:\r\n\r\n   \
         Install-WindowsFeature Windows-Server-Backup\r\n\r\n\
         4. If WindowsImageBackup isn't in {place} yet: bring the recovery point back there with Stateward, from any machine\r\n   \
         (\"stateward restore\", or \"stateward recover\" without a vault). It proves every file.\r\n\
         5. See that the version is listed:\r\n\r\n   {list}\r\n\r\n"
    ));
    if *is_domain_controller {
        text.push_str(&format!(
            "6. If the machine has a directory already, start it for its repair first:\r\n\r\n   \
             bcdedit /set safeboot dsrepair\r\n   shutdown /r /t 0\r\n\r\n\
             7. Put the System State back. Only if no other domain controller is left in the forest, add -authsysvol:\r\n\r\n   \
             {line}\r\n\r\n\
             8. Start it as usual:\r\n\r\n   bcdedit /deletevalue safeboot\r\n   shutdown /r /t 0\r\n\r\n\
             9. See how it came out:\r\n\r\n   wbadmin start systemstaterecovery -showsummary\r\n"
        ));
    } else {
        text.push_str(&format!(
            "6. Put the System State back:\r\n\r\n   {line}\r\n\r\n\
             7. Restart:\r\n\r\n   shutdown /r /t 0\r\n\r\n\
             8. See how it came out:\r\n\r\n   wbadmin start systemstaterecovery -showsummary\r\n"
        ));
    }
    text
}

/// A script (`.cmd`) that runs a plan up to its first restart, and tells what is to be done after it. It stops at the first line
/// that fails.
pub fn script(plan: &Plan) -> String {
    let mut text = String::from("@echo off\r\nsetlocal\r\n");
    for warning in &plan.warnings {
        text.push_str(&format!("echo Note: {}\r\n", echoed(warning)));
    }
    text.push_str("pause\r\n");
    let mut is_after_restart = false;
    for (place, step) in plan.steps.iter().enumerate() {
        let what = echoed(&step.what);
        let number = place + 1;
        match (&step.line, is_after_restart) {
            (Some(line), true) => text.push_str(&format!("rem {number}. {what}:\r\nrem    {line}\r\n")),
            (None, true) => text.push_str(&format!("rem {number}. {what}\r\n")),
            (None, false) => text.push_str(&format!("echo {number}. {what}\r\npause\r\n")),
            (Some(line), false) => {
                text.push_str(&format!("echo {number}. {what}\r\n{line}\r\nif errorlevel 1 goto failed\r\n"));
            }
        }
        if step.restarts && !is_after_restart {
            is_after_restart = true;
            text.push_str("exit /b 0\r\nrem After the restart:\r\n");
        }
    }
    if !is_after_restart {
        text.push_str("exit /b 0\r\n");
    }
    text.push_str(":failed\r\necho That failed. Nothing more is done.\r\nexit /b 1\r\n");
    text
}

/// A sentence that `echo` and `rem` take as it is.
fn echoed(text: &str) -> String {
    text.chars().map(|c| if "%^&|<>\"`!".contains(c) || c.is_control() { '\'' } else { c }).collect()
}
