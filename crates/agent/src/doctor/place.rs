//! Where things lie: the home with its keys, the registration in it, and the cache folder.

use super::Check;
use crate::codes::Code;
use crate::{Agent, AgentError, Home, RegisteredServer, Registration, disk, platform};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// With less free space in the home than this, a backup could not note what it did.
const HOME_BYTES_LEAST: u64 = 16 << 20;

/// With less than this it soon will not.
const HOME_BYTES_FEW: u64 = 256 << 20;

/// A home takes some files for each job.
const HOME_FILES_FEW: u64 = 1000;

/// The home, its rights and its space.
pub(super) fn home(agent: &Agent) -> Vec<Check> {
    let home = agent.home();
    let shown = home.path().display();
    if !home.exists() {
        let words = format!("There is no home at `{shown}`, or this user may not see it");
        return vec![Check::failed("home", Code::HomeUnusable, words)];
    }
    let mut checks = vec![match is_writable(home.path()) {
        Ok(()) => Check::passed("home", format!("`{shown}` can be read and written")),
        Err(cause) => Check::error("home", &home.unusable(home.path(), cause)),
    }];
    checks.push(rights(home));
    checks.push(space(home.path()));
    checks
}

/// Tried, and not read from rights: a file system may be read-only, or full.
fn is_writable(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!("doctor-{}.probe", std::process::id()));
    platform::make_private_options().create_new(true).open(&probe)?;
    fs::remove_file(&probe)
}

fn rights(home: &Home) -> Check {
    const NAME: &str = "home-rights";
    let folders = [home.path().to_owned(), home.keys(), home.jobs(), home.logs()];
    for folder in folders.iter().filter(|folder| folder.exists()) {
        let shown = folder.display();
        match platform::is_open_to_others(folder) {
            Ok(false) => (),
            Ok(true) => {
                let words = format!("Other users may enter `{shown}`, where keys and names lie");
                return Check::warning(NAME, words, platform::close_to_others(folder));
            }
            Err(cause) => {
                return Check::skipped(NAME, format!("The rights of `{shown}` can't be told: {cause}"));
            }
        }
    }
    let keys = fs::read_dir(home.keys()).into_iter().flatten().flatten();
    for path in keys.map(|entry| entry.path()) {
        if File::open(&path).is_ok_and(|file| platform::is_readable_by_others(&file)) {
            let shown = path.display();
            let words = format!("Other users may read `{shown}` as soon as they may enter its folder");
            return Check::warning(NAME, words, platform::close_to_others(&path));
        }
    }
    Check::passed(NAME, "Only its owner may enter the home and read the keys")
}

fn space(home: &Path) -> Check {
    const NAME: &str = "home-space";
    let Some(free) = platform::free_space(home) else {
        return Check::skipped(NAME, "What is free for home and logs can't be told here");
    };
    let told = format!("{} are free for home and logs", disk::shown(free.bytes));
    match free.files {
        _ if free.bytes < HOME_BYTES_LEAST => Check::failed(NAME, Code::HomeFull, told),
        _ if free.bytes < HOME_BYTES_FEW => Check::warning(NAME, told, Code::HomeFull.remedy()),
        Some(files) if files < HOME_FILES_FEW => {
            let told = format!("{told}, and room for {files} more files");
            Check::warning(NAME, told, Code::HomeFull.remedy())
        }
        _ => Check::passed(NAME, told),
    }
}

/// Whether the home is a registered server's, with its keys.
pub(super) fn registration(agent: &Agent, checks: &mut Vec<Check>) -> Option<RegisteredServer> {
    const NAME: &str = "registration";
    let loaded = match Registration::find(agent.home()) {
        Ok(None) => Err(AgentError::NotRegistered { home: agent.home().path().to_owned() }),
        Ok(Some(_)) => RegisteredServer::load(agent.home()),
        Err(error) => Err(error),
    };
    match loaded {
        Ok(server) => {
            let found = &server.registration;
            let words =
                format!("This is `{}` of vault `{}` at `{}`", found.label, found.vault_name, found.url);
            checks.push(Check::passed(NAME, words));
            Some(server)
        }
        Err(error) => {
            checks.push(Check::error(NAME, &error));
            None
        }
    }
}

/// The cache folder. How much is free there, a precheck tells.
pub(super) fn cache(server: Option<&RegisteredServer>) -> Vec<Check> {
    const NAME: &str = "cache";
    let Some(server) = server else { return vec![Check::skipped(NAME, "Nothing is registered")] };
    let path = &server.registration.cache;
    let shown = path.display();
    if !path.is_dir() {
        let words = format!("The cache folder `{shown}` is not there");
        let remedy = "The next backup makes it and fills it from the vault; if its disk is not mounted, mount it first";
        return vec![Check::warning(NAME, words, remedy)];
    }
    let mut checks = vec![match (is_writable(path), platform::is_open_to_others(path)) {
        (Err(cause), _) => {
            Check::failed(NAME, Code::CacheUnusable, format!("`{shown}` can't be written: {cause}"))
        }
        (_, Ok(true)) => {
            let words = format!("Other users may enter the cache folder `{shown}`");
            Check::warning(NAME, words, platform::close_to_others(path))
        }
        _ => Check::passed(NAME, format!("`{shown}` can be read and written")),
    }];
    checks.push(match platform::file_system(path) {
        None => Check::skipped("cache-file-system", "What its file system is can't be told here"),
        Some(found) if found.is_network => Check::warning(
            "cache-file-system",
            format!(
                "The cache folder lies on another machine, by {}: backups are slow, and stop when it is away",
                found.name
            ),
            "Move it to a disk of this machine: `stateward cache move DIR`",
        ),
        Some(found) => {
            Check::passed("cache-file-system", format!("It lies on a disk of this machine ({})", found.name))
        }
    });
    checks
}
